"""NEXUS-O's voice: from the states of whole answers to codes and from codes to sound, many answers side by side.

Sound of an answer in the making is in `voice_stream`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from models.decoding import Finish
from models.nexus_o.audio_decoder import AudioDecoder
from models.nexus_o.code_decoding import decode_codes
from models.nexus_o.code_rows import CodeDecoding, Utterance
from models.nexus_o.firefly import Firefly

FRAMES_AT_ONCE = 4096
"""Frames in one call of the codec, padding counted: 190 s of speech."""


class Spoken(NamedTuple):
    """Samples fp32 [n] at `Voice.sample_rate` of codes [streams, T], on the CPU; empty where it ended at once."""

    samples: Tensor
    codes: Tensor
    finish: Finish


class Voice:
    """Decoder and codec. Raises ValueError if they do not fit together."""

    def __init__(self, decoder: AudioDecoder, codec: Firefly) -> None:
        ours, theirs = decoder.config, codec.config
        for name, value, other in (
            ("streams", ours.streams, theirs.quantizer.groups),
            ("codes", ours.codes, theirs.codes),
        ):
            if value != other:
                raise ValueError(f"{name}: the speech decoder has {value}, the codec {other}; they must be equal")
        self.decoder, self.codec = decoder, codec
        self.sample_rate = theirs.mel.sample_rate
        self.frame_rate = theirs.frame_rate

    def frames(self, seconds: float) -> int:
        """How many frames so many seconds are, at least one."""
        return max(1, int(seconds * self.frame_rate))

    def speak(self, utterances: Sequence[Utterance], decoding: CodeDecoding, rows: int | None = None) -> list[Spoken]:
        """What each utterance sounds like, `rows` of them decoded side by side, by default all."""
        made = decode_codes(self.decoder, utterances, decoding, rows)
        waves = self.sound([one.codes for one in made])
        return [Spoken(wave, one.codes.cpu(), one.finish) for wave, one in zip(waves, made, strict=True)]

    def sound(self, codes: Sequence[Tensor]) -> list[Tensor]:
        """The sound of each row of codes [streams, T]: fp32 [n] on the CPU; of no frame, no sample."""
        device = next(self.codec.parameters()).device
        waves = [torch.zeros(0) for _ in codes]
        for places in _batches([one.shape[1] for one in codes]):
            lengths = torch.tensor([codes[place].shape[1] for place in places], device=device)
            padded = pad_sequence([codes[place].T for place in places], batch_first=True).transpose(1, 2)
            decoded = self.codec.decode(padded.to(device), lengths)
            for place, wave, end in zip(places, decoded.waves[:, 0], decoded.lengths.tolist(), strict=True):
                waves[place] = wave[:end].float().cpu()
        return waves


def _batches(lengths: Sequence[int]) -> list[list[int]]:
    """Places of rows that have frames, the longest first, as many at once as stay within FRAMES_AT_ONCE."""
    found: list[list[int]] = []
    for place in sorted((place for place, length in enumerate(lengths) if length), key=lambda place: -lengths[place]):
        if not found or lengths[found[-1][0]] * (len(found[-1]) + 1) > FRAMES_AT_ONCE:
            found.append([])
        found[-1].append(place)
    return found
