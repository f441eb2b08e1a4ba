"""A model that may speak: its speech decoder is opened when speech is first asked for."""

from __future__ import annotations

from abc import ABC
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Generic, Protocol, TypeVar

from harness.contracts import Capabilities, ModelOptions
from harness.failures import SampleError, UsageError
from models.lazy import LazyModel, Outline, Weights

Voice = TypeVar("Voice")


class SpeakingWeights(Weights, Protocol):
    """`speaker` opens the speech decoder and raises UsageError when it cannot be read; None where there is none."""

    @property
    def speaker(self) -> Callable[[], Any] | None: ...


Opened = TypeVar("Opened", bound=SpeakingWeights)


class SpeakingModel(LazyModel[Opened, Outline], ABC, Generic[Opened, Outline, Voice]):
    """Weights without a speech decoder answer in text alone, which is known once they are open."""

    def __init__(
        self, name: str, options: ModelOptions, capabilities: Capabilities, opener: Callable[[], Opened],
        outline: Callable[[], Outline], note: str = "", decoder: str = "",
    ) -> None:  # fmt: skip
        """`decoder` is where the speech decoder is looked for, as it is told."""
        super().__init__(name, options, capabilities, opener, outline, note)
        self._decoder = decoder
        self._voice: Voice | None = None

    def open(self) -> None:
        super().open()
        if self._opened is not None and self._opened.speaker is None:
            self.capabilities = replace(self.capabilities, outputs=frozenset({"text"}))

    def close(self) -> None:
        self._voice = None
        super().close()

    def _speaker(self) -> Voice:
        """The speech decoder. Raises SampleError where there is none, or it cannot be read."""
        if self._voice is None:
            opener = self._ready().speaker
            if opener is None:
                raise SampleError(f"these weights have no speech decoder ({self._decoder})", "unsupported")
            try:
                self._voice = opener()
            except UsageError as error:
                raise SampleError(f"the speech decoder cannot be read: {error}") from error
        assert self._voice is not None
        return self._voice
