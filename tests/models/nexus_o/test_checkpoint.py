"""The released layout: round trips in both ways of naming tensors, options, every fault named."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from harness.failures import UsageError
from models.checkpoint_error import CheckpointError
from models.nexus_o.checkpoint import RELEASE, content_files, load, older, outline, renamed, save
from models.nexus_o.config import NexusConfig
from models.nexus_o.omni import Nexus, build
from models.released.files import INDEX, SINGLE
from models.text.tokenizer import byte_tokenizer
from tests.models.nexus_o.backbones import picture, prompt

CONFIG = NexusConfig.tiny()
PROMPT = prompt([3, picture(1, 56, 84), 4])


@pytest.fixture(scope="module")
def model() -> Nexus:
    return build(CONFIG, seed=3)


@pytest.fixture(scope="module")
def saved(model: Nexus, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("whole")
    save(model, byte_tokenizer(), folder)
    return folder


@pytest.fixture
def folder(saved: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(saved, tmp_path / "weights"))


def set_field(folder: Path, **values: object) -> None:
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | values), encoding="utf-8")


@torch.no_grad()
@pytest.mark.parametrize("earlier", [True, False])
@pytest.mark.parametrize("shard_bytes", [50_000, 5_000_000_000])
def test_what_is_saved_is_loaded_again(model: Nexus, tmp_path: Path, earlier: bool, shard_bytes: int) -> None:
    save(model, byte_tokenizer(), tmp_path, shard_bytes, earlier)
    assert (tmp_path / INDEX).exists() == (shard_bytes == 50_000)
    loaded = load(tmp_path)
    assert loaded.model.config == CONFIG
    assert loaded.unknown == loaded.told == ()
    assert loaded.generation.stop_ids == tuple(sorted({256, 257, 258}))
    assert all(torch.equal(tensor, model.state_dict()[name]) for name, tensor in loaded.model.state_dict().items())
    torch.testing.assert_close(loaded.model.logits([PROMPT]), model.logits([PROMPT]), atol=1e-6, rtol=0)
    assert outline(tmp_path) == CONFIG


def test_both_layouts_lead_to_the_same_names(model: Nexus) -> None:
    assert renamed("visual.blocks.0.attn.qkv.weight") == "model.visual.blocks.0.attn.qkv.weight"
    assert renamed("model.layers.0.mlp.up_proj.weight") == "model.language_model.layers.0.mlp.up_proj.weight"
    assert renamed("lm_head.weight") == "lm_head.weight"
    for name in model.state_dict():
        assert renamed(name) == name
        assert renamed(older(name)) == name
        assert older(name) != name or name == "lm_head.weight"


def test_options_are_taken_over_what_the_folder_says_and_both_are_told(folder: Path) -> None:
    loaded = load(folder, options={"audio_pool": "2"})
    assert loaded.model.config.choices.audio_pool == 2
    assert loaded.settings["audio_pool"] == (2, "--option audio_pool")
    assert loaded.settings["audio_config.d_model"] == (32, "config.json")
    assert loaded.settings["mix"] == ("nine_way", "config.json")
    assert loaded.settings["audio_token_id"] == (278, "audio_first_id: the tokenizer does not know <|AUDIO|>")
    with pytest.raises(UsageError, match="--option audio_pool=5: expected 1 or 2"):
        load(folder, options={"audio_pool": "5"})


def test_choices_that_no_file_states_are_told_as_such(folder: Path) -> None:
    content = json.loads((folder / "config.json").read_text())
    content["choices"] = {"adapter_hidden": 48, "audio_first_id": 278}
    del content["vision_config"]["window_size"]
    (folder / "config.json").write_text(json.dumps(content))
    settings = load(folder).settings
    assert settings["audio_pool"] == (1, "default: not published")
    said = "default: vision_config does not state window_size"
    assert settings["vision_config.window_size"] == (112, said)


def test_an_option_that_does_not_fit_the_weights_is_told(folder: Path) -> None:
    with pytest.raises(CheckpointError, match=r"model.audio_adapter.fc1.weight has shape \[48, 160\], expected \[64"):
        load(folder, options={"adapter_layers": "1"})


def test_faults_of_tensors_are_named(folder: Path) -> None:
    state = load_file(folder / SINGLE)
    state["visual.extra"] = torch.zeros(1)
    save_file(state, folder / SINGLE, metadata={"format": "pt"})
    assert load(folder).unknown == ("model.visual.extra",)
    del state["model.norm.weight"]
    save_file(state, folder / SINGLE, metadata={"format": "pt"})
    with pytest.raises(CheckpointError, match=r"missing model\.language_model\.norm\.weight"):
        load(folder)
    state["model.language_model.embed_tokens.weight"] = state["model.embed_tokens.weight"].clone()
    save_file(state, folder / SINGLE, metadata={"format": "pt"})
    with pytest.raises(CheckpointError, match=r"in two layouts, both as model\.language_model\.embed_tokens\.weight"):
        load(folder)


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("hidden_size", "wide", "hidden_size is 'wide'"),
        ("num_hidden_layers", 4000, "more layers than the weights'"),
        ("num_hidden_layers", 1, "unknown: model.language_model.layers.1."),
        (
            "vision_config",
            {
                "hidden_size": 32,
                "intermediate_size": 48,
                "depth": 2,
                "num_heads": 2,
                "window_size": 56,
                "fullatt_block_indexes": [1],
            },
            "unknown: model.visual.blocks.2.",
        ),
        ("hidden_act", "gelu", "hidden_act is 'gelu': only 'silu' is supported"),
        ("head_dim", 32, "head_dim is 32: only 16 is supported"),
        (
            "rope_scaling",
            {"type": "yarn", "factor": 4.0, "mrope_section": [2, 3, 3]},
            "rope_scaling is {'type': 'yarn'",
        ),
        ("audio_config", {"activation_function": "relu"}, "audio_config.activation_function is 'relu'"),
        ("audio_config", None, "audio_config is missing"),
        ("choices", {"audio_first_id": 5}, "audio_first_id is 5, which the tokenizer has for another token"),
    ],
)
def test_faults_of_settings_are_named_with_their_file(folder: Path, field: str, value: object, said: str) -> None:
    set_field(folder, **{field: value})
    with pytest.raises(CheckpointError) as error:
        load(folder)
    assert said in str(error.value)
    assert str(folder) in str(error.value)


def test_absent_files_are_told(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="no such folder"):
        load(tmp_path / "nowhere")
    (folder / SINGLE).unlink()
    with pytest.raises(CheckpointError, match="neither"):
        RELEASE.check(folder)


def test_what_the_model_is_made_of_are_its_files(saved: Path) -> None:
    names = {path.name for path in content_files(saved)}
    assert names == {"config.json", "generation_config.json", "tokenizer.json", SINGLE}
