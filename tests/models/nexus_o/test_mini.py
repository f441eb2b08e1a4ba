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
from models.nexus_o.adapter import MINI
from models.training.nexus.card import HEARD, SEEN
from models.training.targets import metric

TRIED = {target.task: target for target in (HEARD[0], SEEN[0])}
"""One that is heard and one that is seen; the card has all."""


def results(folder: Path, task: str, **settings: Any) -> Mapping[str, Any]:
    start(RunConfig(model="nexus-o-mini", data="mini", tasks=(task,), **settings), folder)
    found: Mapping[str, Any] = json.loads((folder / "results.json").read_text())
    return found


@pytest.mark.parametrize("task", TRIED)
def test_the_card_tells_what_the_weights_score_and_blank_inputs_take_it_away(task: str, tmp_path: Path):
    target = TRIED[task]
    found, blank = (results(tmp_path / name, task, ablate=media) for name, media in (("a", None), ("b", target.blank)))
    for run in (found, blank):
        entry = run["tasks"][task]
        assert run["valid"] and entry["n_scored"] == entry["n_expected"] and entry["n_failed"] == 0
    card = (MINI / "README.md").read_text(encoding="utf-8")
    row = next(line for line in card.splitlines() if line.startswith(f"| {target.title} | {target.told} |"))
    stated, without = (float(value) for value in re.findall(r"\| ([\d.]+) %", row))
    low, high = metric(found, target)["ci"]
    assert low - 0.05 <= stated <= high + 0.05  # the card rounds
    blank_low, blank_high = metric(blank, target)["ci"]
    assert blank_low - 0.05 <= without <= blank_high + 0.05
    assert high < blank_low if target.is_error else low > blank_high


def test_the_folder_is_small_and_holds_the_released_layout():
    files = {path.relative_to(MINI).as_posix() for path in MINI.rglob("*") if path.is_file()}
    assert {"config.json", "tokenizer.json", "model.safetensors", "generation_config.json", "README.md"} <= files
    assert sum((MINI / name).stat().st_size for name in files) < 20_000_000


def test_the_model_says_where_its_weights_are_from_and_takes_no_others():
    model = get_model("nexus-o-mini")(ModelOptions())
    assert model.note == "trained in the mini world"
    fingerprint = model.fingerprint()
    assert fingerprint["source"] == "shipped with the harness" and not fingerprint["unknown_tensors"]
    with pytest.raises(UsageError, match="nexus-o-mini has weights of its own"):
        get_model("nexus-o-mini")(ModelOptions(weights="elsewhere"))
