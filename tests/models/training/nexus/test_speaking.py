"""The voice that ships: what of a training's last stage it is, and that the weights beside it speak by it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from harness.contracts import ModelOptions
from models.checkpoint_error import CheckpointError
from models.nexus_o import checkpoint
from models.nexus_o.adapter import _open
from models.nexus_o.audio_decoder import random_decoder
from models.nexus_o.codec_folder import CODEC
from models.nexus_o.decoder_checkpoint import load_decoder, save_decoder
from models.nexus_o.decoder_config import DecoderConfig
from models.nexus_o.firefly_checkpoint import load_firefly, random_firefly, save_firefly
from models.nexus_o.omni import build
from models.text.tokenizer import byte_tokenizer
from models.training.nexus.sizes import SIZES
from models.training.nexus.speaking import save_voice
from models.training.rounding import FEWER_BITS, round_weights, rounded

TINY = SIZES["tiny"].config
WIDER = replace(TINY, choices=replace(TINY.choices, decoder_width=16))
"""The speech decoder has another size than the understanding weights state."""


def test_the_weights_speak_by_the_voice_that_was_put_beside_them(tmp_path: Path):
    training, weights = tmp_path / "training", tmp_path / "weights"
    stage = training / "stage-3"
    decoder, codec = random_decoder(DecoderConfig.of(WIDER), 1), random_firefly(SIZES["tiny"].codec, 1)
    understands = build(WIDER, 0)
    checkpoint.save(understands, byte_tokenizer(), stage)
    save_decoder(decoder, stage)
    save_firefly(codec, stage / CODEC.name)
    understands.config = TINY
    round_weights(understands, FEWER_BITS)
    checkpoint.save(understands, byte_tokenizer(), weights)
    save_voice(training, weights)
    made = load_decoder(weights, checkpoint.outline(weights)).model
    assert made.config == decoder.config
    assert all(made.state_dict()[name].equal(rounded(value).float()) for name, value in decoder.state_dict().items())
    sound = load_firefly(weights / CODEC.name).model
    assert all(sound.state_dict()[name].equal(value.half().float()) for name, value in codec.state_dict().items())
    opened = _open(str(weights), ModelOptions())
    assert opened.identity.more["speech"] and opened.speaker is not None
    assert opened.speaker().sample_rate == codec.config.mel.sample_rate


def test_a_training_without_its_last_stage_has_no_voice(tmp_path: Path):
    with pytest.raises(CheckpointError, match="stage-3"):
        save_voice(tmp_path, tmp_path / "weights")
    assert not (tmp_path / "weights").exists()


def test_a_voice_that_learnt_to_speak_for_other_weights_is_refused(tmp_path: Path):
    training, weights = tmp_path / "training", tmp_path / "weights"
    checkpoint.save(build(TINY, 0), byte_tokenizer(), training / "stage-3")
    checkpoint.save(build(TINY, 1), byte_tokenizer(), weights)
    with pytest.raises(CheckpointError, match=r"not of the weights .*\nTrain stage 3 again, with --understanding"):
        save_voice(training, weights)
    assert not (weights / CODEC.name).exists()
