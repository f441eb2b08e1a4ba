"""What of lmms-eval cannot run is told before any model is loaded."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from harness import registry
from harness.contracts import DataChoice
from harness.failures import UsageError
from harness.task import Aggregate, Statistic
from tests.lmms import local_task

TEXT = """
task: {name}
dataset_path: json
dataset_kwargs: {{data_files: {{test: {folder}/none.jsonl}}}}
test_split: test
doc_to_text: question
doc_to_target: answer
{more}
metric_list: [{{metric: exact_match, aggregation: mean, higher_is_better: true}}]
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HARNESS_LMMS_TASKS", str(tmp_path))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("LMMS_EVAL_DATASETS_CACHE", str(tmp_path / "cache"))
    return tmp_path


@pytest.fixture
def lmms_eval() -> Any:
    return pytest.importorskip("lmms_eval", reason="lmms-eval is what `make test-full` installs")


def write(folder: Path, name: str, more: str) -> None:
    (folder / f"{name}.yaml").write_text(TEXT.format(name=name, folder=folder, more=more))


def test_prefixed_names_expand_without_lmms_eval() -> None:
    assert registry.expand_tasks("mme,lmms:any_name,mme") == ["mme", "lmms:any_name"]
    code = "import sys; from harness.registry import *; expand_tasks('lmms:x'); print('lmms_eval' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "False\n"


def test_without_lmms_eval_the_commands_that_install_it_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tasks.lmms.index.installed", lambda: None)
    with pytest.raises(UsageError, match=r"pip install --no-deps lmms-eval==0\.7\.3"):
        registry.get_task("lmms:not_there_at_all")


def test_names_complete_from_the_files(folder: Path) -> None:
    from harness.completion import task_names

    write(folder, "own_one", "")
    assert "lmms:" in task_names("lm")
    assert task_names("mme,lmms:own_o") == ["mme,lmms:own_one"]


def test_a_mistyped_name_is_guessed(folder: Path, lmms_eval: Any) -> None:
    write(folder, "my_own_task", "")
    with pytest.raises(UsageError, match="Did you mean lmms:my_own_task"):
        registry.get_task("lmms:my_own_tsk")


def test_a_group_is_a_suite_of_its_members_and_of_those_of_its_groups(folder: Path) -> None:
    for name, more in (("one", ""), ("two", ""), ("three", "group: odd")):
        write(folder, name, more)
    (folder / "both.yaml").write_text("group: both\ntask:\n  - one\n  - two\n")
    (folder / "all.yaml").write_text("group: all_of_it\ntask:\n  - odd\n  - both\n  - all_of_it\n")
    assert registry.expand_tasks("lmms:both,mme") == ["lmms:one", "lmms:two", "mme"]
    assert registry.expand_tasks("lmms:two,lmms:all_of_it") == ["lmms:two", "lmms:three", "lmms:one"]
    (folder / "none.yaml").write_text("group: none_of_it\ntask: []\n")
    (folder / "itself.yaml").write_text("group: itself\ntask:\n  - itself\n")
    for name in ("none_of_it", "itself"):
        with pytest.raises(UsageError, match=f"lmms:{name} is a group .* no task"):
            registry.expand_tasks(f"lmms:{name}")


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ("output_type: loglikelihood", "output_type loglikelihood; models here answer in text"),
        ("generation_kwargs: {num_beams: 4}", "generation_kwargs: num_beams is 4"),
        ("process_results: !function nowhere.at_all", "cannot be read: .*nowhere"),
    ],
)
def test_what_no_model_here_can_be_asked_is_refused(folder: Path, lmms_eval: Any, more: str, why: str) -> None:
    name = f"refused_{abs(hash(more))}"
    write(folder, name, more)
    with pytest.raises(UsageError, match=why):
        registry.get_task(f"lmms:{name}")


def test_data_that_cannot_be_had_are_named_once(folder: Path, lmms_eval: Any) -> None:
    write(folder, "no_data", "")
    task = registry.get_task("lmms:no_data")
    with pytest.raises(UsageError, match=r"lmms:no_data: its data \(json\) cannot be had"):
        task.rows(DataChoice("hub"))
    with pytest.raises(UsageError, match="leave out --data mini"):
        task.rows(DataChoice("mini"))


def test_metrics_are_known_without_the_data(folder: Path, lmms_eval: Any) -> None:
    local_task.write(folder)
    (folder / "rows.jsonl").unlink()
    metrics = registry.get_task(f"lmms:{local_task.NAME}").metrics
    assert [(type(m), m.name, m.higher_is_better) for m in metrics] == [
        (Statistic, "right", True),
        (Aggregate, "pairs", True),
    ]
