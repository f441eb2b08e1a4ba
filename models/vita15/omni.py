"""VITA-1.5's understanding model: text, pictures and speech in, logits over the vocabulary out.

Parameter names are the released checkpoint's (`model.layers...`, `model.vision_tower...`,
`model.mm_projector...`, `model.audio_encoder...`, `lm_head`). A prompt is a row of token ids in which a
picture (tile or frame) and a clip of speech each hold one place; `embed` puts their embeddings there. Facts
from the VITA-1.5 paper, section 3, and the reference implementation. Nothing is cut to the longest prompt
here: whoever writes the prompt keeps to it, so that no question is lost.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.rnn import pad_sequence

from models.vita15.audio_encoder import AudioEncoder
from models.vita15.audio_features import MIN_FRAMES
from models.vita15.config import Vita15Config
from models.vita15.connector import Projector, vision_features
from models.vita15.language import causal_hidden, language_model
from models.vita15.vision import VisionTower

IMAGE = -200  # the place of one tile or frame
AUDIO = -500  # the place of one clip of speech
IGNORE = -100  # a label that the loss leaves out

TILES_AT_ONCE = 16
"""More at once are slower on a CPU (72: by a fifth) and take memory in proportion."""

LONGER = 1.5
"""How many times as long as the shortest a clip may be to be encoded beside it."""

STATE_WEIGHTS = (1.0, 5.0, 1.0)
"""Class weights of the state head's loss in the reference implementation, which has three classes."""


@dataclass(frozen=True, eq=False)
class OmniBatch:
    """Prompts of a batch. Media stand in the order of their places, row after row.

    input_ids: one int64 [n] a row, with IMAGE and AUDIO as places; pixel_values [tiles, 3, H, W] or None;
    audio: filter banks [clips, T, mel], right-padded, or None; audio_lengths: int64 [clips] or None;
    image_embeds: [tiles, tokens per tile, D] in place of pixel_values, or None; audio_embeds: [L, D] of each clip in
    place of audio, or None.
    """

    input_ids: Sequence[Tensor]
    pixel_values: Tensor | None = None
    audio: Tensor | None = None
    audio_lengths: Tensor | None = None
    image_embeds: Tensor | None = None
    audio_embeds: Sequence[Tensor] | None = None


class Embedded(NamedTuple):
    """A batch as the language model reads it, padded on the right with zeros."""

    inputs_embeds: Tensor  # [B, S, D]
    attention_mask: Tensor  # [B, S], True on what is not padding
    labels: Tensor  # [B, S], IGNORE on media and padding
    speech_ends: Tensor  # [B], position of the last embedding of speech, -1 where there is none


class TrainOutput(NamedTuple):
    loss: Tensor  # scalar: mean cross-entropy of the labels, each predicted from what precedes it
    logits: Tensor  # [B, S, vocabulary]
    state_loss: Tensor | None = None  # scalar, of the state head


