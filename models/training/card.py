"""The model card of the weights that ship: every figure in it comes from the training and the runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment, StrictUndefined

from models.training.claims import Change
from models.training.person import Heard, told
from models.training.recipes import ADAPTER, EMBEDDINGS, ENCODER, LANGUAGE, PROJECTOR, SPEAKING, STAGES, VISION
from models.training.speech_out.sizes import SPEECH_SIZES
from models.training.targets import TARGETS, Target, metric, numbers, row
from models.vita15.omni import Vita15

LOSSES = {"lm": "LM", "ctc": "CTC", "naming": "naming", "spectra": "mel, GAN", "codes": "codes"}
READINGS = {"codec": SPEECH_SIZES["mini"].codec_readings, "decoder": SPEECH_SIZES["mini"].decoder_readings}
TEMPLATE = Path(__file__).with_name("card.md.j2")
CHANCE = 75.0
"""Points of an MME category answered by coin: half of the answers are right, and of a quarter of the pictures both."""
BLANKS = {"audio": "silence", "image": "grey pictures", "video": "grey clips"}
PARTS: Mapping[str, tuple[str, ...]] = {
    "vision tower": (VISION,),
    "vision projector": (PROJECTOR,),
    "speech encoder": (ENCODER,),
    "speech adapter with its input tokens": ADAPTER,
    "language model": (EMBEDDINGS, *LANGUAGE),
    "all": ("",),
}


@dataclass(frozen=True, eq=False)
class Facts:
    """What is known of a finished training.

    reports: each stage's `stage.json`; results: `results.json` of the final weights; blanked: those with a medium
    blanked, by medium; kept: what the pictures' tasks lost or won after stage 1.3; heard: what it makes of a
    person's speech; hours: of training speech, by language; bytes: of the folder that ships; start: what the first
    stages started from.
    """

    reports: Mapping[str, Mapping[str, Any]]
    results: Mapping[str, Any]
    blanked: Mapping[str, Mapping[str, Any]]
    kept: Sequence[Change]
    heard: Sequence[Heard]
    model: Vita15
    hours: Mapping[str, float]
    utterances: int
    bytes: int
    start: str


def card(facts: Facts) -> str:
    """The card as Markdown."""
    environment = Environment(undefined=StrictUndefined, keep_trailing_newline=True, autoescape=False)
    named = {name: parameter.numel() for name, parameter in facts.model.named_parameters()}
    counts = {
        part: sum(n for name, n in named.items() if name.startswith(prefixes)) for part, prefixes in PARTS.items()
    }
    seconds = sum(report["seconds"] for report in facts.reports.values())
    categories = _categories(facts.results)
    return environment.from_string(TEMPLATE.read_text(encoding="utf-8")).render(
        scores=[row(target, facts.results, facts.blanked, BLANKS) for target in TARGETS],
        codec=facts.reports["3.1"],
        readings={name: f"{count:,}" for name, count in READINGS.items()},
        chance=f"{CHANCE:.0f}",
        categories=", ".join(f"{name} {found['value']:.0f}" for name, found in categories.items()),
        guessed=", ".join(name for name, found in categories.items() if found["ci"][0] <= CHANCE),
        blind=", ".join(target.title.split(",")[0] for target in TARGETS if _like_blank(target, facts)),
        kept=facts.kept,
        person=told(facts.heard),
        stages=[stage_line(name, report) for name, report in facts.reports.items()],
        language_rates=", ".join(
            f"{stage.language_rate:.0%} ({name})" for name, stage in STAGES.items() if stage.language_rate < 1
        ),
        seed=facts.reports["0"]["seed"],
        hours={"training": f"{seconds / 3600:.1f}"} | {name: f"{hours:.1f}" for name, hours in facts.hours.items()},
        utterances=f"{facts.utterances:,}",
        questions=f"{facts.utterances // 4:,}",
        facts=f"{facts.utterances // 3:,}",
        pictures=f"{round(_pictures(facts), -3):,.0f}",
        parts=[{"name": part, "count": f"{count:,}"} for part, count in counts.items()],
        megabytes=f"{facts.bytes / 1e6:.1f}",
        start=facts.start,
    )


def _like_blank(target: Target, facts: Facts) -> bool:
    """Whether a score reaches, within the intervals, the score with a blank input: nothing shows that it was earned."""
    if not target.blank or target.is_error:
        return False
    found, without = metric(facts.results, target)["ci"], metric(facts.blanked[target.blank], target)["ci"]
    return found is not None and without is not None and found[0] <= without[1]


def _categories(results: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """MME's categories as they are read, with their metrics, the best first."""
    groups = numbers(results, "mme")["groups"]["category"]
    categories = {name.replace("_", " "): group["metrics"]["score"] for name, group in groups.items()}
    return dict(sorted(categories.items(), key=lambda item: -item[1]["value"]))


def _pictures(facts: Facts) -> float:
    kinds = ("collage", "gallery", "caption", "question", "exercise")
    return sum(
        report["examples"] * _share(stage, *kinds) for stage, report in facts.reports.items() if stage not in SPEAKING
    )


def _share(stage: str, *kinds: str) -> float:
    shares = STAGES[stage].shares
    return sum(share for kind, share in shares.items() if kind in kinds) / sum(shares.values())


def stage_line(name: str, report: Mapping[str, Any]) -> dict[str, str]:
    """A line of the card's table of stages, cell by cell."""
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
