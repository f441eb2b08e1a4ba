"""Seed-TTS: texts of Common Voice and DiDiSpeech to be said in a given voice (Anastassiou et al., 2406.02430).

The error rate is the mean of the utterances' own, by Whisper large-v3 in English and Paraformer in Mandarin, without
any normalisation of numbers; SIM compares the voice with that of the prompt (speech protocol 3.1 and 3.2).
"""

from __future__ import annotations

from harness.task import Task
from tasks.scoring.conventions import Language
from tasks.scoring.heard import ONE_WINDOW
from tasks.speech.sources import SEEDTTS
from tasks.speech.tts import tts_task


def _task(name: str, language: Language) -> Task:
    english = language == "en"
    return tts_task(
        f"seedtts_{name}",
        language,
        SEEDTTS[name],
        text="target_text",
        profiles=("seedtts", *(("whisper", "qwen2") if english else ("kimi", "qwen2")), "seedtts_dropped"),
        how=ONE_WINDOW,
        mean=True,
        judge="whisper" if english else "paraformer-zh",
        benchmark="Seed-TTS",
        split=f"test-{name}",
        published={"wer" if english else "cer": "WER %" if english or name == "hard" else "CER %"},
        citation="Anastassiou et al., Seed-TTS: a family of high-quality versatile speech generation models, 2024",
        licence="the recordings keep the licences of Common Voice (CC0) and DiDiSpeech",
    )


ZH, EN, HARD = _task("zh", "zh"), _task("en", "en"), _task("hard", "zh")
