"""The model card of the weights that ship: every figure in it comes from the training and the runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

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
CATEGORIES = "MME by category,"
GUESSED = "- Answer better than guessing in these categories of MME, whose intervals reach"
BLIND = "- Answer better than with a blank input, as far as the intervals show"
BLANKS = {"audio": "silence", "image": "grey pictures", "video": "grey clips"}
PARTS: Mapping[str, tuple[str, ...]] = {
    "vision tower": (VISION,),
    "vision projector": (PROJECTOR,),
    "speech encoder": (ENCODER,),
    "speech adapter with its input tokens": ADAPTER,
    "language model": (EMBEDDINGS, *LANGUAGE),
    "all that understands": ("",),
}


class Changes(NamedTuple):
    """Of the tasks on pictures from stage 1.3 to 2.2, while it learnt to hear; and of all that is seen since then."""

    hearing: Sequence[Change]
    practice: Sequence[Change]
    practice_found: str
    """What the tests of the second decide."""


@dataclass(frozen=True, eq=False)
class Facts:
    """What is known of a finished training.

    reports: each stage's `stage.json`; results: `results.json` of the final weights; blanked: those with a medium
    blanked, by medium; changes: what tasks lost or won between stages; heard: what it makes of a
    person's speech; hours: of training speech, by language; bytes: of the folder that ships; start: what the first
    stages started from.
    """

    reports: Mapping[str, Mapping[str, Any]]
    results: Mapping[str, Any]
    blanked: Mapping[str, Mapping[str, Any]]
    changes: Changes
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
    return environment.from_string(TEMPLATE.read_text(encoding="utf-8")).render(
        scores=[row(target, facts.results, facts.blanked, BLANKS) for target in TARGETS],
        codec=facts.reports["3.1"],
        readings={name: f"{count:,}" for name, count in READINGS.items()},
        said=said(facts.results, facts.blanked),
        hearing=facts.changes.hearing,
        practice=practice(facts.changes.practice, facts.changes.practice_found),
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


PRACTICE = "## What does practice after the paper's stages bring?"


def practice(changes: Sequence[Change], found: str) -> str:
    """A section of the card, its heading PRACTICE; `found`: what the tests decide (`claims.verdict`)."""
    return "\n".join(
        (
            PRACTICE,
            "",
            "Stages 4.1 to 4.3 are our own: a small model is weak at much that a large one learns by the way. The same",
            f"questions before them and with the weights that ship, tested in pairs: {found}.",
            "",
            "| task | after 2.2 | as shipped | difference [95 % CI] | p (Holm) |",
            "|---|---|---|---|---|",
            *(table_row(f"{one.task} {one.metric}", *one[2:]) for one in changes),
            "",
        )
    )


def table_row(*cells: str) -> str:
    """Of Markdown."""
    return f"| {' | '.join(cells)} |"


class Said(NamedTuple):
    """Lines of the card about its scores. What there is nothing to say of is empty."""

    categories: str
    guessed: str
    blind: str


def said(results: Mapping[str, Any], blanked: Mapping[str, Mapping[str, Any]]) -> Said:
    """Of the runs of the final weights, and of those with a medium blanked, by medium."""
    categories = _categories(results)
    points = ", ".join(f"{name} {found['value']:.0f}" for name, found in categories.items())
    guessed = ", ".join(name for name, found in categories.items() if found["ci"][0] <= CHANCE)
    blind = ", ".join(target.title.split(",")[0] for target in TARGETS if _like_blank(target, results, blanked))
    return Said(
        f"{CATEGORIES} of 200 points each; guessing gets {CHANCE:.0f}: {points}.",
        guessed and f"{GUESSED} {CHANCE:.0f}: {guessed}.",
        blind and f"{BLIND}: {blind}.",
    )


def _like_blank(target: Target, results: Mapping[str, Any], blanked: Mapping[str, Mapping[str, Any]]) -> bool:
    """Whether a score reaches, within the intervals, the score with a blank input: nothing shows that it was earned."""
    if not target.blank or target.is_error:
        return False
    found, without = metric(results, target)["ci"], metric(blanked[target.blank], target)["ci"]
    return found is not None and without is not None and found[0] <= without[1]


def _categories(results: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """MME's categories as they are read, with their metrics, the best first."""
    groups = numbers(results, "mme")["groups"]["category"]
    categories = {name.replace("_", " "): group["metrics"]["score"] for name, group in groups.items()}
    return dict(sorted(categories.items(), key=lambda item: -item[1]["value"]))


def _pictures(facts: Facts) -> float:
    kinds = ("collage", "page", "gallery", "caption", "question", "exercise")
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
