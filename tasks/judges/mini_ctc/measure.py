"""How well the recogniser hears the mini world's own test voices: the figures of its card.

    python -m tasks.judges.mini_ctc.measure [--weights DIR] [--json]

Transcribes each recording of the shipped data with the language told, and scores it by the profile `whisper`.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.contracts import DataChoice
from harness.failures import UsageError
from harness.media import load_audio
from harness.registry import ASR, get_task
from harness.task import Task
from harness.types import Media
from tasks.judges.mini_ctc import store
from tasks.judges.mini_ctc.hearing import transcribe
from tasks.scoring.error_rate import ErrorCounts, Language, score_pair
from tasks.speech.asr import rate_name, reference_of

PROFILE = "whisper"
MOST = 0.03
"""What the rate over the test voices is to be at most, in each language."""


@dataclass(frozen=True)
class Measured:
    name: str
    language: Language
    counts: ErrorCounts
    utterances: int
    seconds: float
    """Of sound."""
    took: float
    """Seconds of this process's CPU time."""

    @property
    def told(self) -> dict[str, object]:
        return {
            "metric": rate_name(self.language),
            "rate": self.counts.rate,
            "errors": self.counts.errors,
            "units": self.counts.ref_len,
            "utterances": self.utterances,
            "audio_s": round(self.seconds, 2),
            "real_time_factor": round(self.took / self.seconds, 4),
        }


def measure(recogniser: store.Recogniser, task: Task) -> Measured:
    """One recognition benchmark on the shipped data."""
    language: Language = "zh" if task.metrics[0].name == "cer" else "en"
    counts, number, seconds, took = ErrorCounts(), 0, 0.0, 0.0
    for row in task.source.rows(DataChoice("mini")):
        message = task.presets["vita"].messages(row)[0]
        media = next(part for part in message.parts if isinstance(part, Media))
        wave = load_audio(Path(media.path), media.start_s, media.end_s)
        started = time.process_time()
        heard = transcribe(recogniser, wave, language)
        took += time.process_time() - started
        counts += score_pair(PROFILE, language, reference_of(task.doc(row), "text"), heard).counts
        number, seconds = number + 1, seconds + wave.seconds
    return Measured(task.name, language, counts, number, seconds, took)


def together(language: Language, sets: Sequence[Measured]) -> Measured:
    """All test sets of a language; the dev sets have other voices and are left out."""
    counts, chosen = ErrorCounts(), [one for one in sets if one.language == language and "_dev_" not in one.name]
    for one in chosen:
        counts += one.counts
    return Measured(
        f"test, {language}",
        language,
        counts,
        sum(one.utterances for one in chosen),
        sum(one.seconds for one in chosen),
        sum(one.took for one in chosen),
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """0 where both languages' rates on the test voices are at most MOST, 3 where not, 2 for weights that are none."""
    parser = argparse.ArgumentParser(description="Error rates of the judge mini-ctc on the shipped mini data.")
    parser.add_argument("--weights", type=Path, default=store.SHIPPED, help="folder (default: what ships)")
    parser.add_argument("--json", action="store_true", help="print JSON")
    options = parser.parse_args(arguments)
    try:
        recogniser = store.load(options.weights)
    except UsageError as error:
        print(error, file=sys.stderr)
        return 2
    sets = [measure(recogniser, get_task(name)) for name in ASR]
    totals = [together("en", sets), together("zh", sets)]
    if options.json:
        print(json.dumps({one.name: one.told for one in (*sets, *totals)}, indent=1))
    else:
        print(f"{'set':24}{'':5}{'rate':>7}{'errors':>8}{'units':>7}{'files':>7}{'CPU s / s':>11}")
        for one in (*sets, *totals):
            figures = f"{one.counts.rate:7.2%}{one.counts.errors:8}{one.counts.ref_len:7}{one.utterances:7}"
            print(f"{one.name:24}{rate_name(one.language):5}{figures}{one.took / one.seconds:11.3f}")
    return 0 if all(one.counts.rate <= MOST for one in totals) else 3


if __name__ == "__main__":
    sys.exit(main())
