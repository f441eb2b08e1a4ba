"""A request of the harness as the body of a chat completion."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import soundfile
from PIL import Image

from harness.media import Extent
from harness.media.frames import sampled
from harness.types import (
    Decoded,
    Footage,
    Generation,
    LoadedRequest,
    Media,
    Output,
    Picture,
    Pictures,
    Request,
    Text,
    Waveform,
)
from models.openai_compatible.options import Settings

REQUEST = 2
"""Raised when a request is put together, or its answer kept, in another way: kept answers are then asked for anew.
Those of 1 may lack words that were also the key."""
JPEG_QUALITY = 95
LONGEST_JPEG = 65_500
PIXELS_PER_TOKEN, LEAST_PICTURE = 28 * 28, 64
"""How many tokens a picture is taken to have, and a recording below: estimates, which no endpoint tells before."""
TOKENS_PER_SECOND = 25

_GREY = Picture(np.full((56, 56, 3), 128, np.uint8))
_SILENCE = Waveform(np.zeros(8_000, np.float32), 16_000)

Body = dict[str, Any]


def messages_of(loaded: LoadedRequest, chosen: Settings) -> list[Body]:
    """The conversation, media as data of their own. Raises ValueError for what no endpoint takes."""
    media = iter(loaded.media)
    told: list[Body] = []
    for message in loaded.request.messages:
        parts: list[Body] = []
        for part in message.parts:
            if isinstance(part, Text):
                parts.append({"type": "text", "text": _sendable(part.text)})
                continue
            if message.role != "user":
                raise ValueError(f"a {part.kind} in the turn of the {message.role}: endpoints take media of users only")
            parts.extend(_media_parts(next(media), loaded.request.pictures, chosen))
        plain = all(part["type"] == "text" for part in parts)
        content: Any = "\n".join(part["text"] for part in parts) if plain else parts
        told.append({"role": message.role, "content": content})
    return told


def least(messages: Sequence[Body], chosen: Settings) -> list[Body]:
    """A question with as little as can be of each kind of input that a conversation has."""
    contents = [message["content"] for message in messages]
    kinds = {part["type"] for content in contents if not isinstance(content, str) for part in content}
    parts: list[Body] = []
    if "image_url" in kinds:
        parts.extend(_media_parts(_GREY, Pictures(), chosen))
    if "input_audio" in kinds:
        parts.extend(_media_parts(_SILENCE, Pictures(), chosen))
    return [{"role": "user", "content": [*parts, {"type": "text", "text": "Hello"}] if parts else "Hello"}]


def settings_of(generation: Generation, outputs: Sequence[Output], chosen: Settings) -> Body:
    """Everything beside the model and the messages."""
    body: Body = {
        chosen.length_field: generation.max_new_tokens,
        "temperature": generation.temperature,
        "seed": generation.seed,
    }
    if generation.top_p is not None:
        body["top_p"] = generation.top_p
    if generation.stop:
        body["stop"] = list(generation.stop)
    if chosen.dialect == "vllm":
        body |= {name: value for name, value in _extended(generation).items() if value}
    body = {name: value for name, value in body.items() if name not in chosen.omit}
    if "speech" in outputs:
        body["modalities"] = ["text", "audio"]
        body["audio"] = {"voice": chosen.voice, "format": "pcm16" if chosen.stream else "wav"}
    if chosen.stream:
        body |= {"stream": True, "stream_options": {"include_usage": True}}
    return body


def unsent(generation: Generation, chosen: Settings) -> list[str]:
    """Settings that the request has and that the endpoint is not told."""
    asked = [name for name, value in (("top_p", generation.top_p), ("stop", generation.stop)) if value]
    asked += ["temperature", "seed"]
    left = [name for name in asked if name in chosen.omit]
    if chosen.dialect != "vllm":
        left += [name for name, value in _extended(generation).items() if value]
    return sorted(left)


def estimate(request: Request, extents: Sequence[Extent], frames: int) -> int:
    """About how many tokens a prompt has: a quarter of its bytes, and its media by their size."""
    words = sum(len(part.text.encode(errors="replace")) for m in request.messages for part in m.parts if _is_text(part))
    tokens = words // 4 + 8 * len(request.messages)
    for media, extent in zip(request.media, extents, strict=True):
        picture = max(LEAST_PICTURE, extent.width * extent.height // PIXELS_PER_TOKEN)
        match media.kind:
            case "audio":
                tokens += int(extent.seconds * TOKENS_PER_SECOND)
            case "image":
                tokens += picture
            case "video":
                tokens += picture * max(1, min(extent.frames or 1, request.pictures.max_frames or frames))
    return tokens


def _is_text(part: Text | Media) -> bool:
    return isinstance(part, Text)


def _extended(generation: Generation) -> Body:
    return {
        "top_k": generation.top_k,
        "repetition_penalty": generation.repetition_penalty,
        "min_tokens": generation.min_new_tokens,
    }


def _sendable(text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise ValueError(f"the text holds half a character at {error.start}, which cannot be sent") from error
    return text


def _media_parts(content: Decoded, pictures: Pictures, chosen: Settings) -> Iterator[Body]:
    if isinstance(content, Picture):
        yield _picture(content.pixels, chosen.image_format)
    elif isinstance(content, Waveform):
        data = base64.b64encode(sound_file(content, chosen.audio_format)).decode()
        yield {"type": "input_audio", "input_audio": {"data": data, "format": chosen.audio_format}}
    else:
        for frame in content.frames(shown(content, pictures, chosen.frames)):
            yield _picture(frame, "jpeg")


def shown(clip: Footage, pictures: Pictures, most: int) -> list[int]:
    """Which frames: by the benchmark's rule, else one a second, and at most `most` where it names no number."""
    rule = "fps" if pictures.frame_rule == "model" else pictures.frame_rule
    return sampled(rule, clip.n_frames, clip.fps, pictures.max_frames or most, clip.start_s, clip.end_s)


def _picture(pixels: npt.NDArray[np.uint8], form: str) -> Body:
    """Pixels uint8 [height, width, 3] as a data URL. Raises ValueError where a side is more than JPEG can hold."""
    if form == "jpeg" and max(pixels.shape) > LONGEST_JPEG:
        height, width, _ = pixels.shape
        most = f"which has at most {LONGEST_JPEG} a side"
        raise ValueError(f"a picture of {width} x {height} pixels cannot be written as jpeg, {most}")
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, form, **({"quality": JPEG_QUALITY} if form == "jpeg" else {}))
    data = base64.b64encode(buffer.getvalue()).decode()
    return {"type": "image_url", "image_url": {"url": f"data:image/{form};base64,{data}"}}


def sound_file(sound: Waveform, form: str) -> bytes:
    """Mono, at its own rate; WAV has 16 bits a sample, and what is outside -1..1 is clipped."""
    buffer = io.BytesIO()
    samples = np.clip(sound.samples, -1, 1)
    how = {"format": "WAV", "subtype": "PCM_16"} if form == "wav" else {"format": "MP3"}
    try:
        soundfile.write(buffer, samples, sound.rate, **how)
    except soundfile.LibsndfileError as error:
        remedy = "" if form == "wav" else "; --option audio_format=wav takes any rate"
        raise ValueError(f"a recording of {sound.rate} Hz cannot be written as {form}{remedy}") from error
    return buffer.getvalue()
