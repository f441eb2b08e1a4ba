"""An answer decoded window by window, each going on from the one before.

The spectrogram of the codes before a window is the flow's prompt, which is how the flow was made to go on. The
vocoder sees its last frames too, and its source runs on from where it stood, so that neither pitch nor phase breaks.
A window's last frame was filtered without what follows it; it is held back and faded over into what the next window
makes of it. The windows make up 256 samples a mel frame, as a decode of the whole answer does.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from models.vita_audio.chunks import Chunk
from models.vita_audio.flow import FRAME, Prompt
from models.vita_audio.vocoder import SourceState
from models.vita_audio.voice import Voice

REACH = 32  # mel frames: more than the vocoder looks back


class Continuation:
    """The windows of one answer, in their order; all chance comes from `generator`."""

    def __init__(self, voice: Voice, generator: torch.Generator) -> None:
        self._voice, self._generator = voice, generator
        weight = voice.flow.encoder_proj.weight
        self._mel = weight.new_zeros(1, voice.flow.config.mels, 0)  # of what was decoded so far, its end
        self._source = weight.new_zeros(1, 1, 0)  # the same for the last REACH frames
        self._state: SourceState | None = None
        self._held = weight.new_zeros(0)

    @torch.no_grad()
    def window(self, codes: Sequence[int], chunk: Chunk) -> Tensor:
        """Decode a chunk, whose `codes` begin at `chunk.first`: its samples and those held back, less the last 256."""
        vocoder = self._voice.vocoder
        new = self._spectrogram(codes, chunk)
        mel = torch.cat([self._mel[..., -REACH:], new], dim=2)
        known = mel.shape[2] - new.shape[2]
        pitch = vocoder.pitch(mel)[:, known:]
        source, self._state = vocoder.source_on(pitch, self._generator, self._state)
        source = torch.cat([self._source, source], dim=2)
        self._mel, self._source = torch.cat([self._mel, new], dim=2), source[..., -REACH * FRAME :]
        wave = vocoder.decode(mel, source)[0, known * FRAME - len(self._held) :].float()
        faded = len(self._held)
        rise = (torch.arange(faded, device=wave.device) + 0.5) / max(faded, 1)
        wave[:faded] = (1 - rise) * self._held + rise * wave[:faded]
        self._held = wave[-FRAME:]
        return wave[:-FRAME]

    def rest(self) -> Tensor:
        """The samples that are held back, when the answer is over."""
        held, self._held = self._held, self._held[:0]
        return held

    def _spectrogram(self, codes: Sequence[int], chunk: Chunk) -> Tensor:
        """[1, mels, frames of the chunk's new codes], counted from the beginning of the answer."""
        flow = self._voice.flow
        first, sent, end = (flow.frames(place) for place in chunk[:3])
        given = torch.tensor([codes], dtype=torch.long, device=self._voice.device)
        before, after = given.split([chunk.sent - chunk.first, chunk.end - chunk.sent], dim=1)
        self._mel = self._mel[..., self._mel.shape[2] - max(sent - first, min(REACH, self._mel.shape[2])) :]
        prompt = Prompt(before, self._mel[..., self._mel.shape[2] - (sent - first) :].transpose(1, 2))
        noise = self._voice.noise(end - first, self._generator)
        return flow(after, chunk.steps, None, prompt if sent > first else None, noise, end - first)
