"""config.yaml and am.mvn of a model folder: what is read, and what is told of a fault."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from models.checkpoint_error import CheckpointError
from models.vita_audio.sensevoice_config import FrontEndConfig, SenseVoiceConfig
from models.vita_audio.sensevoice_files import read_cmvn, read_sensevoice

STATISTICS = Path(__file__).parents[2] / "goldens" / "vita_audio" / "am.mvn"
RELEASED: dict[str, Any] = {
    "encoder": "SenseVoiceEncoderSmall",
    "encoder_conf": {
        "output_size": 512,
        "attention_heads": 4,
        "linear_units": 2048,
        "num_blocks": 50,
        "tp_blocks": 20,
        "dropout_rate": 0.1,
        "input_layer": "pe",
        "pos_enc_class": "SinusoidalPositionEncoder",
        "normalize_before": True,
        "kernel_size": 11,
        "sanm_shfit": 0,
        "selfattention_layer_type": "sanm",
    },
    "frontend_conf": {
        "fs": 16000,
        "window": "hamming",
        "n_mels": 80,
        "frame_length": 25,
        "frame_shift": 10,
        "lfr_m": 7,
        "lfr_n": 6,
        "cmvn_file": None,
    },
    "dataset_conf": {"sos": "${model_conf.sos}"},
}


def _folder(folder: Path, settings: Any = RELEASED) -> Path:
    (folder / "config.yaml").write_text(yaml.safe_dump(settings), encoding="utf-8")
    shutil.copy(STATISTICS, folder / "am.mvn")
    return folder


def test_the_released_files_give_the_published_sizes(tmp_path: Path) -> None:
    found = read_sensevoice(_folder(tmp_path))
    assert found.config == SenseVoiceConfig.published()
    assert found.front_end.config == FrontEndConfig()
    shift, scale = found.front_end.cmvn
    assert shift.shape == scale.shape == (560,)
    assert (shift[0].item(), scale[0].item()) == (pytest.approx(-8.047959), pytest.approx(0.160988))


def test_stated_widths_are_taken(tmp_path: Path) -> None:
    settings = RELEASED | {"vocab_size": 7, "input_size": 560}
    assert read_sensevoice(_folder(tmp_path, settings)).config.vocabulary == 7
    with pytest.raises(CheckpointError, match=r"config\.yaml: input_size is 28, but n_mels \* lfr_m is 560"):
        read_sensevoice(_folder(tmp_path, RELEASED | {"input_size": 28}))


@pytest.mark.parametrize(
    ("section", "field", "value"),
    [
        ("encoder_conf", "output_size", "512"),
        ("encoder_conf", "num_blocks", 0),
        ("encoder_conf", "num_blocks", 10**9),
        ("encoder_conf", "tp_blocks", True),
        ("encoder_conf", "attention_heads", 5),
        ("encoder_conf", "kernel_size", 10),
        ("encoder_conf", "sanm_shfit", 2),
        ("encoder_conf", "selfattention_layer_type", "selfattn"),
        ("frontend_conf", "window", "povey"),
        ("frontend_conf", "fs", 8000),
        ("frontend_conf", "lfr_n", None),
    ],
)
def test_a_bad_setting_is_named(tmp_path: Path, section: str, field: str, value: Any) -> None:
    settings = RELEASED | {section: RELEASED[section] | {field: value}}
    with pytest.raises(CheckpointError, match=rf"config\.yaml: .*{field}(.|\n)*FunAudioLLM/SenseVoiceSmall"):
        read_sensevoice(_folder(tmp_path, settings))


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({}, "encoder_conf is missing"),
        (RELEASED | {"frontend_conf": [1]}, "frontend_conf is missing or no section"),
        (RELEASED | {"encoder": "Conformer"}, "encoder is 'Conformer'"),
        ([1], "must hold a mapping"),
    ],
)
def test_settings_of_another_kind_are_refused(tmp_path: Path, settings: Any, told: str) -> None:
    with pytest.raises(CheckpointError, match=told):
        read_sensevoice(_folder(tmp_path, settings))


@pytest.mark.parametrize("name", ["config.yaml", "am.mvn"])
def test_a_missing_file_is_named_with_the_remedy(tmp_path: Path, name: str) -> None:
    (_folder(tmp_path) / name).unlink()
    with pytest.raises(CheckpointError, match=rf"{name}(.|\n)*Copy config\.yaml and am\.mvn"):
        read_sensevoice(tmp_path)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("", "<AddShift> with .* is missing"),
        ("<AddShift> 2 2\n<LearnRateCoef> 0 [ 1 2 ]\n", "<Rescale> with .* is missing"),
        ("<AddShift> 2 2 <LearnRateCoef> 0 [ 1 ]", "<AddShift> has 1 numbers, expected 2"),
        ("<AddShift> 2 2 <LearnRateCoef> 0 [ 1 nan ]", "not finite"),
        ("<AddShift> 2 2 <LearnRateCoef> 0 [ 1 x ]", "'x'"),
        ("<AddShift> 2 2 <LearnRateCoef> 0 [ 1 2", "is missing"),
    ],
)
def test_broken_statistics_are_named(tmp_path: Path, content: str, told: str) -> None:
    path = tmp_path / "am.mvn"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(CheckpointError, match=rf"am\.mvn: no feature statistics: .*{told}"):
        read_cmvn(path, 2)


def test_statistics_may_be_broken_into_lines(tmp_path: Path) -> None:
    path = tmp_path / "am.mvn"
    parts = ("<AddShift> 2 2\n<LearnRateCoef> 0 [\n1\n-2.5 ]", "<Rescale> 2 2\n<LearnRateCoef> 0 [ 3 4 ]")
    path.write_text("<Nnet>\n" + "\n".join(parts) + "\n</Nnet>\n", encoding="utf-8")
    shift, scale = read_cmvn(path, 2)
    assert (shift.tolist(), scale.tolist()) == ([1, -2.5], [3, 4])
