"""Columns that tables of several papers have."""

from __future__ import annotations

from reports.papers.layout import Entry, Fill, Measure

NORMALISER = "the paper does not say how it normalises text; ours is the profile's"
SAMPLED = "the paper's speech is sampled; here it is with the prompt vita_audio alone, otherwise greedy"


def asr(task: str, note: str = NORMALISER) -> Measure:
    return Measure(task, "cer" if task.startswith(("aishell", "wenet")) or task.endswith("_zh") else "wer", None, note)


def wer(over: str, split: str, task: str, note: str = NORMALISER) -> Entry:
    return Entry(split, ((over, split, "WER %"),), over, "WER %", (asr(task, note),))


def cer(over: str, split: str, *tasks: str, metric: str = "CER %", note: str = NORMALISER) -> Entry:
    return Entry(split, ((over, split, metric),), over, "CER %", tuple(asr(task, note) for task in tasks))


def accuracy(
    heading: str, benchmark: str, split: str, *fills: Fill, metric: str = "acc %", unit: str = "%", over: str = ""
) -> Entry:
    return Entry(heading, ((benchmark, split, metric),), over, unit, fills)


def tts(split: str, task: str, metric: str, unit: str, printed: str = "") -> Entry:
    place = ("Seed-TTS", split, printed or f"{unit} %")
    return Entry(split, (place,), "Seed-TTS", f"{unit} %", (Measure(task, metric, None, SAMPLED),))
