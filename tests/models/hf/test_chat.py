"""Chat models of transformers from tiny random folders: what they answer is what `generate` called by hand gives."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import soxr
from PIL import Image

from harness import media as media_files
from harness.contracts import Model, ModelOptions
from harness.registry import get_model
from harness.types import Generation, LoadedRequest
from models.hf.loading import writer
from models.hf.model import TransformersModel
from tests.models.asking import ready, responses, streamed
from tests.models.contract import SPOKEN, asked
from tests.models.hf.folders import MAKERS

SHORT = Generation(max_new_tokens=10)
OWN = {"qwen2_5_omni": {"speech_tokens": "12"}}


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("media")
    rng = np.random.default_rng(0)
    for name, size in (("a.png", (90, 150, 3)), ("b.png", (60, 60, 3))):
        Image.fromarray(rng.integers(0, 256, size, dtype=np.uint8)).save(folder / name)
    soundfile.write(folder / "a.wav", rng.normal(0, 0.1, 16_000), 16_000)
    soundfile.write(folder / "b.wav", rng.normal(0, 0.1, 33_075), 22_050)
    return {path.name: path for path in folder.iterdir()}


@pytest.fixture(scope="module", params=MAKERS)
def model(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Model:
    folder = MAKERS[request.param](tmp_path_factory.mktemp("models") / request.param)
    opened = get_model(f"transformers:{folder}")(ModelOptions(own=OWN.get(request.param, {})))
    opened.open()
    return opened


def requests(model: Model, files: dict[str, Path], generation: Generation = SHORT) -> list[LoadedRequest]:
    """Of every kind that the model takes; two sounds or pictures too, in another order."""
    image = [media_files.reference("image", files[name]) for name in ("a.png", "b.png")]
    sound = [media_files.reference("audio", files[name]) for name in ("a.wav", "b.wav")]
    found = [("say hello",), ("a much longer question, " * 5,)]
    found += [(image[0], "what is it?"), ("look", image[1], image[0], "both?")] if _takes(model, "image") else []
    found += [(sound[0], "what is it?"), (sound[1], sound[0], "both?")] if _takes(model, "audio") else []
    found += [(image[0], sound[0], "and now?")] if _takes(model, "image") and _takes(model, "audio") else []
    return [
        asked(*parts, key=str(number), generation=replace(generation, seed=number))
        for number, parts in enumerate(found)
    ]


def _takes(model: Model, kind: Any) -> bool:
    return kind in model.capabilities.inputs


def by_hand(model: TransformersModel, loaded: LoadedRequest) -> str:
    """The library called as its documentation says, with the prompt written out."""
    opened = model._ready()
    processor, lm = opened.processor, writer(opened.model)
    images = [Image.fromarray(m.pixels) for m in loaded.media if hasattr(m, "pixels")]
    sounds = [m for m in loaded.media if hasattr(m, "rate")]
    content: list[dict[str, Any]] = []
    for part in loaded.request.messages[0].parts:
        content.append({"type": part.kind} if hasattr(part, "kind") else {"type": "text", "text": part.text})
    plain = opened.outline.kind == "text"
    message = {"role": "user", "content": content[0]["text"] if plain else content}
    writes = processor.tokenizer if opened.outline.model_type == "voxtral" else processor
    text = writes.apply_chat_template([message], tokenize=False, add_generation_prompt=True)
    given: dict[str, Any] = {"images": images} if images else {}
    if sounds:
        given["audio"] = [s.samples if s.rate == 16_000 else soxr.resample(s.samples, s.rate, 16_000) for s in sounds]
    if opened.outline.model_type == "voxtral":  # whose processor takes no sounds beside a text
        text = text.replace(processor.audio_token, processor.audio_token * 375)
        inputs = dict(processor.tokenizer(text, return_tensors="pt"))
        if sounds:
            settings = {"sampling_rate": 16_000, "padding": True, "truncation": False, "return_tensors": "pt"}
            settings["pad_to_multiple_of"] = 480_000
            inputs["input_features"] = processor._retrieve_input_features(given["audio"], 3000, **settings)
    else:
        inputs = dict(processor(text=[text], return_tensors="pt", **given))
    inputs = {name: value for name, value in inputs.items() if name not in ("num_audio_tokens", "num_patches")}
    ids = lm.generate(**inputs, do_sample=False, max_new_tokens=SHORT.max_new_tokens, eos_token_id=258)
    new = ids[0, inputs["input_ids"].shape[1] :]
    return str(opened.tokenizer.decode(new, skip_special_tokens=True))


def test_answers_are_those_of_generate_called_by_hand(model: TransformersModel, files: dict[str, Path]) -> None:
    batch = requests(model, files)
    alone = [responses(model, [loaded])[0].text for loaded in batch]
    assert alone == [by_hand(model, loaded) for loaded in batch]
    assert len(set(alone)) == len(alone)


def test_alone_and_in_batches_answers_are_the_same(model: TransformersModel, files: dict[str, Path]) -> None:
    for generation in (SHORT, replace(SHORT, temperature=1.0, top_p=0.9)):
        batch = requests(model, files, generation)
        alone = [responses(model, [loaded])[0] for loaded in batch]
        for rows in (2, len(batch)):
            for one, other in zip(alone, responses(model, batch, rows), strict=True):
                assert (one.text, one.usage, one.truncated) == (other.text, other.usage, other.truncated)


def test_a_stream_is_the_answer(model: TransformersModel, files: dict[str, Path]) -> None:
    for loaded in requests(model, files)[:3]:
        (one,) = ready(model, [loaded])
        chunks, answer = streamed(model, one)
        want = responses(model, [loaded])[0]
        assert "".join(chunk.text for chunk in chunks) == want.text == answer.text
        assert [chunk.at for chunk in chunks] == sorted(chunk.at for chunk in chunks)


def test_a_spoken_answer_is_the_written_one_with_the_same_sound_each_time(model: TransformersModel) -> None:
    if "speech" not in model.capabilities.outputs:
        return
    loaded = asked("say hello", outputs=SPOKEN, generation=SHORT)
    first, again = responses(model, [loaded, loaded])
    assert first.text == responses(model, [asked("say hello", generation=SHORT)])[0].text
    assert first.speech is not None and again.speech is not None and first.speech.seconds > 0
    np.testing.assert_array_equal(first.speech.samples, again.speech.samples)
