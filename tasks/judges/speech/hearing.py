"""What all judges of recordings share: they hear one after the other, and what fails on one fails on that one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Generic, Protocol, TypeVar

from harness.failures import failure_from
from harness.types import Ask, Failure, Unusable, Verdict
from tasks.judges.speech.sound import recording

Said = Verdict | Unusable | Failure
L = TypeVar("L")


class Library(Protocol[L]):
    """A judge's own part. `L` is what it has loaded."""

    name: str
    roles: tuple[str, ...]

    def fingerprint(self) -> Mapping[str, Any]: ...

    def load(self) -> L:
        """Raises UsageError naming what is missing or does not fit."""

    def said(self, loaded: L, ask: Ask) -> str:
        """The verdict's text. Raises whatever goes wrong with this recording."""


class Hearing(Generic[L]):
    """A judge (`harness.contracts.Judge`) out of a library."""

    def __init__(self, library: Library[L]) -> None:
        self.name, self.roles = library.name, library.roles
        self._library = library
        self._loaded: L | None = None

    def fingerprint(self) -> Mapping[str, Any]:
        return self._library.fingerprint()

    def open(self) -> None:
        self._loaded = self._library.load()

    def close(self) -> None:
        self._loaded = None

    def judge(self, asks: Sequence[Ask]) -> Iterator[tuple[int, Said]]:
        assert self._loaded is not None, f"the judge {self.name} is not open"
        for index, ask in enumerate(asks):
            try:
                recording(ask)
                yield index, Verdict(self._library.said(self._loaded, ask))
            except Exception as error:
                yield index, failure_from(error, "judge")
