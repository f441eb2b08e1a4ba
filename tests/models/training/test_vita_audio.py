"""VITA-Audio's stages at the tiny size, two steps each: what moves, how each begins, what is left behind."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from models.checkpoint_error import CheckpointError
from models.released.files import SINGLE
from models.released.settings import GENERATION
from models.training.loop import LOSSES, STATE, Settings, optimise
from models.training.mtp.learner import AudioLearner, grown
from models.training.mtp.sizes import SIZES
from models.training.mtp.stages import MODULE_PARTS, STAGES, is_module
from models.training.mtp.world import AudioBatches
from models.training.precision import mixed
from models.training.vita_audio import CONFIG, REPORT, Training, load, main
from models.vita_audio.config import MtpConfig
from models.vita_audio.language import build
from models.vita_audio.loss import Packed

LLM_LAYERS = SIZES["tiny"].config.llm_layers


@pytest.fixture(scope="module")
def training(tmp_path_factory: pytest.TempPathFactory) -> Training:
    done = Training("tiny", 0, tmp_path_factory.mktemp("vita-audio"), "cpu", steps=2)
    for name in STAGES:
        done.run(name)
    return done


def state_before(training: Training, name: str) -> dict[str, Tensor]:
    return training.start(training.stage(name)).state_dict()


@pytest.mark.parametrize("name", STAGES)
def test_a_stage_moves_what_it_trains_and_nothing_else(training: Training, name: str):
    before, after = state_before(training, name), load_file(training.folder(name) / SINGLE)
    config = training.config(training.stage(name))
    moved = {key for key in after if not before[key].equal(after[key])}
    wanted = {key for key in after if STAGES[name].trains(key, config)}
    assert before.keys() == after.keys() and moved == wanted
    modules = {key for key in after if is_module(key, config)}
    assert moved == {"1": set(after), "2": modules, "3": modules, "4": set(after)}[name]


def test_the_first_module_starts_as_the_last_layer_with_a_small_projection_and_plain_norms(training: Training):
    trained, start = load_file(training.folder("1") / SINGLE), state_before(training, "2")
    assert all(start[key].equal(tensor) for key, tensor in trained.items())
    copied = {key for key in start if key.startswith(f"model.layers.{LLM_LAYERS}.")}
    assert copied
    for key in copied:
        assert start[key].equal(trained[key.replace(f".{LLM_LAYERS}.", f".{LLM_LAYERS - 1}.")])
    assert float(start["mtp_projs.0.weight"].std()) == pytest.approx(0.02, rel=0.1)
    assert abs(float(start["mtp_projs.0.weight"].mean())) < 0.002
    for part in ("mtp_embed_norms", "mtp_hidden_norms"):
        assert start[f"{part}.0.weight"].eq(1).all()


def test_further_modules_start_as_copies_of_the_first(training: Training):
    trained, start = load_file(training.folder("2") / SINGLE), state_before(training, "3")
    assert all(start[key].equal(tensor) for key, tensor in trained.items())
    for index in range(10):
        for part in MODULE_PARTS:
            assert start[f"{part}.{index}.weight"].equal(trained[f"{part}.0.weight"])
        name = f"model.layers.{LLM_LAYERS + index}.mlp.up_proj.weight"
        assert start[name].equal(trained[f"model.layers.{LLM_LAYERS}.mlp.up_proj.weight"])


def test_the_last_stage_starts_from_all_that_the_third_left(training: Training):
    trained, start = load_file(training.folder("3") / SINGLE), state_before(training, "4")
    assert trained.keys() == start.keys() and all(start[key].equal(tensor) for key, tensor in trained.items())


@pytest.mark.parametrize("name", STAGES)
def test_a_stage_leaves_a_folder_that_loads_with_its_losses(training: Training, name: str):
    folder, stage = training.folder(name), training.stage(name)
    assert load(folder).config == training.config(stage)
    config, report = (json.loads((folder / file).read_text()) for file in (CONFIG, REPORT))
    assert config["num_hidden_layers"] == LLM_LAYERS + stage.modules and config["vocab_size"] % 8 == 0
    assert json.loads((folder / GENERATION).read_text())["mtp_inference_mode"] == [1, 10, 4, 10]
    assert report["steps"] == 2 and report["trained_parameters"] > 0 and "synthetic" in report["codes"]
    assert len((folder / LOSSES).read_text().splitlines()) == 3
    assert (folder / "losses.svg").exists() and (folder / "tokenizer.json").exists() and not (folder / STATE).exists()


def test_a_stage_that_is_done_is_not_done_again(training: Training, capsys: pytest.CaptureFixture[str]):
    weights = training.folder("2") / SINGLE
    before = weights.stat().st_mtime_ns
    training.run("2")
    assert weights.stat().st_mtime_ns == before and "done before" in capsys.readouterr().err


class Same:
    """One pack again and again."""

    def __init__(self, packed: Packed) -> None:
        self.packed, self.recipe = packed, "one pack"

    def __call__(self, number: int) -> Packed:
        return self.packed


@pytest.mark.parametrize("name", STAGES)
def test_the_loss_falls_on_one_pack(training: Training, name: str, tmp_path: Path):
    stage = replace(training.stage(name), accumulation=1)
    learner = AudioLearner(training.start(stage), stage)
    packed = AudioBatches(training.world, replace(stage, length=320), 0)(0)
    optimise(learner, Same(packed), 6, tmp_path, stage.settings)
    losses = [float(line.split(",")[1]) for line in (tmp_path / LOSSES).read_text().splitlines()[1:]]
    assert losses[-1] < losses[0] - 0.1


def test_a_step_is_the_mean_of_its_packs(training: Training, tmp_path: Path):
    stage = training.stage("2")
    packs = AudioBatches(training.world, stage, 0)
    learner = AudioLearner(training.start(stage), stage)
    with torch.no_grad(), mixed(torch.device("cpu")):
        wanted = (float(learner(packs(0))) + float(learner(packs(1)))) / 2
    optimise(learner, packs, 1, tmp_path, Settings(accumulation=2))
    assert float((tmp_path / LOSSES).read_text().splitlines()[1].split(",")[1]) == pytest.approx(wanted, abs=1e-4)


def test_a_stage_that_is_done_with_other_settings_is_told(training: Training, capsys: pytest.CaptureFixture[str]):
    arguments = ["--stage", "1", "--out", str(training.out), "--steps", "3", "--seed", "7", "--mode", "balance"]
    assert main(arguments) == 2
    told = capsys.readouterr().err
    assert "seed 0 and not 7, steps 2 and not 3, mode [1, 10, 4, 10] and not [1, 4, 3, 8, 4, 10]" in told


def test_a_place_that_cannot_be_one_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    (tmp_path / "file").write_text("")
    assert main(["--stage", "1", "--steps", "1", "--out", str(tmp_path / "file" / "below")]) == 2
    assert "Not a directory" in capsys.readouterr().err


def losses(folder: Path) -> list[float]:
    return [float(line.split(",")[1]) for line in (folder / LOSSES).read_text().splitlines()[1:]]


def test_two_processes_take_the_steps_of_one(training: Training, tmp_path: Path):
    together = Training("tiny", 0, tmp_path, "cpu", steps=2, processes=2)
    together.run("1")
    assert losses(together.folder("1")) == pytest.approx(losses(training.folder("1")), rel=1e-3)
    one, other = (json.loads((made.folder("1") / REPORT).read_text()) for made in (training, together))
    assert (one["packs"], 2 * one["threads"]) == (other["packs"], other["threads"])


def test_processes_that_cannot_share_a_step_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit):
        main(["--processes", "7", "--stage", "2", "--out", str(tmp_path)])
    assert "--processes 7: stage 2 has 2 packs a step" in capsys.readouterr().err


def test_the_modules_take_larger_steps_in_the_last_stage_alone(training: Training):
    stage = training.stage("4")
    with torch.device("meta"):
        learner = AudioLearner(build(training.config(stage), 0, "meta"), stage)
    factors = {name: learner.rate_of(name) for name in learner.trained()}
    assert factors["mtp_projs.3.weight"] == factors[f"model.layers.{LLM_LAYERS}.mlp.up_proj.weight"] == 10
    assert (
        factors["model.layers.0.mlp.up_proj.weight"] == factors["lm_head.weight"] == factors["model.norm.weight"] == 1
    )
    assert all(STAGES[name].module_rate == 1 for name in "123")


def test_the_released_recipe_is_the_scripts():
    rates = {name: (stage.learning_rate, stage.learning_rate * stage.module_rate) for name, stage in STAGES.items()}
    assert rates["1"] == (6e-5, 6e-5) and rates["2"] == rates["3"] == (1e-3, 1e-3)
    assert rates["4"] == (5e-5, pytest.approx(5e-4))
    assert [stage.steps for stage in STAGES.values()] == [8000, 4000, 8000, 4000]
    assert [stage.length for stage in STAGES.values()] == [8192, 8192, 8192, 2048]
    assert [stage.modules for stage in STAGES.values()] == [0, 1, 10, 10]
    assert STAGES["4"].settings == Settings((0.9, 0.95), 1e-8, 0.1, 1.0, 0.03, 0.0, 16)
    assert STAGES["4"].shares["spoken question"] == 2 and not STAGES["1"].shares["spoken question"]


@pytest.mark.parametrize("name", STAGES)
def test_the_speech_encoder_of_plus_never_moves_and_its_projector_only_with_the_language_model(name: str):
    config = MtpConfig.tiny(64, STAGES[name].modules)
    assert not STAGES[name].trains("model.audio_model.model.encoder.after_norm.weight", config)
    assert STAGES[name].trains("model.audio_projection.mlp.0.weight", config) == (name in "14")


def test_a_stage_of_plus_keeps_the_modules_losses_from_the_language_model(training: Training):
    stage = training.stage("4")
    packed = AudioBatches(training.world, stage, 0)(0)
    gradients = []
    for plus in (False, True):
        learner = AudioLearner(training.start(stage), stage, plus)
        learner(packed).backward()
        gradients.append(learner.model.model.embed_tokens.weight.grad)
    model = training.start(stage)
    alone = replace(model.config, num_hidden_layers=LLM_LAYERS, num_nextn_predict_layers=0)
    without = build(alone, 0)
    without.load_state_dict({key: model.state_dict()[key] for key in without.state_dict()})
    AudioLearner(without, replace(stage, modules=0))(packed).backward()
    torch.testing.assert_close(gradients[1], without.model.embed_tokens.weight.grad, atol=1e-6, rtol=1e-4)
    assert not torch.allclose(gradients[0], gradients[1], atol=1e-6, rtol=1e-4)


def test_a_model_does_not_grow_smaller():
    with pytest.raises(ValueError, match="3 prediction modules, which is more than 1"):
        grown(build(MtpConfig.tiny(16, 3), 0), 1, 0)


def test_a_model_with_another_number_of_modules_is_no_learner_of_a_stage():
    with pytest.raises(ValueError, match="stage 3 has 10 prediction modules, but the model 2"):
        AudioLearner(build(MtpConfig.tiny(16, 2), 0), STAGES["3"])


def test_the_plan_is_printed_without_training(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    assert main(["--dry-run", "--out", str(tmp_path), "--steps", "7", "--mode", "balance"]) == 0
    out = capsys.readouterr().out
    assert [line.split(":")[0] for line in out.splitlines() if line.startswith("stage")] == [
        f"stage {n}" for n in STAGES
    ]
    assert "7 (release: 8000)" in out and "balance [1, 4, 3, 8, 4, 10]" in out and "synthetic" in out
    assert "modules 0.01 (release: 5e-05, modules 0.0005)" in out and "paper's rate for the modules is 4e-5" in out
    assert not list(tmp_path.iterdir())


def test_a_stage_without_the_one_before_says_what_to_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    assert main(["--stage", "3", "--out", str(tmp_path)]) == 2
    assert "starts from stage 2" in (told := capsys.readouterr().err) and "run --stage 2" in told


@pytest.mark.parametrize("steps", ["0", "-1", "many", "1.5"])
def test_a_number_of_steps_that_is_none_is_refused(steps: str, capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit):
        main([f"--steps={steps}"])
    assert f"{steps!r}: expected a whole number above 0" in capsys.readouterr().err


def test_a_stage_that_cannot_be_read_is_named(training: Training, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    shutil.copytree(training.folder("1"), tmp_path / "stage-1")
    weights, config = tmp_path / "stage-1" / SINGLE, tmp_path / "stage-1" / CONFIG
    tensors = load_file(weights)
    del tensors["model.norm.weight"]
    save_file(tensors, weights)
    assert main(["--stage", "2", "--out", str(tmp_path)]) == 2
    assert f"{weights.parent}: " in (told := capsys.readouterr().err) and "missing model.norm.weight" in told
    save_file(load_file(training.folder("1") / SINGLE) | {"model.more": torch.zeros(1)}, weights)
    with pytest.raises(CheckpointError, match=r"the model has no model\.more"):
        load(tmp_path / "stage-1")
    weights.write_bytes(b"nothing")
    with pytest.raises(CheckpointError, match=SINGLE):
        load(tmp_path / "stage-1")
    settings = json.loads(config.read_text())
    config.write_text(json.dumps(settings | {"hidden_size": 64}))
    shutil.copy(training.folder("1") / SINGLE, weights)
    with pytest.raises(CheckpointError, match="do not fit the model"):
        load(tmp_path / "stage-1")
    config.write_text("{")
    with pytest.raises(CheckpointError, match=CONFIG):
        load(tmp_path / "stage-1")


def test_a_stage_of_another_size_is_not_gone_on_from(training: Training, tmp_path: Path):
    other = Training("tiny", 0, tmp_path, "cpu", steps=1)
    shutil.copytree(training.folder("1"), tmp_path / "stage-1")
    other.size = replace(other.size, config=replace(other.size.config, intermediate_size=32))
    with pytest.raises(CheckpointError, match="take another --out or --size"):
        other.run("2")
