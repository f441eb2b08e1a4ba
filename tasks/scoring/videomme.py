"""Video-MME's rules: the first capital, in three readings, and the families' own."""

from __future__ import annotations

from collections.abc import Mapping

from harness.types import Doc
from tasks.scoring import outcome
from tasks.scoring.choice import NO_OPTION, scored, vlmevalkit
from tasks.scoring.choice.lmms_eval import best_placed
from tasks.scoring.choice.robust import stated
from tasks.scoring.choice.vita import parsed
from tasks.scoring.outcome import Outcome


def _dropping(answer: str, doc: Doc) -> Outcome:
    """An answer without a letter leaves the denominator: the copy of VLMEvalKit that VITA-1.5 was evaluated with."""
    letter = vlmevalkit.first_capital(answer)
    return Outcome(letter, float(letter == doc["answer"]), counted=letter is not None)


def _vlmevalkit(answer: str, doc: Doc) -> Outcome:
    """The question's own text is searched for options there, which it does not hold: no option text is found."""
    letter = vlmevalkit.first_capital(answer) or vlmevalkit.matched(answer, {}, current=True) or NO_OPTION
    return Outcome(letter, float(letter == doc["answer"]))


RULES: Mapping[str, outcome.Rule] = {
    "vita_parse_answer": scored.by_letter(lambda answer, options: parsed(answer), scored.lettered),
    "vlmevalkit_vita": _dropping,
    "vlmevalkit": _vlmevalkit,
    "lmms_eval": scored.by_letter(lambda answer, options: best_placed(answer), scored.lettered),
    "robust": scored.by_letter(stated, scored.lettered),
    "judged": scored.by_judge(scored.lettered),
}
