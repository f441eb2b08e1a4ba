"""Stage 3.1 run: phases one after the other, each gone on with where it was stopped; what it leaves and measures."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor

from models.checkpoint_error import CheckpointError
from models.training.controls import Controls
from models.training.loop import LOSSES, STATE, optimise
from models.training.recipes import Effort
from models.training.speech_out.acoustics import Acoustics, find_acoustics
from models.training.speech_out.codebooks import k_means
from models.training.speech_out.codec_stage import (
    PHASES,
    SETTINGS,
    CodecBatches,
    EncoderLearner,
    GeneratorLearner,
    steps_of,
    true_codes,
    used,
)
from models.training.speech_out.readings import Reading, as_tensor, readings
from models.training.speech_out.sizes import SpeechSize
from models.training.speech_out.spectra import mel_loss
from models.training.whole import save_whole
from models.vita15.codec import Codec
from models.vita15.speech_checkpoint import save_codec
from models.vita15.speech_config import CodecConfig

CODEC = "codec"
ACOUSTICS, TRAINED = "acoustics.safetensors", "trained.safetensors"
CODEBOOK_READINGS = 1500
"""For k-means."""
FIRST_HELD_OUT = 100_000_000
"""Readings from this number on are never trained on."""


class Trained(NamedTuple):
    codec: Codec
    seconds: float
    found: Controls
    more: dict[str, Any]


def train_codec(size: SpeechSize, effort: Effort, seed: int, folder: Path, cache: Path, device: str) -> Trained:
    """Train the codec and write it to `folder`/codec in the released layout, with all losses in `folder`.

    Raises SynthesizerError without the extra `espeak`, and what `optimise` raises.
    """
    rate, hop = size.codec.sample_rate, size.codec.hop
    heard = readings(seed, 0, size.codec_readings, rate, hop, cache)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        codec = Codec(size.codec)
    acoustics = start(codec, heard, seed, folder / CODEC)
    batches = partial(CodecBatches, heard, hop, effort.batch, seed)
    seconds = 0.0
    for phase in PHASES:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            learner = (EncoderLearner if phase.encoder else GeneratorLearner)(codec, phase, acoustics).to(device)
        seconds += _run(learner, batches(phase.name), steps_of(phase, effort.steps), folder / phase.name)
    _join_losses(folder)
    codec = codec.to("cpu").eval()
    save_codec(folder / CODEC, codec)
    kept = readings(seed, FIRST_HELD_OUT, size.held_out, rate, hop, cache)
    return Trained(codec, seconds, codec_controls(codec, acoustics, kept), _told(codec, acoustics, kept))


def _told(codec: Codec, acoustics: Acoustics, kept: Sequence[Reading]) -> dict[str, Any]:
    """How many codes are used, and how well the encoder hears them, in held-out readings."""
    waves = [as_tensor(reading.wave)[None] for reading in kept]
    true = [true_codes(codec, acoustics, wave) for wave in waves]
    with torch.no_grad():
        heard = [codec.encode(wave).codes for wave in waves]
    same = torch.cat([(one == other).flatten() for one, other in zip(true, heard, strict=True)])
    return {**used(true, codec.config.codes), "encoder_hears": round(float(same.double().mean()), 4)}


def start(codec: Codec, heard: Sequence[Reading], seed: int, folder: Path) -> Acoustics:
    """Find features and codebook in the readings, once, and put the codebook into the codec."""
    config, path = codec.config, folder / ACOUSTICS
    table = codec.quantizer.quantizer_modules[0].embedding.weight
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        found = find_acoustics(heard, config.sample_rate, config.hop, config.code_dim)
        features = torch.cat([found(as_tensor(reading.wave)[None])[0] for reading in heard[:CODEBOOK_READINGS]])
        centres = k_means(features, len(table), seed)
        save_whole({"mean": found.mean, "axes": found.axes.contiguous(), "codebook": centres}, path)
    with torch.no_grad():
        table.copy_(load_file(path)["codebook"])
    return load_acoustics(config, folder)


def save_acoustics(acoustics: Acoustics, folder: Path) -> None:
    """Put the features beside a codec, without which its codes cannot be told from sound."""
    save_file({"mean": acoustics.mean, "axes": acoustics.axes.contiguous()}, folder / ACOUSTICS)


def load_acoustics(config: CodecConfig, folder: Path) -> Acoustics:
    """The features that a codec's folder holds. Raises CheckpointError."""
    if not (folder / ACOUSTICS).exists():
        raise CheckpointError(f"{folder}: no {ACOUSTICS}, which says what the codes stand for; train stage 3.1")
    held = load_file(folder / ACOUSTICS)
    return Acoustics(config.sample_rate, config.hop, held["mean"], held["axes"])


def _run(learner: GeneratorLearner | EncoderLearner, batches: CodecBatches, steps: int, folder: Path) -> float:
    """Train one phase unless it is done, and leave the codec as after it. The seconds that this took."""
    done = folder / TRAINED
    if done.exists():
        learner.codec.load_state_dict(load_file(done), strict=False)  # it may hold discriminators, which are done with
        with safe_open(done, "pt") as file:
            return float(file.metadata()["seconds"])
    folder.mkdir(parents=True, exist_ok=True)
    seconds = optimise(learner, batches, steps, folder, SETTINGS)
    save_whole({name: value.detach() for name, value in learner.trained().items()}, done, {"seconds": str(seconds)})
    (folder / STATE).unlink(missing_ok=True)
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
def codec_controls(codec: Codec, acoustics: Acoustics, kept: Sequence[Reading]) -> Controls:
    """Mean mel loss of held-out readings made again from their codes, from one code throughout (that of the start,
    which is silence), and from the codes of another reading."""
    waves = [as_tensor(reading.wave) for reading in kept]
    codes = [true_codes(codec, acoustics, wave[None]) for wave in waves]

    def mean(given: Sequence[Tensor]) -> float:
        losses = []
        for wave, some in zip(waves, given, strict=True):
            made = codec.decode(some)[0]
            length = min(made.shape[1], len(wave))
            losses.append(float(mel_loss(made[:, :length], wave[None, :length], codec.config.sample_rate)))
        return math.fsum(losses) / len(losses)

    blank = [some[:, :1].expand_as(some) for some in codes]
    return Controls(mean(codes), mean(blank), mean([codes[-1], *codes[:-1]]))
