"""What a stage optimises: the model, its loss, and which of its parameters move."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.training.examples import Example, collate
from models.training.recipes import Stage
from models.vita15.omni import Vita15

LENGTH_WEIGHT, NAMING_WEIGHT = 0.1, 0.5
SHARPNESS = 20.0
"""Of the likeness of a patch and a word, which is a cosine."""


class Learner(nn.Module):
    """A model with the loss of a stage. CTC has a linear head over the model's tokens, with the blank in place 0.

    The language model's loss has two more terms, for what the projector and the adapter put among its words:

    - Length: near that of word embeddings. The layers normalise what they read, so nothing else holds it; embeddings
      a hundred times as long as words pass through all layers as they came, without taking anything in.
    - Naming: some patch of a picture is to be like each word that tells the picture from others. A tower that was
      trained against language, as InternViT was, brings that along; without it, questions find nothing to compare.
    """

    def __init__(self, vita: Vita15, stage: Stage) -> None:
        super().__init__()
        self.vita, self.stage = vita, stage
        if stage.loss == "ctc":
            self.ctc_head = nn.Linear(vita.config.audio.hidden_size, vita.config.language.vocab_size + 1)
        self._heard: list[Tensor] = []
        self._seen: list[Tensor] = []
        vita.model.mm_projector.register_forward_hook(lambda module, inputs, output: self._seen.append(output))
        vita.model.audio_encoder.adpter.register_forward_hook(lambda module, inputs, output: self._heard.append(output))

    @property
    def device(self) -> torch.device:
        return self.vita.device

    def trained(self) -> dict[str, nn.Parameter]:
        """What the stage trains, by the name that it has in a checkpoint."""
        named = ((name.removeprefix("vita."), parameter) for name, parameter in self.named_parameters())
        return {name: parameter for name, parameter in named if name.startswith(self.stage.trainable)}

    def forward(self, examples: Sequence[Example]) -> Tensor:
        """The stage's loss on some examples, a scalar."""
        batch = replace(collate(examples), image_embeds=self._imagined(examples))
        if self.stage.loss == "lm":
            self._heard.clear()
            self._seen.clear()
            loss: Tensor = self.vita(batch, [example.labels for example in examples]).loss
            return loss + LENGTH_WEIGHT * self._length_loss() + NAMING_WEIGHT * self._naming_loss(examples)
        if batch.audio is None or batch.audio_lengths is None:
            raise ValueError(f"stage {self.stage.name} learns by CTC, but its examples have no speech")
        audio, lengths = batch.audio.to(self.device), batch.audio_lengths.to(self.device)
        encoded = self.vita.model.audio_encoder.encoder(audio, lengths)
        scores = self.ctc_head(encoded.hidden).float().log_softmax(-1)  # [B, T, 1 + tokens]
        units = torch.cat([example.units for example in examples]) + 1
        counts = torch.tensor([len(example.units) for example in examples])
        lengths = encoded.mask.sum(1).cpu()
        return F.ctc_loss(scores.transpose(0, 1), units.to(self.device), lengths, counts, zero_infinity=True)

    def _length_loss(self) -> Tensor:
        """Mean squared logarithm of the embeddings' length over that of words."""
        words = self.vita.model.embed_tokens.weight.detach().norm(dim=-1).mean()
        lengths = [given.float().norm(dim=-1).flatten() for given in (*self._seen, *self._heard)]
        return (torch.cat(lengths) / words).log().square().mean() if lengths else words.new_zeros(())

    def _naming_loss(self, examples: Sequence[Example]) -> Tensor:
        """Mean cross-entropy of the words of each picture, among all words, by the patch that is most like them."""
        words = F.normalize(self.vita.model.embed_tokens.weight.detach().float(), dim=-1)  # [V, D]
        named = [example.units for example in examples if example.pixels is not None]
        if not named:
            return words.new_zeros(())
        patches = F.normalize(torch.cat(self._seen).float(), dim=-1)  # [pictures, tokens per tile, D]
        scores = (SHARPNESS * patches @ words.T).logsumexp(1).log_softmax(-1)  # [pictures, V]
        losses = [-scores[i, units.to(self.device)].mean() for i, units in enumerate(named) if len(units)]
        return torch.stack(losses).mean() if losses else words.new_zeros(())

    def _imagined(self, examples: Sequence[Example]) -> Tensor | None:
        """[pictures, tokens per tile, D] for the examples whose pictures are words."""
        imagined = [example.imagined for example in examples if example.imagined is not None]
        if not imagined:
            return None
        words = torch.stack([picture.words for picture in imagined]).to(self.device)
        noise = torch.stack([picture.noise for picture in imagined]).to(self.device)
        embeds = self.vita.model.embed_tokens(words)
        return embeds + noise * embeds.norm(dim=-1, keepdim=True)
