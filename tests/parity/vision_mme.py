"""Parity of MME with recorded public evaluations."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from harness.task import Member
from harness.types import Answer
from tasks.scoring import mme as mme_task
from tests.parity.check import Check
from tests.parity.vision import SCORE_TOLERANCE, load

# Names under which a reference reports MME's two halves.
_HALVES = {
    "perception": "perception",
    "reasoning": "cognition",
    "mme_perception_score": "perception",
    "mme_cognition_score": "cognition",
    "total": "total",
}


def mme(goldens: Path) -> Check:
    golden = load(goldens, "mme")
    check = Check("mme", tolerance=SCORE_TOLERANCE)
    for profile in ("vlmevalkit_vita", "vlmevalkit", "lmms_eval"):
        image_key = "question_id" if profile == "lmms_eval" else "image_path"
        images: dict[tuple[str, str], list[Member]] = defaultdict(list)
        for record in golden["records"]:
            if profile not in record["expected"]:
                continue
            name, doc, expected = f"{profile} {record['id']}", record["doc"], record["expected"][profile]
            score = mme_task.score(doc, Answer(record["response"]), profile)
            check.equal(f"{name} extracted", score.extracted, expected["extracted"])
            check.equal(f"{name} correct", score.value, float(bool(expected["score"])))
            if "metric" in expected:
                half = "perception" if doc["category"] in mme_task.PERCEPTION else "cognition"
                check.equal(f"{name} half", half, _HALVES[expected["metric"]])
            images[doc["category"], doc[image_key]].append(Member(doc, score))
        if profile in golden["aggregate"]:
            _compare_aggregate(check, profile, images, golden["aggregate"][profile])
    return check


def _compare_aggregate(
    check: Check, profile: str, images: Mapping[tuple[str, str], Sequence[Member]], expected: Mapping[str, Any]
) -> None:
    """Category scores from the pictures' parts. The references count a category that was not asked as 0."""
    points: dict[str, list[float]] = defaultdict(list)
    for (category, _), members in images.items():
        parts = mme_task.points(members, profile)
        check.equal(f"{profile} {category} pairs", len(members), 2)
        points[category].append(parts["points"])
    scores = {category: sum(values) / len(values) for category, values in points.items()}
    halves = {"perception": mme_task.PERCEPTION, "cognition": mme_task.COGNITION}
    sums = {half: sum(scores.get(category, 0.0) for category in named) for half, named in halves.items()}
    sums["total"] = sum(sums.values())
    flat = {**expected, **expected.get("per_category", {})}
    flat.pop("per_category", None)
    for name, value in flat.items():
        got = sums[_HALVES[name]] if name in _HALVES else scores.get(name, 0.0)
        check.close(f"{profile} {name}", got, value)


COMPONENTS: dict[str, Callable[[Path], Check]] = {"mme": mme}
