"""The codec's phases: what each trains and sees, and that a stopped one goes on as if it had not."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn

from models.training import loop
from models.training.speech_out import codec_run
from models.training.speech_out.codec_run import codec_controls, start
from models.training.speech_out.codec_stage import (
    MARGIN,
    PHASES,
    SETTINGS,
    WINDOW,
    CodecBatch,
    CodecBatches,
    EncoderLearner,
    GeneratorLearner,
    Phase,
    steps_of,
    true_codes,
    used,
)
from models.training.speech_out.readings import Reading, as_tensor
from models.training.speech_out.sizes import SPEECH_SIZES
from models.vita15.codec import Codec

SIZE = SPEECH_SIZES["tiny"]
HOP = SIZE.codec.hop
GENERATOR, ADVERSARIAL, ENCODER = PHASES


def hum(seed: int, tokens: int) -> Reading:
    """Tones, one a token, in the place of speech."""
    rng = np.random.default_rng(seed)
    pitch = np.repeat(rng.uniform(100, 3000, tokens), HOP)
    wave = 0.3 * np.sin(2 * np.pi * np.cumsum(pitch) / SIZE.codec.sample_rate)
    return Reading(f"hum {seed}", np.round(wave * 32767).astype(np.int16))


READINGS = [hum(seed, 20 + 3 * seed) for seed in range(8)]


def learner(phase: Phase, folder: Path) -> GeneratorLearner | EncoderLearner:
    torch.manual_seed(1)
    codec = Codec(SIZE.codec)
    acoustics = start(codec, READINGS, 0, folder)
    return (EncoderLearner if phase.encoder else GeneratorLearner)(codec, phase, acoustics)


def batches(phase: Phase) -> CodecBatches:
    return CodecBatches(READINGS, HOP, 3, 0, phase.name)


@given(st.integers(0, 100_000))
def test_the_phases_share_all_steps(steps: int):
    assert sum(steps_of(phase, steps) for phase in PHASES) == steps


def test_windows_lie_within_readings_of_one_length_and_reach_both_ends():
    made = batches(GENERATOR)
    seen = [made(number) for number in range(200)]
    for batch in seen:
        tokens = batch.waves.shape[1] // HOP
        assert batch.waves.shape[1] % HOP == 0 and len(batch.waves) == len(batch.starts) == 3
        assert ((batch.starts >= 0) & (batch.starts <= max(0, tokens - WINDOW))).all()
    assert any((batch.starts == 0).any() for batch in seen if batch.waves.shape[1] // HOP > WINDOW)
    assert any((batch.starts + WINDOW == batch.waves.shape[1] // HOP).any() for batch in seen)
    again = made(7)
    assert again.waves.equal(seen[7].waves) and again.starts.equal(seen[7].starts)


@pytest.mark.parametrize("first", [0, 5])
def test_what_the_generator_cannot_know_costs_nothing(tmp_path: Path, first: int):
    """A click at an inner end of a window is not heard by the loss; at the reading's own start it is."""
    made = learner(GENERATOR, tmp_path)
    batch = CodecBatch(as_tensor(hum(9, 40).wave)[None], torch.tensor([first]))

    def spoil(_module: nn.Module, _given: object, output: Tensor) -> Tensor:
        spoilt = output.clone()
        spoilt[..., : MARGIN * HOP] = 0.9
        return spoilt

    whole = made(batch)
    hook = made.codec.generator.register_forward_hook(spoil)
    spoilt = made(batch)
    hook.remove()
    assert spoilt.equal(whole) == (first > 0)


@pytest.mark.parametrize("phase", PHASES, ids=lambda phase: phase.name)
def test_a_phase_moves_its_own_parts_and_nothing_else(tmp_path: Path, phase: Phase):
    made = learner(phase, tmp_path)
    before = {name: value.clone() for name, value in made.codec.state_dict().items()}
    loop.optimise(made, batches(phase), 2, tmp_path, SETTINGS)
    moved = {name for name, value in made.codec.state_dict().items() if not value.equal(before[name])}
    own = ("encoder.",) if phase.encoder else ("generator.", "quantizer.quantizer_modules_globaltokens.")
    assert moved and all(name.startswith(own) for name in moved)
    assert all(any(name.startswith(prefix) for name in moved) for prefix in own)


