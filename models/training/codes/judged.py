"""What the judge mini-ctc still hears, step by step from the recording to speech out of codes: held-out readings.

    python -m models.training.codes.judged --training DIR [--readings N]

Prints JSON: English word and Mandarin character error rates of the recordings themselves, of the vocoder given their
true spectrograms, of the flow's given their true codes, and of the spectrogram that the flow expects before its steps.
"""

from __future__ import annotations

import argparse
import json
import string
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

import torch
from rapidfuzz.distance import Levenshtein
from torch import Tensor

from harness.types import Waveform
from models.training.codes.mel import spectrogram
from models.training.codes.readings import Reading
from models.training.codes.run import SpeechTraining
from models.training.codes.sizes import SPEECH_SIZES
from models.training.codes.tokenizer_run import codes_of, load
from models.training.loop import REPORT
from models.training.speech_out.readings import as_tensor
from models.vita_audio.flow import SAMPLE_RATE
from tasks.judges.mini_ctc import store
from tasks.judges.mini_ctc.hearing import transcribe

_MARKS = str.maketrans("", "", string.punctuation + "。，？！")


def error_rates(pairs: Iterable[tuple[str, str]]) -> Mapping[str, float]:
    """Of the English as "wer", of the Mandarin as "cer", among pairs of a text and what was heard; in %."""
    wrong, units = {"wer": 0, "cer": 0}, {"wer": 0, "cer": 0}
    for text, heard in pairs:
        said = text.lower().translate(_MARKS)
        rate, one, other = ("wer", said.split(), heard.split()) if said.isascii() else ("cer", said, heard)
        wrong[rate] += Levenshtein.distance(one, other)
        units[rate] += len(one)
    return {rate: round(100 * wrong[rate] / units[rate], 2) for rate in wrong if units[rate]}


def judged(readings: Sequence[Reading], speak: Callable[[int, Reading], Tensor]) -> Mapping[str, float]:
    """Error rates of a wave [n] at the vocoder's rate for each reading."""
    recogniser, pairs = store.load(store.SHIPPED), []
    for place, reading in enumerate(readings):
        said = reading.clip.text
        wave = Waveform(speak(place, reading).numpy(), SAMPLE_RATE)
        pairs.append((said, transcribe(recogniser, wave, "en" if said.isascii() else "zh")))
    return error_rates(pairs)


@torch.no_grad()
def floors(training: SpeechTraining, count: int) -> dict[str, Mapping[str, float]]:
    """Error rates by what the speech is made from, as far as it is trained: see above."""
    some, mels = training.read(held_out=True)[:count], training.size.vocoder.mels
    found = {"recording": judged(some, lambda _, one: as_tensor(one.wave))}
    if not (training.folder("vocoder") / REPORT).exists():
        return found
    vocoder = training.vocoder()

    def sound(mel: Tensor) -> Tensor:
        return vocoder(mel[None], torch.Generator().manual_seed(0))[0]

    found["spectrogram"] = judged(some, lambda _, one: sound(spectrogram(as_tensor(one.wave)[None], mels)[0]))
    if not (training.folder("flow") / REPORT).exists():
        return found
    flow = training.flow()
    codes = [torch.tensor([row]) for row in codes_of(load(training.folder("tokenizer")), [one.clip for one in some])]
    found["codes"] = judged(some, lambda place, _: sound(flow(codes[place])[0]))
    found["codes, as expected"] = judged(some, lambda place, _: sound(flow.expected(codes[place])[0].T))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description="What the judge hears of recordings, spectrograms and codes.")
    parser.add_argument("--training", type=Path, required=True, help="folder of a training of size mini")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--readings", type=int, default=100)
    options = parser.parse_args()
    training = SpeechTraining(SPEECH_SIZES["mini"], options.seed, options.training)
    print(json.dumps(floors(training, options.readings), indent=1))


if __name__ == "__main__":
    main()
