"""What the tests of the contract ask of the models that the registry has under a name of their own."""

from __future__ import annotations

from harness import media as media_files
from harness.contracts import Model, ModelOptions
from harness.registry import get_model
from harness.types import Generation, LoadedRequest, Message, Output, Part, Request, Text

NAMES = ("echo", "vita15-tiny", "vita15-mini", "vita-audio-mini", "vita-audio-tiny", "nexus-o-mini", "nexus-o-tiny")
RELEASED = (
    "vita15",
    "vita-audio-boost",
    "vita-audio-balance",
    "vita-audio-plus-vanilla",
    "vita-audio-plus-boost",
    "nexus-o",
)
"""The same code with weights from outside."""
DECODING = ("vita15-tiny", "vita15-mini", "vita-audio-mini", "vita-audio-tiny", "nexus-o-tiny")
SPEAKING = ("vita15-tiny", "vita-audio-tiny", "nexus-o-tiny")
SPOKEN: tuple[Output, ...] = ("text", "speech")
LENGTH = 30
FREE = Generation(max_new_tokens=LENGTH, min_new_tokens=LENGTH)
"""As long as can be, so that whatever changes an answer shows."""

_opened: dict[str, Model] = {}


def model_of(name: str) -> Model:
    if name not in _opened:
        _opened[name] = get_model(name)(ModelOptions())
        _opened[name].open()
    return _opened[name]


def asked(
    *parts: str | Part, generation: Generation = FREE, outputs: tuple[Output, ...] = ("text",), key: str = "1"
) -> LoadedRequest:
    content = tuple(Text(part) if isinstance(part, str) else part for part in parts)
    request = Request(key, (Message("user", content),), generation, outputs)
    return LoadedRequest(request, tuple(media_files.load(media) for media in request.media))
