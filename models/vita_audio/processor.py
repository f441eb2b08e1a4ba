"""From a request with opened media to what the model reads: token ids with places for what is heard."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch

from harness.failures import SampleError
from harness.media import Extent
from harness.types import LoadedRequest, Request, Waveform
from models.nn.kaldi import SAMPLE_RATE
from models.nn.resampling import resample
from models.vita_audio.cascade import MtpPrompt
from models.vita_audio.ears import Ear, Heard
from models.vita_audio.prompts import Encoder, context_content, conversation, tokenise
from models.vita_audio.tokens import MARKS, SpecialTokens


@dataclass(frozen=True, eq=False)
class MtpInputs:
    """A prompt of `n_tokens` positions; `prompt` is set where what is heard was put in ahead of the decoding."""

    heard: Heard
    prompt: MtpPrompt | None = None

    @property
    def n_tokens(self) -> int:
        return len(self.heard.prompt.ids)


class Processor:
    """`budget` is the longest prompt."""

    def __init__(self, encoder: Encoder, tokens: SpecialTokens, ear: Ear, budget: int) -> None:
        self._encoder, self._tokens, self._ear, self._budget = encoder, tokens, ear, budget

    def __call__(self, loaded: LoadedRequest) -> MtpInputs:
        """Prepare one request.

        Raises SampleError: "unsupported" on a picture or video, "limit" where the prompt is over the budget,
        "permanent" where a recording is too short to be heard or a text is none.
        """
        request = loaded.request
        spoken = [] if loaded.voice is None else [loaded.voice]
        runs = conversation(request.messages, voice=bool(spoken))
        recordings = [*spoken, *(content for content in loaded.media if isinstance(content, Waveform))]
        try:
            waves = tuple(resample(torch.from_numpy(wave.samples), wave.rate) for wave in recordings)
            content = [self._places(self._ear.positions(len(wave))) for wave in waves]
            prompt = tokenise(runs, content, self._encoder, self._tokens)
        except ValueError as error:
            raise error if isinstance(error, SampleError) else SampleError(str(error)) from error
        if len(prompt.ids) > self._budget:
            raise SampleError(
                f"the prompt takes {len(prompt.ids)} tokens, more than the model's {self._budget}", "limit"
            )
        return MtpInputs(Heard(prompt, waves, request.generation.seed))

    def _places(self, count: int) -> list[int]:
        """What keeps the positions of a recording until it is heard."""
        return context_content(count, self._tokens) if self._tokens.plus else [self._tokens.first_code] * count


def planned_tokens(
    request: Request,
    extents: Sequence[Extent],
    voice: Extent | None,
    count: Callable[[str], int],
    positions: Callable[[int], int],
) -> int:
    """How many positions a request's prompt takes: text by `count`, recordings by `positions` of their samples.

    `voice` is that of the recording to speak in. What the model cannot take counts as nothing: it fails when it is
    prepared.
    """
    try:
        text = sum(count(run) for run in conversation(request.messages, voice=voice is not None))
    except SampleError:
        return 0
    heard = [*extents, *([] if voice is None else [voice])]
    return text + sum(_recording(extent, positions) for extent in heard)


def _recording(extent: Extent, positions: Callable[[int], int]) -> int:
    try:
        return MARKS + positions(math.ceil(extent.seconds * SAMPLE_RATE))
    except ValueError:
        return MARKS
