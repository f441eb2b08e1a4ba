"""Blank inputs: what a model scores without the picture, clip or recording shows how much it used it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from harness.types import Decoded, Footage, LoadedRequest, MediaKind, Picture, Waveform

GREY = 128


class GreyFootage:
    """A clip of the same length, rate and size in which every frame is grey, and silent."""

    def __init__(self, footage: Footage) -> None:
        self._footage = footage
        self.fps, self.n_frames = footage.fps, footage.n_frames
        self.start_s, self.end_s = footage.start_s, footage.end_s

    def frames(self, indices: Sequence[int]) -> list[npt.NDArray[np.uint8]]:
        return [np.full_like(frame, GREY) for frame in self._footage.frames(indices)]

    def sound(self) -> Waveform | None:
        sound = self._footage.sound()
        return None if sound is None else Waveform(np.zeros_like(sound.samples), sound.rate)


def blanked(request: LoadedRequest, kind: MediaKind) -> LoadedRequest:
    """The request with each input of a kind replaced by a blank one of the same extent."""
    kinds = [media.kind for media in request.request.media]
    media = tuple(
        blank(content) if found == kind else content for found, content in zip(kinds, request.media, strict=True)
    )
    return LoadedRequest(request.request, media, request.voice)


def blank(content: Decoded) -> Decoded:
    """Silence, a grey picture, or a grey clip, as long and as large as the original."""
    if isinstance(content, Waveform):
        return Waveform(np.zeros_like(content.samples), content.rate)
    if isinstance(content, Picture):
        return Picture(np.full_like(content.pixels, GREY))
    return GreyFootage(content)
