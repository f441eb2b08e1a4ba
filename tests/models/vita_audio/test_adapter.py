"""The models by their names: releases from a folder, what is missing or does not fit, options, and the tiny one."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from harness.contracts import ModelOptions
from harness.failures import SampleError, UsageError
from harness.registry import get_model
from harness.types import (
    Failure,
    Generation,
    LoadedRequest,
    Media,
    Message,
    Output,
    Part,
    Request,
    Response,
    Text,
    Waveform,
)
from models.vita_audio.model import VitaAudioModel
from models.vita_audio.speech_folders import DECODER, TOKENIZER
from tests.models.asking import outcomes, ready, responses
from tests.models.vita_audio.release_folders import write_release

SPOKEN: tuple[Output, ...] = ("text", "speech")
SHORT = Generation(max_new_tokens=30, min_new_tokens=30)


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_release(tmp_path_factory.mktemp("plain"))


@pytest.fixture(scope="module")
def plus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_release(tmp_path_factory.mktemp("plus"), plus=True)


@pytest.fixture
def folder(plain: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(plain, tmp_path / "weights"))


def opened(name: str, weights: Path | None = None, **own: str) -> VitaAudioModel:
    model = get_model(name)(ModelOptions(weights=None if weights is None else str(weights), own=own))
    assert isinstance(model, VitaAudioModel)
    model.open()
    return model


def asked(
    *parts: str | Waveform,
    outputs: tuple[Output, ...] = ("text",),
    generation: Generation = SHORT,
    voice: Waveform | None = None,
    timed: bool = False,
) -> LoadedRequest:
    sound = Media("audio", "a.wav")
    content: tuple[Part, ...] = tuple(Text(part) if isinstance(part, str) else sound for part in parts)
    request = Request(
        "1", (Message("user", content),), generation, outputs, voice=None if voice is None else sound, timed=timed
    )
    return LoadedRequest(request, tuple(part for part in parts if isinstance(part, Waveform)), voice)


def noise(seconds: float, rate: int = 16_000, seed: int = 0) -> Waveform:
    samples = np.random.default_rng(seed).normal(0, 0.1, int(seconds * rate))
    return Waveform(samples.astype(np.float32), rate)


def tone(hertz: float) -> Waveform:
    """A second of it."""
    return Waveform(np.sin(2 * np.pi * hertz * np.arange(16_000) / 16_000).astype(np.float32), 16_000)


@pytest.mark.parametrize("name", ["vita-audio-boost", "vita-audio-balance"])
def test_a_release_hears_answers_and_speaks(plain: Path, name: str) -> None:
    model = opened(name, plain)
    said = model.fingerprint()
    assert said["source"] == str(plain) and said["speech"] and not said["released"] and said["told"] == []
    assert [Path(part["source"]).name for part in said["parts"]] == [TOKENIZER.name, DECODER.name]
    assert model.label.startswith(f"{name} (")
    assert model.capabilities.channels == "first" and model.capabilities.clones_voice
    used = model.effective(Generation())
    assert (used["mode"], used["repetition_penalty"], used["chunks"]) == ("boost", 1.05, "clean")
    ids = [model.prepare(asked(tone(hertz))).prompt.ids.tolist() for hertz in (200, 200, 3000)]
    assert ids[0] == ids[1] != ids[2] and len(ids[0]) == len(ids[2])
    (heard,), (spoken,) = responses(model, [asked(noise(1.0))]), responses(model, [asked("hello", outputs=SPOKEN)])
    assert heard.usage.prompt_tokens == responses(model, [asked(noise(0.92))])[0].usage.prompt_tokens + 1
    assert spoken.speech is not None and spoken.speech.rate == 22_050
    assert len(spoken.speech.samples) == 256 * int(6.890625 * spoken.usage.speech_tokens)


def test_plus_hears_the_mean_of_channels_through_its_encoder(plus: Path) -> None:
    model = opened("vita-audio-plus-boost", plus)
    assert model.capabilities.channels == "mean" and not model.capabilities.clones_voice
    short, long = responses(model, [asked(noise(0.6)), asked(noise(0.66))])
    assert long.usage.prompt_tokens == short.usage.prompt_tokens + 1
    assert not torch.equal(*(model.prepare(asked(noise(0.6, seed=seed))).prompt.embeds for seed in (0, 1)))


def test_a_voice_to_speak_in_is_put_before_the_request(plain: Path) -> None:
    model = opened("vita-audio-boost", plain)
    without, with_one = responses(model, [asked("hello")]), responses(model, [asked("hello", voice=noise(0.8))])
    more = with_one[0].usage.prompt_tokens - without[0].usage.prompt_tokens
    assert more > 10 and with_one[0].text


@pytest.mark.parametrize("mode", ["vanilla", "balance", "boost", "turbo", "2,3"])
def test_the_mode_is_an_option_that_changes_who_makes_which_token(plain: Path, mode: str) -> None:
    model = opened("vita-audio-boost", plain, mode=mode)
    assert model.effective(Generation())["mode"] == mode
    same = opened("vita-audio-boost", plain).fingerprint()["digest"] == model.fingerprint()["digest"]
    assert same and responses(model, [asked("hello")])


def test_modes_give_different_answers(plain: Path) -> None:
    models = [opened("vita-audio-boost", plain, mode=mode) for mode in ("vanilla", "turbo")]
    texts = {responses(model, [asked("hello")])[0].text for model in models}
    assert len(texts) == 2


def test_without_a_speech_decoder_it_answers_in_text_and_says_so(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    shutil.rmtree(folder / DECODER.name)
    model = opened("vita-audio-boost", folder)
    assert model.capabilities.outputs == {"text"}
    (told,) = model.fingerprint()["told"]
    assert "answers in text only" in told and DECODER.name in told
    assert responses(model, [asked("hello")])[0].speech is None
    with pytest.raises(SampleError, match="no speech decoder"):
        outcomes(model, [asked("hello", outputs=SPOKEN)])


def change(path: Path, name: str, rows: int) -> None:
    """A tensor with another number of rows; none takes it away."""
    state = load_file(path)
    if rows:
        state[name] = state[name][:rows].clone()
    else:
        del state[name]
    save_file(state, path, metadata={"format": "pt"})


def set_field(path: Path, **values: object) -> None:
    path.write_text(json.dumps(json.loads(path.read_text()) | values), encoding="utf-8")


@pytest.mark.parametrize(
    ("name", "edit", "told"),
    [
        (
            "vita-audio-boost",
            lambda f: change(f / "model.safetensors", "mtp_projs.1.weight", 0),
            r"missing mtp_projs\.1",
        ),
        (
            "vita-audio-boost",
            lambda f: change(f / "model.safetensors", "lm_head.weight", 9),
            r"lm_head\.weight has shape",
        ),
        ("vita-audio-boost", lambda f: (f / TOKENIZER.name / "config.json").unlink(), "config.json is missing"),
        (
            "vita-audio-boost",
            lambda f: change(f / TOKENIZER.name / "model.safetensors", "codebook.weight", 0),
            "missing codebook.weight",
        ),
        ("vita-audio-boost", lambda f: set_field(f / "config.json", hidden_size="big"), "hidden_size is 'big'"),
        ("vita-audio-boost", lambda f: set_field(f / "config.json", model_type="qwen2"), "model_type is 'qwen2'"),
        (
            "vita-audio-boost",
            lambda f: set_field(f / "generation_config.json", mtp_inference_mode=[1]),
            "mtp_inference_mode",
        ),
        ("vita-audio-plus-boost", lambda f: None, "holds a plain model of VITA-Audio; use --model vita-audio-boost"),
    ],
)
def test_what_is_missing_or_does_not_fit_is_named(
    folder: Path, name: str, edit: Callable[[Path], object], told: str
) -> None:
    edit(folder)
    with pytest.raises(UsageError, match=told) as error:
        opened(name, folder)
    assert str(folder) in str(error.value)


def test_parts_with_other_codes_than_the_vocabulary_are_refused(tmp_path: Path) -> None:
    folder = write_release(tmp_path / "other", codes=48)
    with pytest.raises(UsageError, match="64 codes, the model's vocabulary 48"):
        opened("vita-audio-boost", folder)
    plus = opened("vita-audio-plus-boost", write_release(tmp_path / "plus", plus=True, codes=48))
    assert plus.capabilities.outputs == {"text"}
    assert "speaks 64 codes, the model's vocabulary has 48" in plus.fingerprint()["told"][0]


@pytest.mark.parametrize(
    ("edit", "said"),
    [
        (lambda f: (f / "flow.safetensors").write_bytes(b"cut"), "flow.safetensors: cannot be read"),
        (lambda f: change(f / "hift.safetensors", "conv_pre.bias", 0), "hift.safetensors: the weights do not fit"),
        (lambda f: (f / "decoder_config.json").write_text("{"), "decoder_config.json: "),
    ],
)
def test_a_damaged_speech_decoder_is_told_at_opening_and_text_is_answered(
    folder: Path, edit: Callable[[Path], object], said: str
) -> None:
    edit(folder / DECODER.name)
    model = opened("vita-audio-boost", folder)
    (told,) = model.fingerprint()["told"]
    assert said in told and told.startswith("answers in text only: ")
    assert model.capabilities.outputs == {"text"} and not model.fingerprint()["speech"]
    assert responses(model, [asked("hello")])[0].text


def test_a_mode_with_modules_needs_weights_with_modules(tmp_path: Path) -> None:
    folder = write_release(tmp_path / "vanilla", plus=True, modules=0)
    assert opened("vita-audio-plus-vanilla", folder).effective(Generation())["mode"] == "vanilla"
    with pytest.raises(UsageError, match="turbo needs prediction modules"):
        opened("vita-audio-plus-vanilla", folder, mode="turbo")


@pytest.mark.parametrize(
    ("own", "told"),
    [
        ({"mode": "fast"}, "vanilla, balance, boost, turbo"),
        ({"mode": "1,0,2"}, "pairs such as 1,4,3,8"),
        ({"chunks": "big"}, "clean, released"),
        ({"mood": "turbo"}, "Did you mean mode"),
    ],
)
def test_an_option_that_is_none_is_told_before_anything_is_loaded(own: dict[str, str], told: str) -> None:
    for name in ("vita-audio-tiny", "vita-audio-boost"):
        with pytest.raises(UsageError, match=told):
            get_model(name)(ModelOptions(own=own))


@pytest.mark.parametrize("text", ["🙂🙂🙂", "a" * 2000, "你好 " * 50])
def test_any_text_is_spoken_as_far_as_the_model_makes_codes(text: str) -> None:
    model = opened("vita-audio-tiny")
    (answer,) = outcomes(model, [asked(text, outputs=SPOKEN)])
    assert isinstance(answer, Response)
    assert (answer.speech is None) == (answer.usage.speech_tokens == 0)


def test_a_picture_and_a_clip_too_short_are_refused_with_the_reason(plus: Path) -> None:
    model = opened("vita-audio-tiny")
    picture = Request("1", (Message("user", (Media("image", "a.png"),)),), SHORT)
    with pytest.raises(SampleError, match="takes no image"):
        model.prepare(LoadedRequest(picture, ()))
    with pytest.raises(SampleError, match="without a sample"):
        model.prepare(asked(noise(0)))
    with pytest.raises(SampleError, match="shorter than 25 ms"):
        opened("vita-audio-plus-boost", plus).prepare(asked(noise(0.01)))
    with pytest.raises(SampleError, match="more than the model's 4096"):
        model.prepare(asked("x" * 5000))


def test_a_token_that_is_neither_text_nor_a_code_fails_a_spoken_answer_alone(tmp_path: Path) -> None:
    """Half the rows of the vocabulary only pad it."""
    model = opened("vita-audio-boost", write_release(tmp_path / "padded", padding=400))
    questions = [f"question {number}" for number in range(4)]
    for one in outcomes(model, [asked(question, outputs=SPOKEN) for question in questions]):
        assert isinstance(one, Failure) and "no text and no code of speech" in one.message
    assert all(isinstance(one, Response) for one in outcomes(model, [asked(question) for question in questions]))


@pytest.mark.parametrize("chunks", ["clean", "released"])
def test_a_timed_answer_is_a_stream_and_says_when_it_sounded(chunks: str) -> None:
    model = opened("vita-audio-tiny", chunks=chunks)
    loaded = asked("a question to speak of", outputs=SPOKEN, generation=Generation(64, 64), timed=True)
    (answer,) = responses(model, [loaded])
    pieces = []
    if answer.speech is not None:
        pieces = [chunk for chunk in model.stream(ready(model, [loaded])[0]) if chunk.speech is not None]
        assert answer.timings is not None and answer.timings.first_audio is not None
        assert sum(len(piece.speech.samples) for piece in pieces if piece.speech) == len(answer.speech.samples)
    whole = 256 * int(6.890625 * answer.usage.speech_tokens)
    assert chunks == "released" or (answer.speech is not None and len(answer.speech.samples) == whole)


def test_the_tiny_model_takes_no_weights() -> None:
    with pytest.raises(UsageError, match="random weights only"):
        get_model("vita-audio-tiny")(ModelOptions(weights="somewhere"))


def test_options_that_are_set_stand_in_the_label() -> None:
    assert opened("vita-audio-tiny").label == "vita-audio-tiny"
    assert opened("vita-audio-tiny", mode="turbo", chunks="clean").label == "vita-audio-tiny chunks=clean mode=turbo"
