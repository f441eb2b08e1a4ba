"""VITA-Audio's training stages as one table, as the released scripts have them.

Facts from spec section 9. Where the paper says otherwise than the scripts, `deviations` has it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from models.training.loop import Settings
from models.vita_audio.config import MtpConfig

Kind = Literal["transcript", "text", "reading", "spoken question"]
Trained = Literal["language model", "modules", "everything"]

HEARING = "model.audio_model."
"""Plus's speech encoder, which no stage trains."""
MODULE_PARTS = ("mtp_projs", "mtp_embed_norms", "mtp_hidden_norms")
LOSS_WEIGHT = 1.0
"""Of the mean of the modules' losses."""


@dataclass(frozen=True)
class Stage:
    name: str
    title: str
    after: str | None
    """The stage that it starts from; None: the language model alone."""
    modules: int
    start: str
    """What new weights start as, in words."""
    trained: Trained
    learning_rate: float
    steps: int
    length: int
    """Most tokens of a pack of samples."""
    shares: Mapping[Kind, float]
    """Ratios of the data: how often a sample is drawn beside those of other kinds."""
    module_rate: float = 1.0
    """Of the learning rate, for the modules."""
    weight_decay: float = 0.0
    """Known of the last stage alone."""
    accumulation: int = 16
    """Packs that make one step."""
    deviations: tuple[str, ...] = ()

    @property
    def frozen_head(self) -> bool:
        """Then the language model's loss is dropped, and the modules take in detached states and embeddings."""
        return self.trained == "modules"

    @property
    def settings(self) -> Settings:
        """AdamW's, with a warm-up of 3 % and a cosine down to 0."""
        return Settings(
            betas=(0.9, 0.95), eps=1e-8, clip=1.0, weight_decay=self.weight_decay, warm_up=0.03, floor=0.0,
            accumulation=self.accumulation,
        )  # fmt: skip

    def trains(self, name: str, config: MtpConfig) -> bool:
        """Whether a parameter, by its name in the checkpoint, moves."""
        if name.startswith(HEARING):
            return False
        if self.trained == "everything":
            return True
        return is_module(name, config) == (self.trained == "modules")


def is_module(name: str, config: MtpConfig) -> bool:
    """Whether a parameter is a prediction module's own."""
    parts = name.split(".")
    if parts[0] in MODULE_PARTS:
        return True
    return parts[:2] == ["model", "layers"] and int(parts[2]) >= config.llm_layers


ALIGNING: Mapping[Kind, float] = {"transcript": 1.0, "text": 1.0, "reading": 0.5, "spoken question": 0.0}
TUNING: Mapping[Kind, float] = {"transcript": 0.05, "text": 0.05, "reading": 0.025, "spoken question": 2.0}
"""The scripts' ratios: all speech and text alike but Emilia, which `reading` stands for here, and spoken questions."""
_EMILIA = "the paper takes all of Emilia (ratio 1.0); the scripts half"
_EPOCH = "the paper trains for one epoch; the scripts for a number of steps"

STAGES: Mapping[str, Stage] = {
    stage.name: stage
    for stage in (
        Stage(
            "1",
            "audio-text alignment",
            None,
            modules=0,
            start="Qwen2.5-7B-Instruct with rows for the speech tokens, a multiple of 8",
            trained="language model",
            learning_rate=6e-5,
            steps=8000,
            length=8192,
            shares=ALIGNING,
            deviations=(_EMILIA, _EPOCH),
        ),
        Stage(
            "2",
            "one prediction module",
            "1",
            modules=1,
            start="the module's layer copied from the language model's last, its projection N(0, 0.02), its norms 1",
            trained="modules",
            learning_rate=1e-3,
            steps=4000,
            length=8192,
            shares=ALIGNING,
            deviations=(_EMILIA, _EPOCH),
        ),
        Stage(
            "3",
            "ten prediction modules",
            "2",
            modules=10,
            start="every further module copied from the one before it",
            trained="modules",
            learning_rate=1e-3,
            steps=8000,
            length=8192,
            shares=ALIGNING,
            deviations=(_EMILIA, _EPOCH),
        ),
        Stage(
            "4",
            "supervised fine-tuning",
            "3",
            modules=10,
            start="all weights are stage 3's",
            trained="everything",
            learning_rate=5e-5,
            steps=4000,
            length=2048,
            shares=TUNING,
            module_rate=10.0,
            weight_decay=0.1,
            deviations=("the paper's rate for the modules is 4e-5; the scripts' is 5e-4", _EPOCH),
        ),
    )
}
