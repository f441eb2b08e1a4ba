"""NEXUS-O by its names: weights from a folder, what is missing or does not fit, choices as options, the tiny one."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from safetensors.torch import load_file, save_file

from harness.contracts import ModelOptions
from harness.failures import SampleError, UsageError
from harness.registry import get_model
from harness.types import Generation, LoadedRequest, Media, Message, Output, Part, Picture, Request, Text, Waveform
from models.nexus_o.audio_decoder import random_decoder
from models.nexus_o.checkpoint import save
from models.nexus_o.codec_folder import CODEC
from models.nexus_o.config import NexusConfig
from models.nexus_o.decoder_checkpoint import FOLDER, save_decoder
from models.nexus_o.decoder_config import DecoderConfig
from models.nexus_o.firefly_checkpoint import NAME, random_firefly, released_state
from models.nexus_o.firefly_config import FireflyConfig
from models.nexus_o.model import NexusModel
from models.nexus_o.omni import build
from models.released.files import SINGLE
from models.text.tokenizer import byte_tokenizer
from tests.models.asking import outcomes, ready, responses

SPOKEN: tuple[Output, ...] = ("text", "speech")
SHORT = Generation(max_new_tokens=20, min_new_tokens=20)


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A whole release at the size of tests; the codec too, which is small here."""
    folder = tmp_path_factory.mktemp("release")
    config = NexusConfig.tiny()
    save(build(config, seed=4), byte_tokenizer(), folder)
    save_decoder(random_decoder(DecoderConfig.of(config), seed=4), folder)
    (folder / CODEC.name).mkdir()
    state = released_state(random_firefly(FireflyConfig.tiny(), seed=4))
    save_file(state, folder / CODEC.name / f"{NAME}.safetensors")
    return folder


@pytest.fixture(autouse=True)
def small_codec(monkeypatch: pytest.MonkeyPatch) -> None:
    """The released codec has one size, which no file states."""
    monkeypatch.setattr(FireflyConfig, "published", classmethod(lambda cls: cls.tiny()))


@pytest.fixture
def folder(release: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(release, tmp_path / "weights"))


def opened(weights: Path | None, **own: str) -> NexusModel:
    name = "nexus-o-tiny" if weights is None else "nexus-o"
    model = get_model(name)(ModelOptions(weights=weights and str(weights), own=own))
    assert isinstance(model, NexusModel)
    model.open()
    return model


def asked(
    *parts: str | Picture | Waveform, outputs: tuple[Output, ...] = ("text",), generation: Generation = SHORT,
    timed: bool = False,
) -> LoadedRequest:  # fmt: skip
    media = [part for part in parts if not isinstance(part, str)]
    content: list[Part] = [
        Text(part) if isinstance(part, str) else Media("image" if isinstance(part, Picture) else "audio", "a")
        for part in parts
    ]
    request = Request("1", (Message("user", tuple(content)),), generation, outputs, timed=timed)
    return LoadedRequest(request, tuple(media))


def picture(seed: int = 0) -> Picture:
    return Picture(np.random.default_rng(seed).integers(0, 256, (60, 90, 3), dtype=np.uint8))


def noise(seconds: float) -> Waveform:
    samples = np.random.default_rng(0).normal(0, 0.1, int(seconds * 16_000))
    return Waveform(samples.astype(np.float32), 16_000)


def test_a_release_sees_hears_answers_and_speaks(release: Path) -> None:
    model = opened(release)
    said = model.fingerprint()
    assert said["source"] == str(release) and said["speech"] and not said["released"]
    assert [Path(part["source"]).name for part in said["parts"]] == [CODEC.name]
    assert said["settings"]["mix"] == {"value": "nine_way", "from": "config.json"}
    assert model.label.startswith("nexus-o (")
    both, alone = responses(model, [asked(picture(), noise(1.0), "what is it?"), asked("what is it?")])
    assert both.usage.prompt_tokens == alone.usage.prompt_tokens + 2 * 3 + 2 + 10 + 2  # tokens and marks of both
    (spoken,) = responses(model, [asked("hello", outputs=SPOKEN)])
    assert spoken.speech is not None and spoken.speech.rate == 44_100
    assert len(spoken.speech.samples) == 2048 * spoken.usage.speech_tokens / 8


def test_a_choice_is_an_option_and_stands_in_manifest_and_label(release: Path) -> None:
    model = opened(release, mix="two_way", hidden_schedule="last_only")
    used = model.effective(Generation())["choices"]
    assert (used["mix"], used["hidden_schedule"], used["code_end"]) == ("two_way", "last_only", "stream_0")
    assert model.fingerprint()["settings"]["mix"] == {"value": "two_way", "from": "--option mix"}
    assert model.label.endswith("hidden_schedule=last_only mix=two_way")
    plain, other = (responses(one, [asked("hello", outputs=SPOKEN)])[0] for one in (opened(release), model))
    assert plain.text == other.text
    assert plain.speech is not None and other.speech is not None
    assert not np.array_equal(plain.speech.samples[:40_000], other.speech.samples[:40_000])


@pytest.mark.parametrize("own", [{"mix": "three_way"}, {"audio_pool": "3"}, {"mood": "good"}, {"decoder_width": "x"}])
def test_an_option_that_is_none_is_told_before_anything_is_loaded(own: dict[str, str]) -> None:
    for name in ("nexus-o", "nexus-o-tiny"):
        with pytest.raises(UsageError, match=f"--option {next(iter(own))}"):
            get_model(name)(ModelOptions(own=own))


