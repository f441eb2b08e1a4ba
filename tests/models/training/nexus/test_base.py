"""What NEXUS-O's mini size starts from: how examples are read, what moves, what a stage leaves behind."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from PIL import Image

from models.checkpoint_error import CheckpointError
from models.nexus_o import checkpoint
from models.nexus_o.omni import Kind, Nexus, build
from models.nexus_o.prompts import mark_ids
from models.nexus_o.sound import windows
from models.nn.whisper_features import log_mel
from models.training.codes.clips import Clip
from models.training.codes.tokenizer_stage import NOT_SPEECH
from models.training.controls import Controls
from models.training.examples import PICTURE, SPEECH, assistant, user
from models.training.loop import LOSSES, STATE
from models.training.nexus import hearing, run
from models.training.nexus.base import BASE, BaseBatches, take_language
from models.training.nexus.hearing import HearingBatches
from models.training.nexus.reader import NexusReader
from models.training.nexus.run import blanked, learner_of
from models.training.nexus.samples import IGNORED, Batch, Script
from models.training.nexus.sizes import SIZES
from models.training.nexus.words import nexus_tokenizer
from models.training.nexus_o import REPORT, Training
from models.training.world import world_tokenizer
from models.vita15 import checkpoint as vita15
from models.vita15.adapter import MINI
from models.vita15.config import Vita15Config
from models.vita15.language import causal_hidden
from models.vita15.prompts import STATE_MARKS
from tasks.mini.drawing import SIZE

CONFIG = SIZES["mini"].config
TOKENIZER = nexus_tokenizer()


@pytest.fixture(scope="module")
def reader() -> NexusReader:
    return NexusReader(Script(CONFIG, TOKENIZER, mark_ids(TOKENIZER, CONFIG.choices)))


@pytest.fixture(scope="module")
def model() -> Nexus:
    made = build(CONFIG, 0)
    take_language(made, MINI)
    return made


def test_the_tokens_of_the_mini_world_keep_their_ids():
    vocabulary = world_tokenizer().backend.get_vocab()
    assert vocabulary.items() <= TOKENIZER.backend.get_vocab().items()
    assert len(TOKENIZER) <= CONFIG.language.vocab_size
    assert TOKENIZER.decode([TOKENIZER.id_of("<|AUDIO|>")]) == ""
    assert len(TOKENIZER.encode("You are a helpful assistant.")) == 1


def test_a_language_model_of_another_size_is_not_taken_over(tmp_path: Path):
    tiny = Vita15Config.tiny()
    small = vita15.build(replace(tiny, language=replace(tiny.language, vocab_size=CONFIG.language.vocab_size)), 0)
    vita15.save(small, world_tokenizer(), tmp_path)
    with pytest.raises(CheckpointError, match="its language model is of another size; take that of vita15-mini"):
        take_language(build(CONFIG, 0), tmp_path)


@torch.no_grad()
def test_the_language_model_that_is_taken_over_writes_on_as_before(model: Nexus, reader: NexusReader):
    source = vita15.load(MINI).model
    sample = reader.script.sample([user("what is the capital of france?"), assistant("paris")])
    hidden = causal_hidden(source.model, source.model.embed_tokens(sample.inputs.ids[None]))
    assert torch.allclose(model.logits([sample.inputs]), source.lm_head(hidden), atol=1e-3)


def test_an_example_shows_its_picture_in_its_places_and_learns_the_answers_alone(reader: NexusReader):
    picture = reader.pixels(Image.new("RGB", (SIZE, SIZE), "red"))
    talk = [user(PICTURE, "what is it?"), assistant(STATE_MARKS[2] + "a cup"), user("sure?"), assistant("yes")]
    example = reader.example(talk, picture)
    sample = reader.sample(example)
    assert int((sample.inputs.kinds == Kind.IMAGE).sum()) == reader.grid.tokens == 49
    assert sample.inputs.pictures[0].patches.equal(picture[0])
    assert sample.inputs.positions.shape == (3, len(example.ids))
    learnt = sample.labels != IGNORED
    assert sample.labels[learnt].equal(sample.inputs.ids[learnt])
    written = "".join(TOKENIZER.backend.id_to_token(int(token)) for token in sample.labels[learnt])
    assert written.replace("Ġ", " ").replace("Ċ", "\n") == "a cup<|im_end|>\nyes<|im_end|>\n"


def test_what_is_not_read_so_is_refused(reader: NexusReader):
    with pytest.raises(ValueError, match="of 448x224"):
        reader.pixels(Image.new("RGB", (448, 224)))
    with pytest.raises(ValueError, match="text and pictures"):
        reader.example([user("what?"), assistant("that")], audio=torch.zeros(9))


def test_a_small_picture_becomes_as_many_tokens(reader: NexusReader):
    assert reader.pixels(Image.new("RGB", (112, 112))).shape == reader.pixels(Image.new("RGB", (SIZE, SIZE))).shape


SEEN = [name for name, stage in BASE.items() if stage.loss != "spelling"]


def clip(codes: int, text: str) -> Clip:
    generator = torch.Generator().manual_seed(codes)
    mel = torch.randn(80, 8 * codes, generator=generator).half()
    return Clip(mel, torch.randint(0, 50, (codes, 4), generator=generator).to(torch.uint8), text, "")


CLIPS = [clip(codes, text) for codes, text in ((9, "Today"), (12, "the cat runs"), (10, "今天"), (11, "a red cup"))]


def test_clips_stand_side_by_side_with_what_is_said_in_each_frame():
    batches = HearingBatches(CLIPS, TOKENIZER, 4, 0, plain=True)
    batch = batches(0)
    assert batch.mel.shape[:2] == (4, 80) and batch.mel.shape[2] == 2 * batch.phonemes.shape[1] >= 96
    assert batch.mel.equal(batches(0).mel) and not HearingBatches(CLIPS, TOKENIZER, 4, 0)(0).mel.equal(batch.mel)
    for row, one in enumerate(sorted(CLIPS, key=lambda one: one.codes)):
        frames = 4 * one.codes
        assert batch.mel[row, :, : 2 * frames].equal(one.features.float())
        assert batch.phonemes[row, :frames].equal(one.phonemes.flatten().long())
        assert (batch.phonemes[row, frames:] == NOT_SPEECH).all()
        assert TOKENIZER.decode(batch.units[row].tolist()) == one.text.lower()


@torch.no_grad()
def test_a_window_that_is_cut_short_is_heard_as_the_whole_one_where_nothing_is_behind(model: Nexus):
    tower = model.model.audio_tower
    mel = torch.randn(1, 80, 2 * CONFIG.audio.max_source_positions)
    assert tower.frames(mel).equal(tower(mel)) and tower.frames(mel[..., :100]).shape[1] == 50


@pytest.mark.parametrize("name", SEEN)
def test_a_batch_follows_its_number_and_held_out_ones_are_others(reader: NexusReader, name: str):
    batches, held_out = (BaseBatches(reader, BASE[name], 8, 0, held_out=held) for held in (False, True))

    def shown(batch: object) -> torch.Tensor:
        one = batch.samples[0] if isinstance(batch, Batch) else batch[0]  # type: ignore[index]
        return one.inputs.pictures[0].patches if isinstance(batch, Batch) else one.pixels

    assert shown(batches(3)).equal(shown(batches(3)))
    assert not shown(batches(3)).equal(shown(batches(4)))
    assert not shown(batches(3)).equal(shown(held_out(3)))


@pytest.mark.parametrize("name", BASE)
def test_the_loss_falls_and_depends_on_what_is_seen_and_heard(reader: NexusReader, model: Nexus, name: str):
    stage = BASE[name]
    learner = learner_of(model, reader, stage, 0)
    trained = learner.trained()
    assert trained and all(key.startswith(stage.trainable) for key in trained)
    assert "model.language_model.embed_tokens.weight" not in trained
    assert not [key for key in trained if "embed_positions" in key]
    spelling = stage.loss == "spelling"
    batch = (HearingBatches(CLIPS, TOKENIZER, 4, 0) if spelling else BaseBatches(reader, stage, 8, 0))(0)
    optimizer = torch.optim.Adam(trained.values(), 1e-3)
    losses = []
    for _ in range(4):
        optimizer.zero_grad()
        loss = learner(batch)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0]
    with torch.no_grad():
        assert float(learner(blanked(batch))) != float(learner(batch))


def test_silence_is_what_whisper_makes_of_zeros(reader: NexusReader):
    silent = log_mel(torch.zeros(1, 16_000), 80)
    heard = blanked(HearingBatches(CLIPS, TOKENIZER, 2, 0)(0))
    assert torch.allclose(heard.mel, silent[0, 0, 0].expand_as(heard.mel))
    asked = reader.script.sample([user(SPEECH, "what?"), assistant("that")], wave=torch.randn(16_000))
    (one,) = blanked(Batch([asked], ["transcript"])).samples[0].inputs.audio
    assert torch.allclose(one.mel, windows(torch.zeros(16_000), CONFIG).mel)


def test_stages_take_what_those_before_have_trained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(run, "CONTROL_BATCHES", 1)
    monkeypatch.setattr(hearing, "MADE", {"en": 30, "zh": 4})
    monkeypatch.setattr(hearing, "HELD_OUT", 2)
    training = Training("mini", 0, tmp_path, "cpu", steps=1)
    assert training.names[: len(BASE)] == list(BASE) and training.names[-1] == "3"
    with pytest.raises(FileNotFoundError, match="run --stage seeing"):
        training.run("looking")
    for name in BASE:
        training.run(name)
        report = json.loads((training.folder(name) / REPORT).read_text())
        assert report["steps"] == 1 and set(report["held_out_loss"]) <= set(Controls._fields)
        assert len((training.folder(name) / LOSSES).read_text().splitlines()) == 2
        assert not (training.folder(name) / STATE).exists()
    states = {name: checkpoint.load(training.folder(name)).model.state_dict() for name in BASE}
    start = training.start(training.work("1")).state_dict()
    tower, ears = "model.visual.patch_embed.proj.weight", "model.audio_tower.conv1.weight"
    assert start[ears].equal(states["hearing"][ears]) and not states["looking"][ears].equal(start[ears])
    assert start[tower].equal(states["looking"][tower]) and not start[tower].equal(states["hearing"][tower])
