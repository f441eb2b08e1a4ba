"""How VITA-Audio Plus hears: SenseVoice and a projector give embeddings for the language model, 16.7 a second."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pad_sequence

from models.vita_audio.sensevoice import SenseVoice
from models.vita_audio.sensevoice_config import FrontEndConfig, SenseVoiceConfig
from models.vita_audio.sensevoice_features import Cmvn, FrontEnd


class Projector(nn.Module):
    """[..., width] -> [..., hidden]"""

    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        self.pre_proj_layernorm = nn.LayerNorm(width)
        self.mlp = nn.Sequential(nn.Linear(width, hidden, bias=False), nn.GELU(), nn.Linear(hidden, hidden, bias=False))

    def forward(self, x: Tensor) -> Tensor:
        return self.mlp(self.pre_proj_layernorm(x))


class _AudioModel(nn.Module):
    """The name `audio_model.model` of the release."""

    def __init__(self, config: SenseVoiceConfig) -> None:
        super().__init__()
        self.model = SenseVoice(config)


class Hearing(nn.Module):
    """From waves or their features to embeddings of width `hidden`.

    Parameters are named as in the release without the leading `model.`. Raises ValueError if the front end gives
    another width than the encoder takes.
    """

    def __init__(self, config: SenseVoiceConfig, hidden: int, front_end: FrontEnd) -> None:
        super().__init__()
        widths = front_end.config.width, len(front_end.cmvn.shift), len(front_end.cmvn.scale)
        if set(widths) != {config.inputs}:
            raise ValueError(
                f"the front end gives {widths[0]} numbers a frame and its statistics are {widths[1]} and {widths[2]} "
                f"wide: the encoder takes {config.inputs}"
            )
        self.front_end = front_end
        self.audio_model = _AudioModel(config)
        self.audio_projection = Projector(config.width, hidden)

    @classmethod
    def tiny(cls, hidden: int, seed: int = 0) -> Hearing:
        """Random weights, repeatable by `seed`, with 4 mel bins and features that are not normalised."""
        config, front = SenseVoiceConfig.tiny(), FrontEndConfig(mels=4)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            return cls(config, hidden, FrontEnd(front, Cmvn.none(front.width))).eval()

    def parts(self) -> nn.ModuleDict:
        """What holds the parameters, by its name in a checkpoint, for `MtpModel`: the very modules, not copies.

        Weights that are filled into that model, made on the meta device with this one, are this one's too.
        """
        return nn.ModuleDict(dict(self.named_children()))

    def forward(self, features: Sequence[Tensor]) -> list[Tensor]:
        """Features [T, inputs] of each clip -> its embeddings [T + 4, hidden], in the weights' dtype.

        The clips are encoded together; each has the embeddings that it has alone. Raises ValueError on features of
        another width or without a frame.
        """
        inputs = self.front_end.config.width
        for clip in features:
            if clip.ndim != 2 or clip.shape[1] != inputs or not len(clip):
                raise ValueError(f"features of shape {list(clip.shape)}: expected [T, {inputs}], T at least 1")
        if not features:
            return []
        weight = self.audio_projection.mlp[0].weight
        lengths = torch.tensor([len(clip) for clip in features], device=weight.device)
        padded = pad_sequence([clip.to(weight.device, weight.dtype) for clip in features], batch_first=True)
        encoded = self.audio_model.model(padded, lengths)
        embeddings = self.audio_projection(encoded.states)
        return [row[:length] for row, length in zip(embeddings, encoded.lengths.tolist(), strict=True)]

    def hear(self, waves: Sequence[Tensor]) -> list[Tensor]:
        """16 kHz waves [n] in -1..1 -> their embeddings [n_tokens(n), hidden]. ValueError on one below 25 ms."""
        return self([self.front_end(wave) for wave in waves])

    def n_tokens(self, samples: int) -> int:
        """Embeddings of a 16 kHz wave of so many samples. ValueError below 25 ms."""
        return self.front_end.n_tokens(samples)
