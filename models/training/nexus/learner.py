"""What NEXUS-O optimises where it answers: cross-entropy of the answer's tokens, and at the mini size what holds
pictures and speech near words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple, Protocol

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.rnn import pad_sequence

from models.nexus_o.backbone import causal_hidden
from models.nexus_o.omni import Kind, Nexus
from models.training.learner import LENGTH_WEIGHT, NAMING_WEIGHT, by_extent, length_loss, naming_loss
from models.training.nexus.samples import IGNORED, Batch, Sample
from models.training.sights import ranked
from models.vita15.omni import alike

Weights = Literal["tokens", "grounded"]
"""By what samples weigh: all tokens alike; or each sample as the root of its tokens, so that long answers do not drown
the short ones, with terms for what pictures and speech are like (`models.training.learner`)."""


class Trains(Protocol):
    """A stage of work."""

    @property
    def name(self) -> str: ...
    @property
    def learning_rate(self) -> float: ...
    def trains(self, name: str) -> bool: ...
    def rate_of(self, name: str) -> float: ...


class Given(NamedTuple):
    """Samples as the language model reads them, one a row."""

    embeds: list[Tensor]  # [S, D]
    media: list[Tensor]  # of each, the embeddings [n, D] of its picture or speech


class NexusLearner(nn.Module):
    def __init__(self, model: Nexus, work: Trains, weights: Weights = "tokens", digits: Sequence[int] = ()) -> None:
        """`digits`: the tokens of 0 to 9, by which grounded pictures are named too."""
        super().__init__()
        self.model, self.stage, self.weights = model, work, weights
        self.register_buffer("digits", torch.tensor(digits, dtype=torch.long), persistent=False)

    @property
    def device(self) -> torch.device:
        return self.model.device

    def trained(self) -> dict[str, nn.Parameter]:
        """What the stage trains, by its name in the model."""
        return {name: parameter for name, parameter in self.model.named_parameters() if self.stage.trains(name)}

    def rate_of(self, name: str) -> float:
        return self.stage.rate_of(name)

    def forward(self, batch: Batch) -> Tensor:
        """A scalar in float32: over all learnt tokens of a batch the mean, or that of "grounded"."""
        samples = batch.samples
        given = self._given(samples)
        loss = self._answers(samples, given.embeds)
        return loss + self._grounding(samples, given.media) if self.weights == "grounded" else loss

    def _given(self, samples: Sequence[Sample]) -> Given:
        embeds = [self.model.embed(sample.inputs) for sample in samples]
        media = [row[sample.inputs.kinds != Kind.TEXT] for row, sample in zip(embeds, samples, strict=True)]
        return Given(embeds, media)

    def _answers(self, samples: Sequence[Sample], embeds: Sequence[Tensor]) -> Tensor:
        """Prompts of like length are read together."""
        counts = torch.tensor([int((sample.labels != IGNORED).sum()) for sample in samples], device=self.device)
        weights = counts.float().rsqrt() if self.weights == "grounded" else torch.ones_like(counts.float())
        total = torch.zeros((), device=self.device)
        for group in alike([len(row) for row in embeds]):
            rows = pad_sequence([embeds[place] for place in group], batch_first=True)
            axes = [F.pad(samples[place].inputs.positions, (0, rows.shape[1] - len(embeds[place]))) for place in group]
            positions = torch.stack(axes, dim=1).to(self.device)
            hidden = causal_hidden(self.model.model.language_model, rows, positions)
            labels = [samples[place].labels for place in group]
            targets = pad_sequence(labels, batch_first=True, padding_value=IGNORED)[:, 1:].to(self.device)
            learnt = targets != IGNORED
            logits = self.model.lm_head(hidden[:, :-1][learnt]).float()
            each = weights[torch.tensor(group)][:, None].expand_as(targets)[learnt]
            total = total + (F.cross_entropy(logits, targets[learnt], reduction="none") * each).sum()
        return total / (counts * weights).sum()

    def _grounding(self, samples: Sequence[Sample], media: Sequence[Tensor]) -> Tensor:
        """Length and naming of what stands among the words; nothing where all samples are text."""
        words = self.model.model.language_model.embed_tokens.weight.detach().float()
        names = ranked(words, self.digits)
        given = [one for one in media if len(one)]
        if not given:
            return torch.zeros((), device=self.device)
        loss = LENGTH_WEIGHT * length_loss(torch.cat(given), words)
        named = [
            naming_loss(one, names, *those)
            for one, sample in zip(media, samples, strict=True)
            if len(one) and len(sample.units)
            for those in by_extent(sample.units.to(self.device), _spots(sample, len(one)))
        ]
        return loss + NAMING_WEIGHT * torch.stack(named).mean() if named else loss


def _spots(sample: Sample, embeddings: int) -> Tensor | None:
    """Of several pictures nothing is known."""
    return sample.spots if sample.spots is not None and sample.spots.shape[1] == embeddings else None
