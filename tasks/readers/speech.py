"""Readers of speech archives as they unpack. Each yields rows in the benchmark's own columns, in a fixed order.

`sample_id` and `audio` (a path) are added to every row. A transcript line whose audio is missing still gives a
row, with the path where the audio should be, so that the sample fails when it is loaded instead of vanishing.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from harness.task import Row
from harness.types import Doc
from tasks.readers.layout import (
    AUDIO_SUFFIXES,
    LayoutError,
    Line,
    RowError,
    files_below,
    folders_in,
    found_instead,
    keyed_lines,
    lines,
    matches,
    names_of,
    need_file,
    need_folder,
    only_one,
)
from tasks.readers.locate import Locator
from tasks.readers.media import media_name
from tasks.readers.rows import failed, utterance_id

_AISHELL_SPEAKER = re.compile(r"([A-Z]\d{4})W\d+")
_WENETSPEECH_SEGMENT = re.compile(r"(?:^|[_/])([A-Z]\d{10}(?:_[\w-]+)?)_S\d+$")
_FLEURS_COLUMNS = ("id", "file_name", "raw_transcription", "transcription", "characters", "num_samples", "gender")


def librispeech(folder: Path, split: str) -> Iterator[Row]:
    """`LibriSpeech/<split>/<speaker>/<chapter>/<utterance>.flac` and `<speaker>-<chapter>.trans.txt` (OpenSLR 12)."""
    root = need_folder(folder / "LibriSpeech" / split)
    transcripts = matches(root, "*/*/*.trans.txt")
    if not transcripts:
        wanted = root / "<speaker>" / "<chapter>" / "<speaker>-<chapter>.trans.txt"
        raise LayoutError(f"file not found: {wanted}. {found_instead(wanted)}")
    of_chapter: dict[Path, Path] = {}
    for transcript in transcripts:
        only_one(sorted({of_chapter.setdefault(transcript.parent, transcript), transcript}), "transcripts of a chapter")
    for transcript in transcripts:
        speaker, chapter = transcript.parent.parent.name, transcript.parent.name
        find = Locator(AUDIO_SUFFIXES, folder, root, transcript.resolve().parent)
        for line in keyed_lines(transcript):
            file = f"{line.key}.flac"
            row = {
                "sample_id": line.key,
                "file": file,
                "text": line.value,
                "speaker_id": speaker,
                "chapter_id": chapter,
                "id": line.key,
            }
            found = _with_audio(row, find, transcript.parent / file, transcript, line.number, line.fault)
            yield found if found["audio"] is None else {**found, "file": found["audio"].name}


def aishell1(folder: Path) -> Iterator[Row]:
    """`data_aishell/wav/test/<speaker>/<utterance>.wav` and one transcript for all splits (OpenSLR 33).

    The split's speakers are those that have a folder: the transcript does not say which split a line is of.
    """
    root = folder / "data_aishell"
    wav = need_folder(root / "wav" / "test")
    transcript = only_one(matches(need_folder(root / "transcript"), "*transcript*.txt"), "transcripts")
    if transcript is None:
        wanted = root / "transcript" / "aishell_transcript_v0.8.txt"
        raise LayoutError(f"file not found: {wanted}. {found_instead(wanted)}")
    audio_of: defaultdict[str, list[Path]] = defaultdict(list)
    for path in files_below(wav):
        if path.suffix.lower() in AUDIO_SUFFIXES:
            audio_of[path.stem].append(path)
    speakers = {path.name for path in folders_in(wav)}
    if not audio_of and not speakers:
        raise LayoutError(f"no audio below {wav}: the archive of each speaker has to be unpacked too.")
    find = Locator(AUDIO_SUFFIXES, folder, wav, transcript.resolve().parent.parent)
    for line in keyed_lines(transcript):
        utterance, speaker = line.key, aishell_speaker(line.key)
        if utterance not in audio_of and speaker not in speakers:
            continue
        files = audio_of.get(utterance) or [wav / str(speaker) / f"{utterance}.wav"]
        fault = f"{transcript}:{line.number}: two files: {files[0]} and {files[1]}; keep one" if files[1:] else ""
        row = {
            "sample_id": utterance,
            "name": utterance,
            "text": line.value,
            "speaker_id": files[0].parent.name if files[0].parent != wav else speaker,
        }
        yield _with_audio(row, find, files[0], transcript, line.number, line.fault or fault)


def aishell2(folder: Path, channel: str) -> Iterator[Row]:
    """`AISHELL-2/<channel>/test/{wav.scp, trans.txt}`; the paths of wav.scp count from the test folder.

    `AISHELL-DEV-TEST-SET/` as the publisher's archive unpacks is read as well as `AISHELL-2/`.
    """
    places = [folder / name / channel / "test" for name in names_of("AISHELL-2")]
    root = only_one([place for place in places if place.is_dir()], f"AISHELL-2 {channel} test") or places[0]
    need_folder(root)
    table, transcript = root / "wav.scp", root / "trans.txt"
    path_of: dict[str, str] = {}
    fault_of: dict[str, str] = {}
    for line in keyed_lines(table):
        known = path_of.setdefault(line.key, line.value)
        if known != line.value:
            fault_of[line.key] = f"{table}:{line.number}: two files for {line.key}: {known} and {line.value}; keep one"
        if line.fault:
            fault_of[line.key] = line.fault
    find = Locator(AUDIO_SUFFIXES, folder, root, need_file(transcript).resolve().parent)
    for line in keyed_lines(transcript):
        row = {
            "sample_id": line.key,
            "name": line.key,
            "text": line.value,
            "speaker_id": aishell_speaker(line.key),
        }
        audio = root / path_of.get(line.key, f"wav/{line.key}.wav")
        yield _with_audio(row, find, audio, transcript, line.number, line.fault or fault_of.get(line.key, ""))


def metadata(folder: Path, text: str, data: Path | None = None) -> Iterator[Row]:
    """`metadata.jsonl` beside the audio: a line per utterance with `file_name` and the reference column `text`.

    `data` is the folder that audio may not lead out of, `folder` when it is not given.
    """
    table = need_file(need_folder(folder) / "metadata.jsonl")
    find = Locator(AUDIO_SUFFIXES, data or folder, folder, table.resolve().parent)
    for line in lines(table):
        row: Row = {"sample_id": f"line-{line.number}", "audio": None}
        try:
            values = _json_object(line)
            row = {**{name: value for name, value in values.items() if name != "error"}, **row}
            name = _file_name(values, text)
        except RowError as error:
            yield failed(row, line.fault or f"{table}:{line.number}: {error}")
            continue
        row["sample_id"] = utterance_id(name) or row["sample_id"]
        yield _with_audio(row, find, folder / name, table, line.number, line.fault)


def _json_object(line: Line) -> dict[str, Any]:
    try:
        row = json.loads(line.text)
    except (ValueError, RecursionError) as error:
        raise RowError(f"not JSON ({error}); correct the line") from error
    if not isinstance(row, dict):
        raise RowError(f"a JSON object is expected, not {type(row).__name__}; correct the line")
    return row


def _file_name(row: dict[str, Any], text: str) -> str:
    if missing := [name for name in ("file_name", text) if name not in row]:
        raise RowError(f"no column {', '.join(missing)}; its columns are {', '.join(row)}")
    if not isinstance(row[text], str):
        raise RowError(f"{text} is {str(row[text])[:80]!r}; it must be a text")
    name = row["file_name"]
    if not isinstance(name, str) or not name:
        raise RowError(f"file_name is {str(name)[:80]!r}; it must be the audio's path, as a text")
    return name


def wenetspeech(folder: Path, split: str) -> Iterator[Row]:
    """`WenetSpeech/<split>/metadata.jsonl` (file_name, text) and the audio that it names."""
    return metadata(folder / "WenetSpeech" / split, "text", folder)


def fleurs(folder: Path, language: str) -> Iterator[Row]:
    """`FLEURS/<language>/` with `metadata.jsonl`, or with `test.tsv` as the published archive has it."""
    root = need_folder(folder / "FLEURS" / language)
    tables = [table for table in (root / "test.tsv", root / "metadata.jsonl") if table.is_file()]
    if (table := only_one(tables, f"FLEURS {language}")) is not None and table.name == "test.tsv":
        return fleurs_tsv(root, folder)
    return metadata(root, "transcription", folder)


def fleurs_tsv(folder: Path, data: Path | None = None) -> Iterator[Row]:
    """FLEURS as it unpacks: `test.tsv` without a header, the audio in `test/` (or `audio/test/`)."""
    table = need_file(folder / "test.tsv")
    places = [place for place in (folder / "test", folder / "audio" / "test") if place.is_dir()]
    audio = only_one(places, "the audio of FLEURS") or folder
    find = Locator(AUDIO_SUFFIXES, data or folder, folder, table.resolve().parent)
    for line in lines(table):
        values = line.text.split("\t")
        if len(values) != len(_FLEURS_COLUMNS):
            named = f"{len(values)} columns instead of {', '.join(_FLEURS_COLUMNS)}; correct the line"
            known = {"sample_id": f"line-{line.number}", "audio": None, "id": values[0]}
            yield failed(known, line.fault or f"{table}:{line.number}: {named}")
            continue
        row: Row = dict(zip(_FLEURS_COLUMNS, values, strict=True))
        del row["characters"]
        row["sample_id"] = utterance_id(row["file_name"]) or f"line-{line.number}"
        yield _with_audio(row, find, audio / row["file_name"], table, line.number, line.fault)


def _with_audio(row: Row, find: Locator, audio: Path, table: Path, line: int, fault: str) -> Row:
    """The row with its audio, or as one that fails: with the fault, or because of the path."""
    try:
        found = find(audio)
    except RowError as error:
        return failed({**row, "audio": None}, fault or f"{table}:{line}: {error}")
    return failed({**row, "audio": found}, fault) if fault else {**row, "audio": found}


def hub_utterances(rows: Iterable[Row]) -> Iterator[Row]:
    """Hub rows with a `sample_id`: column `id` or `name` where it is a text, else the audio's file name.

    The row's number stands in where there is no name. A name that comes again stays as it is, so that the later row
    is seen to be a repeated one. `name` is added where it is missing, for the clusters.
    """
    for number, row in enumerate(rows):
        own = next((row[key] for key in ("id", "name") if isinstance(row.get(key), str) and row[key]), "")
        name = own or utterance_id(media_name(row.get("audio"))) or f"row-{number}"
        known = {"name": name, **row, "sample_id": name}
        if known.get("speaker_id") is None and (speaker := aishell_speaker(name)):
            known["speaker_id"] = speaker
        if row.get("audio") in (None, {"bytes": None, "path": None}) and "error" not in row:
            known = failed(known, f"row {number} has no audio")
        yield known


def aishell_speaker(utterance: str) -> str | None:
    """The speaker in an AISHELL utterance name: BAC009S0764W0121 -> S0764; None in other names."""
    match = _AISHELL_SPEAKER.search(utterance)
    return match[1] if match else None


def wenetspeech_recording(doc: Doc) -> str | None:
    """The recording that a segment was cut from, by its name; None where no name tells.

    TEST_NET_Y0000000000_-KTKHdZ2fb8_S00000 -> Y0000000000_-KTKHdZ2fb8; TEST_MEETING_T0000000001_S00000 -> T0000000001.
    """
    for column in ("sid", "segment_id", "id", "name", "file_name", "media_path"):
        if isinstance(value := doc.get(column), str) and (match := _WENETSPEECH_SEGMENT.search(utterance_id(value))):
            return match[1]
    return None


def fleurs_sentence(doc: Doc) -> str | None:
    """The sentence that up to three speakers read: its number in column `id`, else its own words; None without."""
    match doc.get("id"):
        case int(number) if not isinstance(number, bool):
            return str(number)
        case float(number) if number.is_integer():
            return str(int(number))
        case str(name) if name:
            return name
    words = doc.get("raw_transcription") or doc.get("transcription")
    return str(words) if words else None
