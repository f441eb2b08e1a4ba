"""What a processor makes of recordings that are longer than it takes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from harness import media
from harness.contracts import ModelOptions
from harness.failures import SampleError, UsageError
from harness.registry import get_model
from harness.types import LoadedRequest
from models.hf.model import TransformersModel
from tests.models.contract import asked
from tests.models.hf.folders import MAKERS, RECOGNISERS


def recording(path: Path, seconds: float) -> LoadedRequest:
    soundfile.write(path, np.random.default_rng(0).normal(0, 0.1, int(seconds * 16_000)), 16_000)
    return asked(media.reference("audio", path), "what is said?")


def opened(name: str, folder: Path) -> TransformersModel:
    model = get_model(f"transformers:{(MAKERS | RECOGNISERS)[name](folder / name)}")(ModelOptions())
    assert isinstance(model, TransformersModel)
    model.open()
    return model


@pytest.mark.parametrize("name, most", [("qwen2_audio", 30), ("qwen2_5_omni", 10)])
def test_what_would_be_heard_in_part_is_a_failure_that_says_so(name: str, most: int, tmp_path: Path) -> None:
    model = opened(name, tmp_path)
    assert model.prepare(recording(tmp_path / "whole.wav", most)).n_tokens > most
    with pytest.raises(SampleError, match=rf"has {most + 1}\.0 s, of which .* the first {most} s") as told:
        model.prepare(recording(tmp_path / "long.wav", most + 1))
    assert told.value.kind == "limit"


@pytest.mark.parametrize("name", ["whisper", "voxtral", "wav2vec2"])
def test_what_is_heard_window_by_window_or_has_no_end_is_no_failure(name: str, tmp_path: Path) -> None:
    model = opened(name, tmp_path)
    features = dict(model.prepare(recording(tmp_path / "long.wav", 31)).features)
    heard = features["input_values" if name == "wav2vec2" else "input_features"]
    assert heard.shape == {"whisper": (1, 80, 3100), "voxtral": (2, 80, 3000), "wav2vec2": (1, 31 * 16_000)}[name]


@pytest.mark.parametrize("name", ["text", "qwen2_5_vl"])
def test_a_folder_without_a_chat_template_is_refused_before_anything_is_asked(name: str, tmp_path: Path) -> None:
    folder = MAKERS[name](tmp_path / name)
    (folder / "chat_template.jinja").unlink()
    with pytest.raises(UsageError, match="there is no chat template"):
        get_model(f"transformers:{folder}")(ModelOptions()).open()


@pytest.mark.parametrize("name", ["text", "qwen2_5_vl", "whisper", "wav2vec2"])
def test_a_folder_without_words_is_refused(name: str, tmp_path: Path) -> None:
    folder = (MAKERS | RECOGNISERS)[name](tmp_path / name)
    for file in ("tokenizer.json", "vocab.json"):
        (folder / file).unlink(missing_ok=True)
    with pytest.raises(UsageError, match=r"its tokenizer knows no words|its processor or tokenizer cannot be loaded"):
        get_model(f"transformers:{folder}")(ModelOptions()).open()


@pytest.mark.parametrize("model_type", ['["qwen2"]', "7", "null"])
def test_a_model_type_that_is_no_name_is_told(model_type: str, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(f'{{"model_type": {model_type}}}')
    with pytest.raises(UsageError, match="model_type is"):
        get_model(f"transformers:{tmp_path}")(ModelOptions())
