"""From a stream of codec ids to a stream of waveform, and from text to both.

The codec's convolutions look 13 tokens to each side (published sizes, `codec.receptive_field`). A chunk that
is decoded with that much context on both sides equals the same stretch of a one-shot decode up to rounding
(1e-5); that is `context="exact"`, the default here. The released server decodes with 10 tokens of padding,
so its chunks differ a little from a one-shot decode near their ends; a number as context reproduces it.
Either way n tokens give exactly 600 n samples (`hop` n), and nothing is cross-faded.

The server then looks for a quiet place in each chunk to cut at (`cut_at_quiet`), so that the pieces that a
listener gets end in near-silence. That moves samples between pieces and changes none of them.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Literal, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from models.vita15.codec import Codec, Context, receptive_field
from models.vita15.speech_config import Sampling
from models.vita15.speech_decoder import SpeechDecoder, StopReason
from models.vita15.tts_text import is_speakable, segments, speech_text

CHUNK = 40
FIRST_CHUNK = 20  # smaller in the first segment, so that sound starts sooner
CUT_WINDOW = 2401
SILENCE = 0.03


class SpeechError(ValueError):
    """No speech can be made of a text, or none was: the answer has none, never silence."""


class WavePiece(NamedTuple):
    """Consecutive codec ids and their samples, float32 [hop * len(codes)] on the codec's device."""

    codes: list[int]
    samples: Tensor


class Cut(NamedTuple):
    """What stays behind [1, 1, n] and what can be played [1, 1, m], None if there is no quiet place."""

    buffer: Tensor
    segment: Tensor | None


@dataclass(frozen=True)
class ChunkedVocoder:
    """Decodes codec ids as they arrive, `chunk` at a time (codecs with one code group)."""

    codec: Codec
    chunk: int = CHUNK
    context: int | Literal["exact"] = "exact"

    def __post_init__(self) -> None:
        if self.chunk < 1 or (self.context != "exact" and self.context < 1):
            raise ValueError(f"vocoder: chunk {self.chunk} must be at least 1 and context {self.context} at least 1")
        if self.codec.config.code_groups != 1:
            raise ValueError(f"vocoder: the codec has {self.codec.config.code_groups} code groups, only 1 streams")

    def stream(self, codes: Iterable[int]) -> Iterator[WavePiece]:
        """Pieces of `chunk` tokens as soon as the right context is there; the last piece holds the rest."""
        context = self._context()
        window: list[int] = []  # left context, then the tokens not emitted yet
        left = 0
        for code in codes:
            window.append(code)
            if len(window) == left + self.chunk + context.right:
                yield self._decode(window, left, self.chunk)
                emitted = left + self.chunk
                left = min(context.left, emitted)
                window = window[emitted - left :]
        if len(window) > left:
            yield self._decode(window, left, len(window) - left)

    def _context(self) -> Context:
        if self.context == "exact":
            return receptive_field(self.codec.config)
        return Context(self.context, self.context)

    @torch.no_grad()
    def _decode(self, window: list[int], left: int, count: int) -> WavePiece:
        device, hop = self.codec.generator.conv_post.weight.device, self.codec.config.hop
        wave = self.codec.decode(torch.tensor(window, device=device)[None, :, None])  # [1, 1, hop * len(window)]
        samples = wave[0, 0, left * hop : (left + count) * hop].float()
        return WavePiece(window[left : left + count], samples)


def cut_at_quiet(buffer: Tensor, wave: Tensor, window: int, threshold: float) -> Cut:
    """Cut `wave` [1, 1, n] where it is quietest, if the mean of |x| there is under the threshold.

    The quietest window is searched from the middle on, then the smallest |x| in it. As in the released code
    the search for the latter ends too late (the window's offset is added twice), so the cut may lie after
    the window. A wave shorter than the window is never cut.
    """
    level = wave[0, 0].abs()
    length = level.shape[0]
    if length < window:
        return Cut(torch.cat([buffer, wave], dim=-1), None)
    sums = F.conv1d(level[None, None], torch.ones(1, 1, window, dtype=level.dtype, device=level.device))[0, 0]
    first = length // 2 - window // 2
    lowest, offset = sums[first:].min(0)
    start = first + int(offset)
    end = min(length, start + int(offset) + window)
    if not float(lowest) / window < threshold:
        return Cut(torch.cat([buffer, wave], dim=-1), None)
    place = start + int(level[start:end].argmin())
    return Cut(wave[..., place:], torch.cat([buffer, wave[..., :place]], dim=-1))


