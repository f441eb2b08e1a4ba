"""The whole failure policy.

* What the caller can mend (a wrong name, a missing folder, a bad config) is a `UsageError`: exit code 2.
* What goes wrong with one sample is a `Failure` in its record; the run goes on.
* A run whose coverage is under `MIN_COVERAGE` is invalid: exit code 4.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from enum import IntEnum

from harness.texts import redacted
from harness.types import Failure, FailureKind, Stage

MIN_COVERAGE = 0.99


class Exit(IntEnum):
    GOOD = 0
    CRASH = 1
    USAGE = 2
    GATE = 3
    INCOMPLETE = 4


class UsageError(Exception):
    """Something that the caller can mend. The message names the file or field and the remedy."""


class RunStopped(Exception):
    """A run cannot go on (full disk, deleted directory, Ctrl-C). What is logged is safe; the message says what next."""


class ModelStopped(RunStopped):
    """Raised by a model that can answer nothing more for now (its endpoint is gone, a limit is reached).

    What it has not answered stays unanswered, and a resume asks it.
    """


class SampleError(Exception):
    """Raised where one sample cannot go on; becomes its `Failure`."""

    def __init__(self, message: str, kind: FailureKind = "permanent") -> None:
        super().__init__(message)
        self.kind: FailureKind = kind


class JudgeError(Exception):
    """Thrown into a scorer when the judge that it asked has failed.

    `unusable` says that the judge did reply, in vain: asked for the same once more it says nothing else. Any other
    failure may be gone in a later pass, so that a scorer must not make a score of it.
    """

    def __init__(self, failure: Failure, unusable: bool = False) -> None:
        super().__init__(failure.message)
        self.failure, self.unusable = failure, unusable


def failure_from(error: BaseException, stage: Stage) -> Failure:
    """The record of an exception that stopped one sample, without credentials that its message may quote."""
    failure = _failure_from(error, stage)
    return replace(failure, message=redacted(failure.message))


def _failure_from(error: BaseException, stage: Stage) -> Failure:
    if isinstance(error, SampleError):
        return Failure(stage, error.kind, str(error))
    if is_out_of_memory(error):
        return Failure(stage, "limit", f"out of memory: {error}")
    if isinstance(error, (ConnectionError, TimeoutError)):
        return Failure(stage, "transient", f"{type(error).__name__}: {error}")
    if isinstance(error, ValueError) and str(error):
        return Failure(stage, "permanent", str(error))
    return Failure(stage, "permanent", f"{type(error).__name__}: {error}")


def is_out_of_memory(error: BaseException) -> bool:
    """On the host or on a device; torch's error is known by its name, so that torch need not be imported."""
    return isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError"


def lacking(row: Mapping[str, object], name: str) -> ValueError:
    """What a row does not give: the field is not there, or what it holds is no text.

    >>> str(lacking({"index": 1}, "answer"))
    'the row has no answer; its fields are index'
    >>> str(lacking({"answer": ["a"]}, "answer"))
    "the row has no answer: the field is ['a']"
    """
    if name in row:
        return ValueError(f"the row has no {name}: the field is {row[name]!r:.80}")
    return ValueError(f"the row has no {name}; its fields are {', '.join(row) or 'none'}")


def coverage(n_scored: int, n_expected: int) -> float:
    """Share of the expected samples that have a score; 0 for an empty task."""
    return n_scored / n_expected if n_expected else 0.0
