"""The stage that trains FireFly: gradients through the rounding, what moves, controls, what it leaves behind."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from models.nexus_o.codec_folder import CODEC
from models.nexus_o.firefly import Firefly
from models.nexus_o.firefly_checkpoint import load_firefly
from models.nexus_o.firefly_config import BackboneConfig, FireflyConfig, HeadConfig, MelConfig, QuantizerConfig
from models.training import loop
from models.training.loop import LOSSES, STATE
from models.training.nexus import codec_stage
from models.training.nexus.codec_run import CodecEffort, codec_controls, codes_of
from models.training.nexus.codec_stage import (
    MARGIN,
    PHASES,
    SETTINGS,
    CodecLearner,
    sound,
    squashed,
    start,
    steps_of,
    straight_through,
    wanted,
    width_of,
    windows,
)
from models.training.nexus.sizes import SIZES
from models.training.nexus_o import REPORT, Training, main
from models.training.speech_out.acoustics import Acoustics, find_acoustics
from models.training.speech_out.codec_stage import WINDOW, CodecBatch, CodecBatches
from models.training.speech_out.readings import Reading, as_tensor

CONFIG = FireflyConfig(
    MelConfig(sample_rate=16_000, mels=40, fft=1024, hop=256, window=1024),
    BackboneConfig(depths=(1, 1), widths=(16, 32), kernel=7),
    HeadConfig(
        width=32, rates=(4, 4, 4, 4), up_kernels=(8, 8, 8, 8), kernels=(3,), dilations=((1, 3),), pre_kernel=5,
        post_kernel=5,
    ),
    QuantizerConfig(groups=8, levels=(8, 5, 5, 5), factors=(2, 2)),
)  # fmt: skip
HOP = CONFIG.samples
ENCODER, SPECTRA, ADVERSARIAL = PHASES


def hum(seed: int, frames: int) -> Reading:
    """Tones, one a frame, in the place of speech, behind a frame of silence."""
    rng = np.random.default_rng(seed)
    pitch = np.repeat(rng.uniform(100, 3000, frames), HOP)
    wave = 0.3 * np.sin(2 * np.pi * np.cumsum(pitch) / CONFIG.mel.sample_rate)
    wave[:HOP] = 0
    return Reading(f"hum {seed}", np.round(wave * 32767).astype(np.int16))


READINGS = [hum(seed, 12 + 3 * seed) for seed in range(6)]


@pytest.fixture(scope="module")
def acoustics() -> Acoustics:
    return find_acoustics(READINGS, CONFIG.mel.sample_rate, HOP, width_of(CONFIG))


@pytest.fixture
def codec() -> Firefly:
    torch.manual_seed(1)
    return Firefly(CONFIG)


def batches(name: str) -> CodecBatches:
    return CodecBatches(READINGS, HOP, 2, 0, name)


def waves() -> Tensor:
    return as_tensor(READINGS[1].wave)[None]


def test_the_rounding_is_that_of_the_codes_and_its_gradient_that_of_none(codec: Firefly):
    numbers = squashed(codec, waves()).detach().requires_grad_(True)
    levels = CONFIG.quantizer.levels
    made = straight_through(numbers, levels)
    codes = codec.encode(waves()[:, None]).codes
    embedded = torch.cat(
        [
            group.project_out(part)
            for group, part in zip(codec.quantizer.residual_fsq.rvqs, made.unbind(1), strict=True)
        ],
        dim=-1,
    )
    torch.testing.assert_close(embedded.transpose(1, 2), codec.quantizer.embed(codes))
    torch.testing.assert_close(sound(codec, made), codec.decode(codes).waves[:, 0])
    (gradient,) = torch.autograd.grad(made.sum(), numbers)
    assert gradient.equal((1 / (torch.tensor(levels) // 2)).expand_as(gradient))


def test_the_mel_loss_alone_reaches_every_weight_of_the_encoder(
    codec: Firefly, acoustics: Acoustics, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(codec_stage, "HELD", 0.0)
    CodecLearner(codec, SPECTRA, acoustics)(batches("spectra")(0)).backward()
    for name, parameter in codec.named_parameters():
        assert parameter.grad is not None and bool(parameter.grad.any()), name


def test_what_is_wanted_lies_within_the_levels_and_its_first_stream_varies_most(acoustics: Acoustics):
    targets = torch.cat([wanted(acoustics, as_tensor(one.wave)[None], CONFIG)[0] for one in READINGS], dim=1)
    assert targets.shape[::2] == (8, 4)
    levels = torch.tensor(CONFIG.quantizer.levels)
    assert bool((targets.round() >= -(levels // 2)).all()) and bool((targets.round() <= (levels - 1) // 2).all())
    spread = targets[..., 1:].std(1).mean(-1)  # without the digit of 8 levels
    assert spread.argmax() == 0 and spread[0] > 1.2 * spread[-1]


def test_windows_begin_where_each_row_says():
    x = torch.arange(20).view(2, 10)[..., None]
    assert windows(x, torch.tensor([1, 4]), 3)[..., 0].tolist() == [[1, 2, 3], [14, 15, 16]]


@pytest.mark.parametrize("first", [0, 3])
def test_what_the_generator_cannot_know_costs_nothing(codec: Firefly, acoustics: Acoustics, first: int):
    """A click at an inner start of a window is not heard by the loss; at the reading's own start it is."""
    learner = CodecLearner(codec, SPECTRA, acoustics)
    batch = CodecBatch(as_tensor(hum(9, WINDOW + 8).wave)[None], torch.tensor([first]))

    def spoil(_module: object, _given: object, output: Tensor) -> Tensor:
        spoilt = output.clone()
        spoilt[..., : MARGIN * HOP] = 0.9
        return spoilt

    whole = learner(batch)
    hook = codec.head.register_forward_hook(spoil)
    spoilt = learner(batch)
    hook.remove()
    assert spoilt.equal(whole) == (first > 0)


