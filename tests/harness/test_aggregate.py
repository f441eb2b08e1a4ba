"""Results follow what was scored, not who finished first."""

from __future__ import annotations

import random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from harness.aggregate import PartTable, resampling_units, task_result
from harness.registry import get_task
from harness.types import Doc, Response
from tests.harness.toy import ToyTask

WORDS = ["the", "cat", "sat", "on", "a", "red", "mat", "and", "saw", "two", "small", "birds"]


def records(task: Any, docs: list[Doc], rng: random.Random) -> list[dict[str, Any]]:
    found = []
    for i, doc in enumerate(docs):
        answer = " ".join(w for w in str(doc.get("text", "yes no")).split() if rng.random() < 0.8) or None
        score = task.score(doc, None if answer is None else Response(answer), task.default_profile)
        fields = {"parts": dict(score.parts), "status": score.status}
        found.append({"id": str(i), "cluster": task.cluster_of(doc), "score": fields})
    return found


@given(seed=st.integers(0, 10_000), speakers=st.sampled_from([3, 12]))
@settings(max_examples=12, deadline=None)
def test_the_order_of_the_records_does_not_matter(seed: int, speakers: int) -> None:
    rng = random.Random(seed)
    speech = get_task("librispeech_test_clean")
    spoken = [
        {"text": " ".join(rng.choices(WORDS, k=6)), "speaker_id": rng.choice([*range(speakers), None])}
        for _ in range(60)
    ]
    vision = get_task("mme")
    asked = [
        {"question_id": f"scene/{i // 2}", "category": rng.choice(["scene", "OCR"]), "answer": ("Yes", "No")[i % 2]}
        for i in range(40)
    ]
    for task, docs in ((speech, spoken), (vision, asked)):
        rows = records(task, docs, rng)
        first = task_result(task, task.default_profile, "p", rows, seed=1)
        rng.shuffle(rows)
        assert task_result(task, task.default_profile, "p", rows, seed=1) == first


def test_few_clusters_are_not_resampled_where_samples_add_up() -> None:
    few, many = PartTable(), PartTable()
    for i in range(64):
        few.add({"right": 1.0, "n": 1.0}, str(i % 7))
        many.add({"right": 1.0, "n": 1.0}, str(i % 8))
    task = ToyTask([])
    assert resampling_units(task, "exact", few).kind == "sample"
    units = resampling_units(task, "exact", many)
    assert (units.kind, len(units.parts)) == ("group", 8)
    assert units.parts.sum(axis=0).tolist() == [64, 64]


def test_a_part_that_some_samples_lack_is_zero_in_sums_and_absent_in_values() -> None:
    table = PartTable()
    table.add({"a": 1.0}, None)
    table.add({"b": 2.0}, None)
    assert table.names == ["a", "b"]
    units = resampling_units(get_task("latency_fixed"), "wall", table)
    assert sorted(units.parts.tolist()) == [[0.0, 2.0], [1.0, 0.0]]
