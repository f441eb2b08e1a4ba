"""Recognisers of transformers from tiny random folders, and what cannot be opened."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

from harness import media as media_files
from harness.contracts import Model, ModelOptions
from harness.failures import SampleError, UsageError
from harness.registry import get_model, released_dtype
from harness.types import Generation, LoadedRequest
from models.hf.model import TransformersModel
from tests.models.asking import responses
from tests.models.contract import asked
from tests.models.hf.folders import RECOGNISERS, text_only

SHORT = Generation(max_new_tokens=12)


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> list[LoadedRequest]:
    folder = tmp_path_factory.mktemp("clips")
    rng = np.random.default_rng(0)
    found = []
    for number, length in enumerate((16_000, 16_000, 24_000)):
        path = folder / f"{number}.wav"
        soundfile.write(path, rng.normal(0, 0.1, length), 16_000)
        found.append(asked(media_files.reference("audio", path), "what is said?", key=str(number), generation=SHORT))
    return found


@pytest.fixture(scope="module", params=RECOGNISERS)
def recogniser(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Model:
    folder = RECOGNISERS[request.param](tmp_path_factory.mktemp("models") / request.param)
    model = get_model(f"transformers:{folder}")(ModelOptions())
    model.open()
    return model


def by_hand(model: TransformersModel, loaded: LoadedRequest) -> str:
    opened = model._ready()
    (wave,) = loaded.media
    inputs = opened.processor(wave.samples, sampling_rate=16_000, return_tensors="pt")  # type: ignore[union-attr]
    with torch.no_grad():
        if opened.outline.model_type == "whisper":
            ids = opened.model.generate(**inputs, max_new_tokens=12)
        elif opened.outline.model_type == "parakeet_tdt":
            ids = opened.model.generate(**inputs).sequences
        else:
            ids = opened.model(**inputs).logits.argmax(-1)
    return str(opened.processor.batch_decode(ids, skip_special_tokens=True)[0]).strip()


def test_transcripts_are_those_of_the_library_alone_and_in_batches(
    recogniser: TransformersModel, clips: list[LoadedRequest]
) -> None:
    alone = [responses(recogniser, [clip])[0].text for clip in clips]
    assert alone == [by_hand(recogniser, clip) for clip in clips]
    assert [answer.text for answer in responses(recogniser, clips)] == alone
    if recogniser._ready().outline.model_type != "whisper":  # which random weights leave at one letter
        assert len(set(alone)) > 1
    assert "a recogniser: the text of prompts is not used" in recogniser.fingerprint()["told"]


def test_a_recogniser_refuses_what_is_no_recording(recogniser: TransformersModel) -> None:
    with pytest.raises(SampleError, match="hears one recording"):
        recogniser.prepare(asked("say hello"))


def test_what_cannot_be_opened_is_named_with_a_remedy(tmp_path: Path) -> None:
    def opened(config: object, name: str) -> str:
        folder = tmp_path / name
        folder.mkdir()
        (folder / "config.json").write_text(json.dumps(config))
        with pytest.raises(UsageError) as error:
            get_model(f"transformers:{folder}")(ModelOptions())
        return str(error.value)

    assert "model_type is 'nonesuch'" in opened({"model_type": "nonesuch"}, "unknown")
    assert "no such code is run" in opened({"model_type": "own", "auto_map": {"AutoModel": "own.Own"}}, "remote")
    assert "model_type is 'vit'" in opened({"model_type": "vit"}, "vit")
    assert "model_type is None" in opened({}, "empty")
    assert "expected an object" in opened([], "list")
    (tmp_path / "bare").mkdir()
    for rest, said in (
        (tmp_path / "bare", "config.json: no such file"),
        ("nowhere", "no such folder"),
        ("", "names no"),
    ):
        with pytest.raises(UsageError, match=said):
            get_model(f"transformers:{rest}")(ModelOptions())
    with pytest.raises(UsageError, match="Did you mean transformers:"):
        get_model("transformer")


def test_a_folder_that_lacks_files_or_tensors_is_refused_when_it_is_opened(tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    folder = text_only(tmp_path / "text")
    state = load_file(folder / "model.safetensors")
    state.pop("model.norm.weight")
    save_file(state, folder / "model.safetensors", metadata={"format": "pt"})
    model = get_model(f"transformers:{folder}")(ModelOptions())
    with pytest.raises(UsageError, match=r"missing model\.norm\.weight"):
        model.open()
    (folder / "model.safetensors").unlink()
    torch.save(state, folder / "pytorch_model.bin")
    with pytest.raises(UsageError, match="Only safetensors are read"):
        model.open()


def test_a_model_that_reads_only_takes_no_pictures_and_says_what_it_is(
    tmp_path: Path, clips: list[LoadedRequest]
) -> None:
    folder = text_only(tmp_path / "text")
    model = get_model(f"transformers:{folder}")(ModelOptions())
    assert model.name == "transformers:text" and model.capabilities.inputs == {"text"}
    assert released_dtype(f"transformers:{folder}") == "float32"
    with pytest.raises(SampleError, match="takes no audio"):
        model.prepare(clips[0])
    assert model.label.startswith("transformers:text (")
    with pytest.raises(UsageError, match="leave it out"):
        get_model(f"transformers:{folder}")(ModelOptions(weights="elsewhere"))
    with pytest.raises(UsageError, match="no options of its own"):
        get_model(f"transformers:{folder}")(ModelOptions(own={"mode": "turbo"}))


def test_stop_strings_end_an_answer_and_shortest_and_longest_are_kept(tmp_path: Path) -> None:
    model = get_model(f"transformers:{text_only(tmp_path / 'text')}")(ModelOptions())
    long = Generation(max_new_tokens=20, min_new_tokens=20)
    whole = responses(model, [asked("say hello", generation=long)])[0]
    assert whole.usage.new_tokens == 20 and whole.truncated
    mark = next(character for character in whole.text[2:] if character.isascii())
    cut = responses(model, [asked("say hello", generation=replace(long, min_new_tokens=0, stop=(mark,)))])[0]
    assert cut.text == whole.text.partition(mark)[0] and not cut.truncated
    assert model.effective(long)["min_new_tokens"] == 20
