"""A transcript of a sound of any rate and length, in bounded memory.

A sound is cut at its pauses, as what it learnt from were single phrases. A phrase longer than WINDOW_S seconds is heard
in windows that overlap by twice MARGIN_S; each gives the scores of its middle, so that every frame is scored with sound
to both sides of it, and runs of a unit across a seam are one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from tasks.judges.mini_ctc.alphabet import LATIN
from tasks.judges.mini_ctc.decode import best_path, best_spelling
from tasks.judges.mini_ctc.features import HOP, RATE, log_mel
from tasks.judges.mini_ctc.store import Recogniser

if TYPE_CHECKING:
    from harness.types import Waveform

WINDOW_S, MARGIN_S = 20, 2
FRAME = 2 * HOP
"""Samples of one frame of scores."""
PAUSE_S, QUIET, EDGE_S = 0.3, 0.02, 1 / 16
"""How long a pause is, how loud beside the loudest sample at most, and what is left of it beside a phrase."""
LETTERS = frozenset(LATIN)
FAINT = 1e-4
"""A peak (of 1) under which nothing is heard: -80 dB."""


class NotSound(ValueError):
    """Samples that cannot be heard at all; the message says why."""


def transcribe(recogniser: Recogniser, wave: Waveform, language: str | None) -> str:
    """The text that is heard, in lower case, words apart by one blank; empty for silence.

    `language` "en" or "zh" bars the other's units; English is spelt with the known words in mind. Raises NotSound for
    samples that are no numbers, for no samples and for a rate that is none; ValueError for another language.
    """
    barred = recogniser.alphabet.barred(language)
    samples = prepared(wave)
    said: list[str] = []
    for phrase in phrases(samples):
        pieces = [recogniser.scores(log_mel(piece))[first:last] for piece, first, last in windows(phrase)]
        scores = np.concatenate(pieces)
        if language == "en":
            said.append(best_spelling(scores[:, : 1 + len(LATIN)], LATIN, recogniser.words))
        else:
            scores[:, barred] = -np.inf
            said.append(recogniser.alphabet.decode(best_path(scores)))
    return joined(said)


def prepared(wave: Waveform) -> NDArray[np.float32]:
    """Samples at 16 kHz. Raises NotSound."""
    import soxr

    if not len(wave.samples):
        raise NotSound("the sound has no samples")
    if wave.rate <= 0:
        raise NotSound(f"the sound has the rate {wave.rate}")
    if not np.isfinite(wave.samples).all():
        raise NotSound("the sound has samples that are not finite numbers")
    samples = np.clip(wave.samples, -1.0, 1.0)
    if wave.rate == RATE:
        return samples
    resampled: NDArray[np.float32] = soxr.resample(samples, wave.rate, RATE)
    return resampled


def phrases(samples: NDArray[np.float32]) -> Iterator[NDArray[np.float32]]:
    """What is loud, with EDGE_S around it, cut where it is quiet for PAUSE_S or longer; nothing of silence."""
    frames = np.abs(np.pad(samples, (0, -len(samples) % FRAME))).reshape(-1, FRAME).max(axis=1)
    loud = np.flatnonzero(frames > max(FAINT, QUIET * float(frames.max())))
    edge = round(EDGE_S * RATE)
    for run in np.split(loud, np.flatnonzero(np.diff(loud) > PAUSE_S * RATE / FRAME) + 1):
        if len(run):
            yield samples[max(0, int(run[0]) * FRAME - edge) : (int(run[-1]) + 1) * FRAME + edge]


def joined(phrases: Sequence[str]) -> str:
    """Phrases as one text: a blank between English ones, none beside Mandarin."""
    text = ""
    for phrase in (" ".join(phrase.split()) for phrase in phrases):
        apart = text[-1:] in LETTERS and phrase[:1] in LETTERS
        text += f" {phrase}" if text and phrase and apart else phrase
    return text


def windows(samples: NDArray[np.float32]) -> Iterator[tuple[NDArray[np.float32], int, int]]:
    """Pieces of a sound, and which frames of each are wanted, from and to; together each frame once."""
    size, margin = WINDOW_S * RATE, MARGIN_S * RATE
    if len(samples) <= size:
        yield samples, 0, -(-len(samples) // FRAME)
        return
    middle = size - 2 * margin
    for start in range(0, len(samples), middle):
        first, last = max(0, start - margin), min(len(samples), start + middle + margin)
        wanted = -(-min(middle, len(samples) - start) // FRAME)
        before = (start - first) // FRAME
        yield samples[first:last], before, before + wanted
