"""MM-Vet: 218 open questions that need up to six capabilities together (Yu et al., 2308.02490).

A judge grades each answer 0..1 against gold texts that all (`<AND>`) or one (`<OR>`) must be there.
"""

from __future__ import annotations

from collections.abc import Callable

from harness.task import Ratio, Row, Task
from harness.types import Doc, Generation
from tasks import choices
from tasks.data import Source
from tasks.docs import kept
from tasks.judges.prompts import mmvet as judge_prompt
from tasks.prompts import VITA_TILES, VLMEVALKIT_TOKENS, field, preset
from tasks.readers.hub import Hub
from tasks.readers.pictures import hub_pictures, table_in
from tasks.scoring import outcome
from tasks.scoring.asking import TEMPERATURES, asked, score_of
from tasks.scoring.free_text import contains, mentions
from tasks.scoring.grading import Grading, lmms_eval_number, vlmevalkit_number
from tasks.scoring.outcome import Asking, Outcome

CAPABILITIES = ("rec", "ocr", "know", "gen", "spat", "math")
REASONING = (
    "First please perform reasoning, and think step by step to provide best answer to the following question: \n\n"
)


def doc_of(row: Row) -> Doc:
    doc = kept(row, "question", "answer")
    _capabilities(doc)
    return doc


def _capabilities(doc: Doc) -> list[str]:
    named = [part.strip() for part in str(doc.get("capability") or doc.get("category") or "").split(",")]
    if not named[0] or (unknown := [name for name in named if name not in CAPABILITIES]):
        raise ValueError(
            f"MM-Vet has no capability {(unknown or named)[0]!r}; it has {', '.join(CAPABILITIES)}"
            if named[0]
            else "the row has no capability"
        )
    return named


def _tags(doc: Doc) -> outcome.Tags:
    named = _capabilities(doc)
    return {"capability": tuple(named), "combination": ("_".join(named),)}


def _prompt(answer: str, doc: Doc) -> str:
    return judge_prompt(str(doc["question"]), str(doc["answer"]), answer)


def _graded(grade: Callable[[str], Grading]) -> Callable[[str, Doc], Asking]:
    def rule(answer: str, doc: Doc) -> Asking:
        value = yield from grade(_prompt(answer, doc))
        return Outcome(f"{value:g}", value)

    return rule


def _judged(answer: str, doc: Doc) -> Asking:
    """A whole reply that is a number in 0..1, of five tries; a judge that gives none has failed."""
    value = yield from asked(_prompt(answer, doc), score_of, TEMPERATURES)
    return Outcome(f"{value:g}", value)


def _by_rule(holds: Callable[[str, str], bool]) -> Callable[[str, Doc], Outcome]:
    """The share of the elements that all must be there, of the best alternative. It sees words and not their meaning."""

    def rule(answer: str, doc: Doc) -> Outcome:
        alternatives = [option.split("<AND>") for option in str(doc["answer"]).split("<OR>")]
        shares = [sum(holds(answer, part.strip()) for part in parts) / len(parts) for parts in alternatives]
        return Outcome(answer, max(shares))

    return rule


RULES: dict[str, outcome.Rule] = {
    "judged": _judged,
    "vlmevalkit_vita": _graded(vlmevalkit_number),
    "vlmevalkit": _graded(vlmevalkit_number),
    "lmms_eval": _graded(lmms_eval_number),
    "rules": _by_rule(lambda answer, gold: contains(answer, [gold], formula=False)),
    "robust": _by_rule(lambda answer, gold: mentions(answer, [gold])),
}
MMVET = Task(
    name="mmvet",
    version="1",
    inputs=frozenset({"text", "image"}),
    source=Source(
        table_in("MMVet", "MMVet.tsv", pictureless="kept"),
        ("MMVet.tsv", "MMVet/MMVet.tsv"),
        "MMVet.tsv (VLMEvalKit's table)",
        Hub(
            "lmms-lab-encoder/MMVet",
            "test",
            ("question_id", "question", "answer", "capability", "image"),
            hub_pictures("question_id", pictureless="kept"),
        ),
        published=218,
    ),  # fmt: skip
    doc=doc_of,
    presets={
        "vita": preset(lambda row: field(row, "question"), VLMEVALKIT_TOKENS, VITA_TILES, blind=True),
        "lmms_eval": preset(
            lambda row: REASONING + field(row, "question"), Generation(max_new_tokens=1024), blind=True
        ),
        "vlmevalkit": preset(lambda row: field(row, "question"), VLMEVALKIT_TOKENS, blind=True),
    },
    default_preset="vlmevalkit",
    scorer=outcome.scorer(RULES, _tags, lambda doc: doc["answer"]),
    metrics=(Ratio("score", "%", True, "right", "n", headline=True, by=("capability", "combination")),),
    profiles=tuple(RULES),
    default_profile="judged",
    judges=choices.JUDGES,
    without_judge=("rules", "robust"),
    benchmark="MM-Vet",
    split="all 218",
    published_metrics={"score": "judge score /100"},
    citation="Yu et al., MM-Vet: evaluating large multimodal models for integrated capabilities, ICML 2024",
    licence="CC BY-NC 4.0; the images keep the licences of their sources",
)
