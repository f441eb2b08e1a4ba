"""The stage `codec` run: its phases one after the other, what it leaves, and what it is measured by."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor

from models.nexus_o.codec_folder import CODEC
from models.nexus_o.firefly import Firefly
from models.nexus_o.firefly_checkpoint import save_firefly
from models.nexus_o.firefly_config import FireflyConfig
from models.training.codes.phases import join_losses, run
from models.training.controls import Controls
from models.training.nexus.codec_stage import PHASES, SETTINGS, CodecLearner, start, steps_of, width_of
from models.training.speech_out.acoustics import find_acoustics
from models.training.speech_out.codec_run import FIRST_HELD_OUT
from models.training.speech_out.codec_stage import CodecBatches, used
from models.training.speech_out.readings import Reading, as_tensor, readings
from models.training.speech_out.spectra import mel_loss

STAGE, TITLE = "codec", "speech codec"


@dataclass(frozen=True)
class CodecEffort:
    """Readings are by one voice: so many are learnt from, and of others so many are held out for the controls."""

    steps: int
    batch: int
    readings: int
    held_out: int


class Trained(NamedTuple):
    codec: Firefly
    seconds: float
    parameters: int
    found: Controls
    more: dict[str, Any]


def train_codec(config: FireflyConfig, effort: CodecEffort, seed: int, folder: Path, device: str) -> Trained:
    """Train the codec and write it to the folder's part for it, with all losses and the readings beside.

    Raises SynthesizerError without the extra `espeak`, and what `optimise` raises.
    """
    rate, hop, cache = config.mel.sample_rate, config.samples, folder / "readings"
    heard = readings(seed, 0, effort.readings, rate, hop, cache)
    acoustics = find_acoustics(heard, rate, hop, width_of(config))
    codec, seconds = start(config, seed), 0.0
    for phase in PHASES:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            learner = CodecLearner(codec, phase, acoustics).to(device)
        batches = CodecBatches(heard, hop, effort.batch, seed, phase.name)
        seconds += run(learner, batches, steps_of(phase, effort.steps), folder / phase.name, SETTINGS)
    join_losses(folder, [phase.name for phase in PHASES])
    codec = codec.to("cpu").eval()
    save_firefly(codec, folder / CODEC.name)
    kept = readings(seed, FIRST_HELD_OUT, effort.held_out, rate, hop, cache)
    return Trained(
        codec, seconds, sum(p.numel() for p in codec.parameters()), codec_controls(codec, kept), _told(codec, kept)
    )


def codes_of(codec: Firefly, reading: Reading) -> Tensor:
    """[1, streams, T]"""
    return codec.encode(as_tensor(reading.wave)[None, None]).codes


def _told(codec: Firefly, kept: Sequence[Reading]) -> dict[str, Any]:
    """How many codes each stream uses in held-out readings, and their perplexities."""
    codes = [codes_of(codec, reading)[0] for reading in kept]
    streams = [used([one[stream] for one in codes], codec.config.codes) for stream in range(len(codes[0]))]
    return {name: [one[name] for one in streams] for name in streams[0]}


def codec_controls(codec: Firefly, kept: Sequence[Reading]) -> Controls:
    """Mean mel loss of held-out readings made again from their codes, from one frame of codes throughout (that of the
    start, which is silence), and from the codes of another reading."""
    waves = [as_tensor(reading.wave) for reading in kept]
    codes = [codes_of(codec, reading) for reading in kept]

    def mean(given: Sequence[Tensor]) -> float:
        losses = []
        for wave, some in zip(waves, given, strict=True):
            made = codec.decode(some).waves[0]
            length = min(made.shape[1], len(wave))
            losses.append(float(mel_loss(made[:, :length], wave[None, :length], codec.config.mel.sample_rate)))
        return math.fsum(losses) / len(losses)

    blank = [some[..., :1].expand_as(some) for some in codes]
    return Controls(mean(codes), mean(blank), mean([codes[-1], *codes[:-1]]))
