"""The model card of the weights that ship: every figure in it comes from the training and the runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from jinja2 import Environment, StrictUndefined

from models.training.recipes import ADAPTER, ENCODER, LANGUAGE, PROJECTOR, SPEAKING, STAGES, VISION
from models.training.speech_out.sizes import SPEECH_SIZES
from models.vita15.omni import Vita15

LOSSES = {"lm": "LM", "ctc": "CTC", "naming": "naming", "spectra": "mel, GAN", "codes": "codes"}
READINGS = {"codec": SPEECH_SIZES["mini"].codec_readings, "decoder": SPEECH_SIZES["mini"].decoder_readings}
TEMPLATE = Path(__file__).with_name("card.md.j2")


@dataclass(frozen=True, eq=False)
class Facts:
    """What is known of a finished training.

    reports: each stage's `stage.json`; by_stage, blanked: `results.json` of the runs, by stage and by blank input;
    hours: of training speech, by language; bytes: of the folder that ships; spoken: `results.json` of speech output.
    """

    reports: Mapping[str, Mapping[str, Any]]
    by_stage: Mapping[str, Mapping[str, Any]]
    blanked: Mapping[str, Mapping[str, Any]]
    model: Vita15
    hours: Mapping[str, float]
    utterances: int
    bytes: int
    spoken: Mapping[str, Any]


class Target(NamedTuple):
    title: str
    task: str
    metric: str
    target: str
    blank: str
    bound: float
    """What `target` says: an error rate is to be at most this, points are to be at least this."""


TARGETS = (
    Target("LibriSpeech test-clean, WER", "librispeech_test_clean", "wer", "at most 5 %", "silence", 5.0),
    Target("LibriSpeech test-other, WER", "librispeech_test_other", "wer", "at most 20 %", "silence", 20.0),
    Target("AISHELL-1, CER", "aishell1", "cer", "at most 10 %", "silence", 10.0),
    Target("MME, total of 2800", "mme", "total", "at least 2000", "grey pictures", 2000.0),
)
SPOKEN = (
    Target("Seed-TTS English, WER", "seedtts_en", "wer", "at most 15 %", "", 15.0),
    Target("Seed-TTS Mandarin, CER", "seedtts_zh", "cer", "at most 15 %", "", 15.0),
)
"""What the judge mini-ctc hears of what is spoken."""
CHANCE = 75.0
"""Points of an MME category answered by coin: half of the answers are right, and of a quarter of the pictures both."""
PARTS: Mapping[str, tuple[str, ...]] = {
    "vision tower": (VISION,),
    "vision projector": (PROJECTOR,),
    "speech encoder": (ENCODER,),
    "speech adapter with its input tokens": ADAPTER,
    "language model": LANGUAGE,
    "all": ("",),
}


def card(facts: Facts) -> str:
    """The card as Markdown."""
    environment = Environment(undefined=StrictUndefined, keep_trailing_newline=True, autoescape=False)
    named = {name: parameter.numel() for name, parameter in facts.model.named_parameters()}
    counts = {
        part: sum(n for name, n in named.items() if name.startswith(prefixes)) for part, prefixes in PARTS.items()
    }
    seconds = sum(report["seconds"] for report in facts.reports.values())
    pictures = sum(
        report["examples"] * _share(stage, "collage", "caption", "question")
        for stage, report in facts.reports.items()
        if stage not in SPEAKING
    )
    categories = _categories(facts)
    return environment.from_string(TEMPLATE.read_text(encoding="utf-8")).render(
        scores=[_score(target, facts) for target in TARGETS],
        spoken=[_judged(target, facts.spoken) for target in SPOKEN],
        codec=facts.reports["3.1"],
        readings={name: f"{count:,}" for name, count in READINGS.items()},
        chance=f"{CHANCE:.0f}",
        categories=", ".join(f"{name} {metric['value']:.0f}" for name, metric in categories.items()),
        guessed=", ".join(name for name, metric in categories.items() if metric["ci"][0] <= CHANCE),
        measured_stages=list(facts.by_stage),
        stages=[_stage(name, report) for name, report in facts.reports.items()],
        language_rates=", ".join(
            f"{stage.language_rate:.0%} ({name})" for name, stage in STAGES.items() if stage.language_rate < 1
        ),
        seed=facts.reports["0"]["seed"],
        hours={"training": f"{seconds / 3600:.1f}"} | {name: f"{hours:.1f}" for name, hours in facts.hours.items()},
        utterances=f"{facts.utterances:,}",
        questions=f"{facts.utterances // 4:,}",
        pictures=f"{round(pictures, -3):,.0f}",
        parts=[{"name": part, "count": f"{count:,}"} for part, count in counts.items()],
        megabytes=f"{facts.bytes / 1e6:.1f}",
    )


def numbers(results: Mapping[str, Any], task: str) -> Mapping[str, Any]:
    """The numbers of a task's headline profile and channel, as they stand in `results.json`."""
    entry = results["tasks"][task]
    found: Mapping[str, Any] = entry["scores"][entry["profile"]][entry["channel"]]
    return found


