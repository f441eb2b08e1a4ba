"""CoVoST 2: recordings of Common Voice with translations (Wang et al., 2020).

The publisher's script (github.com/facebookresearch/covost) makes `covost_v2.<source>_<target>.test.tsv` (path,
sentence, translation, client_id) out of its download, `covost_v2.<source>_<target>.tsv` (path, translation, split), and
a Common Voice release. Both are read; the download has no sentence.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from harness.task import Row
from tasks.readers import parquet
from tasks.readers.delimited import Tabs, records
from tasks.readers.hub import copies_of
from tasks.readers.layout import AUDIO_SUFFIXES, LayoutError, RowError, found_instead, matches, only_one
from tasks.readers.locate import Locator
from tasks.readers.rows import failed, utterance_id
from tasks.readers.speech import hub_utterances

PAIRS = {"zh_en": ("zh-CN", "en"), "en_zh": ("en", "zh-CN")}
"""Pair -> the languages in Common Voice's names."""
MIRROR = "TwinkStart/covost2"
"""A data set of the hub with a split for each pair; a local copy is read."""
_TRANSLATIONS = ("translation", "gt", "text")
"""What the hub's data sets call the translation: `lmms-lab-audio/covost2` gt, `lmms-lab-audio/covost2_en-zh`
translation, `TwinkStart/covost2` text."""


def covost2(folder: Path, pair: str) -> Iterator[Row]:
    """`CoVoST2/<source>/{covost_v2.<source>_<target>.test.tsv, clips/*}`, or a copy of `MIRROR`.

    Rows have `audio`, `sentence` (None where the table has none), `translation` and `client_id`. The ending of a clip
    may differ from the table's.
    """
    source, target = PAIRS[pair]
    name = f"covost_v2.{source}_{target}"
    places = [folder / "CoVoST2" / source, folder / "CoVoST2"]
    # the script leaves its table beside the download, which is no second source
    for wanted in (f"{name}.test.tsv", f"{name}.tsv"):
        found = [place / wanted for place in places if (place / wanted).is_file()]
        if (table := only_one(found, f"CoVoST2 {pair}")) is not None:
            return _read(table, table.parent / "clips", folder)
    if files := _mirrored(folder, pair):
        return hub_translations(parquet.read(files, ("audio",), folder))
    wanted_file = places[0] / f"{name}.test.tsv"
    raise LayoutError(f"file not found: {wanted_file}. {found_instead(wanted_file)}")


def _read(table: Path, clips: Path, data: Path) -> Iterator[Row]:
    find = Locator(AUDIO_SUFFIXES, data, table.parent, table.resolve().parent)
    for record in records(table, Tabs, ("path", "translation")):
        cells = record.cells
        if cells.get("split", "test") != "test":
            continue
        row: Row = {
            "sample_id": utterance_id(cells["path"]) or f"line-{record.line}",
            "audio": None,
            "sentence": cells.get("sentence") or None,
            "translation": cells["translation"],
            "client_id": cells.get("client_id") or None,
        }
        try:
            if not cells["path"]:
                raise RowError("column path is empty; write the clip's file name there")
            row["audio"] = find(clips / cells["path"])
        except RowError as error:
            yield failed(row, record.fault or f"{table}:{record.line}: {error}")
            continue
        yield failed(row, record.fault) if record.fault else row


def _mirrored(folder: Path, pair: str) -> list[Path]:
    """The pair's files in a copy of `MIRROR`, which are named by it; in another data set it is a folder's name."""
    for copy in copies_of(MIRROR):
        if (folder / copy).is_dir() and any(matches(folder / copy, f"**/{pair}-*.parquet")):
            return parquet.split_files(folder / copy, None, pair)
    return []


def hub_translations(rows: Iterable[Row]) -> Iterator[Row]:
    """Hub rows with `translation` and `sentence` (None without). Raises LayoutError where no column translates."""

    def named() -> Iterator[Row]:
        for row in rows:
            column = next((name for name in _TRANSLATIONS if name in row), None)
            if column is None:
                raise LayoutError(f"no column {', '.join(_TRANSLATIONS)}; the columns are {', '.join(row)}")
            yield {**row, "sentence": row.get("sentence"), "translation": row[column]}

    return hub_utterances(named())
