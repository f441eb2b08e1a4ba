"""Where the speech parts are, and the release's settings read without running what they name."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import huggingface_hub
import pytest
import torch
import yaml
from huggingface_hub.errors import LocalEntryNotFoundError
from safetensors.torch import load_file

from harness.failures import UsageError
from models.checkpoint_error import CheckpointError
from models.released.parts import Part, find
from models.vita_audio.decoder_config import FlowConfig, VocoderConfig
from models.vita_audio.decoder_yaml import read_decoder_yaml
from models.vita_audio.speech_checkpoint import load_decoder
from models.vita_audio.speech_folders import DECODER, TOKENIZER, decoder_files, tokenizer_files

GOLDENS = Path(__file__).parents[2] / "goldens" / "vita_audio"

# The layout of glm-4-voice-decoder's file: classes to call and references among the sizes.
RELEASED = """
__set_seed1: !apply:os.system [exit 7]
sample_rate: {rate}
spk_embed_dim: {speaker}
mels: {mels}
flow: !new:no.such.module.MaskedDiffWithXvec
    input_size: {input_size}
    output_size: !ref <mels>
    spk_embed_dim: !ref <spk_embed_dim>
    vocab_size: {vocab_size}
    input_frame_rate: 12.5
    encoder: !new:no.such.module.BlockConformerEncoder {encoder}
    length_regulator: !new:no.such.module.InterpolateRegulator {length_regulator}
    decoder: !new:no.such.module.ConditionalCFM
        in_channels: 240
        cfm_params: !new:no.such.module.DictConfig
            content: {cfm}
        estimator: !new:no.such.module.ConditionalDecoder {estimator}
hift: !new:no.such.module.HiFTGenerator
    <<: {hift}
    sampling_rate: !ref <sample_rate>
    f0_predictor: !new:no.such.module.ConvRNNF0Predictor {f0_predictor}
