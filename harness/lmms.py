"""The words of lmms-eval as the harness's: media, conversations, decoding settings.

Read off lmms-eval 0.7.3 (`api/task.py`, `protocol.py`). Nothing here imports it.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, cast, get_args

from harness import media
from harness.files import at_home
from harness.media.files import intern
from harness.types import Generation, Media, MediaKind, Message, Part, Role, Text

VERSION = "0.7.3"
PARAGRAPH = "\n\n"
"""The stop text that lmms-eval gives to every task which names none. It is no wish of the benchmark, and would cut an
answer at its first paragraph: left out, as lmms-eval's own adapters do."""
_AS_PNG = ("1", "L", "LA", "P", "RGB", "RGBA", "I;16")
_SUFFIXES: Mapping[MediaKind, tuple[str, ...]] = {
    "image": (".jpg", ".jpeg", ".png", ".bmp", ".gif", ".tiff", ".webp"),
    "audio": (".wav", ".mp3", ".m4a", ".aac", ".flac", ".ogg", ".opus", ".webm"),
}
_MOST_CHANNELS = 8


def generation_of(settings: Mapping[str, Any] | None) -> Generation:
    """Decoding settings; what lmms-eval takes as greedy is greedy. Raises ValueError for what no model here does."""
    given = dict(settings or {})
    if (beams := given.get("num_beams") or 1) != 1:
        raise ValueError(f"num_beams is {beams}; models here decode without beams")
    temperature = float(given.get("temperature") or 0.0)
    if given.get("do_sample") is False:
        temperature = 0.0
    elif given.get("do_sample") and "temperature" not in given:
        temperature = 1.0
    until = given.get("until") or ()
    stop = [until] if isinstance(until, str) else list(until)
    sampled: dict[str, Any] = {}
    if temperature > 0:
        sampled = {name: given[name] for name in ("top_p", "top_k") if given.get(name) is not None}
    return Generation(
        max_new_tokens=int(given.get("max_new_tokens") or Generation().max_new_tokens),
        temperature=temperature,
        stop=tuple(text for text in stop if text and text != PARAGRAPH),
        repetition_penalty=given.get("repetition_penalty"),
        **sampled,
    )


def messages_of(chat: Sequence[Mapping[str, Any]]) -> tuple[Message, ...]:
    """A conversation as `doc_to_messages` makes it. Raises ValueError naming what cannot be put to a model."""
    return tuple(Message(_role(turn), tuple(_parts(turn.get("content")))) for turn in chat)


def simple_messages(text: str, visuals: Iterable[Any] | None) -> tuple[Message, ...]:
    """What a "simple" model is given: its media, then the text."""
    parts: list[Part] = [media_of(visual) for visual in _flat(visuals)]
    return (Message("user", (*parts, Text(text))),)


def _role(turn: Mapping[str, Any]) -> Role:
    role = turn.get("role")
    if role not in get_args(Role):
        raise ValueError(f"role is {role!r}; it must be system, user or assistant")
    return cast(Role, role)


def _parts(content: Any) -> Iterator[Part]:
    if isinstance(content, str):
        yield Text(content)
        return
    for piece in content or ():
        match piece.get("type"):
            case "text":
                yield Text(str(piece["text"]))
            case "image" | "video" | "audio" as kind:
                made = media_of(piece.get("url", piece.get(kind)), kind)
                start, end = piece.get("start_time"), piece.get("end_time")
                yield made if start is None and end is None else Media(made.kind, made.path, made.sha256, start, end)
            case other:
                raise ValueError(f"content of type {other!r}; there are text, image, video and audio")


def _flat(visuals: Any) -> Iterator[Any]:
    for visual in [] if visuals is None else visuals if isinstance(visuals, list | tuple) else [visuals]:
        if isinstance(visual, list | tuple):
            yield from _flat(visual)
        elif visual is not None:
            yield visual


def media_of(visual: Any, kind: MediaKind | None = None) -> Media:
    """A picture, a recording or a clip as a file: pictures and samples that lie in memory are put into the cache.

    `kind` is None where only the thing itself says what it is. Raises ValueError for what is no medium.
    """
    if isinstance(visual, str | Path):
        return _of_path(str(visual), kind)
    if hasattr(visual, "save") and hasattr(visual, "mode"):
        return intern("image", _png(visual))
    if hasattr(visual, "get_all_samples"):  # torchcodec's decoder, as data sets give it
        samples = visual.get_all_samples()
        return intern("audio", _wav(samples.data.numpy(), int(samples.sample_rate)))
    if isinstance(visual, Mapping):
        if visual.get("array") is not None:
            return intern("audio", _wav(visual["array"], int(visual["sampling_rate"])))
        kind = visual.get("type", kind)
        if visual.get("bytes"):
            return intern(kind or "audio", visual["bytes"])
        if path := visual.get("url") or visual.get("path"):
            made = media_of(path, kind or "video")
            return Media(made.kind, made.path, made.sha256, visual.get("video_start"), visual.get("video_end"))
        raise ValueError(
            f"a medium with the fields {', '.join(map(str, visual))}; it has neither array, bytes nor path"
        )
    raise ValueError(f"a medium of type {type(visual).__name__}, of which no file can be made")


def _of_path(path: str, kind: MediaKind | None) -> Media:
    """As lmms-eval does, what ends like neither a picture nor a recording is a clip."""
    if "://" in path or path.startswith("data:"):
        raise ValueError(f"a medium behind the address {path[:80]}; only files can be opened")
    suffix = Path(path).suffix.lower()
    by_name: MediaKind = next((known for known, suffixes in _SUFFIXES.items() if suffix in suffixes), "video")
    return media.reference(kind or by_name, at_home(path).absolute())


def _png(picture: Any) -> bytes:
    held = io.BytesIO()
    (picture if picture.mode in _AS_PNG else picture.convert("RGB")).save(held, format="PNG", compress_level=1)
    return held.getvalue()


def _wav(array: Any, rate: int) -> bytes:
    """float32 WAV of samples [n], [n, channels] or [channels, n]."""
    import numpy as np
    import soundfile

    samples = np.asarray(array, dtype=np.float32)
    if samples.ndim == 2 and samples.shape[0] <= _MOST_CHANNELS < samples.shape[1]:
        samples = samples.T
    if samples.ndim not in (1, 2) or not samples.size:
        raise ValueError(f"a recording of shape {list(samples.shape)}; it must be [samples] or [samples, channels]")
    held = io.BytesIO()
    soundfile.write(held, samples, rate, format="WAV", subtype="FLOAT")
    return held.getvalue()
