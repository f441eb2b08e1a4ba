"""What every task promises the engine, checked for all of them through the registry."""

from __future__ import annotations

import importlib
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace as changed

from harness import media, registry
from harness.contracts import DataChoice
from harness.schema import Record, StoredResponse
from harness.task import Combined, Quantile, Ratio, Task
from harness.types import Answer, Media, Sample, Text
from reports.published import place, place_of
from reports.published import records as published_cells
from tasks.data import MINI
from tasks.image.ai2d import gold as ai2d_gold
from tasks.scoring.cells import listed
from tasks.scoring.choice.scored import lettered
from tasks.scoring.mmmu import is_open
from tasks.scoring.tempcompass import gold_of as tempcompass_gold
from tests.tasks import archives
from tests.tasks.results import record, result_of, sampled, values

EVERY = registry.names("tasks")
ASKED = [name for name in EVERY if name not in registry.SUITES["latency"]]
"""The tasks on data; latency has none (test_latency.py)."""
TASKS = [name for name in ASKED if not registry.get_task(name).submission]
"""The tasks that compare answers with references; those of hidden test splits are submitted."""
EARLIER = [name for name in EVERY if name.endswith("_v10")]
"""Earlier versions of a benchmark; the mini world is laid out like the present ones."""


def each(names: Sequence[str]) -> list[Any]:
    """Every task with every data that there is of it."""
    mini = [pytest.param(name, "mini") for name in names if MINI.is_dir() and name not in EARLIER]
    return [pytest.param(name, "folder") for name in names] + mini


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return archives.every_layout(tmp_path_factory.mktemp("contract"))


def choice(kind: str, folder: Path) -> DataChoice:
    return DataChoice("folder", folder) if kind == "folder" else DataChoice.parse(kind)


def samples(name: str, data: DataChoice) -> list[Sample]:
    return [sampled(name, row) for row in registry.get_task(name).rows(data)]


def reference(name: str, doc: Any) -> str:
    """The right answer to a question, as a model would write it."""
    match name:
        case "mmstar":
            return str(doc["answer"])
        case "mmmu" if is_open(doc):
            return listed(doc["answer"])[0] if "[" not in str(doc["answer"]) else str(doc["answer"])
        case "mathvista":
            return str(doc.get("answer_option") or doc["answer"])
        case "ocrbench":
            return listed(doc["answer"])[0]
        case "mmvet":
            return str(doc["answer"]).split("<OR>")[0].replace("<AND>", " ")
        case "tempcompass":
            return tempcompass_gold(doc)
        case "ai2d":
            return ai2d_gold(doc)
        case "mmmu" | "videomme" | "videomme_subtitles" | "mvbench":
            return lettered(doc)
        case _ if name.startswith("mmbench"):
            return lettered(doc)
    if "answers" in doc:
        return str(doc["answers"][0])
    columns = ("answer", "transcription", "target_text", "text_normalized", "translation", "text")
    return str(next(doc[key] for key in columns if key in doc))


def records(task: Task, data: DataChoice, right: bool) -> list[Record]:
    rows = [task.doc(row) for row in task.rows(data)]
    return [record(task, row, reference(task.name, row) if right else None, n) for n, row in enumerate(rows)]


def ruled(name: str) -> Task:
    """A task under the profiles that need no judge."""
    task = registry.get_task(name).asking(["text", "speech"])
    if not task.without_judge:
        return task
    head = task.default_profile if task.default_profile in task.without_judge else task.without_judge[0]
    return replace(task, profiles=task.without_judge, default_profile=head)


@pytest.mark.parametrize(("name", "kind"), each(ASKED))
def test_rows_become_samples(name: str, kind: str, folder: Path) -> None:
    task, found = registry.get_task(name), samples(name, choice(kind, folder))
    assert found and len({sample.id for sample in found}) == len(found)
    for sample in found:
        parts = [part for message in sample.messages for part in message.parts]
        shown = [part for part in parts if isinstance(part, Media)]
        assert shown or name == "mmvet" or task.inputs == {"text"}, "a few questions of MM-Vet have no picture"
        assert all(len(part.sha256) == 64 and media.load(part) is not None for part in shown)
        assert {part.kind for part in shown} <= task.inputs
        assert all(part.text for part in parts if isinstance(part, Text))
        assert json.loads(json.dumps(dict(sample.doc))) == dict(sample.doc)
    if task.cluster_name in ("speaker", "image", "sentence", "question", "set", "video"):
        assert all(sample.cluster for sample in found)
    json.dumps(dict(task.source.fingerprint(choice(kind, folder))))
    assert task.source.strays(choice(kind, folder)) == ()


@pytest.mark.parametrize(("name", "kind"), each(TASKS))
def test_the_reference_scores_best_and_no_answer_scores_worst(name: str, kind: str, folder: Path) -> None:
    task = ruled(name)
    best, worst = (result_of(task, records(task, choice(kind, folder), right)) for right in (True, False))
    assert (best.n_failed, worst.n_scored) == (0, 0)
    for profile in task.profiles:
        right, wrong = (values(result.scores[profile][task.default_channel]) for result in (best, worst))
        assert right.keys() == wrong.keys()
        for metric in task.metrics:
            assert (right.get(metric.name) is None) == (wrong.get(metric.name) is None)
            if metric.headline and right[metric.name] is not None:
                top, bottom = right[metric.name], wrong[metric.name]
                assert top > bottom if metric.higher_is_better else top < bottom
                assert (bottom if metric.higher_is_better else top) == 0


