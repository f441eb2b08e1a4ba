"""Seed-TTS-eval: lists of what is to be spoken, and a recording of the voice to speak it in (Anastassiou et al., 2024).

`{zh,en}/meta.lst` and `zh/hardcase.lst`, the prompts in `prompt-wavs/`, what a person said in `wavs/`. A list has a
line for each utterance, in one of the forms that the publisher's `get_wav_res_ref_text.py` reads:

    utt|target_text
    utt|target_text|prompt_wav
    utt|prompt_text|prompt_wav|target_text[|gt_wav]

Paths count from the list's folder.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from harness.task import Row
from tasks.readers.layout import AUDIO_SUFFIXES, Line, RowError, lines, names_of, need_file, need_folder, only_one
from tasks.readers.locate import Locator
from tasks.readers.rows import failed

LISTS = {"zh": ("zh", "meta.lst"), "en": ("en", "meta.lst"), "hard": ("zh", "hardcase.lst")}
"""Set -> the folder and the list in it."""
_FORM = "utt|prompt_text|prompt_wav|target_text[|gt_wav]"


class _Item(NamedTuple):
    utt: str
    target: str
    prompt_text: str = ""
    prompt_wav: str = ""
    spoken: str = ""
    """The recording of a person, where the line names one."""


def seedtts(folder: Path, name: str) -> Iterator[Row]:
    """The set `name` of `LISTS` in `seedtts_testset/`, or in `seed-tts-eval/`, as the hub's mirror is named."""
    language, table = LISTS[name]
    places = [folder / root / language for root in names_of("seedtts_testset")]
    place = only_one([place for place in places if (place / table).is_file()], f"Seed-TTS {name}") or places[0]
    return _read(need_folder(place), table, folder)


def seedtts_repository(folder: Path, name: str) -> Iterator[Row]:
    """The set in a copy of the hub's mirror, which has the two languages at its root."""
    language, table = LISTS[name]
    return _read(need_folder(folder / language), table, folder)


def _read(place: Path, name: str, data: Path) -> Iterator[Row]:
    """Rows with sample_id, utt, prompt_text, prompt_wav, target_text and reference_wav.

    `prompt_wav` is where the recording should be (the sample fails when it is loaded and absent, so only for models
    that clone a voice), None where the line has none. `reference_wav` is what a person said: what the line names, else
    `wavs/<utt>.wav` where that exists.
    """
    table = need_file(place / name)
    find = Locator(AUDIO_SUFFIXES, data, place, table.resolve().parent)
    for line in lines(table):
        row: Row = {"sample_id": f"line-{line.number}", "prompt_wav": None, "reference_wav": None}
        try:
            item = _item(line)
            row |= {
                "sample_id": item.utt,
                "utt": item.utt,
                "prompt_text": item.prompt_text or None,
                "target_text": item.target,
            }
            row["prompt_wav"] = find(place / item.prompt_wav) if item.prompt_wav else None
            row["reference_wav"] = find(place / item.spoken) if item.spoken else _there(find, place, item.utt)
        except RowError as error:
            yield failed(row, line.fault or f"{table}:{line.number}: {error}")
            continue
        yield failed(row, line.fault) if line.fault else row


def _item(line: Line) -> _Item:
    match [field.strip() for field in line.text.split("|")]:
        case [utt, target]:
            item = _Item(utt, target)
        case [utt, target, prompt_wav]:
            item = _Item(utt, target, prompt_wav=prompt_wav)
        case [utt, prompt_text, prompt_wav, target]:
            item = _Item(utt, target, prompt_text, prompt_wav)
        case [utt, prompt_text, prompt_wav, target, spoken]:
            item = _Item(utt, target, prompt_text, prompt_wav, spoken)
        case fields:
            raise RowError(f"{len(fields)} fields where {_FORM} has 2 to 5; correct the line, no text may hold `|`")
    if not (utt := item.utt.removesuffix(".wav")):
        raise RowError(f"the utterance has no name; write {_FORM}")
    return item._replace(utt=utt)


def _there(find: Locator, place: Path, utt: str) -> Path | None:
    found = find(place / "wavs" / f"{utt}.wav")
    return found if found.is_file() else None