def quiet_segments(pieces: Iterable[WavePiece], threshold: float, window: int = CUT_WINDOW) -> Iterator[Tensor]:
    """The server's playback segments [1, 1, n]: all pieces but the last are cut; the rest comes last."""
    buffer = None
    held = None
    for piece in pieces:
        if held is not None:
            buffer = held.new_zeros(1, 1, 0) if buffer is None else buffer
            buffer, segment = cut_at_quiet(buffer, held, window, threshold)
            if segment is not None:
                yield segment
        held = piece.samples[None, None]
    if held is not None:
        yield held if buffer is None else torch.cat([buffer, held], dim=-1)


def trim_leading_silence(segment: Tensor, level: float = SILENCE) -> Tensor:
    """Drop samples before the first |x| > level (the server's first segment); all quiet: keep."""
    loud = (segment[0, 0].abs() > level).nonzero()
    return segment[..., int(loud[0]) :] if len(loud) else segment


class SpeechChunk(NamedTuple):
    """Speech as it becomes ready: ids and their samples, float32 [hop * len(codes)] on the CPU.

    `segment` counts the text segments from 0. `stop` is set on the last chunk of a segment; "max_tokens"
    means that the segment was cut short.
    """

    codes: list[int]
    samples: Tensor
    segment: int
    stop: StopReason | None


@dataclass(frozen=True)
class SpeechSynthesizer:
    """Text to speech with VITA-1.5's decoders, segment by segment.

    `tokenize` gives the language model's ids without special tokens; `embed_tokens` looks ids [1, n] up in
    its *input* embeddings [1, n, llm_hidden], on the decoder's device.
    """

    decoder: SpeechDecoder
    vocoder: ChunkedVocoder
    tokenize: Callable[[str], list[int]]
    embed_tokens: Callable[[Tensor], Tensor]
    sampling: Sampling = field(default_factory=Sampling)

    def __post_init__(self) -> None:
        codes, entries = self.decoder.config.codes, self.vocoder.codec.config.codes
        if codes != entries:
            raise ValueError(f"the speech decoder draws from {codes} codes, the codec holds {entries}")
        if not self.sampling.restrict_to_codec:
            raise ValueError("sampling: restrict_to_codec must be on, other ids have no codec entry")

    def stream(self, text: str, generator: torch.Generator | None = None) -> Iterator[SpeechChunk]:
        """Speak a text of any length. Raises `SpeechError` if it holds nothing to say or no code is drawn."""
        session = SpeechSession(self, generator)
        for segment in segments(text):
            yield from session.say(segment)
        session.finish(text)


class SpeechSession:
    """One utterance, spoken segment by segment as its text becomes known."""

    def __init__(self, synthesizer: SpeechSynthesizer, generator: torch.Generator | None = None) -> None:
        self._synthesizer, self._generator = synthesizer, generator
        self._spoken = 0
        self._made = 0
        self.first_code: float | None = None
        """time.monotonic() when the first codec id was drawn."""

    def say(self, segment: str) -> Iterator[SpeechChunk]:
        """Speak a segment; one without a letter or digit (emoji, punctuation) is passed over."""
        if not is_speakable(text := speech_text(segment)):
            return
        parts = self._synthesizer
        weight = parts.decoder.embedding.weight
        with torch.no_grad():
            embeddings = parts.embed_tokens(torch.tensor(parts.tokenize(text), device=weight.device)[None])
        codes = parts.decoder.generate(embeddings.to(weight.dtype), parts.sampling, self._generator)
        chunk = parts.vocoder.chunk if self._spoken else min(FIRST_CHUNK, parts.vocoder.chunk)
        index, self._spoken = self._spoken, self._spoken + 1
        for piece in replace(parts.vocoder, chunk=chunk).stream(self._stamped(codes)):
            self._made += len(piece.codes)
            # the vocoder asks for the end of the codes before it gives the last piece
            yield SpeechChunk(piece.codes, piece.samples.float().cpu(), index, codes.stop_reason)

    def finish(self, text: str) -> None:
        """Raise `SpeechError` if the utterance `text` was nothing to say, or came out as silence."""
        if self._spoken == 0:
            raise SpeechError(f"nothing to speak in {text[:80]!r}; expected at least one letter or digit")
        if self._made == 0:
            raise SpeechError(f"the speech decoder ended before its first codec token for {text[:80]!r}")

    def _stamped(self, codes: Iterator[int]) -> Iterator[int]:
        for code in codes:
            self.first_code = self.first_code or time.monotonic()
            yield code
