"""What every task promises the engine, checked for all of them through the registry."""

from __future__ import annotations

import importlib
import json
import math
from pathlib import Path

import pytest

from harness import media, registry
from harness.contracts import DataChoice
from harness.types import Media, Response, Sample, Text
from tasks.data import MINI
from tasks.task import add_parts
from tests.tasks import archives

TASKS = [name for name in registry.names("tasks") if name not in registry.SUITES["latency"]]
"""The tasks that compare answers with references; latency has none (test_latency.py)."""
CHOICES = ["folder", *(["mini"] if MINI.is_dir() else [])]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return archives.every_archive(tmp_path_factory.mktemp("contract"))


def choice(kind: str, folder: Path) -> DataChoice:
    return DataChoice("folder", folder) if kind == "folder" else DataChoice.parse(kind)


def samples(name: str, data: DataChoice) -> list[Sample]:
    task = registry.get_task(name)
    prompt = task.prompts[task.default_prompt]
    return [task.to_sample(row, prompt) for row in task.rows(data)]


def reference(sample: Sample) -> str:
    return str(next(sample.doc[key] for key in ("answer", "transcription", "text") if key in sample.doc))


@pytest.mark.parametrize("kind", CHOICES)
@pytest.mark.parametrize("name", TASKS)
def test_rows_become_samples(name: str, kind: str, folder: Path) -> None:
    task, found = registry.get_task(name), samples(name, choice(kind, folder))
    assert found and len({sample.id for sample in found}) == len(found)
    for sample in found:
        (message,) = sample.messages
        first, *rest = message.parts
        assert isinstance(first, Media) and len(first.sha256) == 64
        assert media.load(first) is not None
        assert {first.kind} | ({"text"} if rest else set()) == task.inputs | ({"text"} if rest else set())
        assert all(isinstance(part, Text) and part.text for part in rest)
        assert json.loads(json.dumps(dict(sample.doc))) == dict(sample.doc)
        assert task.cluster_name is None or sample.cluster
    json.dumps(task.fingerprint(choice(kind, folder)))


@pytest.mark.parametrize("kind", CHOICES)
@pytest.mark.parametrize("name", TASKS)
def test_the_reference_scores_best_and_no_answer_scores_worst(name: str, kind: str, folder: Path) -> None:
    task, found = registry.get_task(name), samples(name, choice(kind, folder))
    for profile in task.profiles:
        right = [task.score(sample.doc, Response(reference(sample)), profile) for sample in found]
        wrong = [task.score(sample.doc, None, profile) for sample in found]
        assert {score.status for score in [*right, *wrong]} == {"ok"}
        assert [score.parts.keys() for score in right] == [score.parts.keys() for score in wrong]
        for metric in task.metrics:
            best, worst = (
                metric.value(add_parts([task.combine(parts, profile) for parts in by_cluster(found, scores)]))
                for scores in (right, wrong)
            )
            assert math.isfinite(best) == math.isfinite(worst)
            if metric.headline:
                assert best > worst if metric.higher_is_better else best < worst
                assert metric.higher_is_better or best == 0
                assert not metric.higher_is_better or worst == 0


def by_cluster(found: list[Sample], scores: list) -> list[list]:
    groups: dict[str, list] = {}
    for sample, score in zip(found, scores, strict=True):
        groups.setdefault(sample.cluster or sample.id, []).append(score.parts)
    return list(groups.values())


@pytest.mark.parametrize("name", TASKS)
def test_declarations_are_complete(name: str, folder: Path) -> None:
    task = registry.get_task(name)
    assert task.name == name
    assert task.default_prompt in task.prompts
    assert task.default_profile in task.profiles
    assert len({metric.name for metric in task.metrics}) == len(task.metrics)
    assert sum(metric.headline for metric in task.metrics) >= 1
    assert task.citation and task.licence and task.version
    assert task.generation.temperature == 0
    doc = samples(name, choice("folder", folder))[0].doc
    assert all(isinstance(prompt(doc), str) for prompt in task.prompts.values())


@pytest.mark.parametrize("name", TASKS)
def test_an_unknown_profile_is_refused(name: str, folder: Path) -> None:
    task, sample = registry.get_task(name), samples(name, choice("folder", folder))[0]
    with pytest.raises((ValueError, KeyError), match="nonesuch"):
        task.score(sample.doc, Response("yes"), "nonesuch")


@pytest.mark.parametrize("name", TASKS)
def test_a_row_without_media_is_refused_by_field(name: str, folder: Path) -> None:
    task = registry.get_task(name)
    row = next(iter(task.rows(choice("folder", folder)))) | {"audio": None, "image": None}
    with pytest.raises(ValueError, match=r"the row has no (audio|image)"):
        task.to_sample(row, task.prompts[task.default_prompt])


@pytest.mark.parametrize("name", TASKS)
def test_a_task_fits_in_one_short_file(name: str) -> None:
    address = registry._addresses("tasks")[name]
    module = importlib.import_module(address.partition(":")[0])
    assert len(Path(str(module.__file__)).read_text(encoding="utf-8").splitlines()) <= 120
