"""The model card of vita-audio-mini: every figure in it comes from the training and the runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment, StrictUndefined

from models.training.claims import Change
from models.training.codes.sizes import SPEECH_SIZES
from models.training.mtp.sizes import SIZES
from models.training.person import Heard, told
from models.training.targets import Target, metric, reached, remains

TEMPLATE = Path(__file__).with_name("card.md.j2")
WITHIN = 3.0
"""Points of word or character errors by which turbo may be worse than vanilla."""
HEARD = (
    Target("LibriSpeech test-clean, WER", "librispeech_test_clean", "wer", 15, "audio", 90),
    Target("LibriSpeech test-other, WER", "librispeech_test_other", "wer", 15, "audio", 90),
    Target("AISHELL-1, CER", "aishell1", "cer", 15, "audio", 90),
)
SPOKEN = (
    Target("Seed-TTS English, WER", "seedtts_en", "wer", 15),
    Target("Seed-TTS Mandarin, CER", "seedtts_zh", "cer", 15),
    Target("LLaMA questions, spoken to written", "llama_questions", "accuracy", 70, "audio", 10, "text"),
    Target("LLaMA questions, spoken to spoken", "llama_questions", "accuracy", 50, "audio", 10, "speech"),
    Target("TriviaQA, spoken to written", "trivia_qa_audio", "accuracy", 70, "audio", 10, "text"),
    Target("TriviaQA, spoken to spoken", "trivia_qa_audio", "accuracy", 50, "audio", 10, "speech"),
    Target("Web questions, spoken to written", "web_questions_audio", "accuracy", 70, "audio", 10, "text"),
    Target("Web questions, spoken to spoken", "web_questions_audio", "accuracy", 50, "audio", 10, "speech"),
)
BY_MODE = ("seedtts_en", "seedtts_zh")
"""Of which the card has the paired tests: what do the modules cost in what is heard?"""


@dataclass(frozen=True, eq=False)
class Facts:
    """What is known of a finished training.

    reports: each stage's `stage.json`; results: `results.json` by decoding mode; silent: recognition with silence;
    compared: what each mode lost or won against vanilla; heard: what it makes of a person's speech, by mode; judge:
    what the judge hears of recordings and of speech made of true codes, in %; parts: parameters; bytes: of the folder
    that ships.
    """

    reports: Mapping[str, Mapping[str, Any]]
    results: Mapping[str, Mapping[str, Any]]
    silent: Mapping[str, Any]
    compared: Mapping[str, Sequence[Change]]
    heard: Sequence[Heard]
    judge: Mapping[str, Mapping[str, float]]
    parts: Mapping[str, int]
    bytes: int


def card(facts: Facts) -> str:
    """The card as Markdown."""
    environment = Environment(undefined=StrictUndefined, keep_trailing_newline=True, autoescape=False)
    speech, tokenizer = SPEECH_SIZES["mini"], facts.reports["tokenizer"]
    return environment.from_string(TEMPLATE.read_text(encoding="utf-8")).render(
        modes=list(facts.results),
        rows=[_row(target, facts) for target in (*HEARD, *SPOKEN)],
        changes=[(mode, change) for mode, found in facts.compared.items() for change in found],
        person=told(facts.heard),
        within=f"{WITHIN:g}",
        verdicts=[_verdict(task, facts) for task in BY_MODE],
        judge=facts.judge,
        told={key: f"{100 * tokenizer['told'][key]:.0f}" for key in ("features", "codes")},
        told_of_reader=f"{100 * tokenizer['told_of_reader']['codes']:.0f}",
        used=tokenizer["told"]["used"],
        perplexity=f"{tokenizer['told']['perplexity']:.0f}",
        codes=speech.tokenizer.codes,
        speech=speech,
        stages=[_stage(name, report) for name, report in facts.reports.items()],
        seed=facts.reports["1"]["seed"],
        minutes=f"{sum(report['seconds'] * report['threads'] for report in facts.reports.values()) / 60:.0f}",
        pattern=" ".join(map(str, facts.reports["4"]["mode"])),
        parts=[(name, f"{count:,}") for name, count in facts.parts.items()],
        whole=f"{sum(facts.parts.values()):,}",
        megabytes=f"{facts.bytes / 1e6:.1f}",
    )


def _row(target: Target, facts: Facts) -> dict[str, Any]:
    cells = [reached(metric(results, target), target) for results in facts.results.values()]
    without = remains(metric(facts.silent, target), target) if target.blank else "–"
    return {"title": target.title, "target": target.told, "cells": cells, "without": without}


def _verdict(task: str, facts: Facts) -> str:
    target = next(target for target in SPOKEN if target.task == task)
    vanilla, turbo = (metric(facts.results[mode], target)["value"] for mode in ("vanilla", "turbo"))
    if vanilla is None or turbo is None:
        return f"{target.title}: not measured"
    apart = turbo - vanilla
    return f"{target.title}: turbo is {apart:+.1f} points from vanilla, {'met' if apart <= WITHIN else 'missed'}"


def _stage(name: str, report: Mapping[str, Any]) -> dict[str, str]:
    losses, size = report["held_out_loss"], SIZES["mini"]
    effort = SPEECH_SIZES["mini"].efforts
    if name in ("vocoder", "flow"):
        work = f"{effort[name].steps:,} x {effort[name].batch} readings"
    elif name == "tokenizer":
        both = [effort[phase] for phase in ("phonemes", "codes")]
        work = f"{sum(one.steps for one in both):,} x {both[0].batch} clips"
    else:
        stage = size.stage(name)
        work = f"{report['steps']:,} x {stage.accumulation * stage.length:,} tokens"
    return {
        "name": name,
        "title": report["title"],
        "trained": f"{report['trained_parameters'] / 1e6:.2f} M",
        "effort": work,
        "minutes": f"{report['seconds'] / 60:.0f} ({report['threads']})",
        "controls": " / ".join(f"{losses[key]:.2f}" for key in ("true", "blank", "shuffled")),
    }
