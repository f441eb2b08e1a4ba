"""The released layout: exact round trips, sizes read off tensors, every fault named."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
import yaml
from safetensors.torch import load_file, save_file
from torch import Tensor

from models.checkpoint_error import CheckpointError
from models.released.files import INDEX, SINGLE
from models.text.tokenizer import byte_tokenizer
from models.vita15.checkpoint import AUDIO_FOLDER, build, load, outline, save
from models.vita15.config import Vita15Config
from models.vita15.omni import Vita15

CONFIG = Vita15Config.tiny()


@pytest.fixture(scope="module")
def model() -> Vita15:
    return build(CONFIG, seed=3)


@pytest.fixture(scope="module")
def saved(model: Vita15, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("whole")
    save(model, byte_tokenizer(), folder)
    return folder


@pytest.fixture
def folder(saved: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(saved, tmp_path / "weights"))


def change(path: Path, edit: Callable[[dict[str, Tensor]], object]) -> None:
    state = load_file(path)
    edit(state)
    save_file(state, path, metadata={"format": "pt"})


def set_field(folder: Path, file: str, **values: object) -> None:
    path = folder / file
    path.write_text(json.dumps(json.loads(path.read_text()) | values), encoding="utf-8")


def drop_field(folder: Path, file: str, field: str) -> None:
    content = json.loads((folder / file).read_text())
    del content[field]
    (folder / file).write_text(json.dumps(content), encoding="utf-8")


@pytest.mark.parametrize("shard_bytes", [10**9, 100_000])
def test_round_trip_is_exact(model: Vita15, tmp_path: Path, shard_bytes: int) -> None:
    save(model, byte_tokenizer(), tmp_path, shard_bytes)
    assert (tmp_path / SINGLE).exists() == (shard_bytes == 10**9)
    assert (tmp_path / INDEX).exists() == (shard_bytes != 10**9)
    loaded = load(tmp_path)
    assert loaded.model.config == model.config
    assert not loaded.model.training
    want = model.state_dict()
    assert list(loaded.model.state_dict()) == list(want)
    assert all(torch.equal(tensor, want[name]) for name, tensor in loaded.model.state_dict().items())
    embeds = torch.randn(1, 5, 64)
    assert torch.equal(loaded.model.logits(embeds), model.logits(embeds))


def test_weights_are_cast_but_rotary_frequencies_are_not(folder: Path) -> None:
    loaded = load(folder, dtype=torch.bfloat16).model
    assert {tensor.dtype for tensor in loaded.state_dict().values()} == {torch.bfloat16}
    assert loaded.model.rotary_emb.inv_freq.dtype == torch.float32
    assert loaded.model.rotary_emb.inv_freq.device.type == "cpu"


def test_same_seed_same_weights_and_the_global_state_is_left_alone() -> None:
    torch.manual_seed(11)
    before = torch.random.get_rng_state()
    first, again, other = build(CONFIG, 1), build(CONFIG, 1), build(CONFIG, 2)
    assert torch.equal(torch.random.get_rng_state(), before)
    assert torch.equal(first.lm_head.weight, again.lm_head.weight)
    assert not torch.equal(first.lm_head.weight, other.lm_head.weight)


def test_a_shorter_vocabulary_of_the_weights_is_taken(folder: Path) -> None:
    def shorten(state: dict[str, Tensor]) -> None:
        for name in ("model.embed_tokens.weight", "lm_head.weight"):
            state[name] = state[name][:278].clone()

    change(folder / SINGLE, shorten)
    assert load(folder).model.config.language.vocab_size == 278


def test_without_its_number_of_heads_a_tower_of_another_width_is_refused(folder: Path) -> None:
    drop_field(folder, "config.json", "vision_config")
    with pytest.raises(CheckpointError, match=r"vision_config\.num_attention_heads"):
        load(folder)


def write_train(folder: Path, **transformer: object) -> None:
    names = {name.replace("_", "-", 1).replace("dynamic_", "dynamic-"): value for name, value in transformer.items()}
    content = {
        "encoder_conf": {"para_conf": {"transformer": names}},
        "dataset_conf": {"fbank_conf": {"dither": 1.0}},
    }
    (folder / AUDIO_FOLDER / "train.yaml").write_text(yaml.safe_dump(content), encoding="utf-8")


def test_settings_of_the_speech_encoder_come_from_its_yaml_and_say_so(folder: Path) -> None:
    write_train(folder, transformer_chunk_size=4, transformer_left_chunks=16, transformer_dynamic_chunks=False)
    loaded = load(folder)
    assert loaded.model.config.audio == replace(CONFIG.audio, chunk_size=4, left_chunks=16, dither=1.0)
    source = f"{AUDIO_FOLDER}/train.yaml"
    stated = {name: loaded.settings[name] for name in ("chunk_size", "left_chunks", "dither")}
    assert stated == {"chunk_size": (4, source), "left_chunks": (16, source), "dither": (1.0, source)}
    write_train(folder, transformer_chunk_size=4)
    assert load(folder).settings["left_chunks"].source.startswith("default: ")


def test_dynamic_chunks_are_told(folder: Path) -> None:
    write_train(folder, transformer_chunk_size=4, transformer_left_chunks=16, transformer_dynamic_chunks=True)
    loaded = load(folder)
    assert loaded.model.config.audio.chunk_size == -1
    assert any("transformer-dynamic-chunks" in line for line in loaded.told)


def test_without_its_yaml_the_speech_encoder_is_not_guessed(folder: Path) -> None:
    path = folder / AUDIO_FOLDER / "train.yaml"
    path.write_text("- 1", encoding="utf-8")
    with pytest.raises(CheckpointError, match=r"train\.yaml"):
        load(folder)
    path.unlink()
    with pytest.raises(CheckpointError, match=r"audio-encoder\*/train\.yaml is missing"):
        load(folder)


def test_of_two_yamls_the_one_that_config_json_names_is_read(folder: Path) -> None:
    other = folder / "audio-encoder-2" / "train.yaml"
    other.parent.mkdir()
    shutil.copyfile(folder / AUDIO_FOLDER / "train.yaml", other)
    with pytest.raises(CheckpointError, match=r"audio-encoder-2/train\.yaml, audio-encoder-Qwen2.*keep one"):
        load(folder)
    write_train(folder, transformer_chunk_size=4, transformer_left_chunks=16)
    set_field(folder, "config.json", mm_audio_encoder=f"/somewhere/{AUDIO_FOLDER}/")
    assert load(folder).model.config.audio.chunk_size == 4


def test_generation_settings_are_read_and_say_where_they_are_from(folder: Path) -> None:
    set_field(folder, "generation_config.json", eos_token_id=[258, 256], repetition_penalty=1.05)
    loaded = load(folder)
    assert loaded.generation.stop_ids == (256, 257, 258)
    assert loaded.generation.repetition_penalty == 1.05
    assert loaded.settings["repetition_penalty"] == (1.05, "generation_config.json")
    assert loaded.settings["stop_ids"].source.startswith("generation_config.json")
    assert not loaded.told


def test_a_copy_without_the_penalty_is_told(folder: Path) -> None:
    drop_field(folder, "generation_config.json", "repetition_penalty")
    loaded = load(folder)
    assert loaded.generation.repetition_penalty == 1.0
    assert ["1.05" in line and "generation_config.json states none" in line for line in loaded.told] == [True]
    assert loaded.settings["repetition_penalty"].source.startswith("default")
    (folder / "generation_config.json").unlink()
    loaded = load(folder)
    assert loaded.generation.stop_ids == (257, 258)
    assert "generation_config.json is not there" in loaded.told[0]


def test_the_folder_of_vitas_demos_loads(folder: Path) -> None:
    (folder / "config.json").rename(folder / "origin_config.json")
    (folder / "config.json").write_text('{"architectures": ["VITAQwen2ForCausalLM"], "model_type": "other"}')
    loaded = load(folder)
    assert loaded.model.config == CONFIG
    assert "origin_config.json" in loaded.told[0]


def test_a_tensor_that_the_model_does_not_know_is_left_out_and_told(folder: Path) -> None:
    change(folder / SINGLE, lambda state: state.update({"model.extra": torch.zeros(3)}))
    loaded = load(folder)
    assert loaded.unknown == ("model.extra",)
    assert loaded.told == ("1 tensor that the model does not know left out: model.extra",)


@pytest.mark.parametrize(
    ("file", "content", "message"),
    [
        ("config.json", '{"a":' * 200_000 + "1" + "}" * 200_000, "nested too deeply"),
        ("config.json", {"num_hidden_layers": 10**6}, "num_hidden_layers is 1000000, but the weights hold"),
        ("config.json", {"hidden_size": 10**12}, "hidden_size is 1000000000000"),
        ("config.json", {"hidden_size": 2**31 - 4}, "overflowed"),
        ("config.json", {"num_hidden_layers": 1}, "more layers than the settings say"),
        ("config.json", {"hidden_act": "gelu"}, "hidden_act is 'gelu': only 'silu' is supported"),
        ("config.json", {"rope_scaling": {"type": "yarn", "factor": 4.0}}, "rope_scaling is {'type': 'yarn'"),
        ("config.json", {"head_dim": 32}, "head_dim is 32: only 16 is supported"),
        ("config.json", {"attention_bias": False}, "attention_bias is False"),
        ("config.json", {"num_key_value_heads": 0}, "num_key_value_heads is 0"),
        ("config.json", {"rope_theta": float("nan")}, "rope_theta is nan"),
        ("config.json", {"tokenizer_model_max_length": float("inf")}, "infinity"),
        ("generation_config.json", {"eos_token_id": float("inf")}, "eos_token_id holds inf"),
        ("generation_config.json", {"eos_token_id": [257, 10**30]}, "eos_token_id holds 10000"),
        ("generation_config.json", {"repetition_penalty": float("nan")}, "repetition_penalty is nan"),
        ("generation_config.json", "1" * 10_000, "cannot be read as JSON"),
    ],
)  # fmt: skip
def test_absurd_settings_are_one_error(folder: Path, file: str, content: object, message: str) -> None:
    if isinstance(content, dict):
        set_field(folder, file, **content)
    else:
        (folder / file).write_text(str(content), encoding="utf-8")
    with pytest.raises(CheckpointError, match=message) as error:
        load(folder)
    assert file in str(error.value)


def test_the_sizes_are_known_without_reading_a_weight(folder: Path) -> None:
    assert outline(folder) == CONFIG
    with pytest.raises(CheckpointError, match="no such folder"):
        outline(folder / "absent")


def rename(state: dict[str, Tensor], old: str, new: str) -> None:
    state[new] = state.pop(old)


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (lambda s: s.pop("model.norm.weight"), r"missing model\.norm\.weight \[64\]"),
        (lambda s: s.update({"model.norm.weight": torch.zeros(3)}), r"norm\.weight has shape \[3\], expected \[64\]"),
        (lambda s: rename(s, "model.mm_projector.2.bias", "a"), r"missing model\.mm_projector\.2\.bias"),
        (lambda s: s.pop("model.embed_tokens.weight"), r"lack model\.embed_tokens\.weight"),
        (lambda s: [s.pop(name) for name in list(s) if "audio_encoder" in name], "lack model.audio_encoder"),
        (lambda s: [s.pop(name) for name in list(s) if name.startswith("model.layers.")], "and 12 more"),
    ],
)  # fmt: skip
def test_tensors_that_do_not_fit_are_named(
    folder: Path, edit: Callable[[dict[str, Tensor]], object], message: str
) -> None:
    change(folder / SINGLE, edit)
    with pytest.raises(CheckpointError, match=message) as error:
        load(folder)
    assert str(folder) in str(error.value) and "VITA-MLLM/VITA-1.5" in str(error.value)


def test_faults_of_the_folder_are_named(folder: Path, tmp_path: Path) -> None:
    def fault(path: Path = folder) -> str:
        with pytest.raises(CheckpointError) as error:
            load(path)
        return str(error.value)

    assert "no such folder" in fault(tmp_path / "absent")
    set_field(folder, "config.json", hidden_size="wide")
    assert "config.json" in fault()
    drop_field(folder, "config.json", "hidden_size")
    assert "the field hidden_size is missing" in fault()
    set_field(folder, "config.json", hidden_size=64, tie_word_embeddings=True)
    assert "tie_word_embeddings" in fault()
    (folder / "config.json").write_text("{", encoding="utf-8")
    assert "config.json: cannot be read as JSON" in fault()
    (folder / SINGLE).write_bytes(b"\x08")
    (folder / "config.json").write_text("{}", encoding="utf-8")
    assert f"{SINGLE}: cannot be read as safetensors" in fault()
    (folder / SINGLE).unlink()
    assert f"neither {INDEX} nor {SINGLE}" in fault()


def test_a_missing_shard_is_named(model: Vita15, tmp_path: Path) -> None:
    save(model, byte_tokenizer(), tmp_path, shard_bytes=200_000)
    shards = sorted(tmp_path.glob("model-*.safetensors"))
    assert len(shards) > 2
    shards[1].unlink()
    with pytest.raises(CheckpointError, match=shards[1].name):
        load(tmp_path)
    set_field(tmp_path, INDEX, weight_map={"a": "../a.safetensors"})
    with pytest.raises(CheckpointError, match="no plain file name"):
        load(tmp_path)


def test_a_tokenizer_larger_than_the_embeddings_is_refused(folder: Path) -> None:
    def shorten(state: dict[str, Tensor]) -> None:
        for name in ("model.embed_tokens.weight", "lm_head.weight"):
            state[name] = state[name][:100].clone()

    change(folder / SINGLE, shorten)
    with pytest.raises(CheckpointError, match="278 tokens"):
        load(folder)


@pytest.mark.parametrize("name", ["config.json", "generation_config.json", SINGLE, f"{AUDIO_FOLDER}/train.yaml"])
def test_a_pipe_in_a_files_place_is_told_and_not_waited_for(folder: Path, name: str) -> None:
    (folder / name).unlink()
    os.mkfifo(folder / name)
    with pytest.raises(CheckpointError):
        load(folder)