@pytest.mark.parametrize("phase", PHASES, ids=lambda phase: phase.name)
def test_a_phase_moves_its_own_parts_and_the_second_no_code(
    codec: Firefly, acoustics: Acoustics, tmp_path: Path, phase: codec_stage.Phase
):
    before, codes = {name: value.clone() for name, value in codec.state_dict().items()}, codes_of(codec, READINGS[2])
    loop.optimise(CodecLearner(codec, phase, acoustics), batches(phase.name), 2, tmp_path, SETTINGS)
    moved = {name for name, value in codec.state_dict().items() if not value.equal(before[name])}
    encoder = {name for name in before if name.startswith(("backbone.", "quantizer.downsample.")) or "_in." in name}
    own = {"encoder": encoder, "spectra": before.keys(), "adversarial": before.keys() - encoder}
    assert moved == own[phase.name]
    assert codes_of(codec, READINGS[2]).equal(codes) or phase is not ADVERSARIAL


def test_the_encoder_learns_to_hear_the_axes_alone(acoustics: Acoustics, tmp_path: Path):
    loop.optimise(CodecLearner(start(CONFIG, 0), ENCODER, acoustics), batches("encoder"), 120, tmp_path, SETTINGS)
    losses = [float(line.split(",")[1]) for line in (tmp_path / LOSSES).read_text().splitlines()[1:]]
    assert np.mean(losses[-10:]) < 0.5 * np.mean(losses[:10])


def test_a_codec_that_learns_tells_codes_from_others(codec: Firefly, acoustics: Acoustics, tmp_path: Path):
    before = codec_controls(codec.eval(), READINGS)
    loop.optimise(CodecLearner(codec, SPECTRA, acoustics), batches("spectra"), 120, tmp_path, SETTINGS)
    after = codec_controls(codec.eval(), READINGS)
    assert after.true < 0.9 * before.true and after.true < after.blank and after.true < after.shuffled


def test_the_phases_share_all_steps():
    assert [sum(steps_of(phase, steps) for phase in PHASES) for steps in range(1, 50)] == list(range(1, 50))


def small(out: Path, steps: int) -> Training:
    """The mini size with a tiny codec and few readings."""
    made = Training("mini", 0, out, "cpu", steps=steps)
    made.size = replace(made.size, codec=CONFIG, voice=CodecEffort(steps=steps, batch=2, readings=8, held_out=2))
    return made


def test_the_stage_leaves_a_codec_that_loads_with_its_losses_and_controls(tmp_path: Path):
    training = small(tmp_path, 4)
    training.run("codec")
    folder = training.folder("codec")
    codec = load_firefly(folder / CODEC.name).model
    assert codec.config == CONFIG and [path.exists() for path in CODEC.files(folder / CODEC.name)] == [True, True]
    report = json.loads((folder / REPORT).read_text())
    assert (report["stage"], report["steps"], report["samples"], report["readings"]) == ("codec", 4, 8, 8)
    assert set(report["held_out_loss"]) == {"true", "blank", "shuffled"} and len(report["codes_used"]) == 8
    assert len((folder / LOSSES).read_text().splitlines()) == 5
    assert (folder / "losses.svg").exists() and not list(folder.rglob(STATE))


class Stopped(Exception):
    pass


def test_a_stopped_stage_goes_on_as_if_it_had_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(loop, "SAVE_EVERY", 2)
    whole, stopped = small(tmp_path / "whole", 5), small(tmp_path / "stopped", 5)
    whole.run("codec")
    given = CodecBatches.__call__

    def stops(self: CodecBatches, number: int) -> CodecBatch:
        if number == 2:
            raise Stopped
        return given(self, number)

    with monkeypatch.context() as patched:
        patched.setattr(CodecBatches, "__call__", stops)
        with pytest.raises(Stopped):
            stopped.run("codec")
    stopped.run("codec")
    states = [load_firefly(one.folder("codec") / CODEC.name).model.state_dict() for one in (whole, stopped)]
    assert all(states[1][name].equal(value) for name, value in states[0].items())
    losses = [(one.folder("codec") / LOSSES).read_bytes() for one in (whole, stopped)]
    assert losses[0] == losses[1]


def test_the_plan_tells_of_the_codec_and_the_last_stage_of_its_codes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    assert main(["--size", "mini", "--dry-run", "--out", str(tmp_path)]) == 0
    out = capsys.readouterr().out
    assert out.index("stage codec: speech codec") < out.index("stage 3: audio output")
    count = sum(parameter.numel() for parameter in Firefly(SIZES["mini"].codec).parameters())
    assert f"all of it: {count:,} parameters" in out and 2 * count < 2_000_000
    assert "codes          of the codec of stage codec" in out and "random weights; " not in out
    assert not list(tmp_path.iterdir())


def test_a_size_whose_codec_is_random_has_no_such_stage(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    assert "codec" not in Training("tiny", 0, tmp_path, "cpu").names
    with pytest.raises(SystemExit):
        main(["--stage", "codec", "--out", str(tmp_path)])
    assert "--size tiny has no stage codec: it has 1, 2, 3" in capsys.readouterr().err


def test_the_last_stage_asks_for_the_codec(tmp_path: Path):
    training = small(tmp_path, 1)
    with pytest.raises(FileNotFoundError, match="run --stage codec"):
        training.codec("3")
