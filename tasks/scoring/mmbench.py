"""MMBench's rules: letters of each rotation, and a question right in all its rotations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from harness.task import Member
from harness.types import Doc
from tasks.docs import tagged
from tasks.scoring.cells import options_of
from tasks.scoring.choice import Options, lmms_eval, scored
from tasks.scoring.grouped import circular

ROTATION = 1_000_000
SHORT = {
    "coarse_perception": "CP",
    "finegrained_perception (instance-level)": "FP-S",
    "finegrained_perception (cross-instance)": "FP-C",
    "logic_reasoning": "LR",
    "relation_reasoning": "RR",
    "attribute_reasoning": "AR",
}


def question_of(doc: Doc) -> str:
    """What all rotations of a question share."""
    try:
        return str(int(float(str(doc["index"]))) % ROTATION)
    except (KeyError, ValueError):
        raise ValueError(f"the row's index is {doc.get('index')!r}; it must be a whole number") from None


def _tags(doc: Doc) -> Mapping[str, tuple[str, ...]]:
    level_2 = doc.get("l2-category") or doc.get("L2-category")
    return tagged({**doc, "l2": SHORT.get(str(level_2), level_2)}, "category", l2_category="l2")


def _letter(answer: str, options: Options) -> str | None:
    return lmms_eval.prefetched(answer, options) or lmms_eval.best_placed(answer, "".join(sorted(options)))


def rotations(members: Sequence[Member], profile: str) -> Mapping[str, float]:
    return circular(members, max(len(options_of(member.doc)) for member in members))


SCORER = scored.scorer(_letter, _tags, gold=scored.lettered)
OF_HIDDEN = scored.scorer(_letter, _tags, gold=scored.lettered, unscored=scored.hidden)
"""Of the test splits."""
