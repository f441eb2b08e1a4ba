"""Triples for alignment probes: a picture, its caption, and the caption spoken (not for a probe without speech).

Sources: the mini set that ships (drawn scenes), a folder with a table, or 1024 Wikipedia pictures with
captions (`minhuh/prh`, revision `wit_1024`, the set of the platonic representation metrics). A row that cannot
be used is left out and counted with its reason; it never stops the others.
"""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.resources import files
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from alignment_probes.speak import spoken, synthesizer
from harness import media as media_files
from harness.contracts import DataChoice
from harness.failures import UsageError
from harness.inside import Roots
from harness.types import Failure, Media

HUB_ID, HUB_REVISION = "minhuh/prh", "wit_1024"
TABLES = ("captions.tsv", "captions.jsonl", "captions.parquet", "concepts.tsv")
_LAYOUT = (
    "It needs one of captions.tsv, captions.jsonl, captions.parquet (columns image, caption, and if present id and "
    "audio), or concepts.tsv (picture, class text and if present recording, without a header)."
)


class Triple(NamedTuple):
    id: str
    image: Media
    caption: str
    audio: Media | None
    """None in a probe without speech."""


class Rejected(NamedTuple):
    """A row that was left out."""

    id: str
    failure: Failure


@dataclass(frozen=True)
class ProbeData:
    """Usable triples in the order of their source, and what was left out."""

    triples: tuple[Triple, ...]
    rejected: tuple[Rejected, ...]
    fingerprint: Mapping[str, Any]
    """Where the rows come from, how many, and hashes of every triple used: whole, and without its speech."""


class _Source(NamedTuple):
    name: dict[str, Any]
    folder: Path  # what paths in the rows are relative to
    rows: Iterator[dict[str, Any]]


def load(data: str, limit: int | None = None, audio: bool = True) -> ProbeData:
    """Read the first `limit` rows of "mini", "hub" or a folder, and with `audio` speak captions that have no recording.

    Raises UsageError when the source cannot be read, is empty, or speech is needed and the extra `espeak` is absent.
    """
    source = _source(DataChoice.parse(data))
    triples: list[Triple] = []
    rejected: list[Rejected] = []
    taken: set[str] = set()
    spoken_here = False
    for number, row in enumerate(islice(source.rows, limit)):
        identity = str(row.get("id") or _name_of(row.get("image")) or f"row-{number}")
        try:
            if identity in taken:
                raise ValueError(f"duplicate id {identity!r}: an earlier row has it too")
            triple = _triple(identity, row, source.folder, audio)
            spoken_here = spoken_here or (audio and not row.get("audio"))
        except ValueError as error:
            rejected.append(Rejected(identity, Failure("load", "permanent", f"row {number}: {error}")))
        else:
            triples.append(triple)
        taken.add(identity)
    if not triples and not rejected:
        raise UsageError(f"no rows for a probe in {data}")
    digest, seen = hashlib.sha256(), hashlib.sha256()
    for triple in triples:
        pair = [triple.id, triple.image.sha256, triple.caption]
        seen.update(orjson.dumps(pair) + b"\n")
        digest.update(orjson.dumps([*pair, triple.audio and triple.audio.sha256]) + b"\n")
    fingerprint = {**source.name, "rows": len(triples) + len(rejected), "used": len(triples)}
    fingerprint |= {"sha256": digest.hexdigest(), "pairs_sha256": seen.hexdigest()}
    fingerprint["speech"] = (synthesizer() if spoken_here else "recorded") if audio else None
    return ProbeData(tuple(triples), tuple(rejected), fingerprint)


def _triple(identity: str, row: Mapping[str, Any], folder: Path, speech: bool) -> Triple:
    """Raises ValueError naming the field at fault."""
    caption = row.get("caption")
    if not isinstance(caption, str) or not caption.strip():
        raise ValueError("field caption is empty")
    image = _media("image", row.get("image"), folder)
    if not speech:
        return Triple(identity, image, caption.strip(), None)
    audio = _media("audio", row["audio"], folder) if row.get("audio") else None
    return Triple(identity, image, caption.strip(), audio or media_files.reference("audio", spoken(caption.strip())))


