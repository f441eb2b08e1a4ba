"""VITA-Audio's released layout: exact round trips of both variants, the mode that it states, every fault named."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from models.checkpoint_error import CheckpointError
from models.generation import GenerationDefaults
from models.released.files import INDEX, SINGLE
from models.text.tokenizer import byte_tokenizer
from models.vita_audio.checkpoint import content_files, load, outline, save
from models.vita_audio.config import MtpConfig
from models.vita_audio.hearing import Hearing
from models.vita_audio.language import MtpModel, build
from models.vita_audio.release import RELEASES
from models.vita_audio.schedule import BALANCE, BOOST, VANILLA
from models.vita_audio.tokens import tiny_tokenizer

PLAIN, PLUS = tiny_tokenizer(codes=40), tiny_tokenizer(plus=True, codes=40)
ROWS = 352  # the vocabulary and rows that pad it


def model_of(hearing: Hearing | None = None, modules: int = 3) -> MtpModel:
    config = MtpConfig.tiny(ROWS, modules)
    return build(config, seed=3, hearing=None if hearing is None else hearing.parts())


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("whole")
    save(model_of(), PLAIN, folder, BOOST)
    return folder


@pytest.fixture(scope="module")
def saved_plus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("plus")
    hearing = Hearing.tiny(MtpConfig.tiny(ROWS).hidden_size)
    save(model_of(hearing), PLUS, folder, BOOST, hearing=hearing)
    return folder


@pytest.fixture
def folder(saved: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(saved, tmp_path / "weights"))


@pytest.fixture
def plus_folder(saved_plus: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(saved_plus, tmp_path / "plus"))


def set_fields(folder: Path, file: str, **values: object) -> None:
    path = folder / file
    path.write_text(json.dumps(json.loads(path.read_text()) | values), encoding="utf-8")


def change(path: Path, edit: Callable[[dict[str, Tensor]], object]) -> None:
    state = load_file(path)
    edit(state)
    save_file(state, path, metadata={"format": "pt"})


def fault(folder: Path) -> str:
    with pytest.raises(CheckpointError) as error:
        load(folder)
    return str(error.value)


def equal(a: dict[str, Tensor], b: dict[str, Tensor]) -> bool:
    return list(a) == list(b) and all(torch.equal(a[name], b[name]) for name in a)


@pytest.mark.parametrize("shard_bytes", [10**9, 50_000])
def test_round_trip_is_exact(tmp_path: Path, shard_bytes: int) -> None:
    model = model_of()
    save(model, PLAIN, tmp_path, BALANCE, GenerationDefaults((257, 258), 1.05), shard_bytes=shard_bytes)
    assert (tmp_path / INDEX).exists() == (shard_bytes != 10**9)
    loaded = load(tmp_path)
    assert loaded.model.config == model.config and not loaded.model.training
    assert equal(loaded.model.state_dict(), model.state_dict())
    assert (loaded.mode, loaded.hearing, loaded.unknown, loaded.told) == (BALANCE, None, (), ())
    assert loaded.generation == GenerationDefaults((256, 257, 258), 1.05)  # the end of the text always stops
    assert loaded.settings["mode"].source == "generation_config.json"
    ids = torch.arange(12)[None]
    assert torch.equal(loaded.model.forced(ids).logits[3], model.forced(ids).logits[3])


def test_plus_hears_as_before_with_the_weights_of_its_model(saved_plus: Path) -> None:
    hearing = Hearing.tiny(MtpConfig.tiny(ROWS).hidden_size)
    loaded = load(saved_plus)
    assert loaded.hearing is not None and loaded.tokens.plus and not loaded.hearing.training
    assert loaded.model.model.audio_projection is loaded.hearing.audio_projection
    wave = torch.randn(8000, generator=torch.Generator().manual_seed(1)) / 10
    with torch.no_grad():
        assert torch.equal(loaded.hearing.hear([wave])[0], hearing.hear([wave])[0])
    assert {"config.yaml", "am.mvn"} <= {path.name for path in content_files(saved_plus)}


def test_weights_are_cast_when_they_are_read(saved_plus: Path) -> None:
    loaded = load(saved_plus, dtype=torch.bfloat16)
    assert {tensor.dtype for tensor in loaded.model.state_dict().values()} == {torch.bfloat16}


def test_sizes_are_read_without_a_weight(folder: Path, plus_folder: Path) -> None:
    (folder / SINGLE).unlink()
    assert outline(folder) == (MtpConfig.tiny(ROWS, 3), False)
    assert outline(plus_folder).plus


def test_a_model_that_states_no_mode_is_decoded_without_its_modules_and_says_so(folder: Path) -> None:
    set_fields(folder, "generation_config.json", mtp_inference_mode=None)
    loaded = load(folder)
    assert loaded.mode == VANILLA and "decoded without its 3 modules" in loaded.told[0]
    (folder / "generation_config.json").unlink()
    assert [told.partition(":")[0] for told in load(folder).told] == [
        "no repetition penalty is used where a prompt preset sets none",
        "decoded without its 3 modules unless a mode is asked for",
    ]


def test_a_model_without_modules_has_nothing_to_say_of_a_mode(tmp_path: Path) -> None:
    save(model_of(modules=0), PLAIN, tmp_path)
    set_fields(tmp_path, "generation_config.json", mtp_inference_mode=None)
    assert load(tmp_path).told == ()


def test_an_unknown_tensor_is_left_out_and_told(folder: Path) -> None:
    change(folder / SINGLE, lambda state: state.update(extra=torch.zeros(2)))
    loaded = load(folder)
    assert loaded.unknown == ("extra",) and "extra" in loaded.told[0]


def test_a_part_of_a_known_layer_that_the_model_does_not_have_is_told_and_not_refused(folder: Path) -> None:
    name = "model.layers.0.self_attn.rotary_emb.inv_freq"
    change(folder / SINGLE, lambda state: state.update({name: torch.zeros(4)}))
    assert load(folder).unknown == (name,)


def test_settings_that_ask_for_what_is_built_are_taken(folder: Path) -> None:
    rope = {"rope_type": "default", "rope_theta": 1e6}
    set_fields(folder, "config.json", head_dim=8, attention_bias=True, rope_scaling=None, rope_parameters=rope)
    assert load(folder).told == ()


@pytest.mark.parametrize("kind", [torch.int8, torch.float8_e4m3fn, torch.bool])
def test_weights_that_are_no_floating_point_numbers_are_refused(folder: Path, kind: torch.dtype) -> None:
    change(folder / SINGLE, lambda state: state.update({"lm_head.weight": state["lm_head.weight"].to(kind)}))
    message = fault(folder)
    assert str(folder / SINGLE) in message and "lm_head.weight has numbers of type" in message


@pytest.mark.parametrize(
    ("file", "values", "told"),
    [
        ("config.json", {"model_type": "qwen2"}, "model_type is 'qwen2', expected qwen2_mtp or qwen2_mtp_sensevoice"),
        ("config.json", {"model_type": []}, "model_type is [], expected"),
        ("config.json", {"hidden_size": "x"}, "hidden_size is 'x'"),
        ("config.json", {"num_nextn_predict_layers": 5}, "num_nextn_predict_layers 5 must be below"),
        ("config.json", {"num_hidden_layers": 10**6}, "but the weights hold"),
        ("config.json", {"num_hidden_layers": 6}, "missing model.layers.5"),
        ("config.json", {"vocab_size": 360}, "lm_head.weight has shape [352, 32], expected [360, 32]"),
        ("config.json", {"vocab_size": 300}, "vocab_size in config.json is 300"),
        ("config.json", {"model_type": "qwen2_mtp_sensevoice"}, "config.json is of a Plus model, the tokenizer of a"),
        ("config.json", {"num_hidden_layers": 4}, "more layers than the settings say"),
        ("config.json", {"num_nextn_predict_layers": 2}, "unknown: mtp_embed_norms.2.weight"),
        ("config.json", {"num_nextn_predict_layers": 0}, "unknown: mtp_embed_norms.0.weight"),
        ("config.json", {"hidden_act": "relu"}, "hidden_act is 'relu': only 'silu' is supported"),
        ("config.json", {"rope_scaling": {"type": "yarn", "factor": 4.0}}, "rope_scaling is {'type': 'yarn'"),
        ("config.json", {"rope_parameters": {"rope_type": "linear", "rope_theta": 1e6}}, "rope_parameters is {"),
        ("config.json", {"head_dim": 16}, "head_dim is 16: only 8 is supported"),
        ("config.json", {"attention_bias": False}, "attention_bias is False: only True is supported"),
        ("config.json", {"use_sliding_window": True}, "use_sliding_window is True: only False is supported"),
        ("generation_config.json", {"eos_token_id": [999]}, "eos_token_id holds 999"),
        ("generation_config.json", {"mtp_inference_mode": [1]}, "mtp_inference_mode: a decoding mode of [1]"),
        ("generation_config.json", {"mtp_inference_mode": "boost"}, "mtp_inference_mode: 'boost' is no list"),
        ("generation_config.json", {"repetition_penalty": -1}, "repetition_penalty is -1"),
    ],
)
def test_a_bad_setting_is_named_with_its_file(folder: Path, file: str, values: dict[str, object], told: str) -> None:
    set_fields(folder, file, **values)
    message = fault(folder)
    assert told in message and str(folder) in message and f"Take {file}" in message


def test_missing_files_and_tensors_are_named(folder: Path) -> None:
    change(folder / SINGLE, lambda state: state.pop("mtp_projs.2.weight"))
    assert "missing mtp_projs.2.weight [32, 64]" in fault(folder)
    (folder / SINGLE).unlink()
    assert f"neither {INDEX} nor {SINGLE}" in fault(folder)
    (folder / "config.json").unlink()
    assert "config.json: no such file" in fault(folder)
    assert "no such folder" in fault(folder / "absent")


def test_a_tokenizer_without_the_tokens_of_speech_is_refused(folder: Path) -> None:
    byte_tokenizer().save(folder)
    assert "the tokenizer has no token <|begin_of_audio|>" in fault(folder)


@pytest.mark.parametrize("name", ["config.yaml", "am.mvn"])
def test_a_plus_model_without_the_files_of_its_ear_is_told_where_they_are(plus_folder: Path, name: str) -> None:
    (plus_folder / name).unlink()
    assert "FunAudioLLM/SenseVoiceSmall" in fault(plus_folder)


def test_more_layers_of_the_ear_than_tensors_are_refused_before_they_are_built(plus_folder: Path) -> None:
    path = plus_folder / "config.yaml"
    path.write_text(path.read_text().replace("num_blocks: 3", "num_blocks: 900"), encoding="utf-8")
    assert "config.yaml: num_blocks + tp_blocks is 902, but the weights hold" in fault(plus_folder)


@pytest.mark.parametrize("name", ["config.json", "generation_config.json", SINGLE])
def test_a_pipe_in_a_files_place_is_told_and_not_waited_for(folder: Path, name: str) -> None:
    (folder / name).unlink()
    os.mkfifo(folder / name)
    fault(folder)


def test_a_mode_for_which_there_are_no_modules_is_decoded_without_and_told(tmp_path: Path) -> None:
    """Plus-Vanilla has none, and its generation_config.json may state the pattern that it was trained on."""
    save(model_of(modules=0), PLAIN, tmp_path, BALANCE)
    loaded = load(tmp_path)
    assert loaded.mode == VANILLA
    (told,) = loaded.told
    assert "states the mode balance, but there are no modules" in told


def test_the_releases_have_their_hub_ids_and_an_incomplete_one_is_noticed(folder: Path) -> None:
    assert sorted(release.on_hub.id for release in RELEASES.values()) == [
        f"VITA-MLLM/VITA-Audio-{name}" for name in ("Balance", "Boost", "Plus-Boost", "Plus-Vanilla")
    ]
    release = RELEASES["vita-audio-boost"].on_hub
    release.check(folder)
    (folder / SINGLE).unlink()
    with pytest.raises(CheckpointError, match=SINGLE):
        release.check(folder)
