"""Runs the stages that come before the published ones."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import torch

from models.nexus_o.omni import Nexus
from models.nexus_o.sound import Windows
from models.nn.whisper_features import MEL_FLOOR
from models.training.examples import Example
from models.training.loop import optimise
from models.training.nexus.base import BaseBatches, BaseStage, SeeingLearner
from models.training.nexus.hearing import Heard, HearingBatches, HearingLearner, heard_clips
from models.training.nexus.learner import NexusLearner
from models.training.nexus.reader import NexusReader
from models.training.nexus.samples import Batch, Sample
from models.training.sights import digit_tokens

CONTROL_BATCHES = 8
SPEECH = "speech"
SILENT = (math.log10(MEL_FLOOR) + 4.0) / 4.0
"""A wave of zeros as `log_mel` gives it."""


class BaseEffort(NamedTuple):
    steps: int
    batch: int


class Found(NamedTuple):
    """Mean losses on held-out samples with the true input and with grey pictures and silence."""

    true: float
    blank: float


class Done(NamedTuple):
    seconds: float
    parameters: int
    found: Found


def train_base(
    model: Nexus, reader: NexusReader, stage: BaseStage, effort: BaseEffort, seed: int, folder: Path
) -> Done:
    """Train one of them in place; its losses and its state are kept in the folder, the speech that it hears beside it.

    Raises SynthesizerError where speech is made without the extra `espeak`.
    """
    learner = learner_of(model, reader, stage, seed)
    batches, held_out = (
        batches_of(reader, stage, effort.batch, seed, folder.parent / SPEECH, out) for out in (False, True)
    )
    seconds = optimise(learner, batches, effort.steps, folder)
    found = controls(learner, [held_out(step) for step in range(CONTROL_BATCHES)])
    return Done(seconds, sum(parameter.numel() for parameter in learner.trained().values()), found)


def batches_of(
    reader: NexusReader, stage: BaseStage, size: int, seed: int, cache: Path, held_out: bool
) -> BaseBatches | HearingBatches:
    if stage.loss != "spelling":
        return BaseBatches(reader, stage, size, seed, held_out)
    made = heard_clips(seed, reader.script.config.audio.num_mel_bins, cache, held_out)
    return HearingBatches(made, reader.tokenizer, size, seed, plain=held_out)


def learner_of(
    model: Nexus, reader: NexusReader, stage: BaseStage, seed: int
) -> SeeingLearner | HearingLearner | NexusLearner:
    match stage.loss:
        case "naming":
            return SeeingLearner(reader, model, stage)
        case "spelling":
            return HearingLearner(model, stage, seed)
        case "answers":
            return NexusLearner(model, stage, "grounded", digit_tokens(reader.tokenizer))


@torch.no_grad()
def controls(learner: Any, batches: Sequence[Any]) -> Found:
    """The loss on batches as they are, and with grey pictures and silence."""
    learner.eval()
    losses = [[float(learner(change(batch))) for batch in batches] for change in (lambda batch: batch, blanked)]
    return Found(*(math.fsum(each) / len(batches) for each in losses))


def blanked(batch: Any) -> Any:
    """A batch of any stage with its pictures grey and its speech silent."""
    if isinstance(batch, Batch):
        return batch._replace(samples=[_blank(sample) for sample in batch.samples])
    if isinstance(batch, Heard):
        return batch._replace(mel=torch.full_like(batch.mel, SILENT))
    return [_blank(one) for one in batch]


def _blank(one: Any) -> Any:
    match one:
        case Example():
            return one._replace(pixels=torch.zeros_like(one.pixels))
        case Sample():
            inputs = one.inputs
            pictures = tuple(seen._replace(patches=torch.zeros_like(seen.patches)) for seen in inputs.pictures)
            return one._replace(inputs=replace(inputs, pictures=pictures, audio=tuple(map(_silent, inputs.audio))))
    raise TypeError(f"{type(one).__name__} is no sample")


def _silent(heard: Windows) -> Windows:
    """As Whisper's features of zeros are."""
    return heard._replace(mel=torch.full_like(heard.mel, SILENT))