def measured(results: Mapping[str, Any], task: str, metric: str) -> str:
    """A score with its 95 % interval: "3.2 % [2.5, 4.0]"."""
    found = numbers(results, task)["metrics"][metric]
    low, high = found["ci"]
    digits, unit = (1, " %") if found["unit"] == "%" else (0, "")
    return f"{found['value']:.{digits}f}{unit} [{low:.{digits}f}, {high:.{digits}f}]"


def _score(target: Target, facts: Facts) -> dict[str, Any]:
    by_stage = [measured(results, target.task, target.metric) for results in facts.by_stage.values()]
    without = measured(facts.blanked[target.blank], target.task, target.metric)
    last = list(facts.by_stage.values())[-1]
    return target._asdict() | {"measured": _with_note(target, last), "by_stage": by_stage, "without": without}


def _judged(target: Target, results: Mapping[str, Any]) -> dict[str, Any]:
    return target._asdict() | {"measured": _with_note(target, results)}


def _with_note(target: Target, results: Mapping[str, Any]) -> str:
    """What was measured, and whether that misses the target."""
    found = numbers(results, target.task)["metrics"][target.metric]
    value, higher = found["value"], found["higher_is_better"]
    note = "" if (value >= target.bound if higher else value <= target.bound) else ", missed"
    return measured(results, target.task, target.metric) + note


def _categories(facts: Facts) -> dict[str, Mapping[str, Any]]:
    """MME's categories as they are read, with their metrics, the best first."""
    groups = numbers(list(facts.by_stage.values())[-1], "mme")["groups"]["category"]
    categories = {name.replace("_", " "): group["metrics"]["score"] for name, group in groups.items()}
    return dict(sorted(categories.items(), key=lambda item: -item[1]["value"]))


def _stage(name: str, report: Mapping[str, Any]) -> dict[str, str]:
    stage, losses = STAGES[name], report["held_out_loss"]
    total = sum(stage.shares.values())
    return {
        "name": name,
        "title": stage.title,
        "trained": f"{report['trained_parameters'] / 1e6:.2f} M",
        "data": ", ".join(f"{kind} {share / total:.0%}" for kind, share in stage.shares.items()) or "reading 100%",
        "loss": LOSSES[stage.loss],
        "effort": f"{report['steps']:,} x {report['examples'] // report['steps']}",
        "minutes": f"{report['seconds'] / 60:.0f} ({report['threads']})",
        "controls": " / ".join(f"{losses[key]:.2f}" for key in ("true", "blank", "shuffled")),
    }


def _share(stage: str, *kinds: str) -> float:
    shares = STAGES[stage].shares
    return sum(share for kind, share in shares.items() if kind in kinds) / sum(shares.values())
