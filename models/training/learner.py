"""What a stage optimises: the model, its loss, and which of its parameters move."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.training.examples import Example, collate
from models.training.recipes import Stage
from models.vita15.omni import Vita15


class Learner(nn.Module):
    """A model with the loss of a stage. CTC has a linear head over the model's tokens, with the blank in place 0."""

    def __init__(self, vita: Vita15, stage: Stage) -> None:
        super().__init__()
        self.vita, self.stage = vita, stage
        if stage.loss == "ctc":
            self.ctc_head = nn.Linear(vita.config.audio.hidden_size, vita.config.language.vocab_size + 1)

    @property
    def device(self) -> torch.device:
        return self.vita.device

    def trained(self) -> dict[str, nn.Parameter]:
        """What the stage trains, by the name that it has in a checkpoint."""
        named = ((name.removeprefix("vita."), parameter) for name, parameter in self.named_parameters())
        return {name: parameter for name, parameter in named if name.startswith(self.stage.trainable)}

    def forward(self, examples: Sequence[Example]) -> Tensor:
        """The stage's loss on some examples, a scalar."""
        batch = collate(examples)
        if self.stage.loss == "lm":
            return self.vita(batch, [example.labels for example in examples]).loss
        if batch.audio is None or batch.audio_lengths is None:
            raise ValueError(f"stage {self.stage.name} learns by CTC, but its examples have no speech")
        audio, lengths = batch.audio.to(self.device), batch.audio_lengths.to(self.device)
        encoded = self.vita.model.audio_encoder.encoder(audio, lengths)
        scores = self.ctc_head(encoded.hidden).float().log_softmax(-1)  # [B, T, 1 + tokens]
        units = torch.cat([example.units for example in examples]) + 1
        counts = torch.tensor([len(example.units) for example in examples])
        lengths = encoded.mask.sum(1).cpu()
        return F.ctc_loss(scores.transpose(0, 1), units.to(self.device), lengths, counts, zero_infinity=True)