"""


def sizes() -> dict[str, Any]:
    return dict(json.loads((GOLDENS / "decoder_config.json").read_text(encoding="utf-8")))


def released(folder: Path, **changes: str) -> Path:
    """The golden sizes as the release writes them."""
    content = sizes()
    flow = content.pop("flow")
    texts = {name: json.dumps(section) for name, section in content.items()}
    texts |= {"speaker": flow["spk_embed_dim"], "mels": flow["output_size"], "rate": 22050}
    path = folder / "config.yaml"
    path.write_text(RELEASED.format(**{**texts, **flow, **changes}), encoding="utf-8")
    return path


def test_the_released_settings_are_the_sizes_and_nothing_in_them_is_run(tmp_path: Path) -> None:
    found = read_decoder_yaml(released(tmp_path))
    assert FlowConfig.from_json(found) == FlowConfig.from_json(sizes())
    assert VocoderConfig.from_json(found) == VocoderConfig.from_json(sizes())


def test_a_decoder_loads_by_its_released_settings(tmp_path: Path) -> None:
    released(tmp_path)
    for name in ("flow", "hift"):
        torch.save(load_file(GOLDENS / f"{name}_model.safetensors"), tmp_path / f"{name}.pt")
    decoder = load_decoder(tmp_path)
    assert decoder.flow(torch.tensor([[1, 2, 3]]), steps=1).shape == (1, 16, 20)
    assert [path.name for path in decoder_files(tmp_path)] == ["config.yaml", "flow.pt", "hift.pt"]


def test_an_encoder_that_states_no_block_has_that_of_its_class(tmp_path: Path) -> None:
    encoder = sizes()["encoder"]
    del encoder["block_size"]
    found = read_decoder_yaml(released(tmp_path, encoder=json.dumps(encoder)))
    assert FlowConfig.from_json(found).block == 10


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"mels": "!ref <sample_rate> // 2"}, "output_size"),
        ({"mels": "!ref <mels>"}, "output_size"),
        ({"encoder": "3"}, "encoder is missing or no section"),
        ({"estimator": "{"}, "cannot be read as YAML"),
        ({"cfm": "!!python/object/apply:os.system [exit 7]"}, "cannot be read as YAML"),
        ({"f0_predictor": "[]"}, "f0_predictor is missing or no section"),
    ],
)
def test_bad_settings_are_named_with_their_file(tmp_path: Path, changes: dict[str, str], told: str) -> None:
    released(tmp_path, **changes)
    with pytest.raises(CheckpointError, match=told) as error:
        load_decoder(tmp_path)
    assert str(tmp_path / "config.yaml") in str(error.value) and "glm-4-voice-decoder" in str(error.value)


def test_settings_that_are_no_mapping_are_refused(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text(yaml.safe_dump([1, 2]), encoding="utf-8")
    with pytest.raises(CheckpointError, match="holds list, expected settings"):
        load_decoder(tmp_path)


@pytest.mark.parametrize(
    ("part", "names"),
    [(TOKENIZER, ["config.json", "model.safetensors"]), (DECODER, ["config.yaml", "flow.pt", "hift.safetensors"])],
)
def test_a_part_within_the_models_folder_comes_first(tmp_path: Path, part: Part, names: list[str]) -> None:
    folder = tmp_path / part.name
    folder.mkdir()
    with pytest.raises(CheckpointError, match=str(folder)):
        find(tmp_path, part)
    for name in names:
        (folder / name).write_bytes(b"")
    assert find(tmp_path, part) == ((folder, str(folder), None), [folder / name for name in names])


def cached(monkeypatch: pytest.MonkeyPatch, snapshot: Path | None) -> list[str]:
    """A hub that cannot be reached, and what its cache holds; gives what is asked of it."""
    asked: list[str] = []

    def snapshot_download(hub_id: str, **options: Any) -> str:
        asked.append(hub_id)
        if snapshot is None:
            raise LocalEntryNotFoundError("nothing is there")
        return str(snapshot)

    def unreachable(self: Any, hub_id: str, **options: Any) -> None:
        raise ConnectionError("no network")

    monkeypatch.setattr(huggingface_hub, "snapshot_download", snapshot_download)
    monkeypatch.setattr(huggingface_hub.HfApi, "repo_info", unreachable)
    return asked


def test_else_the_hubs_cache_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    snapshot = tmp_path / "0123abc"
    snapshot.mkdir()
    for name in ("config.json", "model.safetensors"):
        (snapshot / name).write_bytes(b"")
    asked = cached(monkeypatch, snapshot)
    assert find(tmp_path, TOKENIZER).source == (snapshot, "THUDM/glm-4-voice-tokenizer", "0123abc")
    assert asked == ["THUDM/glm-4-voice-tokenizer"]
    assert [path.name for path in tokenizer_files(snapshot)] == ["config.json", "model.safetensors"]


@pytest.mark.parametrize("incomplete", [False, True])
def test_a_part_that_is_nowhere_is_told_with_the_ways_to_give_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, incomplete: bool
) -> None:
    cached(monkeypatch, tmp_path if incomplete else None)
    with pytest.raises(UsageError) as error:
        find(tmp_path, DECODER)
    told = str(error.value)
    assert ("neither flow.safetensors nor flow.pt" in told) == incomplete and "no network" in told
    assert "hf download THUDM/glm-4-voice-decoder" in told and "as glm-4-voice-decoder/ in --weights DIR" in told


def test_missing_files_of_a_speech_tokenizer_are_named(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"config\.json, model\.safetensors is missing"):
        tokenizer_files(tmp_path)


@pytest.mark.parametrize("content", ["flow: !!bool foo\n", "flow: !!timestamp foo\n", "flow: !!int x\n", "[" * 5000])
def test_settings_that_are_no_yaml_are_told(tmp_path: Path, content: str) -> None:
    (tmp_path / "config.yaml").write_text(content, encoding="utf-8")
    with pytest.raises(ValueError, match=r"YAML|literal"):
        read_decoder_yaml(tmp_path / "config.yaml")
