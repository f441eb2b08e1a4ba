"""TempCompass: 7,540 questions in four formats on five aspects of time, on 410 videos (Liu et al., 2403.00476).

Captions can only be scored by a judge, which answers a question from them; without a judge they are unscored.
"""

from __future__ import annotations

from collections.abc import Callable

from harness.task import Combined, Ratio, Row, Task
from harness.types import Doc, Generation, Pictures
from tasks import choices
from tasks.data import Source
from tasks.docs import kept, tagged
from tasks.judges import prompts
from tasks.prompts import field, preset
from tasks.readers.clips import below, tempcompass
from tasks.readers.hub import Hub
from tasks.scoring import outcome, yes_no
from tasks.scoring import tempcompass as rules
from tasks.scoring.asking import ask, asked, correctness_of
from tasks.scoring.choice.robust import stated
from tasks.scoring.grading import Grading, chosen_from_caption, lmms_eval_correct, vlmevalkit_correct
from tasks.scoring.outcome import WRONG, Asking, Outcome

FORMATS = ("multi-choice", "yes_no", "caption_matching", "captioning")
ASPECTS = ("action", "direction", "speed", "order", "attribute_change")
SUFFIXES = {
    "multi-choice": "\nPlease directly give the best option:",
    "yes_no": "\nPlease answer yes or no:",
    "caption_matching": "\nPlease directly give the best option:",
    "captioning": "",
}
FRAMES = Pictures(max_frames=16, frame_rule="uniform")


def doc_of(row: Row) -> Doc:
    """Raises ValueError naming the field that is missing or unknown."""
    doc = kept(row, "question", "task_type", "dim")
    for name, known in (("task_type", FORMATS), ("dim", ASPECTS)):
        if doc[name] not in known:
            raise ValueError(f"TempCompass has no {name} {doc[name]!r}; it has {', '.join(known)}")
    gold_of(doc)
    return doc


def gold_of(doc: Doc) -> str:
    return field(doc, "mc_answer" if doc["task_type"] == "captioning" else "answer")


def _by_rule(answer: str, doc: Doc) -> float | None:
    gold = gold_of(doc)
    match doc["task_type"]:
        case "multi-choice":
            return rules.multiple_choice(answer, gold)
        case "yes_no":
            return rules.yes_no(answer, gold)
        case "caption_matching":
            return rules.caption_matching(answer, str(doc["question"]), gold)
    return None


def _exact(answer: str, doc: Doc) -> Outcome:
    """Where no rule reads the answer it is wrong."""
    return Outcome(answer, _by_rule(answer, doc) or 0.0)


def _public(correct: Callable[[str], Grading], unusable: float) -> outcome.Rule:
    """A rule first, then a judge; `unusable` is what a caption counts whose judge says nothing."""

    def rule(answer: str, doc: Doc) -> Outcome | Asking:
        if doc["task_type"] == "captioning":
            return _caption(answer, doc, unusable)
        found = _by_rule(answer, doc)
        return _grade(answer, doc) if found is None else Outcome(answer, found)

    def _grade(answer: str, doc: Doc) -> Asking:
        return Outcome(answer, (yield from correct(_prompt(answer, doc))))

    return rule


def _caption(answer: str, doc: Doc, unusable: float) -> Asking:
    reply = (yield ask(prompts.tempcompass_caption(answer, str(doc["mc_question"])))).text
    said, rating = chosen_from_caption(reply, gold_of(doc))
    return Outcome(said, unusable if rating < 0 else rating)


def _judged(answer: str, doc: Doc) -> Outcome | Asking:
    """Rules first; a judge whose reply cannot be used has failed."""
    if doc["task_type"] == "captioning":
        return _caption_judged(answer, doc)
    found = _by_rule(answer, doc)
    return Outcome(answer, found) if found is not None or not answer.strip() else _correct(answer, doc)


def _correct(answer: str, doc: Doc) -> Asking:
    return Outcome(answer, float((yield from asked(_prompt(answer, doc), correctness_of))))


def _caption_judged(answer: str, doc: Doc) -> Asking:
    prompt = prompts.tempcompass_caption(answer, str(doc["mc_question"]))
    reply = yield from asked(prompt, lambda text: text.strip() or None)
    said, rating = chosen_from_caption(reply, gold_of(doc))
    return Outcome(said, rating)


def _robust(answer: str, doc: Doc) -> Outcome:
    gold = gold_of(doc)
    match doc["task_type"]:
        case "yes_no":
            said = yes_no.stated(answer)
            return Outcome(said, said == gold.lower())
        case "captioning":
            return WRONG
    options = rules.options_in(str(doc["question"]))
    letter = stated(answer, options)
    wanted = next((one for one, text in options.items() if gold.endswith(text)), None)
    return Outcome(letter, letter is not None and letter == wanted)


def _prompt(answer: str, doc: Doc) -> str:
    return prompts.tempcompass(str(doc["task_type"]), str(doc["question"]), gold_of(doc), answer)


def _wording(row: Row) -> str:
    return field(row, "question") + SUFFIXES[str(row["task_type"])]


def _first_line(row: Row) -> str:
    """VLMEvalKit keeps the first line of a yes/no question only."""
    question = field(row, "question")
    return (question.split("\n")[0] if row["task_type"] == "yes_no" else question) + SUFFIXES[str(row["task_type"])]


RULES: dict[str, outcome.Rule] = {
    "judged": _judged,
    "vlmevalkit_judge": _public(vlmevalkit_correct, unusable=-1.0),
    "lmms_eval": _public(lmms_eval_correct, unusable=0.0),
    "vlmevalkit_exact_matching": _exact,
    "robust": _robust,
}
WITHOUT_JUDGE = ("vlmevalkit_exact_matching", "robust")


def _needs_judge(doc: Doc, profile: str) -> str:
    return "a caption needs a judge" if doc.get("task_type") == "captioning" and profile in WITHOUT_JUDGE else ""


LIMIT = Generation(max_new_tokens=512)
TEMPCOMPASS = Task(
    name="tempcompass",
    version="1",
    inputs=frozenset({"text", "video"}),
    source=Source(
        below("TempCompass", tempcompass),
        ("TempCompass",),
        "TempCompass/{questions/{multi-choice,yes_no,caption_matching,captioning}.json, videos/*.mp4}",
        Hub(
            "lmms-lab/TempCompass",
            "test",
            ("video_id", "question", "answer", "dim"),
            configs=FORMATS,
            folder=tempcompass,
        ),
        published=7540,
    ),
    doc=doc_of,
    presets={
        "lmms_eval": preset(_wording, LIMIT, FRAMES),
        "vlmevalkit": preset(_first_line, LIMIT, FRAMES),
    },
    default_preset="lmms_eval",
    scorer=outcome.scorer(RULES, lambda doc: tagged(doc, "dim", format="task_type"), gold_of, unscored=_needs_judge),
    metrics=(
        Ratio("accuracy", "%", True, "right", "n", headline=True, by=("format", "dim")),
        Combined("format_mean", "%", True, "accuracy", "format", dict.fromkeys(FORMATS, 1 / len(FORMATS))),
    ),
    profiles=tuple(RULES),
    default_profile="judged",
    judges=choices.JUDGES,
    without_judge=WITHOUT_JUDGE,
    benchmark="TempCompass",
    split="overall (task mix not named)",
    published_metrics={"accuracy": "acc %"},
    cluster_name="video",
    cluster=lambda doc: str(doc["video_id"]) if doc.get("video_id") else None,
    citation="Liu et al., TempCompass: do video LLMs really understand videos?, ACL Findings 2024",
    licence="the videos keep the licences of their sources",
)
