"""The released speech folder: round trips, both layouts, every fault named."""

from __future__ import annotations

import argparse
import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from models.checkpoint_error import CheckpointError, check_tensors
from models.vita15.speech_checkpoint import load_codec, load_speech, load_speech_decoder, parameter_counts, save_speech
from models.vita15.speech_config import CodecConfig, SpeechDecoderConfig
from tests.models.vita15.speech_models import tiny_codec, tiny_decoder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    save_speech(tmp_path, tiny_decoder(prefix_layers=2), tiny_codec())
    return tmp_path


def change(path: Path, edit: Callable[[dict[str, Tensor]], object]) -> None:
    state = load_file(path)
    edit(state)
    save_file(state, path)


def test_round_trip_is_exact(folder: Path) -> None:
    models = load_speech(folder)
    for loaded, saved in ((models.decoder, tiny_decoder(prefix_layers=2)), (models.codec, tiny_codec())):
        assert loaded.config == saved.config
        assert not loaded.training
        want = saved.state_dict()
        assert all(torch.equal(tensor, want[name]) for name, tensor in loaded.state_dict().items())


def test_codec_weights_are_stored_weight_normed_where_the_release_does(folder: Path) -> None:
    names = set(load_file(folder / "codec" / "model.safetensors"))
    normed = ("generator.conv_pre", "generator.ups.0", "generator.conv_post", "encoder.ups.1", "encoder.conv_pre",
              "encoder.resblocks.3.convs2.1")  # fmt: skip
    for stem in normed:
        assert {f"{stem}.weight_g", f"{stem}.weight_v", f"{stem}.bias"} <= names
        assert f"{stem}.weight" not in names
    assert {"encoder.conv_post.weight", "encoder.GlobalTokenEncoder.conv.0.weight", "encoder.linear.0.weight"} <= names


@pytest.mark.parametrize("wrapped", [True, False])
def test_the_release_layout_of_pt_files_loads(folder: Path, wrapped: bool) -> None:
    state = load_file(folder / "decoder" / "model.safetensors")
    torch.save({"model": state} if wrapped else state, folder / "decoder" / "final.pt")
    flat = load_file(folder / "codec" / "model.safetensors")
    parts: dict[str, dict[str, Tensor]] = {"generator": {}, "quantizer": {}, "encoder": {}}
    for name, tensor in flat.items():
        part, _, rest = name.partition(".")
        parts[part][rest] = tensor
    torch.save(parts, folder / "codec" / "final.pt")
    for part in ("decoder", "codec"):
        (folder / part / "model.safetensors").unlink()
    models = load_speech(folder, dtype=torch.bfloat16)
    assert models.decoder.norm.weight.dtype == torch.bfloat16
    assert models.codec.generator.conv_pre.weight.dtype == torch.float32
    assert torch.equal(models.codec.generator.conv_pre.weight, tiny_codec().generator.conv_pre.weight)


def test_missing_and_misshapen_tensors_are_all_named(folder: Path) -> None:
    def spoil(state: dict[str, Tensor]) -> None:
        del state["norm.weight"]
        state["extra"] = torch.zeros(2)
        state["out_fnn.bias"] = torch.zeros(7)

    change(folder / "decoder" / "model.safetensors", spoil)
    with pytest.raises(CheckpointError) as error:
        load_speech_decoder(folder / "decoder")
    message = str(error.value)
    assert str(folder / "decoder") in message
    assert "missing norm.weight [12]" in message
    assert "unknown: extra" in message
    assert "out_fnn.bias has shape [7], expected [24]" in message
    assert "Download" in message


@pytest.mark.parametrize("device", ["cpu", "meta"])
def test_tensors_that_the_models_do_not_know_are_left_out_and_listed(folder: Path, device: str) -> None:
    change(folder / "decoder" / "model.safetensors", lambda state: state.update(extra=torch.zeros(2)))
    models = load_speech(folder, device=device)
    assert models.unknown == ("decoder: extra",)
    assert "extra" not in models.decoder.state_dict()


@pytest.mark.parametrize("device", ["cpu", "meta"])
def test_a_training_snapshot_with_its_settings_loads(folder: Path, device: str) -> None:
    path = folder / "decoder" / "model.safetensors"
    state = load_file(path)
    path.unlink()
    moments = {name: {"exp_avg": tensor, "step": 3} for name, tensor in state.items()}
    snapshot = {"model": state, "optimizer": {"state": moments}, "epoch": 7, "args": argparse.Namespace(lr=1e-4)}
    torch.save(snapshot, path.with_name("final.pt"))
    decoder = load_speech(folder, device=device).decoder
    assert decoder.norm.weight.shape == (12,)
    if device == "cpu":
        assert torch.equal(decoder.norm.weight, state["norm.weight"])


def test_a_layer_too_few_is_named(folder: Path) -> None:
    change(
        folder / "decoder" / "model.safetensors",
        lambda state: [state.pop(name) for name in list(state) if name.startswith(("layers.1.", "layers_prefix.1."))],
    )
    with pytest.raises(CheckpointError, match=r"1 AR layers, model\.json states 2"):
        load_speech_decoder(folder / "decoder")


