"""NEXUS-O's understanding model: text, pictures and audio in, logits over the vocabulary out.

Parameter names are those of Qwen2.5-VL in transformers since 4.52 (`model.visual`, `model.language_model`, `lm_head`);
how the release names its audio parts is not known: here they are `model.audio_tower` and `model.audio_adapter`. A
prompt is a row of token ids; where `kinds` says so, the embedding of a picture or of audio stands in place of the
token's own, in order (spec section 1.4).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.rnn import pad_sequence

from models.nexus_o.adapter import AudioAdapter
from models.nexus_o.backbone import causal_hidden, language_model, renew_rotary, see, vision_tower
from models.nexus_o.config import NexusConfig
from models.nexus_o.positions import Grid
from models.nexus_o.sound import Windows
from models.nexus_o.whisper import WhisperEncoder
from models.rows import Prompt

WINDOWS_AT_ONCE = 8


class Kind(IntEnum):
    """What stands in a place of a prompt; the first three are transformers' mm_token_type_ids."""

    TEXT = 0
    IMAGE = 1
    VIDEO = 2
    AUDIO = 3


class Seen(NamedTuple):
    """A picture: `patches` [P, 1176] fp32 and the grid of its tokens."""

    patches: Tensor
    grid: Grid


@dataclass(frozen=True, eq=False)
class Inputs:
    """One prompt. Media stand in the order of their places."""

    ids: Tensor  # int64 [S]
    kinds: Tensor  # int64 [S], of Kind
    positions: Tensor  # int64 [3, S]
    pictures: tuple[Seen, ...] = ()
    audio: tuple[Windows, ...] = ()
    embeds: Tensor | None = None
    """[S, D]: the whole prompt embedded, where that was done ahead of the decoding."""

    @property
    def n_tokens(self) -> int:
        return len(self.ids)


class Decoder(NamedTuple):
    """The language model as the decode loop takes it."""

    model: Any
    lm_head: nn.Linear


class Nexus(nn.Module):
    def __init__(self, config: NexusConfig) -> None:
        super().__init__()
        self.config = config
        width = config.language.hidden_size
        self.model = nn.Module()
        self.model.visual = vision_tower(config.vision, width)
        self.model.language_model = language_model(config.language)
        self.model.audio_tower = WhisperEncoder(config.audio, config.choices.audio_pool)
        self.model.audio_adapter = AudioAdapter(config.audio.d_model, width, config.choices)
        self.lm_head = nn.Linear(width, config.language.vocab_size, bias=False)

    @property
    def device(self) -> torch.device:
        return self.lm_head.weight.device

    @property
    def dtype(self) -> torch.dtype:
        return self.lm_head.weight.dtype

    @property
    def decoder(self) -> Decoder:
        return Decoder(self.model.language_model, self.lm_head)

    def encode_picture(self, picture: Seen) -> Tensor:
        """The tokens [layers * rows * columns, D] of one image or video."""
        layers, rows, columns, _ = picture.grid
        merge = self.config.vision.spatial_merge_size
        return see(
            self.model.visual, picture.patches.to(self.device, self.dtype), layers, rows * merge, columns * merge
        )

    def encode_audio(self, clip: Windows) -> Tensor:
        """The tokens [N, D] of all windows of a clip, one behind the other; those of silence are left out."""
        found = []
        for start in range(0, len(clip.valid), WINDOWS_AT_ONCE):
            valid = clip.valid[start : start + WINDOWS_AT_ONCE]
            frames = self.model.audio_tower(clip.mel[start : start + WINDOWS_AT_ONCE].to(self.device, self.dtype))
            for window, length in zip(frames, valid, strict=True):
                found.append(self.model.audio_adapter(window[None, :length])[0])
        return torch.cat(found)

    def embed(self, inputs: Inputs) -> Tensor:
        """The embeddings [S, D] of a prompt. Raises ValueError where media do not fill their places exactly."""
        kinds = inputs.kinds.to(self.device)
        embeds = self.model.language_model.embed_tokens(inputs.ids.to(self.device))
        pictures = [self.encode_picture(picture) for picture in inputs.pictures]
        clips = [self.encode_audio(clip) for clip in inputs.audio]
        seen = (kinds == Kind.IMAGE) | (kinds == Kind.VIDEO)
        for what, places, features in (("pictures", seen, pictures), ("audio", kinds == Kind.AUDIO, clips)):
            given = sum(len(tokens) for tokens in features)
            if given != int(places.sum()):
                raise ValueError(f"the {what} have {given} tokens, the prompt has places for {int(places.sum())}")
            if features:
                embeds[places] = torch.cat(features).to(embeds.dtype)
        return embeds

    def prompt(self, inputs: Inputs, seed: int = 0) -> Prompt:
        """A prompt as the decode loop takes it."""
        embeds = self.embed(inputs) if inputs.embeds is None else inputs.embeds
        return Prompt(embeds, seed, inputs.positions.to(self.device))

    def hidden(self, prompts: Sequence[Inputs]) -> Tensor:
        """Last hidden states [B, S, D], after the norm, of prompts side by side; what stands behind a prompt's end
        means nothing."""
        embeds = pad_sequence([self.embed(inputs) for inputs in prompts], batch_first=True)
        longest = embeds.shape[1]
        padded = [F.pad(inputs.positions, (0, longest - inputs.n_tokens)) for inputs in prompts]
        positions = torch.stack(padded, dim=1).to(self.device)  # [3, B, S]
        return causal_hidden(self.model.language_model, embeds, positions)

    def logits(self, prompts: Sequence[Inputs]) -> Tensor:
        """[B, S, vocabulary] of prompts side by side."""
        return self.lm_head(self.hidden(prompts))


def build(config: NexusConfig, seed: int, device: str = "cpu", dtype: torch.dtype = torch.float32) -> Nexus:
    """A model with random weights drawn from the seed, in eval mode; the global random state is left alone."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = Nexus(config)
    return ready(model.to(device, dtype), device)


def ready(model: Nexus, device: str) -> Nexus:
    """The model in eval mode, with what no checkpoint holds."""
    renew_rotary(model.model.language_model, model.model.visual, model.config.vision, device)
    return model.eval()
