"""`--judge mini-ctc[:DIR]`: transcribes what a model has spoken, on the CPU and offline.

For the mini world only: it has heard espeak-ng voices and nobody else.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.contracts import JudgeOptions
from harness.failures import failure_from
from harness.files import at_home
from harness.media import load as load_media
from harness.types import Ask, Failure, Media, Verdict, Waveform
from tasks.judges.mini_ctc import store
from tasks.judges.mini_ctc.decode import UNKNOWN

if TYPE_CHECKING:
    from tasks.judges.mini_ctc.store import Recogniser

REVISION = 2
"""Raised when the same weights would hear otherwise: what was judged before is then judged anew."""


class MiniCtc:
    """Hears one recording after the other, each in the language of the role that is asked."""

    name = "mini-ctc"
    roles: tuple[str, ...] = ("recogniser-en", "recogniser-zh")

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._recogniser: Recogniser | None = None

    @cached_property
    def _digest(self) -> str:
        return store.digest(self._folder)

    def fingerprint(self) -> Mapping[str, Any]:
        """The weights by their content, not by their place. Raises UsageError where they are missing."""
        return {"weights": self._digest, "revision": REVISION, "decoding": f"words {UNKNOWN:g}"}

    def open(self) -> None:
        self._recogniser = store.load(self._folder)

    def close(self) -> None:
        self._recogniser = None

    def judge(self, asks: Sequence[Ask]) -> Iterator[tuple[int, Verdict | Failure]]:
        """A transcript each, empty for silence; a recording that cannot be heard is a Failure that says why."""
        for index, ask in enumerate(asks):
            try:
                yield index, Verdict(self._heard(ask))
            except Exception as error:
                yield index, failure_from(error, "judge")

    def _heard(self, ask: Ask) -> str:
        from tasks.judges.mini_ctc.hearing import transcribe

        assert self._recogniser is not None, "the judge is not open"
        if not isinstance(ask.content, Media) or ask.content.kind != "audio":
            what = ask.content.kind if isinstance(ask.content, Media) else "text"
            raise ValueError(f"the judge mini-ctc hears sound; it was asked about {what}")
        wave = load_media(ask.content)
        assert isinstance(wave, Waveform)
        return transcribe(self._recogniser, wave, ask.role.removeprefix("recogniser-"))


def mini_ctc(options: JudgeOptions) -> MiniCtc:
    """`--judge mini-ctc:DIR` names another folder of weights. Raises UsageError where a file of it is missing."""
    judge = MiniCtc(at_home(options.weights) if options.weights else store.SHIPPED)
    judge.fingerprint()
    return judge
