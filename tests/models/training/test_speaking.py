"""Stages 3.1 and 3.2 at the tiny size: what they leave behind, and that it speaks."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor

from harness.contracts import ModelOptions
from harness.registry import get_model
from models.checkpoint_error import CheckpointError
from models.released.files import SINGLE
from models.training.loop import LOSSES, STATE
from models.training.recipes import SPEAKING
from models.training.release import convert
from models.training.vita15 import REPORT, Training, main
from models.vita15.checkpoint import SPEECH_FOLDER, load, save
from models.vita15.model import Vita15Model
from models.vita15.speech_checkpoint import load_codec, load_speech
from models.vita15.speech_config import Sampling

TRAINED = f"{SPEECH_FOLDER}/decoder/{SINGLE}"


@pytest.mark.parametrize("name", SPEAKING)
def test_a_stage_tells_what_it_took_and_came_to(training: Training, name: str):
    folder, effort = training.folder(name), training.size.efforts[name]
    report = json.loads((folder / REPORT).read_text())
    assert report["steps"] == effort.steps and report["examples"] == effort.steps * effort.batch
    assert report["seed"] == 0 and report["threads"] == torch.get_num_threads() and report["trained_parameters"] > 0
    assert set(report["held_out_loss"]) == {"true", "blank", "shuffled"}
    rows = (folder / LOSSES).read_text().splitlines()[1:]
    assert [int(row.split(",")[0]) for row in rows] == list(range(effort.steps))
    assert (folder / "losses.svg").read_text().lstrip().startswith("<?xml")
    assert not list(folder.rglob(STATE))


def test_the_codec_is_in_the_released_layout_and_each_part_was_trained(training: Training):
    trained = load_codec(training.folder("3.1") / "codec")
    assert trained.config == training.speech.codec
    shipped = load_speech(training.folder("3.2") / SPEECH_FOLDER).codec
    for name, value in trained.state_dict().items():
        assert value.equal(shipped.state_dict()[name]), name
    assert sorted(path.name for path in training.folder("3.1").iterdir() if path.is_dir()) == [
        "adversarial", "codec", "encoder", "generator"
    ]  # fmt: skip


def test_speech_is_put_beside_the_understanding_weights(training: Training):
    before, after = (load_file(training.folder(name) / SINGLE) for name in ("2.2", "3.2"))
    assert before.keys() == after.keys() and all(before[key].equal(after[key]) for key in before)


def spoken(folder: Path) -> Tensor:
    """A text said by the speaker that the adapter opens; what a tiny model itself answers holds no letter to say."""
    model = get_model("vita15")(ModelOptions(weights=str(folder)))
    assert isinstance(model, Vita15Model)
    model.open()
    assert model.capabilities.outputs == {"text", "speech"}
    speaker = replace(model._speaker(), sampling=Sampling(max_tokens=30))
    chunks = list(speaker.stream("say hello", torch.Generator().manual_seed(0)))
    model.close()
    return torch.cat([chunk.samples for chunk in chunks])


def test_the_folder_speaks_through_the_adapter(training: Training):
    samples = spoken(training.folder("3.2"))
    assert len(samples) % 600 == 0 and len(samples) and samples.isfinite().all() and samples.any()


def test_what_ships_speaks_in_half_precision_with_rounded_decoders(training: Training, tmp_path: Path):
    convert(training.folder("2.2"), training.folder("3.2"), tmp_path / "weights")
    stored = load_file(tmp_path / "weights" / TRAINED)
    assert all(value.dtype == torch.bfloat16 for value in stored.values() if value.is_floating_point())
    whole, half = (load_speech(folder / SPEECH_FOLDER) for folder in (training.folder("3.2"), tmp_path / "weights"))
    codes = torch.arange(20)[None, :, None]
    with torch.no_grad():
        assert whole.codec.decode(codes).allclose(half.codec.decode(codes), atol=5e-3)
    assert len(spoken(tmp_path / "weights"))


def test_a_voice_of_other_words_does_not_ship(training: Training, tmp_path: Path):
    other = load(training.folder("2.2"))
    with torch.no_grad():
        other.model.model.embed_tokens.weight[5] += 1
    save(other.model, other.tokenizer, tmp_path / "other")
    with pytest.raises(CheckpointError, match="speaks the words of another model"):
        convert(tmp_path / "other", training.folder("3.2"), tmp_path / "weights")
    assert not (tmp_path / "weights").exists()


def test_a_voice_is_tuned_to_the_words_of_another_model(training: Training, tmp_path: Path):
    """From stage 1.3's words, and from the voice that there is; nothing else of the training is needed."""
    voice = training.folder("3.2") / SPEECH_FOLDER
    decoder = voice / "decoder"
    options = ["--size", "tiny", "--stage", "3.2", "--out", str(tmp_path), "--steps", "1"]
    assert main([*options, "--understanding", str(training.folder("1.3")), "--voice", str(voice)]) == 0
    report = json.loads((tmp_path / "stage-3.2" / REPORT).read_text())
    assert report["steps"] == 1 and report["start"] == "a decoder"
    words = [
        load_file(folder / SINGLE)["lm_head.weight"] for folder in (training.folder("1.3"), tmp_path / "stage-3.2")
    ]
    assert words[0].equal(words[1])
    before, after = load_file(decoder / SINGLE), load_file(tmp_path / "stage-3.2" / TRAINED)
    moved = max(float((before[name] - after[name]).abs().max()) for name in before)
    assert 0 < moved < 0.01  # one step from where it was, and not from elsewhere


def test_stage_3_2_says_what_it_needs(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    assert main(["--size", "tiny", "--stage", "3.2", "--out", str(tmp_path)]) == 2
    assert "stage 3.2 starts from stage 2.2" in capsys.readouterr().err
    assert main(["--size", "tiny", "--stage", "3.2", "--out", str(tmp_path), "--understanding", str(tmp_path)]) == 2
    assert "stage 3.2 starts from stage 3.1" in capsys.readouterr().err


def test_a_voice_that_lacks_a_part_is_refused(training: Training, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    options = ["--size", "tiny", "--stage", "3.2", "--out", str(tmp_path), "--understanding"]
    for part, told in (("acoustics.safetensors", "train stage 3.1"), ("model.safetensors", "nor final.pt is there")):
        shutil.rmtree(tmp_path / "voice", ignore_errors=True)
        shutil.copytree(training.folder("3.2") / SPEECH_FOLDER, tmp_path / "voice")
        (tmp_path / "voice" / "codec" / part).unlink()
        assert main([*options, str(training.folder("2.2")), "--voice", str(tmp_path / "voice")]) == 2
        assert told in capsys.readouterr().err
