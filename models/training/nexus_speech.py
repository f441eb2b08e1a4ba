"""NEXUS-O's third stage: the decoder of speech codes learns from the frozen model's states, which are made once.

A reply's states are those at its own tokens' places, after the last norm, without the end of the turn: which are meant
is not published. What is to be learnt are the codes that a FireFly codec makes of the reply's sound. There is no codec
of the mini world yet: this one has random weights, so that its codes follow the sound, but are no good speech again.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn.utils.rnn import pad_sequence

from models.nexus_o.audio_decoder import AudioDecoder
from models.nexus_o.firefly import Firefly
from models.nexus_o.omni import Nexus
from models.nn.resampling import resample
from models.nn.whisper_features import SAMPLE_RATE
from models.training.nexus_stages import Kind, Work
from models.training.nexus_world import NexusWorld, Said

CODES_ARE = "of a FireFly codec with random weights"


class Reply(NamedTuple):
    """The frozen model's states of a reply [N, D] and its codes [streams, T]."""

    hidden: Tensor
    codes: Tensor


class SpeechBatch(NamedTuple):
    """Replies side by side, padded on the right: [B, n, D], [B], [B, streams, T], [B]."""

    hidden: Tensor
    hidden_lengths: Tensor
    codes: Tensor
    code_lengths: Tensor


@torch.no_grad()
def reply(model: Nexus, codec: Firefly, said: Said) -> Reply:
    """What is learnt from one reply, on the CPU."""
    hidden = model.hidden([said.inputs])[0, said.answer]
    wave = resample(said.wave, SAMPLE_RATE, codec.config.mel.sample_rate)
    codes, lengths = codec.encode(wave[None, None])
    return Reply(hidden.float().cpu(), codes[0, :, : int(lengths[0])])


def replies(
    model: Nexus, codec: Firefly, world: NexusWorld, kinds: Sequence[Kind], count: int, path: Path
) -> Mapping[Kind, list[Reply]]:
    """`count` replies of each kind, the n-th a function of world, kind and n.

    Read from `path` where they were made before by the same weights in the same world; else made, and written there.
    """
    origin = _origin(model, codec, f"{world.config} {world.seed} {list(kinds)} {count}")
    if _stated(path) != origin:
        tensors = {}
        for kind in kinds:
            for number in range(count):
                said = world.spoken[kind](random.Random(f"reply {kind} {world.seed} {number}"))
                for part, tensor in reply(model, codec, said)._asdict().items():
                    tensors[f"{kind}.{number}.{part}"] = tensor.contiguous()
        new = path.with_suffix(".new")
        save_file(tensors, new, metadata={"origin": origin})
        new.replace(path)
    with safe_open(path, "pt") as file:
        return {
            kind: [Reply(*(file.get_tensor(f"{kind}.{n}.{part}") for part in Reply._fields)) for n in range(count)]
            for kind in kinds
        }


def _stated(path: Path) -> str | None:
    """The origin that a file states; None where there is no such file, or it cannot be read."""
    try:
        with safe_open(path, "pt") as file:
            return (file.metadata() or {}).get("origin")
    except (FileNotFoundError, SafetensorError):
        return None


def _origin(model: Nexus, codec: Firefly, recipe: str) -> str:
    """Of what replies are made, as a hash."""
    digest = hashlib.sha256(recipe.encode())
    for module in (model, codec):
        for name, tensor in module.state_dict().items():
            digest.update(name.encode())
            digest.update(tensor.detach().cpu().contiguous().view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()


class SpeechBatches:
    """Batches of made replies, each a function of stage, seed and number. `origin` is where the replies come from."""

    def __init__(self, made: Mapping[Kind, Sequence[Reply]], work: Work, seed: int, origin: Path) -> None:
        self.made, self.work, self.seed, self.origin = made, work, seed, _stated(origin)

    @property
    def recipe(self) -> str:
        """What its batches follow, beside the stage."""
        return f"replies {self.origin}, seed {self.seed}"

    def __call__(self, number: int) -> SpeechBatch:
        rng = random.Random(f"batch {self.work.name} {self.seed} {number}")
        shares = self.work.shares(number)
        kinds = rng.choices(list(shares), list(shares.values()), k=self.work.effort.batch)
        return collate([rng.choice(self.made[kind]) for kind in kinds])


def collate(chosen: Sequence[Reply]) -> SpeechBatch:
    """Replies side by side."""
    return SpeechBatch(
        pad_sequence([one.hidden for one in chosen], batch_first=True),
        torch.tensor([len(one.hidden) for one in chosen]),
        pad_sequence([one.codes.T for one in chosen], batch_first=True).transpose(1, 2),
        torch.tensor([one.codes.shape[1] for one in chosen]),
    )


class SpeechLearner(nn.Module):
    """The audio decoder with the mean of its streams' cross-entropies (spec section 1.5)."""

    def __init__(self, decoder: AudioDecoder, work: Work) -> None:
        super().__init__()
        self.decoder, self.stage = decoder, work

    @property
    def device(self) -> torch.device:
        return self.decoder.device

    def trained(self) -> dict[str, nn.Parameter]:
        """All of the decoder, by its names there."""
        return dict(self.decoder.named_parameters())

    def rate_of(self, name: str) -> float:
        """One for all: no other is published."""
        return 1.0

    def forward(self, batch: SpeechBatch) -> Tensor:
        """Mean over codes and ends of all streams, a scalar in float32."""
        found = self.decoder.teacher_loss(*(tensor.to(self.device) for tensor in batch))
        return found.total / found.targets
