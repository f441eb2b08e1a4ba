"""What all multiple-choice benchmarks share: the scorer over option letters, with a judge for what no rule reads."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from harness.task import Scorer
from harness.types import Doc
from tasks.judges.prompts import choice_of
from tasks.scoring import choice, outcome
from tasks.scoring.asking import asked, letter_of
from tasks.scoring.cells import absent, options_of
from tasks.scoring.choice import NO_OPTION, Options, vlmevalkit
from tasks.scoring.choice.robust import stated
from tasks.scoring.outcome import Asking, Outcome, Tags

RULE_PROFILES = ("vlmevalkit_vita", "vlmevalkit", "lmms_eval", "robust")
PROFILES = (*RULE_PROFILES, "judged")
"""`judged` asks a language model for the letter that an answer means where VLMEvalKit's rule finds none."""
JUDGES = {"llm": "llm"}

OptionsOf = Callable[[Doc], Options]
Gold = Callable[[Doc], str]


def scorer(
    lmms_eval: choice.Rule,
    tags: Callable[[Doc], Tags],
    *,
    gold: Gold,
    options: OptionsOf = options_of,
    unscored: Callable[[Doc, str], str] = outcome.never,
) -> Scorer:
    """A benchmark's scorer under `PROFILES`: only lmms-eval's rule is its own."""
    letters: Mapping[str, choice.Rule] = {**vlmevalkit.RULES, "lmms_eval": lmms_eval, "robust": stated}
    rules: dict[str, outcome.Rule] = {name: by_letter(rule, gold, options) for name, rule in letters.items()}
    return outcome.scorer(rules | {"judged": by_judge(gold, options)}, tags, gold, unscored)


def hidden(doc: Doc, profile: str) -> str:
    """`unscored` of a benchmark whose test split has no answers."""
    return "its answer is not public" if absent(doc.get("answer")) else ""


def by_letter(rule: choice.Rule, gold: Gold, options: OptionsOf = options_of) -> Callable[[str, Doc], Outcome]:
    """A letter rule as one that compares with the gold letter."""

    def outcome_of(answer: str, doc: Doc) -> Outcome:
        letter = rule(answer, options(doc))
        return Outcome(letter, float(letter == gold(doc)))

    return outcome_of


def by_judge(gold: Gold, options: OptionsOf = options_of) -> Callable[[str, Doc], Outcome | Asking]:
    """VLMEvalKit's rule; a judge says which option is meant where it finds none. A judge that cannot say fails."""

    def outcome_of(answer: str, doc: Doc) -> Outcome | Asking:
        known = options(doc)
        letter = vlmevalkit.RULES["vlmevalkit_vita"](answer, known)
        if letter is not None or not answer.strip():
            return Outcome(letter, float(letter == gold(doc)))
        return _asking(answer, doc, known)

    def _asking(answer: str, doc: Doc, known: Options) -> Asking:
        letters = "".join(known) + NO_OPTION
        letter = yield from asked(choice_of(doc, known, answer), lambda reply: letter_of(reply, letters))
        return Outcome(letter, float(letter == gold(doc)))

    return outcome_of


def lettered(doc: Doc) -> str:
    """The gold letter out of `answer_letter` or `answer`, which may be a letter or an option's text. Raises ValueError
    naming the field where it is neither."""
    options = options_of(doc)
    value = doc.get("answer_letter") or doc.get("answer")
    text = "" if value is None else str(value).strip()
    if text in options or (len(text) == 1 and not options and text.isupper()):
        return text
    if named := [letter for letter, option in options.items() if option == text]:
        return named[0]
    raise ValueError(f"answer {value!r} names none of the options {dict(options)}")
