"""NEXUS-O's third stage: the decoder of speech codes learns from the frozen model's states, which are made once.

A reply's states are those at its own tokens' places, after the last norm, without the end of the turn: which are meant
is not published. What is to be learnt are the codes that a FireFly codec makes of the reply's sound: of one with random
weights, whose codes follow the sound but are no good speech again, or of one of the mini world (`nexus.codec_stage`).
"""

from __future__ import annotations

import hashlib
import math
import random
from collections.abc import Callable, Mapping, Sequence
from itertools import product
from pathlib import Path
from typing import NamedTuple

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn
from torch.nn.utils.rnn import pad_sequence

from harness.progress import track
from models.nexus_o.audio_decoder import AudioDecoder
from models.nexus_o.firefly import Firefly
from models.nexus_o.omni import Nexus
from models.nn.resampling import resample
from models.nn.whisper_features import SAMPLE_RATE
from models.training.controls import Controls
from models.training.nexus.stages import Kind, Work
from models.training.nexus.world import NexusWorld, Said
from models.training.whole import save_whole

CODES_ARE = "of a FireFly codec with random weights"
MISHEARD, AT_FIRST, LEARNT = 0.06, 0.5, 0.8
"""Share of the codes that the decoder hears wrong, as in VITA-1.5's (`speech_out.decoder_stage`): of a row up to
AT_FIRST at the start, which falls until LEARNT of the steps. Who hears half of a word has to read the rest of it."""
AVERAGE = 32
"""Steps of a reply: a batch of n holds as many as n such replies, so that short ones come in larger batches."""
REACH, GROWN = 0.4, 0.4
"""Share of a kind's replies, the shortest, that the first batches are of, and of the steps until they are of all."""
CONTROLS = 64
"""Held-out replies of each kind."""


class Reply(NamedTuple):
    """The frozen model's states of a reply [N, D] and its codes [streams, T]."""

    hidden: Tensor
    codes: Tensor


class SpeechBatch(NamedTuple):
    """Replies side by side, padded on the right: [B, n, D], [B], [B, streams, T], [B]; what is heard of the codes."""

    hidden: Tensor
    hidden_lengths: Tensor
    codes: Tensor
    code_lengths: Tensor
    heard: Tensor


@torch.no_grad()
def reply(model: Nexus, codec: Firefly, said: Said) -> Reply:
    """What is learnt from one reply, on the CPU."""
    hidden = model.hidden([said.inputs])[0, said.answer]
    wave = resample(said.wave, SAMPLE_RATE, codec.config.mel.sample_rate)
    codes, lengths = codec.encode(wave[None, None])
    return Reply(hidden.float().cpu(), codes[0, :, : int(lengths[0])])


def replies(
    model: Nexus,
    codec: Firefly,
    world: NexusWorld,
    kinds: Sequence[Kind],
    count: int,
    path: Path,
    held_out: bool = False,
) -> Mapping[Kind, list[Reply]]:
    """`count` replies of each kind, the n-th a function of world, kind and n; or as many others, which are held out.

    Read from `path` where they were made before by the same weights in the same world; else made, and written there.
    """
    part_of = "held-out reply" if held_out else "reply"
    origin = _origin(model, codec, f"{world.config} {world.seed} {world.speaking} {part_of} {list(kinds)} {count}")
    if _stated(path) != origin:
        tensors = {}
        with track("replies", len(kinds) * count) as progress:
            for kind, number in product(kinds, range(count)):
                said = world.spoken[kind](random.Random(f"{part_of} {kind} {world.seed} {number}"))
                for part, tensor in reply(model, codec, said)._asdict().items():
                    tensors[f"{kind}.{number}.{part}"] = tensor.contiguous()
                progress.advance()
        save_whole(tensors, path, {"origin": origin})
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
    """Batches of made replies of one kind and nearly one length, each a function of stage, seed and number. `origin` is
    where the replies come from, `codes` how many there are of a stream."""

    def __init__(self, made: Mapping[Kind, Sequence[Reply]], work: Work, seed: int, origin: Path, codes: int) -> None:
        self.made = {kind: sorted(some, key=lambda one: one.codes.shape[1]) for kind, some in made.items()}
        self.work, self.seed, self.origin, self.codes = work, seed, _stated(origin), codes

    @property
    def recipe(self) -> str:
        """What its batches follow, beside the stage."""
        return f"replies {self.origin}, seed {self.seed}"

    def __call__(self, number: int) -> SpeechBatch:
        rng = random.Random(f"batch {self.work.name} {self.seed} {number}")
        shares, steps = self.work.shares(number), self.work.effort.steps
        rows = self.made[rng.choices(list(shares), list(shares.values()))[0]]
        reach = min(1.0, REACH + (1 - REACH) * number / (GROWN * steps))
        last = rng.randrange(max(1, round(reach * len(rows))))
        size = max(1, self.work.effort.batch * AVERAGE // len_of(rows[last]))
        most = max(MISHEARD, AT_FIRST * (1 - number / (LEARNT * steps)))
        batch = collate(rows[max(0, last + 1 - size) : last + 1])
        generator = torch.Generator().manual_seed(rng.getrandbits(60))
        wrong = torch.rand(len(batch.codes), 1, 1, generator=generator) * (2 * MISHEARD if most == MISHEARD else most)
        others = torch.randint(self.codes, batch.codes.shape, generator=generator)
        heard = torch.where(torch.rand(batch.codes.shape, generator=generator) < wrong, others, batch.codes)
        return batch._replace(heard=heard)


def len_of(one: Reply) -> int:
    """The steps of a reply."""
    return sum(one.codes.shape)


def collate(chosen: Sequence[Reply]) -> SpeechBatch:
    """Replies side by side, heard right."""
    codes = pad_sequence([one.codes.T for one in chosen], batch_first=True).transpose(1, 2)
    return SpeechBatch(
        pad_sequence([one.hidden for one in chosen], batch_first=True),
        torch.tensor([len(one.hidden) for one in chosen]),
        codes,
        torch.tensor([one.codes.shape[1] for one in chosen]),
        codes,
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


@torch.no_grad()
def speech_controls(learner: SpeechLearner, kept: Mapping[Kind, Sequence[Reply]]) -> Controls:
    """Loss of held-out replies with their states, with none (zeros), and with those of another reply."""
    learner.eval()
    batches = [collate(some[first : first + 16]) for some in kept.values() for first in range(0, len(some), 16)]

    def mean(change: Callable[[SpeechBatch], SpeechBatch]) -> float:
        return math.fsum(float(learner(change(batch))) for batch in batches) / len(batches)

    blank = mean(lambda batch: batch._replace(hidden=torch.zeros_like(batch.hidden)))
    return Controls(mean(lambda batch: batch), blank, mean(_swapped))


def _swapped(batch: SpeechBatch) -> SpeechBatch:
    """Each row gets the states of the one before it."""
    return batch._replace(hidden=batch.hidden.roll(1, 0), hidden_lengths=batch.hidden_lengths.roll(1, 0))
