"""From a request with opened media to the chat messages, pictures and sounds that a processor takes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import soxr
from PIL import Image

from harness.failures import SampleError
from harness.media.frames import sampled
from harness.types import Footage, LoadedRequest, Picture, Pictures, Text, Waveform

MAX_FRAMES = 16
"""Of a video, where the benchmark does not say; one a second."""
LEAST_S = 0.05
"""Of sound: Qwen2-Audio's encoder gives no token of less than 42 ms, Wav2Vec2's no frame of less than 25."""


@dataclass(frozen=True, eq=False)
class Conversation:
    """`messages` as chat templates take them; `images` and `sounds` (float32 [n] at the model's rate) in order."""

    messages: list[dict[str, Any]]
    images: list[Image.Image]
    sounds: list[npt.NDArray[np.float32]]


def conversation(loaded: LoadedRequest, rate: int, plain: bool = False) -> Conversation:
    """`plain`: contents are strings, for a model that only reads. A video becomes its frames, one picture each."""
    messages: list[dict[str, Any]] = []
    images: list[Image.Image] = []
    sounds: list[npt.NDArray[np.float32]] = []
    waiting = iter(loaded.media)
    for message in loaded.request.messages:
        content: list[dict[str, Any]] = []
        for part in message.parts:
            if isinstance(part, Text):
                _check_text(part.text)
                content.append({"type": "text", "text": part.text})
                continue
            medium = next(waiting)
            if isinstance(medium, Waveform):
                sounds.append(heard(medium, rate))
                content.append({"type": "audio"})
                continue
            shown = [medium.pixels] if isinstance(medium, Picture) else frames(medium, loaded.request.pictures)
            images += map(Image.fromarray, shown)
            content += [{"type": "image"} for _ in shown]
        text = "".join(part["text"] for part in content if part["type"] == "text")
        messages.append({"role": message.role, "content": text if plain else content})
    return Conversation(messages, images, sounds)


def frames(video: Footage, pictures: Pictures) -> list[npt.NDArray[np.uint8]]:
    """The frames that are shown, by the harness's rules (`harness.media.frames`); "model" is one a second."""
    rule = "fps" if pictures.frame_rule == "model" else pictures.frame_rule
    most = pictures.max_frames or MAX_FRAMES
    return video.frames(sampled(rule, video.n_frames, video.fps, most, video.start_s, video.end_s))


def heard(wave: Waveform, rate: int) -> npt.NDArray[np.float32]:
    """Mono float32 [n] at `rate` Hz. Raises SampleError on audio without samples, and on less than LEAST_S of it."""
    samples = wave.samples if wave.rate == rate else soxr.resample(wave.samples, wave.rate, rate)
    if not len(samples):
        raise SampleError("audio without samples cannot be heard")
    if len(samples) < LEAST_S * rate:
        raise SampleError(
            f"audio of {1000 * len(samples) / rate:.1f} ms is shorter than {1000 * LEAST_S:g} ms, of which an encoder "
            "may make nothing at all: leave the clip out or pad it"
        )
    return np.asarray(samples, np.float32)


def _check_text(text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise SampleError(f"the text has half a character (a lone surrogate) at place {error.start}") from None
