"""FireFly's sizes and weights: names of the release, strict loading, and errors that say what to do."""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from models.checkpoint_error import CheckpointError
from models.nexus_o.codec_folder import codec_files
from models.nexus_o.firefly_checkpoint import (
    NAME,
    build_firefly,
    load_firefly,
    parameter_counts,
    random_firefly,
    released_state,
    save_firefly,
)
from models.nexus_o.firefly_config import FireflyConfig

GOLDENS = Path(__file__).parents[2] / "goldens" / "nexus_o_and_alignment"
TINY = FireflyConfig.tiny()
CODEC = random_firefly(TINY, seed=1)
STATE = {name: tensor.clone().contiguous() for name, tensor in released_state(CODEC).items()}
G, V = (f"head.ups.0.conv.parametrizations.weight.original{i}" for i in (0, 1))


def _arguments() -> dict[str, Any]:
    return json.loads((GOLDENS / "firefly_config.json").read_text(encoding="utf-8"))


def _save(folder: Path, state: dict[str, Tensor]) -> Path:
    save_file(state, folder / f"{NAME}.safetensors")
    return folder


def test_published_sizes_and_rates() -> None:
    config = FireflyConfig.published()
    assert (config.codes, config.samples, config.width) == (1000, 2048, 512)
    assert config.frame_rate == pytest.approx(21.533, abs=1e-3)
    assert parameter_counts(config) == (19_447_808, 10_525_216, 17_092_194)  # 47.07 M


def test_the_released_names_and_shapes_fill_the_published_size() -> None:
    shapes = json.loads((GOLDENS / "firefly_full_keys_shapes.json").read_text(encoding="utf-8"))
    state = {name: torch.empty(shape, device="meta") for name, shape in shapes.items()}
    assert len(state) == 547
    loaded = build_firefly(FireflyConfig.published(), state, Path(NAME), "meta")
    assert loaded.unknown == ()
    assert sum(tensor.numel() for tensor in state.values()) == 47_065_218


@pytest.mark.parametrize("suffix", ["safetensors", "pth"])
def test_what_was_saved_by_the_releases_names_sounds_the_same(suffix: str, tmp_path: Path) -> None:
    if suffix == "pth":
        torch.save(STATE, tmp_path / f"{NAME}.pth")
    else:
        _save(tmp_path, STATE)
    loaded = load_firefly(tmp_path, TINY)
    assert loaded.unknown == () and not loaded.model.training
    codes = torch.randint(0, 1000, (1, 8, 3), generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(loaded.model.decode(codes).waves, CODEC.decode(codes).waves)


def test_the_length_of_a_normed_direction_does_not_count(tmp_path: Path) -> None:
    loaded = load_firefly(_save(tmp_path, STATE | {V: 3 * STATE[V]}), TINY).model
    torch.testing.assert_close(loaded.state_dict()["head.ups.0.conv.weight"], STATE[V])
    twice = load_firefly(_save(tmp_path, STATE | {G: 2 * STATE[G]}), TINY).model
    torch.testing.assert_close(twice.state_dict()["head.ups.0.conv.weight"], 2 * STATE[V])


def test_half_a_pair_is_an_error_that_names_both(tmp_path: Path) -> None:
    half = {name: tensor for name, tensor in STATE.items() if name != G}
    with pytest.raises(CheckpointError, match=r"missing head\.ups\.0\.conv\.weight") as caught:
        load_firefly(_save(tmp_path, half), TINY)
    assert V in str(caught.value) and "Fish-Speech 1.4 or 1.5" in str(caught.value)


def test_a_tensor_of_another_shape_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"gamma has shape \[3\], expected \[32\]"):
        load_firefly(_save(tmp_path, STATE | {"quantizer.upsample.0.1.gamma": torch.zeros(3)}), TINY)


def test_what_the_codec_does_not_know_is_told(tmp_path: Path) -> None:
    assert load_firefly(_save(tmp_path, STATE | {"spare": torch.zeros(1)}), TINY).unknown == ("spare",)


