"""Whose weights were opened: the release's, those that ship, or others; and what a folder says of itself."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from harness.contracts import ModelOptions
from harness.registry import get_model
from harness.types import Failure, Generation, LoadedRequest, Message, Output, Request, Text
from models.released import hub, identity
from models.released.files import SINGLE
from models.vita15 import adapter, checkpoint
from models.vita15.adapter import MINI
from models.vita15.checkpoint import content_files
from models.vita15.model import Vita15Model
from models.vita15.release import RELEASE
from models.vita15.speech_checkpoint import SpeechModels, build_speech, load_speech, save_speech
from models.vita15.speech_config import CodecConfig, SpeechDecoderConfig
from tests.models.asking import outcomes, responses


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "cache"
    monkeypatch.setenv("HARNESS_CACHE", str(folder))
    return folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(MINI, tmp_path / "weights"))


def digest(folder: Path) -> str:
    return identity.digest(folder, content_files(folder))


def opened(folder: Path | str) -> Vita15Model:
    model = get_model("vita15")(ModelOptions(weights=str(folder)))
    assert isinstance(model, Vita15Model)
    model.open()
    return model


def hello(*outputs: Output) -> LoadedRequest:
    messages = (Message("user", (Text("hello"),)),)
    return LoadedRequest(Request("1", messages, Generation(max_new_tokens=4), outputs or ("text",)), ())


def nudge(path: Path) -> None:
    state = load_file(path)
    state["model.norm.weight"][0] += 0.5
    save_file(state, path, metadata={"format": "pt"})


def test_one_weight_changes_the_digest_and_the_place_does_not(folder: Path, tmp_path: Path) -> None:
    before = digest(folder)
    assert digest(Path(shutil.copytree(folder, tmp_path / "elsewhere"))) == before == digest(MINI)
    size = (folder / SINGLE).stat().st_size
    nudge(folder / SINGLE)
    assert (folder / SINGLE).stat().st_size == size
    assert digest(folder) != before


def test_every_file_that_makes_the_model_counts_and_the_card_does_not(folder: Path) -> None:
    before = digest(folder)
    (folder / "README.md").write_text("another card", encoding="utf-8")
    assert digest(folder) == before
    for name in ("config.json", "generation_config.json", f"{checkpoint.AUDIO_FOLDER}/train.yaml"):
        path = folder / name
        path.write_text(path.read_text(encoding="utf-8") + "\n", encoding="utf-8")
        assert digest(folder) != before
        before = digest(folder)


def test_weights_by_another_name_are_labelled_with_their_digest_and_keep_their_note(folder: Path) -> None:
    model = opened(folder)
    said = model.fingerprint()
    assert model.label == f"vita15 ({said['digest'][:8]})"
    assert model.note == "trained in the mini world"
    assert said["released"] is False and said["digest"] == digest(MINI)


def test_the_shipped_weights_are_what_their_name_says() -> None:
    model = get_model("vita15-mini")(ModelOptions())
    model.open()
    assert (model.label, model.note) == ("vita15-mini", "trained in the mini world")
    assert model.fingerprint()["digest"] == identity.read_card(MINI).digest


def test_a_folder_cannot_call_itself_the_release(folder: Path) -> None:
    identity.write_card(folder, "vita15", "better than all", content_files(folder))
    model = opened(folder)
    assert model.label.startswith("vita15 (") and model.note == "better than all"


def test_changed_weights_do_not_go_by_the_name_of_those_that_ship(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    nudge(folder / SINGLE)
    monkeypatch.setattr("models.vita15.adapter.MINI", folder)
    model = get_model("vita15-mini")(ModelOptions())
    model.open()
    assert model.label == f"vita15-mini ({digest(folder)[:8]})"


def test_only_what_came_from_the_releases_hub_id_is_the_release(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def located(name: str, revision: str | None) -> Vita15Model:
        monkeypatch.setattr(hub, "locate", lambda chosen, release: hub.Source(folder, name, revision))
        return opened(name)

    release = located(RELEASE.id, "0123abc")
    assert (release.label, release.fingerprint()["released"]) == ("vita15", True)
    assert release.fingerprint()["revision"] == "0123abc"
    for name, revision in (("someone/VITA-1.5", "0123abc"), (str(folder), None)):
        other = located(name, revision)
        assert other.label.startswith("vita15 (") and other.fingerprint()["released"] is False


def test_random_weights_have_a_digest_of_their_own() -> None:
    first, again, other = (get_model("vita15-tiny")(ModelOptions(seed=seed)) for seed in (1, 1, 2))
    assert first.fingerprint()["digest"] == again.fingerprint()["digest"] != other.fingerprint()["digest"]


def with_speech(folder: Path) -> Path:
    width = checkpoint.outline(folder).language.hidden_size
    decoder, codec, _ = build_speech(SpeechDecoderConfig.tiny(width), CodecConfig.tiny(), seed=0)
    save_speech(folder / checkpoint.SPEECH_FOLDER, decoder, codec)
    return folder


def test_the_speech_decoder_belongs_to_the_model(folder: Path) -> None:
    before = digest(folder)
    with_speech(folder)
    assert digest(folder) != before
    model = opened(folder)
    assert model.capabilities.outputs == {"text", "speech"}
    assert model.fingerprint()["speech"] is True and not model.fingerprint()["told"]


@pytest.mark.parametrize("fault", ["torn", "absent", "misshapen"])
def test_a_broken_speech_decoder_is_told_and_keeps_no_text_from_being_answered(folder: Path, fault: str) -> None:
    path = with_speech(folder) / checkpoint.SPEECH_FOLDER / "decoder" / "model.safetensors"
    if fault == "torn":
        path.write_bytes(path.read_bytes()[:500])
    elif fault == "absent":
        path.unlink()
    else:
        save_file(load_file(path) | {"norm.weight": torch.zeros(3)}, path)
    model = opened(folder)
    (said,) = model.fingerprint()["told"]
    assert said.startswith("the speech decoder cannot be read") and str(path.parent) in said
    assert responses(model, [hello()])[0].text
    (failure,) = outcomes(model, [hello("text", "speech")])
    assert isinstance(failure, Failure) and str(path.parent) in failure.message


def test_the_speech_decoder_is_read_when_speech_is_first_asked_for(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[str] = []

    def counted(path: Path, dtype: torch.dtype = torch.float32, device: str = "cpu") -> SpeechModels:
        read.append(device)
        return load_speech(path, dtype, device)

    monkeypatch.setattr(adapter, "load_speech", counted)
    model = opened(with_speech(folder))
    responses(model, [hello()])
    assert read == ["meta"]  # names and shapes alone
    for _ in range(2):
        assert outcomes(model, [hello("text", "speech")])
    assert read == ["meta", "cpu"]
