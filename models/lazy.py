"""A model whose weights are opened when they are first needed, and which is known by them from then on."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any, Generic, Protocol, TypeVar

import torch

from harness.contracts import Capabilities, ModelOptions
from harness.failures import UsageError
from harness.types import Generation
from models.devices import check_device, set_threads
from models.generation import GenerationDefaults, effective
from models.released.identity import Identity


class Weights(Protocol):
    """Loaded weights, what identifies them, and how they want to be decoded."""

    @property
    def identity(self) -> Identity: ...

    @property
    def generation(self) -> GenerationDefaults: ...


Opened = TypeVar("Opened", bound=Weights)
Outline = TypeVar("Outline")
"""What is known before the weights are opened, for the length of prompts."""


class LazyModel(ABC, Generic[Opened, Outline]):
    """The part of `harness.contracts.Model` that is the same for every model with weights."""

    def __init__(
        self, name: str, options: ModelOptions, capabilities: Capabilities, opener: Callable[[], Opened],
        outline: Callable[[], Outline], note: str = "",
    ) -> None:  # fmt: skip
        """`opener` raises UsageError where the weights cannot be had; `note` stands until they are open."""
        self.name = name
        self.capabilities = capabilities
        self._options, self._opener, self._outline, self._note = options, opener, outline, note
        self._opened: Opened | None = None
        self._sketch: Outline | None = None
        self._lock = threading.Lock()

    @property
    def label(self) -> str:
        """The name; with the start of the weights' digest where they are not known to be what the name says, and with
        the options that were set."""
        known = self.name if self._opened is None else self._opened.identity.label(self.name)
        return " ".join([known, *(f"{name}={value}" for name, value in sorted(self._options.own.items()))])

    @property
    def note(self) -> str:
        return self._note if self._opened is None else self._opened.identity.note

    def open(self) -> None:
        """Load the weights. Raises UsageError on an absent device or on weights that are absent or do not fit."""
        with self._lock:
            if self._opened is not None:
                return
            check_device(self._options.device)
            set_threads(self._options)
            try:
                opened = self._opener()
                self._sketch = self._fit(opened)
            except ValueError as error:  # settings that are sound but do not fit each other
                raise UsageError(f"model {self.label} cannot be opened: {error}") from error
            self._opened = opened

    def close(self) -> None:
        self._opened = None
        if torch.cuda.is_available():
            torch.cuda.empty_cache()

    def fingerprint(self) -> Mapping[str, Any]:
        """What identifies the weights, and the settings that they bring; opens the model if need be."""
        return self._ready().identity.fingerprint()

    def effective(self, generation: Generation) -> Mapping[str, Any]:
        return effective(generation, self._ready().generation)

    @abstractmethod
    def _fit(self, opened: Opened) -> Outline:
        """Make of freshly loaded weights what the model needs besides them, and say what they are like."""

    def _outlined(self) -> Outline:
        """The outline of the opened weights; of those to be opened where they are not yet."""
        if self._sketch is None:
            self._sketch = self._outline()
        return self._sketch

    def _ready(self) -> Opened:
        self.open()
        assert self._opened is not None
        return self._opened
