"""The vision scorers against the recorded reference outputs: a value that was changed is noticed."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.parity import vision_choices, vision_judged, vision_mme, vision_prompts
from tests.parity.__main__ import DEFAULT_GOLDENS

SCORED = vision_mme.COMPONENTS | vision_choices.COMPONENTS | vision_judged.COMPONENTS
NUMBERS = {"score", "hit", "correct", "rating"}


def changed(goldens: Path, name: str, edit: Any) -> None:
    shutil.copytree(DEFAULT_GOLDENS / "vision", goldens / "vision")
    path = goldens / "vision" / f"{name}.json"
    golden = json.loads(path.read_text(encoding="utf-8"))
    edit(golden)
    path.chmod(0o644)
    path.write_text(json.dumps(golden), encoding="utf-8")


@pytest.mark.parametrize("name", SCORED)
def test_a_changed_score_is_noticed(name: str, tmp_path: Path) -> None:
    def edit(golden: dict[str, Any]) -> None:
        for record in golden["records"]:
            for expected in record["expected"].values():
                for field in NUMBERS & expected.keys():
                    if isinstance(expected[field], bool | int | float) and expected[field] >= 0:
                        expected[field] = type(expected[field])(not expected[field])
                        return
                if "prefetch" in expected:
                    expected["prefetch"] = "E"
                    return

    changed(tmp_path, name, edit)
    assert SCORED[name](tmp_path).failed >= 1


def _number(tree: Any) -> tuple[Any, Any]:
    """The first number in a tree: what holds it, and its key."""
    for key, value in tree.items() if isinstance(tree, dict) else enumerate(tree):
        if isinstance(value, dict | list):
            if (found := _number(value)) != (None, None):
                return found
        elif isinstance(value, int | float) and not isinstance(value, bool):
            return tree, key
    return None, None


@pytest.mark.parametrize("name", SCORED)
def test_a_changed_aggregate_is_noticed(name: str, tmp_path: Path) -> None:
    def edit(golden: dict[str, Any]) -> None:
        for profile in golden["aggregate"].values():
            holder, key = _number(profile)
            if holder is not None:
                holder[key] += 1
                return

    changed(tmp_path, name, edit)
    assert SCORED[name](tmp_path).failed >= 1


def test_a_changed_prompt_is_noticed(tmp_path: Path) -> None:
    def edit(golden: dict[str, Any]) -> None:
        golden["records"][0]["expected"]["vita_vlmevalkit"]["max_tiles"] += 1

    changed(tmp_path, "prompts", edit)
    assert vision_prompts.COMPONENTS["prompts"](tmp_path).failed == 1
