"""The card of the voice of nexus-o-mini: every figure in it comes from the training, the runs and the judge."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment, StrictUndefined

from models.training.nexus.codec_run import STAGE as CODEC
from models.training.nexus.stages import STAGES
from models.training.targets import Target, row

TEMPLATE = Path(__file__).with_name("voice_card.md.j2")
READ = (
    Target("Seed-TTS English, WER", "seedtts_en", "wer", 15),
    Target("Seed-TTS Mandarin, CER", "seedtts_zh", "cer", 15),
)
ANSWERED = (
    Target("LLaMA questions, spoken to spoken", "llama_questions", "accuracy", 50, "audio", 10, "speech"),
    Target("TriviaQA, spoken to spoken", "trivia_qa_audio", "accuracy", 50, "audio", 10, "speech"),
    Target("Web questions, spoken to spoken", "web_questions_audio", "accuracy", 50, "audio", 10, "speech"),
)
BLANKS = {"audio": "silence"}


@dataclass(frozen=True)
class Facts:
    """What is known of a voice.

    reports: the two stages' `stage.json`; results: `results.json` of the weights that ship; silent: the same with
    silence for questions; judged: error rates and lengths by what is spoken from; bytes: of decoder and codec.
    """

    reports: Mapping[str, Mapping[str, Any]]
    results: Mapping[str, Any]
    silent: Mapping[str, Any]
    judged: Mapping[str, Mapping[str, float]]
    bytes: int


def card(facts: Facts) -> str:
    """The card as Markdown."""
    environment = Environment(undefined=StrictUndefined, keep_trailing_newline=True, autoescape=False)
    last = list(STAGES)[-1]
    return environment.from_string(TEMPLATE.read_text(encoding="utf-8")).render(
        rows=[row(target, facts.results, {"audio": facts.silent}, BLANKS) for target in (*READ, *ANSWERED)],
        judged={what: rates for what, rates in facts.judged.items() if "wer" in rates or "cer" in rates},
        codec=_stage(facts.reports[CODEC]),
        decoder=_stage(facts.reports[last]),
        replies=f"{facts.reports[last]['replies']:,}",
        seed=facts.reports[last]["seed"],
        megabytes=f"{facts.bytes / 1e6:.1f}",
    )


def _stage(report: Mapping[str, Any]) -> dict[str, str]:
    return {
        "parameters": f"{report['trained_parameters'] / 1e6:.2f} M",
        "effort": f"{report['steps']:,} x {report['samples'] // report['steps']}",
        "minutes": f"{report['seconds'] / 60:.0f} ({report['threads']})",
        "controls": " / ".join(f"{loss:.2f}" for loss in report["held_out_loss"].values()),
        "start": str(report.get("start", "random weights")),
    }
