"""NEXUS-O's stages at the tiny size, two steps each: what moves, how each begins, what is left behind."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from models.checkpoint_error import CheckpointError
from models.nexus_o import checkpoint
from models.nexus_o.adapter import MINI as NEXUS_MINI
from models.nexus_o.audio_decoder import random_decoder
from models.nexus_o.decoder_checkpoint import FOLDER, load_decoder
from models.nexus_o.decoder_config import DecoderConfig
from models.nexus_o.omni import build
from models.released.files import SINGLE
from models.training import loop
from models.training.loop import LOSSES, STATE, optimise
from models.training.nexus.learner import NexusLearner
from models.training.nexus.samples import Batch
from models.training.nexus.sizes import SIZES
from models.training.nexus.stages import SETTINGS, STAGES
from models.training.nexus.world import NexusBatches
from models.training.nexus_o import REPLIES, REPORT, Given, Training, main

MERGER = "model.visual.merger."
MOVED = {
    "1": ("model.audio_tower.", "model.audio_adapter."),
    "2": ("model.language_model.", "lm_head.", "model.audio_adapter."),
    "3": (),
}
"""Without the vision adapter in stage 2, which no gradient reaches."""


@pytest.fixture(scope="module")
def training(tmp_path_factory: pytest.TempPathFactory) -> Training:
    done = Training("tiny", 0, tmp_path_factory.mktemp("nexus-o"), "cpu", steps=2)
    for name in STAGES:
        done.run(name)
    return done


def state_before(training: Training, name: str) -> dict[str, Tensor]:
    return training.start(training.work(name)).state_dict()


def state_after(training: Training, name: str) -> dict[str, Tensor]:
    return checkpoint.load(training.folder(name)).model.state_dict()


@pytest.mark.parametrize("name", STAGES)
def test_a_stage_moves_what_it_trains_and_nothing_else(training: Training, name: str):
    before, after = state_before(training, name), state_after(training, name)
    moved = {key for key in after if not before[key].equal(after[key])}
    wanted = {key for key in after if key.startswith(MOVED[name]) and "embed_positions" not in key}
    assert before.keys() == after.keys() and moved == wanted
    trained = {key for key in after if STAGES[name].trains(key)}
    assert trained - moved == {key for key in after if name == "2" and key.startswith(MERGER)}


def test_the_last_stage_moves_all_of_the_audio_decoder(training: Training):
    config = training.size.config
    before = random_decoder(DecoderConfig.of(config), 0).state_dict()
    after = load_decoder(training.folder("3"), config).model.state_dict()
    assert before.keys() == after.keys() and not [key for key in after if before[key].equal(after[key])]


def test_the_first_stage_starts_from_random_weights_and_each_further_one_from_what_the_former_left(training: Training):
    random = build(training.size.config, 0).state_dict()
    for name, former in (("1", random), ("2", state_after(training, "1")), ("3", state_after(training, "2"))):
        start = state_before(training, name)
        assert start.keys() == former.keys() and all(start[key].equal(tensor) for key, tensor in former.items())


@pytest.mark.parametrize("name", STAGES)
def test_a_stage_leaves_a_folder_that_loads_with_its_losses(training: Training, name: str):
    folder = training.folder(name)
    loaded = checkpoint.load(folder)
    assert loaded.model.config == training.size.config and not loaded.unknown
    assert loaded.tokenizer.encode("so") == training.tokenizer.encode("so")
    assert (folder / FOLDER).is_dir() == (name == "3") == (folder / REPLIES).exists()
    report = json.loads((folder / REPORT).read_text())
    assert report["steps"] == 2 and report["samples"] == 8 and report["trained_parameters"] > 0
    assert ("random weights" in report.get("codes", "")) == (name == "3")
    assert ("random weights" in report["start"]) == (name == "1")
    assert len((folder / LOSSES).read_text().splitlines()) == 3
    assert (folder / "losses.svg").exists() and not (folder / STATE).exists()


def test_a_stage_that_is_done_is_not_done_again(training: Training, capsys: pytest.CaptureFixture[str]):
    weights = training.folder("2") / SINGLE
    before = weights.stat().st_mtime_ns
    training.run("2")
    assert weights.stat().st_mtime_ns == before and "done before" in capsys.readouterr().err


class Same:
    """One batch again and again."""

    def __init__(self, batch: Any) -> None:
        self.batch, self.recipe = batch, "one batch"

    def __call__(self, number: int) -> Any:
        return self.batch


def losses_of(folder: Path) -> list[float]:
    return [float(line.split(",")[1]) for line in (folder / LOSSES).read_text().splitlines()[1:]]


@pytest.mark.parametrize(("name", "fall"), [("1", 0.1), ("2", 1.0), ("3", 1.0)])
def test_the_loss_falls_on_one_batch(training: Training, name: str, fall: float, tmp_path: Path):
    work = training.work(name)
    model = training.start(work)
    learner, batches = (training.speaking if work.stage.speaks else training.understanding)(model, work)
    optimise(learner, Same(batches(0)), 6, tmp_path, SETTINGS)
    losses = losses_of(tmp_path)
    assert losses[-1] < losses[0] - fall


@torch.no_grad()
def test_the_loss_is_the_mean_of_all_learnt_tokens_whatever_stands_beside_them(training: Training):
    work = training.work("2")
    learner = NexusLearner(training.start(work), work)
    batch = NexusBatches(training.world, work, 0)(0)
    alone = [float(learner(Batch([sample], [kind]))) for sample, kind in zip(batch.samples, batch.kinds, strict=True)]
    counts = [int((sample.labels >= 0).sum()) for sample in batch.samples]
    wanted = sum(loss * count for loss, count in zip(alone, counts, strict=True)) / sum(counts)
    assert len(set(counts)) > 1 and float(learner(batch)) == pytest.approx(wanted, rel=1e-5)


class Stopped(Exception):
    pass


def test_a_stopped_stage_goes_on_though_no_gradient_reached_the_vision_adapter(
    training: Training, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(loop, "SAVE_EVERY", 1)
    work = training.work("2")
    batch = NexusBatches(training.world, work, 0)(0)

    class Stops(Same):
        def __call__(self, number: int) -> Any:
            if number == 2:
                raise Stopped
            return super().__call__(number)

    whole, stopped = tmp_path / "whole", tmp_path / "stopped"
    whole.mkdir()
    stopped.mkdir()
    learner = NexusLearner(training.start(work), work)
    optimise(learner, Same(batch), 3, whole, SETTINGS)
    with pytest.raises(Stopped):
        optimise(NexusLearner(training.start(work), work), Stops(batch), 3, stopped, SETTINGS)
    again = NexusLearner(training.start(work), work)
    optimise(again, Same(batch), 3, stopped, SETTINGS)
    assert losses_of(stopped) == losses_of(whole)
    own = learner.model.state_dict()
    assert all(own[key].equal(tensor) for key, tensor in again.model.state_dict().items())


def test_the_recipe_is_what_is_published():
    assert [stage.h100 for stage in STAGES.values()] == [6, 64, 6]
    sums = [[sum(phase.values()) for phase in stage.phases] for stage in STAGES.values()]
    assert sums == [[8_190_000], [270_000], [40_000_000, 220_000]]
    assert STAGES["1"].phases[0]["transcript"] == 5_600_000 and STAGES["2"].phases[0]["spoken question"] == 230_000
    assert STAGES["1"].trained == ("audio encoder", "audio adapter")
    assert set(STAGES["2"].trained) == {"language model", "lm head", "audio adapter", "vision adapter"}
    assert STAGES["3"].trained == ("audio decoder",)


def test_no_stage_trains_the_vision_tower_and_the_second_alone_its_adapter(training: Training):
    names = training.start(training.work("1")).state_dict()
    tower = [name for name in names if name.startswith("model.visual.") and not name.startswith(MERGER)]
    merger = [name for name in names if name.startswith(MERGER)]
    assert tower and merger and not any(stage.trains(name) for stage in STAGES.values() for name in tower)
    assert all([number for number in STAGES if STAGES[number].trains(name)] == ["2"] for name in merger)


def test_the_plan_is_printed_without_training(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    assert main(["--dry-run", "--out", str(tmp_path), "--steps", "7"]) == 0
    out = capsys.readouterr().out
    assert [line.split(":")[0] for line in out.splitlines() if line.startswith("stage")] == [
        f"stage {n}" for n in STAGES
    ]
    assert "transcript 5,600,000" in out and "emotion 750,000 (not in the mini world)" in out
    assert "64 H100" in out and out.count("ours") == 3 and "7 steps of 4" in out
    assert "no gradient reaches the vision adapter" in out and "FireFly codec with random weights" in out
    assert not list(tmp_path.iterdir())


def test_a_stage_without_the_one_before_says_what_to_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    assert main(["--stage", "3", "--out", str(tmp_path)]) == 2
    assert "starts from stage 2" in (told := capsys.readouterr().err) and "run --stage 2" in told


def test_the_last_stage_gives_a_voice_to_the_weights_that_it_is_given(training: Training, tmp_path: Path):
    given = Training("tiny", 0, tmp_path, "cpu", steps=1, given=Given(understanding=training.folder("1")))
    given.run("3")
    report = json.loads((given.folder("3") / REPORT).read_text(encoding="utf-8"))
    assert report["start"] == f"the weights {training.folder('1').name}"
    after, of_first = state_after(given, "3"), state_after(training, "1")
    assert all(tensor.equal(of_first[name]) for name, tensor in after.items())
    with pytest.raises(FileNotFoundError, match="run --stage 1"):
        given.run("2")  # which is given nothing


@pytest.mark.parametrize("steps", ["0", "-1", "many", "1.5"])
def test_a_number_of_steps_that_is_none_is_refused(steps: str, capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit):
        main([f"--steps={steps}"])
    assert f"{steps!r}: expected a whole number above 0" in capsys.readouterr().err


def test_a_stage_that_cannot_be_read_is_named(training: Training, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    shutil.copytree(training.folder("1"), tmp_path / "stage-1")
    weights = tmp_path / "stage-1" / SINGLE
    tensors = load_file(weights)
    del tensors["lm_head.weight"]
    save_file(tensors, weights)
    assert main(["--stage", "2", "--out", str(tmp_path)]) == 2
    assert str(weights.parent) in (told := capsys.readouterr().err) and "lm_head.weight" in told


def test_a_stage_of_another_size_is_not_gone_on_from(training: Training, tmp_path: Path):
    other = Training("tiny", 0, tmp_path, "cpu", steps=1)
    shutil.copytree(training.folder("1"), tmp_path / "stage-1")
    config = other.size.config
    other.size = replace(other.size, config=replace(config, choices=replace(config.choices, mix="two_way")))
    with pytest.raises(CheckpointError, match="take another folder or --size"):
        other.run("2")


@pytest.mark.parametrize("option", ["--language", "--base"])
@pytest.mark.parametrize(
    ("size", "said"), [("tiny", "size tiny starts from random weights; leave it out"), ("mini", "no such folder")]
)
def test_first_weights_that_cannot_be_taken_are_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], option: str, size: str, said: str
):
    with pytest.raises(SystemExit) as stopped:
        main(["--size", size, "--out", str(tmp_path), option, str(tmp_path / "nowhere")])
    assert stopped.value.code == 2 and f"{option} {tmp_path / 'nowhere'}: {said}" in capsys.readouterr().err


def test_a_stage_goes_on_from_weights_that_are_given_but_for_their_adapter(tmp_path: Path):
    given = Given(base=NEXUS_MINI)
    started = Training("mini", 1, tmp_path, "cpu", given=given)._before("seeing", ()).state_dict()
    shipped, random = (
        model.state_dict() for model in (checkpoint.load(NEXUS_MINI).model, build(SIZES["mini"].config, 1))
    )
    assert started.keys() == shipped.keys()
    for name, value in started.items():
        assert value.equal((random if name.startswith("model.audio_adapter.") else shipped)[name]), name


def test_weights_of_another_size_are_not_gone_on_from(
    training: Training, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    base = training.folder("1")
    assert main(["--size", "mini", "--stage", "seeing", "--base", str(base), "--out", str(tmp_path)]) == 2
    told = capsys.readouterr().err
    assert str(base) in told and "take another folder or --size" in told and not list(tmp_path.iterdir())
