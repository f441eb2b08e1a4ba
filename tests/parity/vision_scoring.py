"""Parity of image-benchmark scoring and prompts with recorded public evaluations."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from tasks.image import prompts as image_prompts
from tasks.scoring import yes_no
from tests.parity.check import Check
from tests.parity.goldens import locate

SCORE_TOLERANCE = 1e-6

# Names under which a reference reports MME's two halves.
_HALVES = {
    "perception": "perception",
    "reasoning": "cognition",
    "mme_perception_score": "perception",
    "mme_cognition_score": "cognition",
    "total": "total",
}


def _load(goldens: Path, name: str) -> dict[str, Any]:
    golden: dict[str, Any] = json.loads(locate(goldens, "vision", f"{name}.json").read_text("utf-8"))
    return golden


def mme(goldens: Path) -> Check:
    golden = _load(goldens, "mme")
    check = Check("mme", tolerance=SCORE_TOLERANCE)
    for profile in yes_no.PROFILES:
        image_key = "question_id" if profile == "lmms_eval" else "image_path"
        images: dict[tuple[str, str], list[dict[str, float]]] = defaultdict(list)
        for record in golden["records"]:
            if profile not in record["expected"]:
                continue
            name, doc, expected = f"{profile} {record['id']}", record["doc"], record["expected"][profile]
            extracted = yes_no.extract(record["response"], profile)
            correct = yes_no.is_correct(extracted, doc["answer"], profile)
            check.equal(f"{name} extracted", extracted, expected["extracted"])
            check.equal(f"{name} correct", correct, bool(expected["score"]))
            if "metric" in expected:
                half = "perception" if doc["category"] in yes_no.PERCEPTION else "cognition"
                check.equal(f"{name} half", half, _HALVES[expected["metric"]])
            images[doc["category"], doc[image_key]].append(yes_no.mme_parts(doc["category"], correct))
        if profile in golden["aggregate"]:
            _compare_aggregate(check, profile, list(images.values()), golden["aggregate"][profile])
    return check


def _compare_aggregate(
    check: Check, profile: str, images: Sequence[Sequence[Mapping[str, float]]], expected: Mapping[str, Any]
) -> None:
    sums = yes_no.combine_image([])
    for questions in images:
        for name, value in yes_no.combine_image(questions).items():
            sums[name] = sums.get(name, 0.0) + value
    scores = yes_no.mme_scores(sums)
    flat = {**expected, **expected.get("per_category", {})}
    flat.pop("per_category", None)
    for name, value in flat.items():
        got = scores[_HALVES[name]] if name in _HALVES else scores[f"{name}.score"]
        check.close(f"{profile} {name}", got, value)


def prompts(goldens: Path) -> Check:
    golden = _load(goldens, "prompts")
    check = Check("prompts")
    for record in golden["records"]:
        if record["tag"] != "mme":
            continue
        expected = record["expected"]
        if "lmms_eval" in expected:
            text = image_prompts.MME_PROMPTS["lmms_eval"](record["doc"])
            check.equal(f"lmms_eval {record['id']}", text, expected["lmms_eval"])
        if "vita_vlmevalkit" in expected:
            vita = expected["vita_vlmevalkit"]
            text = image_prompts.MME_PROMPTS["vita"](record["doc"])
            check.equal(f"vita {record['id']}", text, vita["text"])
            check.equal(f"vita {record['id']} order", image_prompts.VITA_IMAGES_FIRST, vita["images_first"])
            check.equal(f"vita {record['id']} tiles", image_prompts.VITA_MAX_TILES, vita["max_tiles"])
    return check


COMPONENTS: dict[str, Callable[[Path], Check]] = {"mme": mme, "prompts": prompts}
