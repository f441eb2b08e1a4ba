"""A conversation as NEXUS-O learns from it: what it reads, and which tokens are learnt."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from harness.types import Media, Message
from models.nexus_o.config import NexusConfig
from models.nexus_o.omni import Inputs, Seen
from models.nexus_o.positions import Run, positions
from models.nexus_o.prompts import assemble, conversation
from models.nexus_o.sound import audio_tokens, windows
from models.text.tokenizer import QwenTokenizer
from models.training.examples import NOTHING

IGNORED = -100
"""A label that is not learnt."""


class Sample(NamedTuple):
    """A conversation and its labels, int64 [S]: each its own token's; they are shifted later.

    `units` are tokens that its picture shows or its audio says, int64 [m]; `spots`, bool [m, n], in which of the n
    embeddings of the picture each is to be seen, where that is known.
    """

    inputs: Inputs
    labels: Tensor
    units: Tensor = NOTHING
    spots: Tensor | None = None


class Batch(NamedTuple):
    """Samples and the kind of each."""

    samples: Sequence[Sample]
    kinds: Sequence[str]


class Script(NamedTuple):
    """What turns conversations into samples."""

    config: NexusConfig
    tokenizer: QwenTokenizer
    marks: Mapping[str, int]

    def sample(self, messages: Sequence[Message], pictures: Sequence[Seen] = (), wave: Tensor | None = None) -> Sample:
        """A conversation that ends with the assistant, whose answers and ends of turn are learnt. Pictures stand in
        the places of media one after the other; `wave` [n] at 16 kHz stands in the last, where there is one."""
        media = [picture.grid for picture in pictures]
        if wave is not None:
            media.append(Run(audio_tokens(len(wave), self.config)))
        whole = assemble(conversation(messages), media, self.tokenizer, self.marks)
        labels = torch.full_like(whole.ids, IGNORED)
        for turn, message in enumerate(messages):
            if message.role == "assistant":
                start, stop = (self._length(messages[:upto], media) for upto in (turn, turn + 1))
                labels[start:stop] = whole.ids[start:stop]
        axes = positions(whole.spans, self.config.vision.tokens_per_second, self.config.choices.after_visual).axes
        audio = () if wave is None else (windows(wave, self.config),)
        return Sample(Inputs(whole.ids, whole.kinds, axes, tuple(pictures), audio), labels)

    def _length(self, messages: Sequence[Message], media: Sequence[Run]) -> int:
        """Tokens of the first messages of a conversation."""
        places = sum(isinstance(part, Media) for message in messages for part in message.parts)
        return len(assemble(conversation(messages), media[:places], self.tokenizer, self.marks).ids)
