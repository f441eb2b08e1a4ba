"""Parts that are joined are the run that is made in one go, to the last digit."""

from __future__ import annotations

import random
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.failures import UsageError
from harness.run import start
from harness.schema import TaskResult
from harness.store import RunDir
from harness.task import Task
from harness.upkeep.exclude import exclude
from harness.upkeep.merge import merge
from harness.upkeep.verify import verify
from reports.runs import caveats, load
from tests.harness.conftest import Call
from tests.harness.faults import Half
from tests.harness.test_spoken import Speaks
from tests.harness.toy import ToyModel, config, numbered, objects, toy_task
from tests.harness.toy_judge import HEARD


def numbers(run: RunDir) -> dict[str, TaskResult]:
    """All but the times, which no two runs have alike."""
    return {name: msgspec.structs.replace(entry, seconds=0.0) for name, entry in run.results().tasks.items()}


def parts(folder: Path, task: Task, of: int, model: type[ToyModel] = Half, **fields: Any) -> list[Path]:
    paths = [folder / f"part-{n}" for n in range(1, of + 1)]
    for n, path in enumerate(paths, start=1):
        start(config(task, part=f"{n}/{of}", **fields), path, objects(task, model=model()))
    return paths


def both(members: Sequence[Any], profile: str) -> dict[str, float]:
    return {"right": float(all(m.score.parts.get("right") for m in members)), "n": 1.0}


@settings(max_examples=12, deadline=None)
@given(
    of=st.integers(2, 4),
    rows=st.integers(16, 40),
    limit=st.none() | st.integers(14, 20),
    group=st.booleans(),
    seed=st.integers(0, 99),
)
def test_the_parts_of_a_run_are_the_run(
    of: int, rows: int, limit: int | None, group: bool, seed: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("runs")
    task = toy_task(numbered(rows), **({"group": both} if group else {}))
    own = objects(task, model=Half())
    whole = start(config(task, limit=limit), folder / "whole", own)
    shards = parts(folder, task, of, limit=limit)
    random.Random(seed).shuffle(shards)
    made = merge(shards, folder / "joined", own).run
    assert numbers(made) == numbers(whole)
    assert list(made.plan("toy")) == list(whole.plan("toy"))
    assert made.manifest().planned == whole.manifest().planned
    assert verify(made.path, own).agrees
    assert [one.answered for one in made.results().stretches] == [
        one.answered for shard in sorted(shards) for one in RunDir(shard).results().stretches
    ]


def test_speech_judgements_and_exclusions_are_joined(
    toys: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HARNESS_CACHE", str(tmp_path / "cache"))
    own = objects(HEARD, model=Speaks())
    whole = start(config(HEARD), tmp_path / "whole", own)
    shards = parts(tmp_path, HEARD, 2, Speaks)
    for path in (whole.path, shards[0]):
        exclude(path, [(None, "2")], "a reason", "ids.txt", own)
    shutil.rmtree(tmp_path / "cache")
    made = merge(shards, tmp_path / "joined", own).run
    for path in shards:
        shutil.rmtree(path)
    assert numbers(made) == numbers(whole)
    assert made.results().tasks["toy_heard"].n_excluded == 1
    names = [sorted(p.name for p in (run.path / "media").rglob("*.flac")) for run in (made, whole)]
    assert names[0] == names[1] and len(names[0]) == 9
    assert verify(made.path, own).agrees


def test_what_is_missing_is_told_and_may_come_later(tmp_path: Path) -> None:
    task = toy_task(numbered(16))
    own = objects(task, model=Half())
    shards = parts(tmp_path, task, 4)
    made = merge([shards[3], shards[0], shards[1]], tmp_path / "three", own)
    assert made.told[0] == "parts 1,2,4 of 4: the run lacks the rows of the others"
    said = "only parts 1,2,4 of 4 of each task: `harness merge` joins the parts of a run"
    assert said in caveats(load(made.run.path))
    assert made.run.results().tasks["toy"].n_rows == 12
    whole = merge([made.run.path, shards[2]], tmp_path / "four", own).run
    assert numbers(whole) == numbers(start(config(task), tmp_path / "whole", own))


def test_the_joined_run_can_be_read_by_whoever_could_read_the_parts(tmp_path: Path) -> None:
    task = toy_task(numbered(4))
    shards = parts(tmp_path, task, 2)
    made = merge(shards, tmp_path / "made", objects(task, model=Half())).run
    assert made.path.stat().st_mode == shards[0].stat().st_mode


def test_what_is_no_part_of_the_same_run_is_refused_with_the_differences(tmp_path: Path) -> None:
    task = toy_task(numbered(16))
    own = objects(task, model=Half())
    first, _ = parts(tmp_path, task, 2)
    other = start(config(task, part="2/2", seed=7, prompt={"toy": "short"}), tmp_path / "other", own).path
    with pytest.raises(UsageError, match=r"config\.seed: 0 -> 7") as error:
        merge([first, other], tmp_path / "joined", own)
    assert "tasks.toy.prompt: 'plain' -> 'short'" in str(error.value)
    with pytest.raises(UsageError, match="part 1 of 2 is there twice"):
        merge([first, first], tmp_path / "joined", own)
    with pytest.raises(UsageError, match="is no part of a run"):
        merge([first, start(config(task), tmp_path / "whole", own).path], tmp_path / "joined", own)
    with pytest.raises(UsageError, match="two runs or more"):
        merge([first], tmp_path / "joined", own)
    with pytest.raises(UsageError, match="is there already"):
        merge(parts(tmp_path / "more", task, 2), first, own)
    assert not (tmp_path / "joined").exists() and not list(tmp_path.glob(".joined*"))


def test_a_sample_in_two_shards_is_refused(tmp_path: Path) -> None:
    task = toy_task(numbered(16))
    first, second = parts(tmp_path, task, 2)
    content = (second / "manifest.json").read_text().replace('"part": "2/2"', '"part": "1/2"')
    (second / "manifest.json").write_text(content)
    text = (first / "manifest.json").read_text().replace('"part": "1/2"', '"part": "2/2"')
    (first / "manifest.json").write_text(text)
    shutil.copytree(first, tmp_path / "again")
    (tmp_path / "again" / "manifest.json").write_text(text.replace('"part": "2/2"', '"part": "1/2"'))
    with pytest.raises(UsageError, match="two shards have the sample '0' of task toy"):
        merge([first, tmp_path / "again"], tmp_path / "joined", objects(task))


def test_the_command_joins_mme_whose_questions_are_scored_in_pairs(call: Call, tmp_path: Path) -> None:
    common = ("run", "-m", "echo", "-t", "mme,fleurs_en", "--data", "mini", "--limit", "60")
    call(*common, "--out", tmp_path / "whole")
    for n in (1, 2, 3):
        call(*common, "--part", f"{n}/3", "--out", tmp_path / str(n))
    assert call("merge", *(tmp_path / n for n in "321"), "-o", tmp_path / "joined").code == 0
    assert numbers(RunDir(tmp_path / "joined")) == numbers(RunDir(tmp_path / "whole"))
    assert call("verify", tmp_path / "joined").code == 0
