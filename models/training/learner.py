"""What a stage optimises: the model, its loss, and which of its parameters move."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.training.examples import Example, collate
from models.training.recipes import LANGUAGE, Stage
from models.training.sights import ranked
from models.vita15.language import causal_hidden
from models.vita15.omni import IGNORE, OmniBatch, Vita15, alike

LENGTH_WEIGHT, NAMING_WEIGHT = 0.1, 0.5
MOST_STILLS = 3
"""Pictures of an example; with more it is a clip."""
SHARPNESS = 20.0
"""Of the likeness of a patch and a word, which is a cosine."""


class Learner(nn.Module):
    """A model with the loss of a stage. CTC has a linear head over the model's tokens, with the blank in place 0.

    Naming looks at pictures without the language model: what is in a place is to be like the words for it.

    The language model's loss has two more terms, for what the projector and the adapter put among its words:

    - Length: near that of word embeddings. The layers normalise what they read, so nothing else holds it; embeddings
      a hundred times as long as words pass through all layers as they came, without taking anything in.
    - Naming: some embedding of a picture, of those in its place where that is known, is to be like each word for what
      it shows, and some embedding of speech like each word that is spoken. A tower that was trained against language,
      as InternViT was, brings that along; without it, a small language model finds nothing to compare or to repeat.
    """

    digits: Tensor

    def __init__(self, vita: Vita15, stage: Stage, digits: Sequence[int]) -> None:
        """`digits`: the tokens of 0 to 9."""
        super().__init__()
        self.vita, self.stage = vita, stage
        self.register_buffer("digits", torch.tensor(digits), persistent=False)
        if stage.loss == "ctc":
            self.ctc_head = nn.Linear(vita.config.audio.hidden_size, vita.config.language.vocab_size + 1)

    @property
    def device(self) -> torch.device:
        return self.vita.device

    def compile_layers(self) -> None:
        """Have the layers' small operations fused. Sums are taken in another order then."""
        for layer in (*self.vita.model.layers, *self.vita.model.vision_tower.vision_tower.encoder.layers):
            layer.compile(dynamic=True)

    def trained(self) -> dict[str, nn.Parameter]:
        """What the stage trains, by the name that it has in a checkpoint."""
        named = ((name.removeprefix("vita."), parameter) for name, parameter in self.named_parameters())
        return {name: parameter for name, parameter in named if name.startswith(self.stage.trainable)}

    def rate_of(self, name: str) -> float:
        """Of the learning rate, for a parameter of that name."""
        return self.stage.language_rate if name.startswith(LANGUAGE) else 1.0

    def forward(self, examples: Sequence[Example]) -> Tensor:
        """The stage's loss on some examples, a scalar."""
        batch = collate(examples)
        match self.stage.loss:
            case "lm":
                return self._answer_loss(examples, batch)
            case "ctc":
                return self._spelling_loss(examples, batch)
            case "naming":
                return self._naming_loss(examples, batch)
            case loss:
                raise ValueError(f"stage {self.stage.name}: its loss ({loss}) is none of conversations")

    def _answer_loss(self, examples: Sequence[Example], batch: OmniBatch) -> Tensor:
        seen = self._seen(examples)
        imagined = iter(self._imagined(examples))
        heard: list[Tensor] = []
        if batch.audio is not None and batch.audio_lengths is not None:
            heard = self.vita.encode_audio(batch.audio, batch.audio_lengths)
        looked = iter(seen)
        pictures = [next(looked) if example.imagined is None else next(imagined)
                    for example in examples if example.pixels is not None or example.imagined is not None]  # fmt: skip
        encoded = OmniBatch(batch.input_ids, image_embeds=torch.cat(pictures) if pictures else None, audio_embeds=heard)
        loss = self._spoken_loss(encoded, [example.labels for example in examples])

        words = self._names()
        views = iter(view.flatten(0, 1) for view in seen)
        clips = iter(heard)
        given: list[Tensor] = []
        named: list[Tensor] = []
        for example in examples:
            media = [next(views)] if example.pixels is not None else []
            media += [next(clips)] if example.audio is not None else []
            given += media
            if media and len(example.units):
                units, spots = example.units.to(self.device), _to(example.spots, self.device)
                named += [naming_loss(media[0], words, *those) for those in by_extent(units, spots)]
        if given:
            loss = loss + LENGTH_WEIGHT * length_loss(
                torch.cat(given), self.vita.model.embed_tokens.weight.detach().float()
            )
        return loss + NAMING_WEIGHT * torch.stack(named).mean() if named else loss

    def _spoken_loss(self, encoded: OmniBatch, labels: Sequence[Tensor]) -> Tensor:
        """Cross-entropy of the labels, a scalar. An example weighs as the root of the number of its labels, so that
        long answers do not drown the letters of options. Prompts of like length are read together, and only what is to
        be learnt goes through the output layer."""
        embedded = self.vita.embed(encoded, labels)
        counts = (embedded.labels != IGNORE).sum(1)
        total = torch.zeros((), device=self.device)
        lengths = embedded.attention_mask.sum(1)
        for group in alike(lengths.tolist()):
            longest = int(lengths[group].max())
            hidden = causal_hidden(self.vita.model, embedded.inputs_embeds[group, :longest])
            targets = embedded.labels[group, 1:longest]
            wanted = targets != IGNORE
            logits = self.vita.lm_head(hidden[:, :-1][wanted]).float()
            weights = counts[group].float().rsqrt()[:, None].expand_as(targets)[wanted]
            total = total + (F.cross_entropy(logits, targets[wanted], reduction="none") * weights).sum()
        return total / counts.float().sqrt().sum()

    def _seen(self, examples: Sequence[Example]) -> list[Tensor]:
        """[pictures, tokens per tile, D] of each example that has any. The many frames of a clip teach the language
        model alone: to go back through the tower with them would take most of the time."""
        pixels = [example.pixels for example in examples if example.pixels is not None]
        stills = [tiles for tiles in pixels if len(tiles) <= MOST_STILLS]
        seen = iter(
            self.vita.encode_images(torch.cat(stills)).split([len(tiles) for tiles in stills]) if stills else ()
        )
        views = []
        for tiles in pixels:
            if len(tiles) <= MOST_STILLS:
                views.append(next(seen))
            else:
                with torch.no_grad():
                    views.append(self.vita.encode_images(tiles))
        return views

    def _naming_loss(self, examples: Sequence[Example], batch: OmniBatch) -> Tensor:
        if batch.pixel_values is None:
            raise ValueError(f"stage {self.stage.name} learns to name, but its examples have no pictures")
        seen = self.vita.encode_images(batch.pixel_values)
        words = self._names()
        named: list[Tensor] = []
        for view, example in zip(seen, examples, strict=True):
            units, spots = example.units.to(self.device), _to(example.spots, self.device)
            named += [naming_loss(view, words, *those) for those in by_extent(units, spots)]
        return torch.stack(named).mean() + LENGTH_WEIGHT * self._length(seen.flatten(0, 1))

    def _length(self, embeds: Tensor) -> Tensor:
        return length_loss(embeds, self.vita.model.embed_tokens.weight.detach().float())

    def _imagined(self, examples: Sequence[Example]) -> Sequence[Tensor]:
        """[pictures, tokens per tile, D] of each example whose pictures are words."""
        imagined = [example.imagined for example in examples if example.imagined is not None]
        if not imagined:
            return ()
        words = torch.cat([picture.words for picture in imagined]).to(self.device)
        shown = torch.cat([picture.shown for picture in imagined]).to(self.device)
        noise = torch.cat([picture.noise for picture in imagined]).to(self.device)
        embeds = F.embedding(words, self._names())  # [pictures, tokens per tile, k, D]
        length = embeds.norm(dim=-1).mean(-1, keepdim=True)
        seen = F.normalize(embeds.sum(-2), dim=-1) * shown[..., None]
        return ((seen + noise) * length).split([len(picture.words) for picture in imagined])

    def _names(self) -> Tensor:
        """What sights are called by [V + ranked digits, D]. The embeddings of words are frozen."""
        return ranked(self.vita.model.embed_tokens.weight.detach().float(), self.digits)

    def _spelling_loss(self, examples: Sequence[Example], batch: OmniBatch) -> Tensor:
        if batch.audio is None or batch.audio_lengths is None:
            raise ValueError(f"stage {self.stage.name} learns by CTC, but its examples have no speech")
        audio, lengths = batch.audio.to(self.device), batch.audio_lengths.to(self.device)
        encoded = self.vita.model.audio_encoder.encoder(audio, lengths)
        scores = self.ctc_head(encoded.hidden).float().log_softmax(-1)  # [B, T, 1 + tokens]
        units = torch.cat([example.units for example in examples]) + 1
        counts = torch.tensor([len(example.units) for example in examples])
        lengths = encoded.mask.sum(1).cpu()
        return F.ctc_loss(scores.transpose(0, 1), units.to(self.device), lengths, counts, zero_infinity=True)


