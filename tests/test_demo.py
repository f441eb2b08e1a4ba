"""`make demo` asks samples of every family, enough of each for a number."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from harness.config import RunConfig, gather
from harness.contracts import DataChoice
from harness.part import Dealer, Part
from harness.registry import SUITES, get_task, names
from harness.task import Row

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def demo() -> RunConfig:
    return gather({}, ROOT / "docs" / "demo.yaml")


def asked(demo: RunConfig, name: str) -> list[Row]:
    """The rows of a task that the demo asks."""
    task, dealer = get_task(name), Dealer(Part.parse(str(demo.part)))
    grouped = task.group is not None
    return [
        row
        for row in task.rows(DataChoice.parse(demo.data))
        if dealer.takes(task.cluster(task.doc(row)) if grouped else None)
    ]


def test_the_demo_asks_tasks_of_every_suite_and_channel(demo: RunConfig) -> None:
    assert {suite for suite, tasks in SUITES.items() if set(tasks) & set(demo.tasks)} == set(SUITES)
    assert get_task("llama_questions").asking({"text", "speech"}).outputs == ("text", "speech")
    assert demo.skip_unable and (demo.model, demo.data) == ("vita15-mini", "mini")


def test_the_demo_asks_a_few_samples_of_each_task(demo: RunConfig) -> None:
    counts = {name: len(asked(demo, name)) for name in demo.tasks}
    assert min(counts.values()) >= 5 and sum(counts.values()) <= 150, counts


def test_what_the_demo_asks_is_whole_where_samples_are_scored_together(demo: RunConfig) -> None:
    """All rotations of a question of MMBench; both questions on a picture in every category of MME."""
    bench = get_task("mmbench_en")
    every = Counter(bench.cluster(bench.doc(row)) for row in bench.rows(DataChoice.parse("mini")))
    some = Counter(bench.cluster(bench.doc(row)) for row in asked(demo, "mmbench_en"))
    assert some and all(every[question] == n for question, n in some.items())
    assert set(Counter(row["category"] for row in asked(demo, "mme")).values()) == {2}
    assert len({row["category"] for row in asked(demo, "mme")}) == 14


def test_every_folder_of_weights_that_ships_is_a_model_that_the_whole_demo_can_name() -> None:
    shipped = {card.parent.name for card in (ROOT / "models" / "weights").glob("*/weights.json")}
    assert shipped and shipped <= set(names("models"))
