"""One question to one model: `harness ask`."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np

from harness import media as media_files
from harness.contracts import Model, StreamingModel, answer_of
from harness.engines.local import prepared
from harness.failures import SampleError, UsageError
from harness.media import Clip
from harness.types import (
    Chunk,
    Generation,
    LoadedRequest,
    Media,
    MediaKind,
    Message,
    Output,
    Part,
    Request,
    Response,
    Text,
    Waveform,
)


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked, in the order in which it is put to the model: pictures, clips, recordings, text."""

    text: str = ""
    images: tuple[Path, ...] = ()
    videos: tuple[Path, ...] = ()
    audios: tuple[Path, ...] = ()

    def message(self) -> Message:
        """Raises UsageError when nothing is asked or a file is missing."""
        files: list[tuple[MediaKind, Path]] = [("image", path) for path in self.images]
        files += [("video", path) for path in self.videos]
        files += [("audio", path) for path in self.audios]
        for kind, path in files:
            if not path.is_file():
                raise UsageError(f"{kind} {'is no file' if path.exists() else 'file does not exist'}: {path}")
        parts: list[Part] = [media_files.reference(kind, path) for kind, path in files]
        if self.text.strip():
            parts.append(Text(self.text))
        if not parts:
            raise UsageError("nothing is asked: give --text, --image, --video or --audio")
        return Message("user", tuple(parts))


def ask(
    model: Model,
    question: Question,
    generation: Generation,
    *,
    speak: bool,
    on_chunk: Callable[[Chunk], None] | None = None,
) -> Response:
    """The model's answer; with `on_chunk` it is streamed and every piece is handed over as it comes.

    Raises UsageError for what the model cannot take or give, SampleError when it fails to answer.
    """
    outputs: tuple[Output, ...] = ("text", "speech") if speak else ("text",)
    request = Request("ask", (question.message(),), generation, outputs)
    wanted = {part.kind if isinstance(part, Media) else "text" for part in request.messages[0].parts}
    if lacking := sorted(wanted - model.capabilities.inputs):
        raise UsageError(f"model {model.name} takes no {', '.join(lacking)}")
    if speak and "speech" not in model.capabilities.outputs:
        raise UsageError(f"model {model.name} does not speak; leave out --speak")
    if on_chunk is not None and not model.capabilities.stream:
        raise UsageError(f"model {model.name} cannot stream; leave out --stream")
    with closing(model):
        model.open()
        if speak and "speech" not in model.capabilities.outputs:
            raise UsageError(f"the weights of model {model.name} have no speech decoder; leave out --speak")
        opened = []
        try:
            for media in request.media:
                opened.append(media_files.load(media, channels=model.capabilities.channels))
            ready = prepared(model, LoadedRequest(request, tuple(opened)))
        except ValueError as error:
            raise SampleError(str(error)) from error
        finally:
            for content in opened:
                if isinstance(content, Clip):
                    content.close()
        if on_chunk is not None:
            return answer_of(cast(StreamingModel, model).stream(ready), on_chunk)
        _, answer = next(model.generate([ready], 1))
    if not isinstance(answer, Response):
        raise SampleError(answer.message, answer.kind)
    if speak and answer.speech is None:
        raise SampleError(f"no speech was made of the answer {answer.text[:80]!r}")
    return answer


def write_wav(path: Path, speech: Waveform) -> None:
    """16-bit WAV; samples outside -1..1 are clipped. Raises UsageError when the file cannot be written."""
    import soundfile

    try:
        soundfile.write(str(path), np.clip(speech.samples, -1, 1), speech.rate, format="WAV", subtype="PCM_16")
    except (soundfile.LibsndfileError, OSError) as error:
        raise UsageError(f"speech cannot be written to {path}: {error}") from error


def timing_lines(answer: Response) -> dict[str, Any]:
    """The answer's timings by name, seconds unless the name says otherwise; absent ones are left out."""
    timings = answer.timings
    if timings is None:
        return {}
    speech = answer.speech
    found = {
        "ttft_s": timings.ttft,
        "ttfa_s": timings.ttfa,
        "total_s": timings.end,
        "audio_s": None if speech is None else speech.seconds,
        "rtf": timings.rtf,
        "new_tokens": answer.usage.new_tokens or None,
        "speech_tokens": answer.usage.speech_tokens or None,
    }
    return {name: value for name, value in found.items() if value is not None}