def test_the_generator_gets_nothing_from_what_the_discriminators_want(tmp_path: Path):
    made = learner(ADVERSARIAL, tmp_path)
    assert isinstance(made, GeneratorLearner) and made.discriminators is not None
    loss = made(batches(ADVERSARIAL)(0))
    own = torch.autograd.grad(loss, list(made.codec.generator.parameters()), retain_graph=True)
    theirs = torch.autograd.grad(loss, list(made.discriminators.parameters()))
    assert all(gradient.abs().sum() > 0 for gradient in theirs)
    made.discriminators = None
    plain = torch.autograd.grad(made(batches(ADVERSARIAL)(0)), list(made.codec.generator.parameters()))
    assert any(not one.equal(other) for one, other in zip(own, plain, strict=True))


class Stopped(Exception):
    pass


@pytest.mark.parametrize("phase", PHASES, ids=lambda phase: phase.name)
def test_a_stopped_phase_goes_on_as_if_it_had_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, phase: Phase):
    monkeypatch.setattr(loop, "SAVE_EVERY", 2)

    class Stops(CodecBatches):
        def __call__(self, number: int) -> CodecBatch:
            if number == 3:
                raise Stopped
            return super().__call__(number)

    whole, stopped = tmp_path / "whole", tmp_path / "stopped"
    whole.mkdir()
    stopped.mkdir()
    straight, first, resumed = (learner(phase, tmp_path) for _ in range(3))
    loop.optimise(straight, batches(phase), 5, whole, SETTINGS)
    with pytest.raises(Stopped):
        loop.optimise(first, Stops(READINGS, HOP, 3, 0, phase.name), 5, stopped, SETTINGS)
    loop.optimise(resumed, batches(phase), 5, stopped, SETTINGS)
    for (name, value), other in zip(straight.state_dict().items(), resumed.state_dict().values(), strict=True):
        assert value.equal(other), name
    assert (whole / loop.LOSSES).read_bytes() == (stopped / loop.LOSSES).read_bytes()
    with (whole / loop.LOSSES).open() as file:
        assert [row["step"] for row in csv.DictReader(file)] == ["0", "1", "2", "3", "4"]


def test_the_encoder_learns_to_hear_the_codes(tmp_path: Path):
    made = learner(ENCODER, tmp_path)
    loop.optimise(made, batches(ENCODER), 40, tmp_path, SETTINGS)
    with (tmp_path / loop.LOSSES).open() as file:
        losses = [float(row["loss"]) for row in csv.DictReader(file)]
    assert np.mean(losses[-5:]) < 0.8 * np.mean(losses[:5])


def test_a_generator_that_learns_tells_codes_from_others(tmp_path: Path):
    made = learner(GENERATOR, tmp_path)
    before = codec_controls(made.codec.eval(), made.acoustics, READINGS)
    loop.optimise(made, batches(GENERATOR), 60, tmp_path, SETTINGS)
    after = codec_controls(made.codec.eval(), made.acoustics, READINGS)
    assert after.true < 0.8 * before.true
    assert after.true < after.blank and after.true < after.shuffled


def test_codes_follow_the_sound_and_not_the_phase(tmp_path: Path):
    made = learner(GENERATOR, tmp_path)
    time = torch.arange(20 * HOP) / SIZE.codec.sample_rate

    def tone(hertz: float, phase: float) -> Tensor:
        return 0.3 * torch.sin(2 * torch.pi * hertz * time + phase)[None]

    def inner(wave: Tensor) -> Tensor:
        return made.acoustics(wave)[0, 2:-2]

    codes = [true_codes(made.codec, made.acoustics, tone(700, phase))[:, 2:-2] for phase in (0.0, 1.0, 2.5)]
    assert all((some == codes[0][0, 0]).all() for some in codes)
    apart = (inner(tone(2100, 0)) - inner(tone(700, 0))).norm()
    assert (inner(tone(700, 1)) - inner(tone(700, 0))).norm() < 0.05 * apart


def test_the_codebook_is_found_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    first = learner(GENERATOR, tmp_path)

    def never(*_: object) -> Sequence[float]:
        raise AssertionError("found again")

    monkeypatch.setattr(codec_run, "k_means", never)
    again = learner(GENERATOR, tmp_path)
    tables = [one.codec.quantizer.quantizer_modules[0].embedding.weight for one in (first, again)]
    assert tables[0].equal(tables[1]) and first.acoustics.axes.equal(again.acoustics.axes)


def test_used_codes_and_their_perplexity():
    assert used([torch.tensor([0, 0, 1]), torch.tensor([1, 2, 2, 3, 3])], 9) == {"codes_used": 4, "perplexity": 4.0}
    assert used([torch.zeros(5, dtype=torch.long)], 9) == {"codes_used": 1, "perplexity": 1.0}
