"""What a small model, which has only heard synthetic voices, makes of a person's speech.

A recording is asked and scored as a row of LibriSpeech, with the model's own prompt. The model's words for it are
for its card: nothing is aimed at, as people are outside its world.
"""

from __future__ import annotations

import argparse
import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from harness.config import RunConfig
from harness.run import start
from harness.texts import printable
from models.training.targets import Target, metric

_TASK = "librispeech_test_clean"
_WER = Target("WER", _TASK, "wer", 0)
_ROW = "1-1-0001"


class Person(NamedTuple):
    """A recording to be heard."""

    file: Path
    who: str
    """As it is told: "John F. Kennedy in 1961"."""
    said: str


class Heard(NamedTuple):
    """`wer` in %, under the profile `qwen2`; `mode` of decoding, where a model has several."""

    who: str
    said: str
    answer: str
    wer: float
    mode: str = ""


def add_argument(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--person", nargs=3, metavar=("FLAC", "WHO", "SAID"),
                        help="a recording of a person's speech, whose, and what is said: for the card")  # fmt: skip


def of_argument(given: Sequence[str] | None) -> Person | None:
    return None if given is None else Person(Path(given[0]), given[1], given[2])


def hear(
    person: Person | None, model: str, weights: Path, runs: Path, modes: Mapping[str, Mapping[str, str]] | None = None
) -> list[Heard]:
    """One answer for each mode of decoding, by name with its options. Raises UsageError on what is no recording."""
    if person is None:
        return []
    data = runs / "person"
    shutil.rmtree(data, ignore_errors=True)
    chapter = data / "LibriSpeech" / "test-clean" / "1" / "1"
    chapter.mkdir(parents=True)
    shutil.copyfile(person.file, chapter / f"{_ROW}.flac")
    (chapter / "1-1.trans.txt").write_text(f"{_ROW} {person.said}\n", encoding="utf-8")
    found = []
    for mode, option in (modes or {"": {}}).items():
        out = data / f"run-{mode}"
        start(RunConfig(model=model, weights=str(weights), tasks=(_TASK,), data=str(data), option=option), out)
        results = json.loads((out / "results.json").read_text(encoding="utf-8"))
        (line,) = (out / "samples" / f"{_TASK}.jsonl").read_text(encoding="utf-8").splitlines()
        found.append(Heard(person.who, person.said, _answer(line), round(metric(results, _WER)["value"], 1), mode))
    return found


def _answer(line: str) -> str:
    """On one line; empty where none was made."""
    response = json.loads(line)["response"]
    return "" if response is None else printable(" ".join(response["text"].split()))


def told(heard: Sequence[Heard]) -> str:
    """For the card: which words the model has for a person's."""
    if not heard:
        return "Human speech is outside its world; it answers such speech with words of its own."
    words = ",\n  ".join(f"“{one.answer}” ({f'{one.mode}, ' * bool(one.mode)}WER {one.wer:.0f} %)" for one in heard)
    return (
        f"Human speech is outside its world; it answers such speech with words of its own. Where {heard[0].who} says\n"
        f"  “{heard[0].said}”, it writes\n  {words}."
    )
