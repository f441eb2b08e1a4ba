"""What a language model says as a judge, turned into a score: numbers of MM-Vet, correct or not of TempCompass.

Each function is a generator that asks (`tasks.scoring.asking`). The public rules keep their faults: what a reply is
taken for, how often it is asked again, and 0 in the end. Our own take a reply whole or not at all.
"""

from __future__ import annotations

from collections.abc import Generator

from harness.failures import JudgeError
from harness.types import Ask, Verdict
from tasks.scoring.asking import ask

Grading = Generator[Ask, Verdict, float]
_VLMEVALKIT_TRIES = 5
_LMMS_HOTTEST = 2.0
_LMMS_TRIES = 11
"""The first and ten more."""


def vlmevalkit_number(prompt: str) -> Grading:
    """MM-Vet: a whole reply that is a number in 0..1, of five; else 0. NaN passes, as in the reference."""
    reply = ""
    for number in range(_VLMEVALKIT_TRIES):
        reply = yield from _reply(prompt, number, reply)
        value = _float(reply)
        if value is not None and not (value < 0 or value > 1):
            return value
    return 0.0


def lmms_eval_number(prompt: str) -> Grading:
    """MM-Vet: the text before the first blank as a number in 0..1. After what is none one more reply is thrown away;
    an empty reply is 0 at once. A reply out of range is asked again without end there, here as often as makes sense."""
    reply, temperature = "", 0.0
    for number in range(0, 2 * _LMMS_TRIES, 2):
        reply = yield from _reply(prompt, number, reply)
        if not reply.strip():
            return 0.0
        value = _float(reply.strip().split(" ")[0])
        if value is None:
            reply = yield from _reply(prompt, number + 1, reply)
            temperature += 0.5
            if temperature >= _LMMS_HOTTEST:
                return 0.0
        elif 0 <= value <= 1:
            return value
    return 0.0


def vlmevalkit_correct(prompt: str) -> Grading:
    """TempCompass: one reply, right where it begins with Correct or has it without Incorrect."""
    reply = yield from _reply(prompt, 0)
    return float(_says_correct(reply) or False)


def lmms_eval_correct(prompt: str) -> Grading:
    """TempCompass: asked again, ten times, while a reply has neither Correct nor Incorrect; else 0."""
    reply = ""
    for number in range(_LMMS_TRIES):
        reply = yield from _reply(prompt, number, reply)
        said = _says_correct(reply.strip())
        if said is not None:
            return float(said)
    return 0.0


def chosen_from_caption(reply: str, gold: str) -> tuple[str | None, float]:
    """TempCompass captioning: (the option that the judge read from a caption, 1 right, 0 wrong, -1 no reply).

    The last line with the word Answer counts, else the whole reply; it must have one of `A.` to `D.` and begin as the
    gold option does.
    """
    if not reply or reply == "invalid_request_error":
        return None, -1.0
    lines = [line.strip() for line in reply.split("\n")]
    said = next((line.replace("Answer:", "").strip() for line in reversed(lines) if "Answer" in line), reply)
    named = sum(said.count(f"{letter}.") for letter in "ABCD")
    return said, float(named == 1 and said.split(". ")[0] == gold.split(". ")[0])


def _reply(prompt: str, number: int, last: str = "") -> Generator[Ask, Verdict, str]:
    """The reply to a prompt's n-th asking; the last one again where there are no more to replay.

    A judge that could not be reached has not replied: that is a failure, and it is asked again later.
    """
    try:
        return (yield ask(prompt, number)).text
    except JudgeError as error:
        if number == 0 or not error.unusable:
            raise
        return last


def _float(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _says_correct(reply: str) -> bool | None:
    """Whether a reply says Correct; None where it says neither. One that begins with either means that."""
    if reply.startswith("Correct") or reply.startswith("Incorrect"):
        return reply.startswith("Correct")
    if "Incorrect" in reply:
        return False
    return True if "Correct" in reply else None
