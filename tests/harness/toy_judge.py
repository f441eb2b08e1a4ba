"""A judge and tasks that ask it, as another package would bring them."""

from __future__ import annotations

import os
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from harness.contracts import JudgeOptions
from harness.failures import SampleError, UsageError
from harness.media import load
from harness.types import Answer, Ask, Channel, Doc, Failure, Media, Score, Verdict, Waveform
from tests.harness.toy import numbered, score, toy_task

LOG = "TOY_JUDGE_LOG"
"""Environment variable: a file that gets a line for each thing that is judged."""


class ToyJudge:
    """Says "yes" where the answer holds the gold answer. Its weights say how it fails: "deaf" always, "picky" on 3,
    "torn" when it is opened."""

    name, roles = "toy-judge", ("llm",)

    def __init__(self, options: JudgeOptions) -> None:
        self._weights = options.weights
        self.opened = False

    def fingerprint(self) -> Mapping[str, Any]:
        return {"weights": self._weights or "default", "prompt": "does it hold?"}

    def open(self) -> None:
        if self._weights == "torn":
            raise UsageError("--judge toy-judge:torn: its weights are damaged")
        self.opened = True

    def close(self) -> None:
        self.opened = False

    def judge(self, asks: Sequence[Ask]) -> Iterator[tuple[int, Verdict | Failure]]:
        assert self.opened
        for index, ask in enumerate(asks):
            content = ask.content.sha256 if isinstance(ask.content, Media) else ask.content
            if path := os.environ.get(LOG):
                with Path(path).open("a") as log:
                    log.write(content + "\n")
            gold, _, answer = content.partition("|")
            if self._weights == "deaf":
                raise ConnectionError("no judge answers")
            if self._weights == "picky" and gold == "3":
                yield index, Failure("judge", "permanent", "refused")
                continue
            yield index, Verdict("yes" if gold in answer else "no")


def toy_judge(options: JudgeOptions) -> ToyJudge:
    if options.weights == "nonesuch":
        raise SampleError("no such weights")
    return ToyJudge(options)


def judged(doc: Doc, answer: Answer, profile: str) -> Score | Generator[Ask, Verdict, Score]:
    """Exact by rule; loose by the judge."""
    if profile == "exact" or answer.text is None:
        return score(doc, answer, profile)
    return _asking(doc, answer)


def _asking(doc: Doc, answer: Answer) -> Generator[Ask, Verdict, Score]:
    verdict = yield Ask("llm", f"{doc['answer']}|{answer.text}")
    right = verdict.text == "yes"
    return Score("right", float(right), {"right": float(right), "n": 1.0}, extracted=answer.text, wrong=not right)


JUDGED = replace(
    toy_task(numbered(12)), scorer=judged, judges={"llm": "toy-judge"}, default_profile="loose", name="toy_judged"
)

EITHER = replace(JUDGED, without_judge=("exact",), name="toy_either")
"""Graded by a judge, or else by rule."""
GRADED = replace(EITHER, default_profile="exact", name="toy_graded")
"""Scored by rule; a judge that is named grades beside it."""


class ToyEar(ToyJudge):
    """Hears a number: ten times the loudest sample of a recording."""

    name, roles = "toy-ear", ("recogniser-en", "recogniser-zh")

    def judge(self, asks: Sequence[Ask]) -> Iterator[tuple[int, Verdict | Failure]]:
        for index, ask in enumerate(asks):
            assert isinstance(ask.content, Media)
            wave = load(ask.content)
            assert isinstance(wave, Waveform)
            yield index, Verdict(str(round(10 * float(abs(wave.samples).max()))))


def toy_ear(options: JudgeOptions) -> ToyEar:
    return ToyEar(options)


def heard(doc: Doc, answer: Answer, profile: str) -> Generator[Ask, Verdict, Mapping[Channel, Score]]:
    """The text and the speech of one answer side by side."""
    said = None if answer.speech is None else (yield Ask("recogniser-en", answer.speech, (("language", "en"),)))
    spoken = score(doc, Answer(None if said is None else said.text), profile)
    return {"text": score(doc, answer, profile), "speech": spoken}


HEARD = replace(
    toy_task(numbered(9)),
    scorer=heard,
    judges={"recogniser-en": "toy-ear"},
    more_outputs=("speech",),
    default_channel="text",
    name="toy_heard",
)
