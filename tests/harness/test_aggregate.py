"""Results follow what was scored, not who finished first."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.aggregate import Planned, task_result
from harness.measures import measure, tables_of
from harness.schema import Record, Scored, StoredResponse
from harness.task import Aggregate, Combined, Member, Quantile, Ratio, Statistic
from harness.types import Failure, Score
from harness.units import PartTable, averaged
from tests.harness.toy import TASK, toy_task

PLANNED = Planned("plain", "exact")


def pair(i: int, right: bool, cluster: str | None = None, **more: object) -> tuple[Record, Scored]:
    tags = {"kind": (f"k{i % 3}",)}
    score = Score("right", float(right), {"right": float(right), "n": 1.0}, tags=tags, wrong=not right)
    record = Record(str(i), "digest", 0, [], {}, cluster=cluster, repeat=int(str(more.get("repeat", 0))))
    return record, Scored(str(i), {"exact": {"": score}}, repeat=record.repeat)


METRICS = (
    Ratio("accuracy", "%", True, "right", "n", headline=True, by=("kind",)),
    Ratio("error", "%", False, "right", "n", complement=True),
    Combined("mean", "%", True, "accuracy", "kind", {"k0": 1 / 3, "k1": 1 / 3, "k2": 1 / 3}),
    Combined("unasked", "%", True, "accuracy", "kind", {"k0": 1.0, "k9": 1.0}),
    Quantile("p50", "", "right", 0.5),
)


@given(seed=st.integers(0, 10_000), speakers=st.sampled_from([3, 12]))
@settings(max_examples=12)
def test_the_order_of_the_records_does_not_matter(seed: int, speakers: int) -> None:
    rng = random.Random(seed)
    task = toy_task([], metrics=METRICS)
    pairs = [pair(i, rng.random() < 0.7, rng.choice([*map(str, range(speakers)), None])) for i in range(60)]
    first = task_result(task, PLANNED, pairs, None, seed=1)
    rng.shuffle(pairs)
    assert task_result(task, PLANNED, pairs, None, seed=1) == first


def test_a_sum_over_what_was_not_asked_is_no_number() -> None:
    found = task_result(toy_task([], metrics=METRICS), PLANNED, [pair(i, i % 2 == 0) for i in range(30)], None)
    metrics = found.headline.metrics
    assert metrics["accuracy"].value == 50 and metrics["error"].value == 50
    assert metrics["mean"].value == pytest.approx(50) and metrics["unasked"].value is None
    assert [group.n_samples for group in found.headline.groups["kind"].values()] == [10, 10, 10]


@given(seed=st.integers(0, 10_000), repeats=st.integers(1, 3))
@settings(max_examples=12)
def test_any_function_of_all_payloads_is_a_metric(seed: int, repeats: int) -> None:
    """It sees them in the order of the ids, whoever finished first; of repeats the values are averaged."""
    rng = random.Random(seed)
    seen: list[list[int]] = []

    def first_over_last(payloads: list[dict[str, int]]) -> float:
        seen.append([payload["i"] for payload in payloads])
        return payloads[0]["x"] / payloads[-1]["x"]

    pairs = []
    for repeat in range(repeats):
        for i in range(10, 30):
            record, scored = pair(i, True, repeat=repeat)
            score = scored.scores["exact"][""]
            payload = {"shape": {"i": i, "x": i * (repeat + 1) + repeat}}
            pairs.append((record, Scored(record.id, {"exact": {"": replace(score, payload=payload)}}, repeat=repeat)))
    rng.shuffle(pairs)
    task = toy_task([], metrics=(Aggregate("shape", "", True, first_over_last), METRICS[0]))
    found = task_result(task, Planned("plain", "exact", repeats), pairs, None).headline.metrics["shape"]
    assert all(order == list(range(10, 30)) for order in seen)
    of_each = [(10 * (r + 1) + r) / (29 * (r + 1) + r) for r in range(repeats)]
    assert found.value == pytest.approx(sum(of_each) / repeats)
    assert found.ci is None and found.n == 20


def test_a_function_that_makes_no_number_leaves_the_metric_without_a_value() -> None:
    record, scored = pair(0, True)
    score = replace(scored.scores["exact"][""], payload={"file": [1]})
    task = toy_task([], metrics=(Aggregate("file", "", True, lambda payloads: None), METRICS[0]))
    metrics = task_result(task, PLANNED, [(record, Scored("0", {"exact": {"": score}}))], None).headline.metrics
    assert metrics["file"].value is None and metrics["accuracy"].value == 100


@pytest.mark.parametrize("made", [lambda given: 1 / 0, lambda given: "5", lambda given: True, lambda given: given[9]])
def test_a_function_that_fails_leaves_its_metric_without_a_value_and_is_told(made: Any) -> None:
    pairs = []
    for i in range(4):
        record, scored = pair(i, True)
        score = replace(scored.scores["exact"][""], payload={"curve": i})
        pairs.append((record, Scored(record.id, {"exact": {"": score}})))
    own = (Aggregate("curve", "", True, made), Statistic("own", "", True, lambda sums: 1 / 0, over="n"))
    task = toy_task([], metrics=(METRICS[0], *own))
    found = task_result(task, PLANNED, pairs, None)
    values = {name: (metric.value, metric.n) for name, metric in found.headline.metrics.items()}
    assert found.valid and values == {"accuracy": (100, 4), "curve": (None, 4), "own": (None, 4)}
    assert [line.partition(":")[0] for line in found.problems] == [
        "no value of curve under exact", "no value of own under exact"
    ]  # fmt: skip
    made_again = measure(task, own[1], tables_of(task, "exact", "", pairs))
    assert made_again is not None and math.isnan(made_again.value)


def test_few_clusters_are_not_resampled_where_samples_add_up() -> None:
    few, many = PartTable(), PartTable()
    for i in range(64):
        few.add(str(i), {"right": 1.0, "n": 1.0}, str(i % 7), {})
        many.add(str(i), {"right": 1.0, "n": 1.0}, str(i % 8), {})
    assert few.units("group").kind == "sample"
    units = many.units("group")
    assert (units.kind, len(units.parts)) == ("group", 8)
    assert units.parts.sum(axis=0).tolist() == [64, 64]
    assert (np.diff(units.keys.astype(float)) > 0).all(), "units are in the order of their keys"


def test_a_part_that_some_samples_lack_is_zero_in_sums_and_absent_in_values() -> None:
    table = PartTable()
    table.add("0", {"a": 1.0}, None, {})
    table.add("1", {"b": 2.0}, None, {})
    assert table.names == ["a", "b"]
    assert sorted(table.units(None).parts.tolist()) == [[0.0, 2.0], [1.0, 0.0]]
    assert table.values("b").tolist() == [2.0]


def test_repeats_are_averaged_into_their_sample() -> None:
    tables = [PartTable(), PartTable()]
    for repeat, table in enumerate(tables):
        for i in range(3):
            table.add(str(i), {"right": float(repeat), "n": 1.0}, None, {})
    units = averaged([table.units(None) for table in tables])
    assert units.parts.tolist() == [[1.0, 0.5]] * 3


def test_missing_and_repeated_records_are_counted() -> None:
    pairs = [pair(i, True) for i in range(8)] + [pair(3, False)]
    found = task_result(TASK, PLANNED, pairs, map(str, range(10)))
    assert (found.n_expected, found.n_missing, found.n_repeated, found.valid) == (10, 2, 1, False)
    assert found.headline.metrics["accuracy"].value == 100, "the first of each counts"


def unscored(i: int, repeat: int = 0) -> tuple[Record, Scored]:
    record = Record(str(i), "digest", 0, [], {}, repeat=repeat)
    return record, Scored(str(i), {"exact": {"": Score("right", None, status="unscored")}}, repeat=repeat)


def test_what_is_unscored_is_in_no_number_of_the_repeats() -> None:
    pairs = [pair(i, i < 4, repeat=repeat) for i in range(5) for repeat in range(2)]
    pairs += [unscored(i, repeat) for i in range(5, 10) for repeat in range(2)]
    found = task_result(TASK, Planned("plain", "exact", 2), pairs, map(str, range(10)))
    assert found.headline.metrics["accuracy"].value == 80 and found.pass_at == {"1": 80.0, "2": 80.0}
    assert found.problems == ["10 answers are unscored and in no number"]


def test_sound_counts_as_answered_only_where_it_was() -> None:
    pairs = []
    for i in range(10):
        record, scored = pair(i, i == 0)
        record.took, record.audio_s = 0.5, 8.0
        record.response = StoredResponse("heard") if i < 2 else None
        record.failure = Failure("generate", "limit", "out of memory") if i else None
        pairs.append((record, scored))
    found = task_result(TASK, PLANNED, [*pairs, pairs[0]], None)
    assert (found.audio_s, found.seconds) == (8.0, 5.0), "the first of a record that is there twice counts"


@pytest.mark.parametrize("cluster", [None, "a"])
def test_a_failed_row_of_a_torn_group_is_told_once(cluster: str | None) -> None:
    def group(members: Sequence[Member], profile: str) -> dict[str, float]:
        right = sum(member.score.parts["right"] for member in members)
        return {"right": right, "n": 2.0} if len(members) == 2 else {"incomplete": 1.0}

    pairs = [pair(i, True, f"c{i // 2}") for i in range(4)]
    record, scored = pair(5, False, cluster)
    failed = replace(scored.scores["exact"][""], status="failed")
    pairs.append((record, Scored("5", {"exact": {"": failed}})))
    found = task_result(toy_task([], group=group), PLANNED, pairs, None)
    assert "invalid: 1 failed rows count nowhere, as it is not known what they belong to" in found.problems
