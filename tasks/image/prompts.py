"""How the public evaluations word the questions of image benchmarks.

The wording decides the score, so each is a named preset that a run records. Taken over as facts from VLMEvalKit's
VITA adapter (`vita`), lmms-eval 0.7.3 (`lmms_eval`) and VLMEvalKit's default (`vlmevalkit`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

SHORT_ANSWER = "Answer the question using a single word or phrase."
YES_OR_NO = " Please answer yes or no."

MME_WORDINGS: Mapping[str, Callable[[str], str]] = {
    "vita": lambda question: f"{question} {SHORT_ANSWER}",
    "lmms_eval": lambda question: f"{question.strip().replace(YES_OR_NO, '')}\n{SHORT_ANSWER}",
    "vlmevalkit": str,
}