def test_nothing_but_tensors_is_read(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"neither .*safetensors nor .*\.pth is there"):
        load_firefly(tmp_path)
    path = tmp_path / f"{NAME}.pth"
    path.write_bytes(pickle.dumps(Path("x"), protocol=2))
    with pytest.raises(CheckpointError, match="cannot be read as tensors only"):
        load_firefly(tmp_path)
    torch.save({"generator": STATE}, path)
    with pytest.raises(CheckpointError, match="expected a dictionary of tensors"):
        load_firefly(tmp_path)


def test_the_recorded_arguments_are_read() -> None:
    config = FireflyConfig.from_json(_arguments())
    assert (config.mel.hop, config.width, config.quantizer.groups, config.samples) == (16, 24, 3, 64)
    assert config.head.dilations == ((1, 3, 5),) * 3


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16])
def test_a_codec_that_was_saved_says_its_own_size(dtype: torch.dtype, tmp_path: Path) -> None:
    save_firefly(CODEC, tmp_path, dtype)
    loaded = load_firefly(tmp_path)
    assert loaded.model.config == TINY and loaded.unknown == ()
    for name, value in CODEC.state_dict().items():
        assert loaded.model.state_dict()[name].equal(value.to(dtype).float()), name
    assert sorted(path.suffix for path in codec_files(tmp_path)) == [".json", ".safetensors"]
    (tmp_path / f"{NAME}.json").write_text('{"spec": {}}')
    with pytest.raises(CheckpointError, match=r"generator\.json: backbone is missing"):
        load_firefly(tmp_path)


@pytest.mark.parametrize("config", [TINY, FireflyConfig.published()])
def test_a_size_is_read_as_it_was_written(config: FireflyConfig) -> None:
    assert FireflyConfig.from_json(json.loads(json.dumps(config.to_json()))) == config


@pytest.mark.parametrize(
    ("section", "field", "value", "match"),
    [
        ("spec", "n_mels", 0, "n_mels is 0"),
        ("spec", "win_length", 8, r"spec\.win_length 8"),
        ("spec", "hop_length", 32, "multiply to another number than hop 32"),
        ("backbone", "depths", [1, 1], r"backbone\.depths has 2 entries, expected 4"),
        ("backbone", "input_channels", 21, r"backbone\.input_channels is 21: expected 20"),
        ("backbone", "dims", "wide", "dims is 'wide'"),
        ("head", "num_mels", 23, r"head\.num_mels is 23: expected 24"),
        ("head", "upsample_kernel_sizes", [8, 4, 1], r"head\.upsample_kernel_sizes \[1\] are smaller"),
        ("head", "upsample_initial_channel", 12, "cannot be halved 3 times"),
        ("head", "resblock_dilation_sizes", [1, 3, 5], "resblock_dilation_sizes is 1"),
        ("quantizer", "n_groups", 7, "no multiple of n_groups 7"),
        ("quantizer", "n_codebooks", 2, r"quantizer\.n_codebooks is 2: expected 1"),
        ("quantizer", "levels", [], "levels is"),
    ],
)
def test_a_wrong_argument_is_named(section: str, field: str, value: object, match: str) -> None:
    arguments = _arguments()
    arguments[section][field] = value
    with pytest.raises(ValueError, match=match):
        FireflyConfig.from_json(arguments)


def test_a_missing_section_is_named() -> None:
    with pytest.raises(ValueError, match="head is missing"):
        FireflyConfig.from_json({name: value for name, value in _arguments().items() if name != "head"})
    with pytest.raises(ValueError, match="spec is missing"):
        FireflyConfig.from_json([])


def test_random_weights_are_those_of_the_seed() -> None:
    again = random_firefly(TINY, seed=1).state_dict()
    assert all(torch.equal(tensor, again[name]) for name, tensor in CODEC.state_dict().items())
    other = random_firefly(TINY, seed=2).state_dict()
    assert not torch.equal(other["head.conv_pre.conv.weight"], again["head.conv_pre.conv.weight"])
