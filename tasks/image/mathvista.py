"""MathVista, testmini: 1,000 questions of mathematics in pictures (Lu et al., 2310.02255).

An answer is free text, out of which a rule or a judge extracts a letter, a number or a list; that is compared here.
"""

from __future__ import annotations

from collections.abc import Callable

from harness.task import Ratio, Row, Task
from harness.types import Doc, Generation
from tasks import choices
from tasks.data import Source
from tasks.docs import kept
from tasks.judges.prompts import mathvista as judge_prompt
from tasks.prompts import VITA_TILES, VLMEVALKIT_TOKENS, field, preset
from tasks.readers.hub import Hub
from tasks.readers.pictures import hub_pictures, table_in
from tasks.scoring import extraction, outcome
from tasks.scoring.asking import ask, asked
from tasks.scoring.cells import listed
from tasks.scoring.outcome import Asking, Outcome

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
WANTED = {
    "choice": ("the question", "correct option letter", "A, B, C, D"),
    "integer": ("the question requiring an integer answer", "final value", "1, 2, 3"),
    "list": (
        "the question requiring a Python list as an answer", "final list", "[1, 2, 3], [1.2, 1.3, 1.4]",
    ),
    "float1": (
        "the question requiring a floating-point number with one decimal place", "final value", "1.2, 1.3, 1.4",
    ),
    "float2": (
        "the question requiring a floating-point number with two decimal places", "final value", "1.23, 1.34, 1.45",
    ),
}  # fmt: skip
FORMS = {
    "choice": "Answer with the option's letter from the given choices directly.",
    "integer": "Answer the question using a single integer number.",
    "list": "Answer the question using a Python list.",
    "float1": "Answer the question using a single floating-point number with one decimal place.",
    "float2": "Answer the question using a single floating-point number with two decimal places.",
}


def doc_of(row: Row) -> Doc:
    doc = kept(row, "question", "answer", "question_type", "answer_type")
    if extraction.is_choice(doc):
        extraction.gold_letter(doc)
    return doc


def _kind(row: Row) -> str:
    if extraction.is_choice(row):
        return "choice"
    answer_type = field(row, "answer_type")
    return answer_type if answer_type != "float" else f"float{int(float(str(row.get('precision') or 1)))}"


def _question(row: Row) -> str:
    """The bare question with its unit; a table's question text already has hint and choices around it."""
    unit = f" (Unit: {row['unit']})" if row.get("unit") else ""
    return f"{row.get('raw_question') or field(row, 'question')}{unit}"


def hinted(row: Row) -> str:
    """lmms-eval's first form: question, choices, then a hint at what is wanted."""
    options = listed(row.get("choices"))
    listing = "".join(f"\n({letter}) {text}" for letter, text in zip(LETTERS, options, strict=False))
    what, which, example = WANTED[_kind(row)]
    choice_lines = f"\nChoices:{listing}" if options else ""
    hint = f"Hint: Please answer {what} and provide the {which}, e.g., {example}, at the end."
    return f"Question: {_question(row)}{choice_lines}\n{hint}"


def short(row: Row) -> str:
    """lmms-eval's form for models that answer shortly."""
    options = listed(row.get("choices"))
    listing = "".join(f"\n{letter}. {text}" for letter, text in zip(LETTERS, options, strict=False))
    return f"{_question(row)}{listing}\n{FORMS[_kind(row)]}"


def _as_stored(row: Row) -> str:
    """The question with hint and choices, as the data set has it ready."""
    return str(row.get("query") or field(row, "question"))


def _vlmevalkit(current: bool) -> Callable[[str, Doc], Outcome | Asking]:
    def rule(answer: str, doc: Doc) -> Outcome | Asking:
        found = extraction.prefetched(answer, doc, current=current)
        if found is not None:
            return Outcome(found, extraction.vlmevalkit_right(found, doc, current=current))
        return _asking(answer, doc, lambda reply: extraction.vlmevalkit_right(reply, doc, current=current))

    return rule


