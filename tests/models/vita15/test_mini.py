"""The weights that ship: their size, what they score, and that the score is earned by hearing and seeing."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from harness.config import RunConfig
from harness.contracts import ModelOptions
from harness.failures import UsageError
from harness.registry import get_model
from harness.run import start
from models.training.targets import TARGETS, Target
from models.training.targets import metric as found_metric
from models.vita15.adapter import MINI

RECOGNITION = ("librispeech_test_clean", "librispeech_test_other", "aishell1")
TASKS = (*RECOGNITION, "mme", "mmbench_en", "hallusionbench", "llama_questions", "covost2_en_zh", "seedtts_en")
"""One of each kind, which take a minute; the card has all."""
HEARD = 15.0
"""Percent of errors that a model makes at most which hears; the targets, which it may miss, are in the card."""
TRIED: tuple[Target, ...] = tuple(target for target in TARGETS if target.task in TASKS)


def results(folder: Path, **settings: Any) -> Mapping[str, Any]:
    start(RunConfig(model="vita15-mini", data="mini", **{"tasks": TASKS} | settings), folder)
    found: Mapping[str, Any] = json.loads((folder / "results.json").read_text())
    return found


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Any]:
    return results(tmp_path_factory.mktemp("runs") / "mini")


@pytest.fixture(scope="module")
def card() -> str:
    return (MINI / "README.md").read_text(encoding="utf-8")


def metric(found: Mapping[str, Any], task: str) -> Mapping[str, Any]:
    """Of the first target on a task."""
    return found_metric(found, next(target for target in TARGETS if target.task == task))


def test_every_sample_is_answered(found: Mapping[str, Any]):
    for task, entry in found["tasks"].items():
        assert entry["n_scored"] == entry["n_expected"] and entry["n_failed"] == 0, task
    assert found["valid"]


@pytest.mark.parametrize("target", TRIED, ids=lambda target: f"{target.task} {target.channel}")
def test_the_card_tells_what_the_weights_score(found: Mapping[str, Any], card: str, target: Target):
    row = next(line for line in card.splitlines() if line.startswith(f"| {target.title} | {target.told} |"))
    stated = float(re.findall(r"\| ([\d.]+)", row)[0])
    low, high = found_metric(found, target)["ci"]
    assert low - 0.05 <= stated <= high + 0.05  # the card rounds


def test_recognition_is_earned_by_hearing(found: Mapping[str, Any], tmp_path: Path):
    silent = results(tmp_path / "run", tasks=RECOGNITION, ablate="audio", limit=25)
    for target in TARGETS[:3]:
        assert found_metric(silent, target)["value"] >= 90
        assert found_metric(found, target)["value"] <= HEARD


def test_spoken_questions_are_answered_by_hearing(found: Mapping[str, Any], tmp_path: Path):
    silent = results(tmp_path / "run", tasks=("llama_questions",), ablate="audio", limit=25)
    assert metric(silent, "llama_questions")["value"] <= 10
    assert metric(found, "llama_questions")["value"] >= 50


def test_mme_is_earned_by_seeing(found: Mapping[str, Any], tmp_path: Path):
    grey = results(tmp_path / "run", tasks=("mme",), ablate="image")
    assert metric(grey, "mme")["value"] <= 1500
    assert metric(found, "mme")["value"] >= 1800


def test_the_folder_is_small_and_holds_the_released_layout():
    files = {path.relative_to(MINI).as_posix() for path in MINI.rglob("*") if path.is_file()}
    assert {"config.json", "tokenizer.json", "model.safetensors", "generation_config.json", "README.md"} <= files
    assert any(name.endswith("/global_cmvn") for name in files) and any(name.endswith("/train.yaml") for name in files)
    assert sum((MINI / name).stat().st_size for name in files) < 26_000_000


def test_the_model_says_where_its_weights_are_from_and_takes_no_others():
    model = get_model("vita15-mini")(ModelOptions())
    assert model.note == "trained in the mini world"
    assert model.fingerprint()["source"] == "shipped with the harness"
    assert model.capabilities.outputs == {"text", "speech"}
    with pytest.raises(UsageError, match="vita15-mini has weights of its own"):
        get_model("vita15-mini")(ModelOptions(weights="elsewhere"))
