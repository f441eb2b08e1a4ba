"""Stage 3.1 run: phases one after the other, each gone on with where it was stopped; what it leaves and measures."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor

from models.training.controls import Controls
from models.training.loop import LOSSES, STATE, optimise
from models.training.recipes import Effort
from models.training.speech_out.codec_stage import (
    PHASES,
    SETTINGS,
    CodecBatches,
    CodecLearner,
    Phase,
    start_codebook,
    steps_of,
    used,
)
from models.training.speech_out.readings import Reading, as_tensor, readings
from models.training.speech_out.sizes import SpeechSize
from models.training.speech_out.spectra import mel_loss
from models.vita15.codec import Codec
from models.vita15.speech_checkpoint import save_codec

FIRST_HELD_OUT = 100_000_000
"""Readings from this number on are never trained on."""


class Trained(NamedTuple):
    codec: Codec
    seconds: float
    found: Controls
    more: dict[str, Any]


def train_codec(size: SpeechSize, effort: Effort, seed: int, folder: Path, cache: Path, device: str) -> Trained:
    """Train the codec and write it to `folder`/codec in the released layout, with all losses in `folder`.

    Raises SynthesizerError without espeak-ng, and what `optimise` raises.
    """
    heard = readings(seed, 0, size.codec_readings, size.codec.sample_rate, size.codec.hop, cache)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        codec = Codec(size.codec)
    seconds = math.fsum(_run(codec, phase, heard, effort, seed, folder, device) for phase in PHASES)
    _join_losses(folder)
    codec = codec.to("cpu").eval()
    save_codec(folder / "codec", codec)
    kept = readings(seed, FIRST_HELD_OUT, size.held_out, size.codec.sample_rate, size.codec.hop, cache)
    codes = [codec.encode(as_tensor(reading.wave)[None]).codes for reading in kept]
    told = {"readings": size.codec_readings, **used(codes, size.codec.codes)}
    return Trained(codec, seconds, codec_controls(codec, kept), told)


def _run(
    codec: Codec, phase: Phase, heard: Sequence[Reading], effort: Effort, seed: int, folder: Path, device: str
) -> float:
    """Train one phase unless it is done, and leave the codec as after it. The seconds that this took."""
    place, done = folder / phase.name, folder / phase.name / "codec.safetensors"
    if done.exists():
        codec.load_state_dict(load_file(done))
        with safe_open(done, "pt") as file:
            return float(file.metadata()["seconds"])
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        learner = CodecLearner(codec, phase).to(device)
    if phase.codebook and not phase.adversarial:
        start_codebook(codec, heard, seed)
    place.mkdir(parents=True, exist_ok=True)
    batches = CodecBatches(heard, codec.config.hop, effort.batch, seed, phase.name)
    seconds = optimise(learner, batches, steps_of(phase, effort.steps), place, SETTINGS)
    save_file(codec.state_dict(), done, metadata={"seconds": str(seconds)})
    (place / STATE).unlink(missing_ok=True)
    return seconds


def _join_losses(folder: Path) -> None:
    """The phases' losses one behind the other; each phase's own file stays."""
    rows, step = ["step,loss,gradient_norm,learning_rate"], 0
    for phase in PHASES:
        for line in (folder / phase.name / LOSSES).read_text(encoding="utf-8").splitlines()[1:]:
            rows.append(f"{step},{line.partition(',')[2]}")
            step += 1
    (folder / LOSSES).write_text("\n".join([*rows, ""]), encoding="utf-8")


@torch.no_grad()
def codec_controls(codec: Codec, kept: Sequence[Reading]) -> Controls:
    """Mean mel loss of held-out readings made again from their codes, from one code throughout (that of the start,
    which is silence), and from the codes of another reading."""
    waves = [as_tensor(reading.wave) for reading in kept]
    codes = [codec.encode(wave[None]).codes for wave in waves]

    def mean(given: Sequence[Tensor]) -> float:
        losses = []
        for wave, some in zip(waves, given, strict=True):
            made = codec.decode(some)[0]
            length = min(made.shape[1], len(wave))
            losses.append(float(mel_loss(made[:, :length], wave[None, :length], codec.config.sample_rate)))
        return math.fsum(losses) / len(losses)

    blank = [some[:, :1].expand_as(some) for some in codes]
    return Controls(mean(codes), mean(blank), mean([codes[-1], *codes[:-1]]))
