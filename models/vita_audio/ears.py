"""What stands in the prompt for a recording: its speech codes, or in Plus the embeddings of an encoder.

An ear knows how many positions that takes from a recording's length alone, and fills them when it hears it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from harness.types import Channels
from models.vita_audio.cascade import MtpPrompt
from models.vita_audio.hearing import Hearing
from models.vita_audio.language import MtpModel
from models.vita_audio.prompts import Prompt
from models.vita_audio.sensevoice_features import n_tokens
from models.vita_audio.speech_features import SAMPLES_PER_CODE, SEGMENT
from models.vita_audio.speech_tokenizer import SpeechTokenizer
from models.vita_audio.tokens import SpecialTokens


@dataclass(frozen=True, eq=False)
class Heard:
    """A prompt and the 16 kHz waves [n] of its recordings, which are to be put in their places."""

    prompt: Prompt
    waves: tuple[Tensor, ...]
    seed: int


class Ear(Protocol):
    channels: Channels
    """What of a recording with several channels is heard."""

    def positions(self, samples: int) -> int:
        """Of a 16 kHz recording, between its marks. Raises ValueError on one that is too short."""

    def hear(self, model: MtpModel, prompts: Sequence[Heard]) -> list[MtpPrompt]:
        """Fill the places of the recordings; on the model's device."""


def code_positions(samples: int) -> int:
    """Codes of so many samples at 16 kHz: one for every 80 ms that begins, in each piece of 30 s."""
    if samples < 1:
        raise ValueError("audio without a sample: leave the clip out")
    whole, rest = divmod(samples, SEGMENT)
    return whole * (SEGMENT // SAMPLES_PER_CODE) + -(-rest // SAMPLES_PER_CODE)


def embedding_positions(samples: int) -> int:
    """Embeddings of so many samples at 16 kHz: one for every 60 ms and four more. ValueError below 25 ms."""
    return n_tokens(samples)


class CodeEar:
    """Hears through the speech tokenizer: a recording becomes the codes that the model itself speaks in."""

    channels: Channels = "first"

    def __init__(self, tokenizer: SpeechTokenizer, tokens: SpecialTokens) -> None:
        """Raises ValueError where tokenizer and vocabulary have not the same codes."""
        codes = tokenizer.codebook.num_embeddings
        if codes != tokens.codes:
            raise ValueError(
                f"the speech tokenizer has {codes} codes, the model's vocabulary {tokens.codes}: both must be of one "
                "release"
            )
        self._tokenizer, self._tokens = tokenizer, tokens

    def positions(self, samples: int) -> int:
        return code_positions(samples)

    def hear(self, model: MtpModel, prompts: Sequence[Heard]) -> list[MtpPrompt]:
        found = iter(self._tokenizer.encode([wave for heard in prompts for wave in heard.waves]))
        filled = []
        for heard in prompts:
            ids = torch.tensor(heard.prompt.ids, dtype=torch.long)
            for place in heard.prompt.places:
                codes = torch.tensor(next(found), dtype=torch.long)
                ids[place.start : place.stop] = codes + self._tokens.first_code
            filled.append(MtpPrompt(ids.to(model.device), seed=heard.seed))
        return filled


class EmbeddingEar:
    """Hears through SenseVoice (Plus): the language model reads embeddings, the modules the token that keeps their
    place."""

    channels: Channels = "mean"

    def __init__(self, hearing: Hearing) -> None:
        self._hearing = hearing

    def positions(self, samples: int) -> int:
        return self._hearing.n_tokens(samples)

    @torch.inference_mode()
    def hear(self, model: MtpModel, prompts: Sequence[Heard]) -> list[MtpPrompt]:
        found = iter(self._hearing.hear([wave.to(model.device) for heard in prompts for wave in heard.waves]))
        filled = []
        for heard in prompts:
            ids = torch.tensor(heard.prompt.ids, dtype=torch.long, device=model.device)
            embeds = model.embed(ids)  # [P, D]
            for place in heard.prompt.places:
                embeds[place.start : place.stop] = next(found).to(embeds.dtype)
            filled.append(MtpPrompt(ids, embeds if heard.waves else None, heard.seed))
        return filled