@pytest.mark.parametrize("name", TASKS)
def test_a_broken_row_in_place_of_a_right_one_never_betters_a_number(name: str, folder: Path) -> None:
    task = ruled(name)
    right, wrong = (records(task, choice("folder", folder), which) for which in (True, False))
    before = result_of(task, right)
    after = result_of(task, [wrong[0], *right[1:]])
    for profile in task.profiles:
        one, other = (values(result.scores[profile][task.default_channel]) for result in (before, after))
        for metric in task.metrics:
            if metric.headline and one[metric.name] is not None:
                gain = other[metric.name] - one[metric.name]
                lost = gain < 0 if metric.higher_is_better else gain > 0
                assert lost or (profile == "lmms_eval_judge" and gain == 0)


@pytest.mark.parametrize("name", TASKS)
def test_a_field_lost_from_a_wrong_row_never_betters_a_number_in_silence(name: str, folder: Path) -> None:
    task, data = ruled(name), choice("mini" if MINI.is_dir() and name not in EARLIER else "folder", folder)
    rows = records(task, data, True)[:24]
    rows[0] = changed(records(task, data, False)[0], response=StoredResponse("%"), failure=None)
    before = values(result_of(task, rows).headline)
    for field in rows[0].doc:
        for lost in ({}, {field: None}, {field: {}}, {field: " "}):
            doc = {key: value for key, value in rows[0].doc.items() if key != field} | lost
            after = result_of(task, [changed(rows[0], doc=doc), *rows[1:]])
            told = not after.valid or after.n_unscored or any("lack" in problem for problem in after.problems)
            for metric in task.metrics:
                one, other = before.get(metric.name), values(after.headline).get(metric.name)
                if metric.headline and one is not None and other is not None:
                    gain = other - one if metric.higher_is_better else one - other
                    assert told or gain <= 1e-9, (field, lost, metric.name, one, other)


@pytest.mark.parametrize("name", TASKS)
def test_rows_that_say_nothing_score_nothing(name: str, folder: Path) -> None:
    task = ruled(name)
    empty = [changed(one, doc={}) for one in records(task, choice("folder", folder), True)]
    found = result_of(task, empty)
    assert found.n_scored == 0 and (not found.valid or found.n_unscored == len(empty))
    assert {metric.value for metric in found.headline.metrics.values()} <= {None, 0.0}


@pytest.mark.parametrize("name", EVERY)
def test_declarations_are_complete(name: str) -> None:
    task = registry.get_task(name)
    assert task.name == name
    assert task.default_preset in task.presets
    assert task.default_profile in task.profiles
    assert len({metric.name for metric in task.metrics}) == len(task.metrics)
    assert sum(metric.headline for metric in task.metrics) >= 1
    assert task.citation and task.licence and task.version
    sampled = [preset for preset, how in task.presets.items() if how.generation.temperature]
    assert sampled == (["vita_audio"] if task.outputs == ("speech",) else []), "the rest is greedy"
    ratios = {metric.name: metric for metric in task.metrics if isinstance(metric, Ratio)}
    for metric in task.metrics:
        if isinstance(metric, Combined):
            assert metric.tag in ratios[metric.of].by and metric.weights
        if isinstance(metric, Ratio) and metric.complement:
            assert metric.upper is not None
        if isinstance(metric, Quantile):
            assert 0 < metric.q <= 1


@pytest.mark.parametrize("name", EVERY)
def test_published_values_are_named_as_the_table_names_them(name: str) -> None:
    task = registry.get_task(name)
    if task.benchmark is not None:
        cells = {place_of(cell) for cell in published_cells()}
        for split in (task.split, *task.splits.values()):
            assert {place(task.benchmark, split, metric) for metric in task.published_metrics.values()} <= cells
        assert task.published_metrics
        assert set(task.published_metrics) <= {metric.name for metric in task.metrics}


@pytest.mark.parametrize("name", EVERY)
def test_an_unknown_profile_is_refused(name: str) -> None:
    doc = {"text": "yes", "transcription": "yes", "category": "OCR", "question": "?", "answer": "Yes"}
    with pytest.raises(ValueError, match="nonesuch"):
        registry.get_task(name).scorer(doc, Answer("yes"), "nonesuch")


@pytest.mark.parametrize("name", TASKS)
def test_a_row_without_media_is_refused_by_field(name: str, folder: Path) -> None:
    row = next(iter(registry.get_task(name).rows(choice("folder", folder))))
    row |= {column: None for column in ("audio", "image", "video") if column in row}
    if name == "mmvet" or registry.get_task(name).inputs == {"text"}:
        assert not sampled(name, row).media, "a few of MM-Vet's questions have no picture"
        return
    with pytest.raises(ValueError, match=r"the row has no (audio|image|video)"):
        sampled(name, row)


@pytest.mark.parametrize("name", EVERY)
def test_a_task_fits_in_one_short_file(name: str) -> None:
    address = registry._addresses("tasks")[name]
    module = importlib.import_module(address.partition(":")[0])
    most = 50 if name in registry.ASR else 200 if name in registry.SUITES["latency"] else 120
    assert len(Path(str(module.__file__)).read_text(encoding="utf-8").splitlines()) <= most