def _media(kind: Any, value: Any, folder: Path) -> Media:
    """A file of the folder, or bytes that the table itself holds."""
    if isinstance(value, Mapping) and value.get("bytes"):
        if not isinstance(value["bytes"], bytes):
            raise ValueError(f"field {kind} has bytes that are text: expected the name of a file")
        return media_files.intern(kind, value["bytes"])
    name = value.get("path") if isinstance(value, Mapping) else value
    if not isinstance(name, str) or not name:
        raise ValueError(f"field {kind} is empty")
    if folder != Path():  # the hub's library names files of its own cache
        Roots(folder).check(folder / name)
    found = media_files.reference(kind, folder / name)
    if not found.sha256:
        raise ValueError(f"{kind} file is missing or cannot be read: {folder / name}")
    return found


def _name_of(value: Any) -> str | None:
    name = value.get("path") if isinstance(value, Mapping) else value
    return name if isinstance(name, str) else None


def _source(choice: DataChoice) -> _Source:
    if choice.kind == "hub":
        return _Source({"source": HUB_ID, "revision": HUB_REVISION, "caption": 0}, Path(), _hub_rows())
    folder = choice.folder or Path(str(files(__package__))) / "data" / "mini"
    if not folder.is_dir():
        raise UsageError(f"data folder does not exist: {folder}. --data takes a folder, mini or hub. {_LAYOUT}")
    table = next((folder / name for name in TABLES if (folder / name).is_file()), None)
    if table is None:
        raise UsageError(f"no table of pictures and captions in {folder}. {_LAYOUT}")
    name = {"source": str(choice), "table": table.name}
    try:
        return _Source(name, folder, iter(list(_table_rows(table))))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UsageError(f"{table} cannot be read: {error}. {_LAYOUT}") from error


def _table_rows(table: Path) -> Iterator[dict[str, Any]]:
    match table.name:
        case "captions.parquet":
            yield from _parquet_rows(table)
        case "captions.jsonl":
            for number, line in enumerate(table.read_text(encoding="utf-8-sig").split("\n"), start=1):
                if line.strip():
                    yield _json_row(line, f"{table}, line {number}")
        case "captions.tsv":
            with table.open(encoding="utf-8-sig", newline="") as file:
                reader = csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
                _require_columns(table, reader.fieldnames or ())
                yield from reader
        case _:
            with table.open(encoding="utf-8-sig", newline="") as file:
                for cells in csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE):
                    yield dict(zip(("image", "caption", "audio"), cells, strict=False))


def _json_row(line: str, place: str) -> dict[str, Any]:
    try:
        row = orjson.loads(line)
    except orjson.JSONDecodeError as error:  # half a surrogate and lists a thousand deep too
        raise UsageError(f"{place}: not JSON: {error.msg}, column {error.colno}. {_LAYOUT}") from error
    if not isinstance(row, dict):
        raise UsageError(f"{place}: not a JSON object. {_LAYOUT}")
    return row


def _parquet_rows(table: Path) -> Iterator[dict[str, Any]]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        file = pq.ParquetFile(table)
        _require_columns(table, file.schema_arrow.names)
        wanted = [name for name in ("id", "image", "caption", "audio") if name in file.schema_arrow.names]
        for batch in file.iter_batches(batch_size=256, columns=wanted):
            yield from batch.to_pylist()
    except pa.ArrowException as error:
        raise UsageError(f"{table} cannot be read as Parquet: {error}") from error


def _require_columns(table: Path, names: Any) -> None:
    if missing := [name for name in ("image", "caption") if name not in names]:
        raise UsageError(f"{table} has no column {', '.join(missing)}; it has {', '.join(names)}. {_LAYOUT}")


def _hub_rows() -> Iterator[dict[str, Any]]:
    """Pictures as bytes, and the first of each picture's captions."""
    import datasets

    try:
        loaded = datasets.load_dataset(HUB_ID, revision=HUB_REVISION, split="train")
        rows = loaded.cast_column("image", datasets.Image(decode=False))
        for number, row in enumerate(rows):
            captions = row["text"]
            yield {
                "id": f"wit-{number}",
                "image": row["image"],
                "caption": captions if isinstance(captions, str) else next(iter(captions), ""),
            }
    except Exception as error:  # the hub's client raises many kinds, from HTTP to JSON
        raise UsageError(
            f"{HUB_ID} (revision {HUB_REVISION}) cannot be read from the hub: {error}. "
            "Use --data mini, or --data DIR with pictures and captions of your own."
        ) from error
