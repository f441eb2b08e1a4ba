"""How VITA-Audio Plus hears: SenseVoice and a projector give embeddings for the language model, 16.7 a second."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pad_sequence

from models.checkpoint_error import CheckpointError, check_tensors
from models.vita_audio.sensevoice import SenseVoice
from models.vita_audio.sensevoice_config import FrontEndConfig, SenseVoiceConfig
from models.vita_audio.sensevoice_features import Cmvn, FrontEnd

PREFIX = "model."
REMEDY = "Download all model-*.safetensors of one release of VITA-Audio-Plus again."


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


class LoadedHearing(NamedTuple):
    """A model in eval mode, and the names of tensors that were left out."""

    model: Hearing
    unknown: tuple[str, ...]


def build_hearing(
    config: SenseVoiceConfig,
    hidden: int,
    front_end: FrontEnd,
    state: Mapping[str, Tensor],
    source: Path,
    device: str = "cpu",
    dtype: torch.dtype = torch.float32,
) -> LoadedHearing:
    """The model with the audio weights of `state`, a whole checkpoint's that came from `source`.

    Raises `CheckpointError` naming what is missing or of another shape. Other tensors than `model.audio_...` are
    the language model's, and no concern of this.
    """
    audio = {name: tensor for name, tensor in state.items() if name.startswith(f"{PREFIX}audio_")}
    if config.layers + config.top_layers > len(audio):  # before so many are built
        raise CheckpointError(
            f"{source}: the weights hold {len(audio)} tensors named {PREFIX}audio_..., too few for "
            f"{config.layers} + {config.top_layers} layers (num_blocks, tp_blocks)\n{REMEDY}"
        )
    with torch.device("meta"):
        model = Hearing(config, hidden, front_end)
    expected = {PREFIX + name: tensor for name, tensor in model.state_dict().items()}
    unknown = check_tensors(source, expected, audio, REMEDY)
    placed = {name.removeprefix(PREFIX): audio[name].to(device, dtype) for name in expected}
    model.load_state_dict(placed, assign=True)
    return LoadedHearing(model.eval(), tuple(unknown))
