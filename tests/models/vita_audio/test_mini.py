"""The weights that ship: their size, what they score by decoding mode, and that the score is earned by hearing."""

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
from models.training.mtp.card import HEARD, SPOKEN
from models.training.targets import Target, metric
from models.vita_audio.adapter import MINI
from models.vita_audio.schedule import MODES

RECOGNITION, SYNTHESIS = HEARD[0], SPOKEN[0]
"""One that is heard and one that is spoken; the card has all."""


def results(folder: Path, target: Target, mode: str, **settings: Any) -> Mapping[str, Any]:
    config = RunConfig(model="vita-audio-mini", data="mini", tasks=(target.task,), option={"mode": mode}, **settings)
    start(config, folder)
    found: Mapping[str, Any] = json.loads((folder / "results.json").read_text())
    entry = found["tasks"][target.task]
    assert found["valid"] and entry["n_scored"] == entry["n_expected"] and entry["n_failed"] == 0
    return metric(found, target)


def stated(target: Target) -> Mapping[str, float]:
    """What the card says of a target: in each mode, and with silence where that was tried."""
    lines = (MINI / "README.md").read_text(encoding="utf-8").splitlines()
    row = next(line for line in lines if line.startswith(f"| {target.title} | {target.told} |"))
    cells = [cell.strip() for cell in row.strip("|").split("|")][2:]
    values = [re.match(r"[\d.]+", cell) for cell in cells]
    return {name: float(value[0]) for name, value in zip((*MODES, "silence"), values, strict=True) if value}


def agrees(value: float, found: Mapping[str, Any]) -> bool:
    low, high = found["ci"]
    return bool(low - 0.05 <= value <= high + 0.05)  # the card rounds


@pytest.mark.parametrize(
    ("target", "mode"), [(RECOGNITION, "vanilla"), (RECOGNITION, "turbo"), (SYNTHESIS, "turbo")],
    ids=lambda value: getattr(value, "task", value),
)  # fmt: skip
def test_the_card_tells_what_the_weights_score(target: Target, mode: str, tmp_path: Path):
    assert agrees(stated(target)[mode], results(tmp_path / "run", target, mode))


def test_recognition_is_earned_by_hearing(tmp_path: Path):
    heard, silent = (
        results(tmp_path / name, RECOGNITION, "boost", ablate=media) for name, media in (("a", None), ("b", "audio"))
    )
    assert agrees(stated(RECOGNITION)["silence"], silent)
    assert heard["ci"][1] < silent["ci"][0]


def test_the_folder_is_small_and_holds_the_released_layout():
    files = {path.relative_to(MINI).as_posix() for path in MINI.rglob("*") if path.is_file()}
    assert {"config.json", "tokenizer.json", "model.safetensors", "generation_config.json", "README.md"} <= files
    assert {name.split("/")[0] for name in files if "/" in name} == {"glm-4-voice-tokenizer", "glm-4-voice-decoder"}
    assert sum((MINI / name).stat().st_size for name in files) < 15_000_000


def test_the_model_says_where_its_weights_are_from_and_takes_no_others():
    model = get_model("vita-audio-mini")(ModelOptions())
    assert model.note == "trained in the mini world"
    fingerprint = model.fingerprint()
    assert fingerprint["source"] == "shipped with the harness" and not fingerprint["unknown_tensors"]
    assert model.capabilities.outputs == {"text", "speech"}
    with pytest.raises(UsageError, match="vita-audio-mini has weights of its own"):
        get_model("vita-audio-mini")(ModelOptions(weights="elsewhere"))