def _lmms_rule(answer: str, doc: Doc) -> Outcome | Asking:
    found = extraction.quickly(answer.strip(), doc)
    if found is not None:
        return Outcome(found, extraction.lmms_eval_right(found, doc))
    return _asking(answer.strip(), doc, lambda reply: extraction.lmms_eval_right(reply, doc))


def _asking(answer: str, doc: Doc, right: Callable[[str], bool]) -> Asking:
    reply = (yield ask(judge_prompt(str(doc.get("query") or doc["question"]), answer))).text.strip()
    return Outcome(reply, right(reply))


def _by_rule(robust: bool) -> Callable[[str, Doc], Outcome]:
    def rule(answer: str, doc: Doc) -> Outcome:
        found = extraction.by_rule(answer, doc, robust=robust)
        return Outcome(found, found is not None and extraction.is_right(found, doc))

    return rule


def _judged(answer: str, doc: Doc) -> Outcome | Asking:
    """What the answer states outright, else what a judge reads in it."""
    found = extraction.by_rule(answer, doc, robust=True)
    if found is not None and extraction.is_right(found, doc):
        return Outcome(found, 1.0)
    return _asking_for_one(answer, doc) if answer.strip() else outcome.WRONG


def _asking_for_one(answer: str, doc: Doc) -> Asking:
    prompt = judge_prompt(str(doc.get("query") or doc["question"]), answer)
    reply = yield from asked(prompt, lambda text: text.strip() or None)
    return Outcome(reply, extraction.is_right(reply, doc))


def _tags(doc: Doc) -> outcome.Tags:
    """Task and skills, out of the table's columns or the hub's metadata."""
    known = {**(doc.get("metadata") or {}), **doc}
    tags = {"skill": tuple(listed(known.get("skills")))}
    return tags | {tag: (str(known[tag]),) for tag in ("task", "question_type", "answer_type") if known.get(tag)}


RULES: dict[str, outcome.Rule] = {
    "judged": _judged,
    "vlmevalkit_vita": _vlmevalkit(False),
    "vlmevalkit": _vlmevalkit(True),
    "lmms_eval": _lmms_rule,
    "rules": _by_rule(False),
    "robust": _by_rule(True),
}
SCORE_TOKENS = Generation(max_new_tokens=16384)
MATHVISTA = Task(
    name="mathvista",
    version="1",
    inputs=frozenset({"text", "image"}),
    source=Source(
        table_in("MathVista", "MathVista_MINI.tsv"),
        ("MathVista_MINI.tsv", "MathVista/MathVista_MINI.tsv"),
        "MathVista_MINI.tsv (VLMEvalKit's table)",
        Hub(
            "AI4Math/MathVista",
            "testmini",
            ("pid", "question", "query", "choices", "answer", "question_type", "answer_type", "decoded_image"),
            hub_pictures("pid"),
        ),
        published=1000,
    ),
    doc=doc_of,
    presets={
        "vita": preset(_as_stored, VLMEVALKIT_TOKENS, VITA_TILES),
        "lmms_eval": preset(hinted, SCORE_TOKENS),
        "lmms_eval_solution": preset(lambda row: f"{hinted(row)}\nSolution:", SCORE_TOKENS),
        "lmms_eval_format": preset(short, SCORE_TOKENS),
        "vlmevalkit": preset(_as_stored, VLMEVALKIT_TOKENS),
    },
    default_preset="vlmevalkit",
    scorer=outcome.scorer(RULES, _tags, lambda doc: doc["answer"]),
    metrics=(
        Ratio("accuracy", "%", True, "right", "n", headline=True, by=("task", "skill", "question_type", "answer_type")),
    ),
    profiles=tuple(RULES),
    default_profile="judged",
    judges=choices.JUDGES,
    without_judge=("rules", "robust"),
    benchmark="MathVista",
    split="testmini",
    published_metrics={"accuracy": "acc %"},
    citation="Lu et al., MathVista: evaluating mathematical reasoning of foundation models in visual contexts, ICLR 2024",
    licence="CC BY-SA 4.0; the images keep the licences of their sources",
)
