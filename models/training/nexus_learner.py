"""What NEXUS-O's first two stages optimise: cross-entropy of the answer's tokens."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.rnn import pad_sequence

from models.nexus_o.omni import Nexus
from models.training.nexus_stages import Work
from models.training.nexus_world import IGNORED, Batch


class NexusLearner(nn.Module):
    def __init__(self, model: Nexus, work: Work) -> None:
        super().__init__()
        self.model, self.stage = model, work

    @property
    def device(self) -> torch.device:
        return self.model.device

    def trained(self) -> dict[str, nn.Parameter]:
        """What the stage trains, by its name in the model."""
        named = self.model.named_parameters()
        return {name: parameter for name, parameter in named if self.stage.stage.trains(name)}

    def rate_of(self, name: str) -> float:
        """One for all: no other is published."""
        return 1.0

    def forward(self, batch: Batch) -> Tensor:
        """Mean over all learnt tokens of a batch, a scalar in float32."""
        hidden = self.model.hidden([sample.inputs for sample in batch.samples])  # [B, S, D]
        labels = [sample.labels for sample in batch.samples]
        targets = pad_sequence(labels, batch_first=True, padding_value=IGNORED)[:, 1:].to(self.device)  # [B, S - 1]
        learnt = targets != IGNORED
        logits = self.model.lm_head(hidden[:, :-1][learnt]).float()
        return F.cross_entropy(logits, targets[learnt])
