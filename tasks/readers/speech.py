"""Readers of speech archives as they unpack. Each yields rows in the benchmark's own columns, in a fixed order.

`sample_id` and `audio` (a path) are added to every row. A transcript line whose audio is missing still gives a
row, with the path where the audio should be, so that the sample fails when it is loaded instead of vanishing.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from harness.contracts import Row
from tasks.data import media_name
from tasks.readers.layout import (
    AUDIO_SUFFIXES,
    LayoutError,
    existing,
    found_instead,
    keyed_lines,
    lines,
    need_folder,
)
from tasks.readers.parquet import check_columns

_AISHELL_SPEAKER = re.compile(r"([A-Z]\d{4})W\d+")


def librispeech(folder: Path, split: str) -> Iterator[Row]:
    """`LibriSpeech/<split>/<speaker>/<chapter>/<utterance>.flac` and `<speaker>-<chapter>.trans.txt` (OpenSLR 12)."""
    root = need_folder(folder / "LibriSpeech" / split)
    transcripts = sorted(root.glob("*/*/*.trans.txt"))
    if not transcripts:
        wanted = root / "<speaker>" / "<chapter>" / "<speaker>-<chapter>.trans.txt"
        raise LayoutError(f"file not found: {wanted}. {found_instead(wanted)}")
    for transcript in transcripts:
        speaker, chapter = transcript.parent.parent.name, transcript.parent.name
        for utterance, text in keyed_lines(transcript):
            audio = existing(transcript.with_name(f"{utterance}.flac"), AUDIO_SUFFIXES)
            yield {
                "sample_id": utterance,
                "audio": audio,
                "file": audio.name,
                "text": text,
                "speaker_id": speaker,
                "chapter_id": chapter,
                "id": utterance,
            }


def aishell1(folder: Path) -> Iterator[Row]:
    """`data_aishell/wav/test/<speaker>/<utterance>.wav` and one transcript for all splits (OpenSLR 33).

    The split's speakers are those that have a folder: the transcript does not say which split a line is of.
    """
    root = folder / "data_aishell"
    wav = need_folder(root / "wav" / "test")
    transcripts = sorted(need_folder(root / "transcript").glob("*transcript*.txt"))
    if not transcripts:
        wanted = root / "transcript" / "aishell_transcript_v0.8.txt"
        raise LayoutError(f"file not found: {wanted}. {found_instead(wanted)}")
    audio_of = {path.stem: path for path in wav.rglob("*") if path.suffix.lower() in AUDIO_SUFFIXES}
    speakers = {path.name for path in wav.iterdir() if path.is_dir()}
    if not audio_of and not speakers:
        raise LayoutError(f"no audio below {wav}: the archive of each speaker has to be unpacked too.")
    for utterance, text in keyed_lines(transcripts[0]):
        speaker = aishell_speaker(utterance)
        if utterance in audio_of or speaker in speakers:
            audio = audio_of.get(utterance, wav / str(speaker) / f"{utterance}.wav")
            yield {
                "sample_id": utterance,
                "audio": audio,
                "name": utterance,
                "text": text,
                "speaker_id": audio.parent.name if audio.parent != wav else speaker,
            }


def aishell2(folder: Path, channel: str) -> Iterator[Row]:
    """`AISHELL-2/<channel>/test/{wav.scp, trans.txt}`; the paths of wav.scp count from the test folder."""
    root = need_folder(folder / "AISHELL-2" / channel / "test")
    path_of = dict(keyed_lines(root / "wav.scp"))
    for utterance, text in keyed_lines(root / "trans.txt"):
        audio = root / path_of.get(utterance, f"wav/{utterance}.wav")
        yield {
            "sample_id": utterance,
            "audio": existing(audio, AUDIO_SUFFIXES),
            "name": utterance,
            "text": text,
            "speaker_id": aishell_speaker(utterance),
        }


def metadata(folder: Path, text: str) -> Iterator[Row]:
    """`metadata.jsonl` beside the audio: a line per utterance with `file_name` and the reference column `text`."""
    table = need_folder(folder) / "metadata.jsonl"
    for line in lines(table):
        where = f"{table}:{line.number}"
        try:
            row = json.loads(line.text)
        except ValueError as error:
            raise LayoutError(f"{where}: not JSON ({error})") from error
        if not isinstance(row, dict):
            raise LayoutError(f"{where}: a JSON object is expected, not {type(row).__name__}")
        check_columns(list(row), ("file_name", text), where)
        name = row["file_name"]
        if not isinstance(name, str | None):
            raise LayoutError(f"{where}: file_name is {name!r}; it must be a text")
        yield {
            **row,
            "sample_id": Path(name).stem if name else f"line-{line.number}",
            "audio": existing(folder / name, AUDIO_SUFFIXES) if name else None,
        }


def fleurs_tsv(folder: Path) -> Iterator[Row]:
    """FLEURS as it unpacks: `test.tsv` without a header, the audio in `test/` (or `audio/test/`)."""
    names = ("id", "file_name", "raw_transcription", "transcription", "characters", "num_samples", "gender")
    table = folder / "test.tsv"
    audio = next((place for place in (folder / "test", folder / "audio" / "test") if place.is_dir()), folder)
    for line in lines(table):
        values = line.text.split("\t")
        if len(values) != len(names):
            raise LayoutError(f"{table}:{line.number}: {len(values)} columns instead of {', '.join(names)}")
        row = dict(zip(names, values, strict=True))
        del row["characters"]
        yield {**row, "sample_id": Path(row["file_name"]).stem, "audio": audio / row["file_name"]}


def fleurs(folder: Path, language: str) -> Iterator[Row]:
    """`FLEURS/<language>/` with `metadata.jsonl`, or with `test.tsv` as the published archive has it."""
    root = need_folder(folder / "FLEURS" / language)
    return fleurs_tsv(root) if (root / "test.tsv").is_file() else metadata(root, "transcription")


def hub_utterances(rows: Iterable[Row]) -> Iterator[Row]:
    """Hub rows with a `sample_id`: column `id` or `name` where it is a text, else the audio's file name.

    Repeated names are told apart by their row number, which also stands in where there is no name.
    """
    seen: set[str] = set()
    for number, row in enumerate(rows):
        own = next((row[key] for key in ("id", "name") if isinstance(row.get(key), str) and row[key]), "")
        name = own or Path(media_name(row.get("audio"))).stem
        name = f"{name or 'row'}-{number}" if not name or name in seen else name
        seen.add(name)
        speaker = row.get("speaker_id") or aishell_speaker(name)
        yield {**row, "sample_id": name} | ({"speaker_id": speaker} if speaker else {})


def aishell_speaker(utterance: str) -> str | None:
    """The speaker in an AISHELL utterance name: BAC009S0764W0121 -> S0764; None in other names."""
    match = _AISHELL_SPEAKER.search(utterance)
    return match[1] if match else None