@pytest.mark.parametrize("schedule", ["hold_last", "last_only", "zero_after"])
def test_a_stream_sounds_as_the_whole_answer(schedule: str) -> None:
    model = opened(None, hidden_schedule=schedule)
    for length in (3, 25):
        loaded = asked("a question", outputs=SPOKEN, generation=Generation(length, length))
        (whole,) = responses(model, [loaded])
        chunks = list(model.stream(ready(model, [loaded])[0]))
        pieces = [chunk.speech.samples for chunk in chunks if chunk.speech is not None]
        assert "".join(chunk.text for chunk in chunks) == whole.text
        assert whole.speech is not None and len(pieces) > 1
        np.testing.assert_allclose(np.concatenate(pieces), whole.speech.samples, atol=1e-4)
        (timed,) = responses(model, [replace(loaded, request=replace(loaded.request, timed=True))])
        assert timed.timings is not None and timed.timings.underruns is not None
        assert timed.usage == whole.usage


def remove(name: str) -> Callable[[Path], object]:
    return lambda folder: shutil.rmtree(folder / name)


def without(file: str, tensor: str) -> Callable[[Path], object]:
    def edit(folder: Path) -> None:
        state = load_file(folder / file)
        del state[tensor]
        save_file(state, folder / file, metadata={"format": "pt"})

    return edit


@pytest.mark.parametrize("part", [FOLDER, CODEC.name])
def test_without_a_part_of_its_voice_it_answers_in_text_and_says_so(
    folder: Path, part: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    shutil.rmtree(folder / part)
    model = opened(folder)
    assert model.capabilities.outputs == {"text"}
    assert any("answers in text only" in line for line in model.fingerprint()["told"])
    assert responses(model, [asked("hello")])[0].speech is None
    with pytest.raises(SampleError, match="no speech decoder"):
        outcomes(model, [asked("hello", outputs=SPOKEN)])


@pytest.mark.parametrize("tensor", ["lm_head.weight", "visual.patch_embed.proj.weight", "audio_adapter.fc1.weight"])
def test_a_missing_tensor_is_named(folder: Path, tensor: str) -> None:
    without(SINGLE, tensor)(folder)
    with pytest.raises(UsageError, match=tensor.rpartition(".")[0]) as error:
        opened(folder)
    assert str(folder) in str(error.value)


def test_what_cannot_be_heard_or_is_too_long_is_refused_with_the_reason() -> None:
    model = opened(None)
    with pytest.raises(SampleError, match="too short"):
        model.prepare(asked(noise(0)))
    with pytest.raises(SampleError, match="more than the model's 16384"):
        model.prepare(asked("x" * 20_000))


@pytest.mark.parametrize("text", ["🙂🙂🙂", "a" * 2000])
def test_any_text_is_answered_and_spoken(text: str) -> None:
    (answer,) = responses(opened(None), [asked(text, outputs=SPOKEN)])
    assert answer.speech is not None and answer.usage.speech_tokens % 8 == 0


def test_the_tiny_model_takes_no_weights_and_names_its_randomness() -> None:
    with pytest.raises(UsageError, match="random weights only"):
        get_model("nexus-o-tiny")(ModelOptions(weights="somewhere"))
    assert get_model("nexus-o-tiny")(ModelOptions()).note == "random weights"


@pytest.mark.parametrize(
    "own",
    [{"decoder_width": "10"}, {"audio_first_id": "5"}, {"audio_first_id": "319"}, {"decoder_width": "99999999"},
     {"adapter_hidden": "1_00"}, {"audio_pool": "02"}],
)  # fmt: skip
def test_a_choice_that_does_not_fit_is_told_and_no_traceback(own: dict[str, str]) -> None:
    with pytest.raises(UsageError, match=next(iter(own))):
        opened(None, **own)


def test_pixels_are_limited_as_the_folder_says_and_a_strange_field_is_told(folder: Path) -> None:
    (tokens,) = responses(opened(folder), [asked(picture())])
    (folder / "preprocessor_config.json").write_text(json.dumps({"min_pixels": 784, "max_pixels": 784}))
    settings = json.loads((folder / "config.json").read_text())
    settings["audio_decoder_config"]["num_hidden_layers"] = 9
    (folder / "config.json").write_text(json.dumps(settings))
    model = opened(folder)
    (fewer,) = responses(model, [asked(picture())])
    assert fewer.usage.prompt_tokens == tokens.usage.prompt_tokens - 5
    said = model.fingerprint()
    assert any("audio_decoder_config.num_hidden_layers is not known here" in line for line in said["told"])
    assert said["settings"]["max_pixels"] == {"value": 784, "from": "preprocessor_config.json"}


def test_a_damaged_voice_is_told_at_opening_and_text_goes_on(folder: Path) -> None:
    without(f"{FOLDER}/{SINGLE}", "lm_head.weight")(folder)
    model = opened(folder)
    assert model.capabilities.outputs == {"text"}
    assert any("missing lm_head.weight" in line for line in model.fingerprint()["told"])
    assert responses(model, [asked("hello")])


def test_speech_that_is_cut_at_its_longest_is_said_to_be() -> None:
    (answer,) = responses(opened(None), [asked("hello", outputs=SPOKEN)])
    assert answer.truncated and answer.speech is not None and answer.usage.speech_tokens == 21 * 8