@pytest.mark.parametrize(
    ("name", "word"),
    [
        ("quantizer.quantizer_modules.0.embedding.weight", "lack"),
        ("generator.ups.0.weight_v", "unknown: generator.ups.0.weight_g"),
        ("encoder.linear.0.bias", "missing encoder.linear.0.bias"),
    ],
)
def test_a_codec_tensor_that_is_absent_is_named(folder: Path, name: str, word: str) -> None:
    change(folder / "codec" / "model.safetensors", lambda state: state.pop(name))
    with pytest.raises(CheckpointError, match=word):
        load_codec(folder / "codec")


def test_a_codec_file_without_its_parts_is_refused(folder: Path) -> None:
    (folder / "codec" / "model.safetensors").unlink()
    torch.save({"generator": {}, "quantizer": {}, "steps": 3}, folder / "codec" / "final.pt")
    with pytest.raises(CheckpointError, match="lacks the state dict of encoder"):
        load_codec(folder / "codec")


@pytest.mark.parametrize(
    ("content", "word"),
    [(None, "No such file"), ("{", "model.json"), ("[1, 2]", "list"), ("[" * 200_000, "too deeply")],
)
def test_a_bad_model_json_is_named(folder: Path, content: str | None, word: str) -> None:
    path = folder / "decoder" / "model.json"
    path.unlink()
    if content is not None:
        path.write_text(content)
    with pytest.raises(CheckpointError, match=word) as error:
        load_speech_decoder(folder / "decoder")
    assert str(path) in str(error.value)


def test_a_folder_without_weights_and_a_torn_file_are_named(folder: Path) -> None:
    path = folder / "codec" / "model.safetensors"
    path.write_bytes(path.read_bytes()[:500])
    with pytest.raises(CheckpointError, match="cannot be read"):
        load_codec(folder / "codec")
    path.unlink()
    with pytest.raises(CheckpointError, match=r"neither model.safetensors nor final.pt"):
        load_codec(folder / "codec")
    (folder / "codec" / "final.pt").write_bytes(b"not a checkpoint")
    with pytest.raises(CheckpointError, match="cannot be read"):
        load_codec(folder / "codec")


def test_a_pickle_with_code_is_not_run(folder: Path) -> None:
    (folder / "decoder" / "model.safetensors").unlink()
    marker = folder / "run"
    torch.save({"model": _Touch(marker)}, folder / "decoder" / "final.pt")
    with pytest.raises(CheckpointError, match="tensors only: it holds more than tensors") as error:
        load_speech_decoder(folder / "decoder")
    assert "weights_only" not in str(error.value)
    assert not marker.exists()


class _Touch:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Callable[[Path], object], tuple[Path]]:
        return (shutil.os.mkdir, (str(self.path),))  # type: ignore[attr-defined]


def test_model_json_has_the_layout_of_the_release(folder: Path) -> None:
    idim, odim, arguments = json.loads((folder / "decoder" / "model.json").read_text())
    assert (idim, odim, arguments["transformer_num_blocks"]) == (12, 20, 2)
    assert json.loads((folder / "codec" / "model.json").read_text())["global_tokens"] == [3, 7]


def test_published_sizes_have_the_known_parameter_counts() -> None:
    decoder, codec = SpeechDecoderConfig.published(), CodecConfig.published()
    counts = parameter_counts(decoder, codec)
    assert counts.decoder == 99_569_028
    assert counts.nar * 2 == counts.ar == 65_149_952
    assert parameter_counts(replace(decoder, nar_layers=4), codec).decoder == 132_144_004
    assert parameter_counts(replace(decoder, prefix_layers=4), codec).decoder == 164_718_980


def test_many_faults_are_counted() -> None:
    with pytest.raises(CheckpointError, match="and 8 more"):
        check_tensors("here", {f"t{i}": torch.zeros(1) for i in range(20)}, {}, "Look again.")


CODES = "quantizer.quantizer_modules.0.embedding.weight"


@pytest.mark.parametrize(
    ("part", "name", "edit"),
    [
        ("codec", CODES, lambda tensor: tensor[:, 0]),
        ("codec", CODES, lambda tensor: tensor.to(torch.int8)),
        ("codec", "encoder.conv_pre.bias", torch.sum),
        ("codec", "generator.conv_pre.weight_g", lambda tensor: tensor[:1]),
        ("codec", "generator.conv_pre.weight_v", torch.flatten),
        ("decoder", "out_fnn.weight", lambda tensor: tensor.to(torch.int8)),
    ],
)
@pytest.mark.parametrize("device", ["cpu", "meta"])
def test_a_tensor_of_another_kind_is_told_and_never_a_crash(
    folder: Path, part: str, name: str, edit: Callable[[Tensor], Tensor], device: str
) -> None:
    change(folder / part / "model.safetensors", lambda state: state.update({name: edit(state[name]).contiguous()}))
    with pytest.raises(CheckpointError, match=f"{folder / part}"):
        load_speech(folder, device=device)
