"""The model card of nexus-o-mini: every figure in it comes from the training and the runs. Its voice has its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment, StrictUndefined

from models.nexus_o.omni import Nexus
from models.training.claims import Change
from models.training.nexus.alignment import Alignment
from models.training.nexus.base import BASE
from models.training.nexus.sizes import SIZES
from models.training.person import Heard, told
from models.training.targets import Target, row

TEMPLATE = Path(__file__).with_name("card.md.j2")
HEARD = (
    Target("LibriSpeech test-clean, WER", "librispeech_test_clean", "wer", 15, "audio", 90),
    Target("LibriSpeech test-other, WER", "librispeech_test_other", "wer", 15, "audio", 90),
    Target("AISHELL-1, CER", "aishell1", "cer", 15, "audio", 90),
    Target("CoVoST 2 Mandarin to English, BLEU", "covost2_zh_en", "bleu", 40, "audio", 5),
    Target("CoVoST 2 English to Mandarin, BLEU", "covost2_en_zh", "bleu", 40, "audio", 5),
    Target("LLaMA questions, spoken to written", "llama_questions", "accuracy", 70, "audio", 10, "text"),
    Target("TriviaQA, spoken to written", "trivia_qa_audio", "accuracy", 70, "audio", 10, "text"),
    Target("Web questions, spoken to written", "web_questions_audio", "accuracy", 70, "audio", 10, "text"),
)
SEEN = (
    Target("MMBench 1.1 English", "mmbench_en", "accuracy", 60, "image", 40),
    Target("MMStar", "mmstar", "accuracy", 60, "image", 40),
    Target("AI2D", "ai2d", "accuracy", 60, "image", 40),
    Target("MME, total of 2800", "mme", "total", 2000, "image", 1500),
)
BLANKS = {"audio": "silence", "image": "grey pictures"}


@dataclass(frozen=True, eq=False)
class Facts:
    """What is known of a finished training.

    reports: each stage's `stage.json`; results: `results.json` of the weights that ship; blanked: those with a medium
    blanked, by medium; kept: what tasks on pictures lost or won since before audio; aligned: the model's input
    after each stage; heard: what it makes of a person's speech; bytes: of the folder that ships.
    """

    reports: Mapping[str, Mapping[str, Any]]
    results: Mapping[str, Any]
    blanked: Mapping[str, Mapping[str, Any]]
    kept: Sequence[Change]
    aligned: Sequence[Alignment]
    heard: Sequence[Heard]
    model: Nexus
    bytes: int


def card(facts: Facts) -> str:
    """The card as Markdown."""
    environment = Environment(undefined=StrictUndefined, keep_trailing_newline=True, autoescape=False)
    parts = {
        "vision tower with its merger": facts.model.model.visual,
        "speech encoder": facts.model.model.audio_tower,
        "audio adapter": facts.model.model.audio_adapter,
        "language model": facts.model.model.language_model,
        "output layer": facts.model.lm_head,
        "all": facts.model,
    }
    counts = {name: sum(parameter.numel() for parameter in part.parameters()) for name, part in parts.items()}
    asked = [target for target in (*HEARD, *SEEN) if target.task in facts.results["tasks"]]
    return environment.from_string(TEMPLATE.read_text(encoding="utf-8")).render(
        rows=[row(target, facts.results, facts.blanked, BLANKS) for target in asked],
        kept=facts.kept,
        aligned=facts.aligned,
        person=told(facts.heard),
        stages=[_stage(name, report) for name, report in facts.reports.items()],
        seed=next(iter(facts.reports.values()))["seed"],
        minutes=f"{sum(report['seconds'] * report['threads'] for report in facts.reports.values()) / 60:.0f}",
        parts=[(name, f"{count:,}") for name, count in counts.items()],
        megabytes=f"{facts.bytes / 1e6:.1f}",
    )


def _stage(name: str, report: Mapping[str, Any]) -> dict[str, str]:
    losses = report.get("held_out_loss")
    return {
        "name": name,
        "title": report["title"],
        "trained": f"{report['trained_parameters'] / 1e6:.2f} M",
        "data": _data(name),
        "effort": f"{report['steps']:,} x {report['samples'] // report['steps']}",
        "minutes": f"{report['seconds'] / 60:.0f} ({report['threads']})",
        "controls": "–" if losses is None else " / ".join(f"{loss:.2f}" for loss in losses.values()),
    }


def _data(name: str) -> str:
    """Shares of the kinds of data."""
    if name in BASE:
        shares = BASE[name].shares
    else:
        work = SIZES["mini"].work(name)
        shares = {kind: share for step in (0, work.effort.steps - 1) for kind, share in work.shares(step).items()}
    total = sum(shares.values())
    return ", ".join(f"{kind} {share / total:.0%}" for kind, share in shares.items()) or "transcript 100%"