class Vita15(nn.Module):
    def __init__(self, config: Vita15Config) -> None:
        super().__init__()
        self.config = config
        width = config.language.hidden_size
        self.model = language_model(config.language)
        self.model.vision_tower = VisionTower(config.vision)
        self.model.mm_projector = Projector(config.mm_hidden_size, width)
        self.model.audio_encoder = AudioEncoder(config.audio, width)
        self.lm_head = nn.Linear(width, config.language.vocab_size, bias=False)
        if config.state_classes:
            self.predictor_head = nn.Linear(width, config.state_classes)

    @property
    def device(self) -> torch.device:
        return self.lm_head.weight.device

    @property
    def dtype(self) -> torch.dtype:
        return self.lm_head.weight.dtype

    def encode_images(self, pixel_values: Tensor) -> Tensor:
        """[N, 3, H, W] -> [N, tokens per tile, D], a few tiles at a time."""
        parts = pixel_values.to(self.device, self.dtype).split(TILES_AT_ONCE)
        return torch.cat([self.model.mm_projector(vision_features(self.model.vision_tower(part))) for part in parts])

    def encode_audio(self, features: Tensor, lengths: Tensor) -> list[Tensor]:
        """Filter banks [N, T, mel] with lengths [N] -> the valid embeddings [L, D] of each clip.

        Clips of like length are encoded together, so that a long one does not make all others as long.
        """
        clips: dict[int, Tensor] = {}
        for group in alike(lengths.tolist()):
            places = torch.tensor(group, device=features.device)
            longest = max(MIN_FRAMES, int(lengths[group].max()))
            part = features[places, :longest].to(self.device, self.dtype)
            output = self.model.audio_encoder(part, lengths[group].to(self.device))
            for place, clip, length in zip(group, output.embeddings, output.lengths.tolist(), strict=True):
                clips[place] = clip[:length]
        return [clips[place] for place in range(len(lengths))]

    def embed(self, batch: OmniBatch, labels: Sequence[Tensor] | None = None) -> Embedded:
        """Put the embeddings of media in their places. `labels` are as long as the ids of their rows.

        Raises ValueError if there are more or fewer places than media.
        """
        encoded = batch.image_embeds if batch.pixel_values is None else self.encode_images(batch.pixel_values)
        images = iter(() if encoded is None else encoded)
        clips = iter(batch.audio_embeds or ())
        if batch.audio is not None and batch.audio_lengths is not None:
            clips = iter(self.encode_audio(batch.audio, batch.audio_lengths))
        rows, row_labels, speech_ends = [], [], []
        for index, ids in enumerate(batch.input_ids):
            ids = ids.to(self.device)
            targets = torch.full_like(ids, IGNORE) if labels is None else labels[index].to(self.device)
            pieces, kept = [], []
            length, speech_end = 0, -1
            for start, stop, kind in _pieces(ids.tolist()):
                if kind is None:
                    pieces.append(self.model.embed_tokens(ids[start:stop]))
                    kept.append(targets[start:stop])
                else:
                    pieces.append(_next(images if kind == IMAGE else clips, kind))
                    kept.append(targets.new_full((len(pieces[-1]),), IGNORE))
                length += len(pieces[-1])
                speech_end = length - 1 if kind == AUDIO else speech_end
            rows.append(torch.cat(pieces))
            row_labels.append(torch.cat(kept))
            speech_ends.append(speech_end)
        left_over = {IMAGE: sum(1 for _ in images), AUDIO: sum(1 for _ in clips)}
        if any(left_over.values()):
            raise ValueError(f"{left_over[IMAGE]} pictures and {left_over[AUDIO]} clips have no place in the prompts")
        lengths = torch.tensor([len(row) for row in rows], device=self.device)
        embeds = pad_sequence(rows, batch_first=True)  # [B, S, D]
        mask = torch.arange(embeds.shape[1], device=self.device) < lengths[:, None]
        padded_labels = pad_sequence(row_labels, batch_first=True, padding_value=IGNORE)
        return Embedded(embeds, mask, padded_labels, torch.tensor(speech_ends, device=self.device))

    def logits(self, inputs_embeds: Tensor) -> Tensor:
        """[B, S, D], padded on the right -> [B, S, vocabulary]; what stands at padding means nothing."""
        return self.lm_head(causal_hidden(self.model, inputs_embeds))

    def forward(self, batch: OmniBatch, labels: Sequence[Tensor], states: Tensor | None = None) -> TrainOutput:
        """The training loss of a batch; a label IGNORE is left out.

        `states` [B] are classes of the spoken queries for the state head (the paper's stage 2.2), IGNORE where a
        row is to be left out; the head reads the hidden state at the end of the speech.
        """
        embedded = self.embed(batch, labels)
        hidden = causal_hidden(self.model, embedded.inputs_embeds)
        logits = self.lm_head(hidden)
        loss = F.cross_entropy(logits[:, :-1].flatten(0, 1), embedded.labels[:, 1:].flatten(), ignore_index=IGNORE)
        state_loss = None if states is None else self._state_loss(hidden, embedded.speech_ends, states)
        return TrainOutput(loss, logits, state_loss)

    def _state_loss(self, hidden: Tensor, speech_ends: Tensor, states: Tensor) -> Tensor:
        if not self.config.state_classes:
            raise ValueError("states were given, but the configuration has no state head (state_classes is 0)")
        wanted = torch.where(speech_ends < 0, IGNORE, states.to(self.device))
        last = hidden[torch.arange(len(hidden), device=self.device), speech_ends.clamp(min=0)]  # [B, D]
        weights = torch.tensor(STATE_WEIGHTS, device=self.device) if self.config.state_classes == 3 else None
        return F.cross_entropy(self.predictor_head(last).float(), wanted, weight=weights, ignore_index=IGNORE)


def alike(lengths: Sequence[int]) -> Iterator[list[int]]:
    """Places of clips or prompts in groups, from short to long; none is over LONGER times as long as the first."""
    group: list[int] = []
    for place in sorted(range(len(lengths)), key=lambda place: lengths[place]):
        if group and lengths[place] > LONGER * lengths[group[0]]:
            yield group
            group = []
        group.append(place)
    if group:
        yield group


class _Piece(NamedTuple):
    start: int
    stop: int
    kind: int | None  # IMAGE, AUDIO, or None for text


def _pieces(ids: list[int]) -> Iterator[_Piece]:
    """Runs of text and single places, in order."""
    start = 0
    for position, token in enumerate(ids):
        if token in (IMAGE, AUDIO):
            if position > start:
                yield _Piece(start, position, None)
            yield _Piece(position, position + 1, token)
            start = position + 1
    if start < len(ids):
        yield _Piece(start, len(ids), None)


def _next(features: Iterator[Tensor], kind: int) -> Tensor:
    try:
        return next(features)
    except StopIteration:
        what = "pictures" if kind == IMAGE else "clips of speech"
        raise ValueError(f"the prompts have places for more {what} than were given") from None
