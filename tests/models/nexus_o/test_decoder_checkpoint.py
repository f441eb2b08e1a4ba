"""The speech decoder's weights: round trips in both places, and every fault named."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from models.checkpoint_error import CheckpointError
from models.nexus_o.audio_decoder import AudioDecoder
from models.nexus_o.checkpoint import load, save
from models.nexus_o.config import NexusConfig
from models.nexus_o.decoder_checkpoint import FOLDER, decoder_files, load_decoder, parameter_counts, save_decoder
from models.nexus_o.decoder_config import DecoderConfig
from models.nexus_o.omni import build
from models.released.files import INDEX, SINGLE
from models.text.tokenizer import byte_tokenizer
from tests.models.nexus_o.speech_decoders import tiny_decoder

CONFIG = NexusConfig.tiny()
DECODER = tiny_decoder(3)


def same(one: AudioDecoder, other: AudioDecoder) -> bool:
    ours, theirs = one.state_dict(), other.state_dict()
    return ours.keys() == theirs.keys() and all(torch.equal(tensor, theirs[name]) for name, tensor in ours.items())


@pytest.mark.parametrize("shard_bytes", [300_000, 5_000_000_000])
def test_what_is_saved_is_loaded_again(tmp_path: Path, shard_bytes: int) -> None:
    save_decoder(DECODER, tmp_path, shard_bytes)
    assert (tmp_path / FOLDER / INDEX).exists() == (shard_bytes == 300_000)
    assert {path.parent for path in decoder_files(tmp_path)} == {tmp_path / FOLDER}
    loaded = load_decoder(tmp_path, CONFIG)
    assert loaded.unknown == () and not loaded.model.training
    assert same(loaded.model, DECODER)


@pytest.mark.parametrize("prefix", ["audio_decoder.", "model.audio_decoder."])
def test_it_may_stand_among_the_other_weights(tmp_path: Path, prefix: str) -> None:
    """Whose names are partly the decoder's own, such as lm_head.weight."""
    save(build(CONFIG, seed=0), byte_tokenizer(), tmp_path)
    others = load_file(tmp_path / SINGLE)
    assert "lm_head.weight" in others
    state = {prefix + name: tensor for name, tensor in DECODER.state_dict().items()}
    save_file(others | state, tmp_path / SINGLE)
    assert decoder_files(tmp_path) == []
    loaded = load_decoder(tmp_path, CONFIG)
    assert same(loaded.model, DECODER) and loaded.unknown == ()
    assert load(tmp_path).unknown == ()
    save_file(others | state | {"more": torch.zeros(1)}, tmp_path / SINGLE)
    assert load(tmp_path).unknown == ("more",)


def test_a_folder_without_one_says_so(tmp_path: Path) -> None:
    save_file({"lm_head.weight": torch.zeros(1)}, tmp_path / SINGLE)
    told = r"neither a folder audio_decoder nor tensors audio_decoder\.\* are there"
    for read in (decoder_files, lambda folder: load_decoder(folder, CONFIG)):
        with pytest.raises(CheckpointError, match=told):
            read(tmp_path)


def test_faults_are_named_and_unknown_tensors_told(tmp_path: Path) -> None:
    save_decoder(DECODER, tmp_path)
    path = tmp_path / FOLDER / SINGLE
    state = load_file(path)
    save_file(state | {"more": torch.zeros(1)}, path)
    assert load_decoder(tmp_path, CONFIG).unknown == ("more",)
    del state["norm.weight"]
    state["layers.0.mlp.up_proj.weight"] = torch.zeros(2, 3)
    save_file(state, path)
    with pytest.raises(CheckpointError) as error:
        load_decoder(tmp_path, CONFIG)
    assert "missing norm.weight [64]" in str(error.value)
    assert "layers.0.mlp.up_proj.weight has shape [2, 3], expected [96, 64]" in str(error.value)
    assert str(tmp_path / FOLDER) in str(error.value)


def test_sizes_that_cannot_be_name_the_file_that_states_them(tmp_path: Path) -> None:
    save_decoder(DECODER, tmp_path)
    with pytest.raises(CheckpointError, match=r"config\.json: decoder_width 100 .*heads"):
        load_decoder(tmp_path, replace(CONFIG, choices=replace(CONFIG.choices, decoder_width=100)))


def test_published_sizes() -> None:
    """6 blocks of 233.1 M as stated, and eight tables and output layers of 1025 ids."""
    published = NexusConfig.published()
    counts = parameter_counts(DecoderConfig.of(published))
    block = 2 * 3584**2 + 3584 + 2 * (3584 * 512 + 512) + 3 * 3584 * 18944 + 2 * 3584
    assert counts.blocks == 6 * block == 1_398_346_752
    assert counts.whole == counts.blocks + 2 * 8 * 1025 * 3584 + 3584 == 1_457_127_936
    small = parameter_counts(
        DecoderConfig.of(replace(published, choices=replace(published.choices, decoder_width=1024)))
    )
    assert small.whole == small.blocks + 2 * 8 * 1025 * 1024 + 1024 + 3584 * 1024 + 1024 == 138_455_040