def length_loss(embeds: Tensor, words: Tensor) -> Tensor:
    """Mean squared logarithm of the length of embeddings [n, D] over the mean length of words [V, D]."""
    return (embeds.float().norm(dim=-1) / words.norm(dim=-1).mean()).log().square().mean()


def naming_loss(embeds: Tensor, words: Tensor, units: Tensor, spots: Tensor | None = None) -> Tensor:
    """Mean cross-entropy of `units` [m] among all words [V, D], each scored by the embeddings [n, D] most like it.

    With `spots`, bool [m, n] with one or more true in a row, a unit is looked for among its own embeddings alone.
    """
    likeness = SHARPNESS * (F.normalize(embeds.float(), dim=-1) @ F.normalize(words, dim=-1).T)  # [n, V]
    where = torch.ones(len(units), len(embeds), device=embeds.device) if spots is None else spots.float()
    scores = (likeness - likeness.detach().amax()).exp()
    of_unit, of_all = (where * scores[:, units].T).sum(1), where @ scores.sum(1)  # [m]
    return (of_all.log() - of_unit.log()).mean()


def by_extent(units: Tensor, spots: Tensor | None) -> list[tuple[Tensor, Tensor | None]]:
    """Units with places and those of the whole, where there are any, so that the many do not drown the few."""
    if spots is None:
        return [(units, None)]
    whole = spots.all(1)
    return [(units[those], spots[those]) for those in (whole, ~whole) if those.any()]


def _to(tensor: Tensor | None, device: torch.device) -> Tensor | None:
    return None if tensor is None else tensor.to(device)
