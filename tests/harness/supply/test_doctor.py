"""`harness doctor` says what is here and what is missing, and is right about it."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest

from harness import needs, registry
from harness.supply import doctor, extras, machine
from harness.supply.places import Places, state
from tests.harness.conftest import Call
from tests.tasks import archives
from tests.tasks.test_data_hub import fill_hub_cache


class Installed(metadata.Distribution):
    """The harness as a wheel of it is installed: its metadata and nothing else."""

    def __init__(self, **files: str) -> None:
        self._files = files

    def read_text(self, filename: str) -> str | None:
        return self._files.get(filename)

    def locate_file(self, path: Any) -> Any:
        return Path("/nowhere") / path


METADATA = """Metadata-Version: 2.1
Name: omni-harness
Version: 9
Requires-Dist: numpy>=1
Requires-Dist: typer>=999
Requires-Dist: no-such-package-a>=1
Provides-Extra: judges
Provides-Extra: ray
Requires-Dist: no-such-package-b; extra == "judges"
Requires-Dist: no-such-package-c; extra == "judges" and sys_platform == "other"
Requires-Dist: numpy>=1; extra == "ray"
"""


@pytest.fixture
def wheel(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(extras, "_own", lambda: Installed(METADATA=METADATA))


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setenv("HARNESS_CACHE", str(tmp_path / "own"))
    yield tmp_path


def test_what_the_base_lacks_is_told(wheel: None) -> None:
    number = metadata.version("typer")
    assert extras.base() == [f"typer {number}: needs >=999", "no-such-package-a: not installed"]


def test_an_extra_of_an_installed_wheel_is_named_with_its_command(wheel: None) -> None:
    found = extras.extras()
    assert found["judges"]["lacks"] == ["no-such-package-b: not installed"]
    assert found["judges"]["command"] == "pip install 'omni-harness[judges]'"
    assert (found["ray"]["installed"], found["ray"]["command"]) == (True, "")


def test_every_extra_has_a_cost_and_a_use() -> None:
    assert set(extras.extras()) == set(extras.ABOUT_MB) == set(extras.USED_FOR)


def test_a_task_whose_data_are_in_the_cache_is_ready(hub: Path) -> None:
    costs = doctor._Costs(asked=False)
    before = doctor._ready("mme", needs.of_task, costs)
    (need,) = needs.of_task("mme")
    assert (before["ready"], before["lacks"][0]["why"]) == (False, "is not there")
    folder = fill_hub_cache(hub, need.name, need.revision)
    archives.mme_parquet(folder / "data" / "test-00000-of-00002.parquet")
    assert "00001" in doctor._ready("mme", needs.of_task, costs)["lacks"][0]["why"]  # a shard is missing
    (folder / "data" / "test-00000-of-00002.parquet").rename(folder / "data" / "test-00000-of-00001.parquet")
    assert doctor._ready("mme", needs.of_task, costs) == {"ready": True, "lacks": []}


def test_every_task_says_what_it_needs() -> None:
    generated = {"latency_fixed"}
    for name in registry.names("tasks"):
        assert bool(needs.of_task(name)) == (name not in generated), name


def test_every_released_model_says_what_it_needs_and_those_that_ship_need_nothing() -> None:
    ships = {"echo"} | {name for name in registry.names("models") if name.endswith(("-tiny", "-mini"))}
    for name in registry.names("models"):
        assert bool(needs.of_model(name)) == (name not in ships), name


def test_parts_in_the_models_own_folder_are_not_looked_for(tmp_path: Path) -> None:
    (tmp_path / "glm-4-voice-tokenizer").mkdir()
    found = needs.of_model("vita-audio-boost", str(tmp_path))
    assert [(need.place, need.name.rpartition("/")[2]) for need in found] == [
        ("folder", tmp_path.name),
        ("model", "glm-4-voice-decoder"),
    ]
    assert "neither model.safetensors.index.json" in state(found[0], Places.of()).lacks


def test_a_judge_names_the_package_that_it_lacks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "funasr", None)
    monkeypatch.setattr("tasks.judges.speech.located.find_spec", lambda name: None)
    whys = {need.name: state(need, Places.of()).lacks for need in needs.of_judge("paraformer-zh")}
    assert whys["package funasr"] == "is not installed"


def test_the_command_prints_it_all_and_json(
    hub: Path, call: Call, monkeypatch: pytest.MonkeyPatch, wheel: None
) -> None:
    import json

    monkeypatch.setattr(machine, "hub", lambda: {"address": "https://hub", "answers": False, "why": "no network"})
    monkeypatch.setattr(
        registry, "names", lambda group: {"tasks": ["mme"], "models": ["echo"], "judges": ["llm"]}[group]
    )
    done = call("doctor")
    assert done.code == 4  # the wheel lacks two packages
    assert "! typer" in done.out and "mme " in done.out and "https://hub cannot be asked (no network)" in done.out
    found: Mapping[str, Any] = json.loads(call("doctor", "--json").out)
    assert not found["sound"]
    assert (found["models"]["echo"]["ready"], found["tasks"]["mme"]["ready"]) == (True, False)


def test_a_cache_that_may_not_be_looked_at_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    unreadable = tmp_path / ("n" * 300)  # Path.exists raises for it, as it does for a folder of another user
    monkeypatch.setenv("HARNESS_CACHE", str(unreadable))
    (own,) = [cache for cache in machine.caches() if cache["name"] == "harness"]
    assert own["bytes"] == 0 and own["free_bytes"] > 0
    ready = doctor._ready("mmbench_en", needs.of_task, doctor._Costs(asked=False))
    assert not ready["ready"] and "File name too long" in ready["lacks"][0]["why"]


def test_a_disk_that_is_gone_has_no_known_room(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def gone(path: Path) -> None:
        raise OSError("Stale file handle")

    monkeypatch.setattr(machine.shutil, "disk_usage", gone)
    assert machine.room(tmp_path) is None
