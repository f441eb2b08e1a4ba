"""NEXUS-O's three training stages as one table.

Published are what each stage trains, its data with their sample counts and the number of H100s (spec section 2).
Learning rates, steps, batches and the optimiser's settings are not: what stands in `Effort` and SETTINGS is ours.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from models.training.loop import Settings

Kind = Literal[
    "transcript", "translation", "spoken question", "sound caption", "emotion", "reading", "spoken answer"
]  # fmt: skip
Part = Literal["audio encoder", "audio adapter", "vision adapter", "language model", "lm head", "audio decoder"]

PREFIXES: Mapping[Part, str] = {
    "audio encoder": "model.audio_tower.",
    "audio adapter": "model.audio_adapter.",
    "vision adapter": "model.visual.merger.",
    "language model": "model.language_model.",
    "lm head": "lm_head.",
}
"""Where a part's weights are in the understanding model; the audio decoder is a model of its own."""
POSITIONS = "model.audio_tower.embed_positions."
"""Whisper's sinusoids, which are computed and never trained."""

ABSENT: tuple[Kind, ...] = ("sound caption", "emotion")
"""What the mini world cannot make: it has no sounds but speech and noise, and its voices no moods."""

SETTINGS = Settings(betas=(0.9, 0.95), weight_decay=0.0, warm_up=0.03, floor=0.0)


@dataclass(frozen=True)
class Stage:
    """What is published of a stage."""

    name: str
    title: str
    after: str | None
    """The stage that it starts from; None: the base models."""
    trained: tuple[Part, ...]
    phases: tuple[Mapping[Kind, int], ...]
    """One after the other, each with its kinds of data and how many samples of each."""
    h100: int
    notes: tuple[str, ...] = ()

    @property
    def speaks(self) -> bool:
        """Then the audio decoder is trained, and nothing else."""
        return self.trained == ("audio decoder",)

    def trains(self, name: str) -> bool:
        """Whether a parameter of the understanding model, by its name there, is trained."""
        found = tuple(PREFIXES[part] for part in self.trained if part in PREFIXES)
        return name.startswith(found) and not name.startswith(POSITIONS)


STAGES: Mapping[str, Stage] = {
    stage.name: stage
    for stage in (
        Stage(
            "1",
            "audio alignment",
            None,
            trained=("audio encoder", "audio adapter"),
            phases=(
                {
                    "transcript": 5_600_000,
                    "translation": 1_500_000,
                    "spoken question": 200_000,
                    "sound caption": 140_000,
                    "emotion": 750_000,
                },
            ),
            h100=6,
            notes=("the text says 8 M pairs, the table's rows sum to 8.19 M",),
        ),
        Stage(
            "2",
            "audio fine-tuning",
            "1",
            trained=("language model", "lm head", "audio adapter", "vision adapter"),
            phases=({"spoken question": 230_000, "transcript": 20_000, "translation": 20_000},),
            h100=64,
            notes=("the data have no picture, so that no gradient reaches the vision adapter: it stays as it is",),
        ),
        Stage(
            "3",
            "audio output",
            "2",
            trained=("audio decoder",),
            phases=({"reading": 40_000_000}, {"spoken answer": 220_000}),
            h100=6,
            notes=("states of replies are made once, before: the language model is frozen",),
        ),
    )
}


@dataclass(frozen=True)
class Effort:
    """Ours: nothing of it is published."""

    learning_rate: float
    steps: int
    batch: int
    mix: Mapping[Kind, float] = field(default_factory=dict)
    """Shares of the data in place of the published counts, at a size that they would leave without some ability."""


@dataclass(frozen=True)
class Work:
    """A stage at a size."""

    stage: Stage
    effort: Effort

    @property
    def name(self) -> str:
        return self.stage.name

    @property
    def learning_rate(self) -> float:
        return self.effort.learning_rate

    def trains(self, name: str) -> bool:
        return self.stage.trains(name)

    def rate_of(self, name: str) -> float:
        """Of the learning rate: one for all, as no other is published."""
        return 1.0

    def shares(self, step: int) -> Mapping[Kind, float]:
        """The data of a step: the effort's own mix, or published counts of the kinds that the mini world has.

        Phases take their shares of the steps by their samples, each at least one.
        """
        if self.effort.mix:
            return self.effort.mix
        phases, steps = self.stage.phases, self.effort.steps
        sums = [sum(phase.values()) for phase in phases]
        ends = [round(steps * sum(sums[: place + 1]) / sum(sums)) for place in range(len(phases))]
        place = 0
        while step >= min(ends[place], steps - (len(phases) - 1 - place)) and place < len(phases) - 1:
            place += 1
        return {kind: count for kind, count in phases[place].items() if kind not in ABSENT}
