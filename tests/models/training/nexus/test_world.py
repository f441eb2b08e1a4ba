"""NEXUS-O's training samples: what is learnt of them, what is heard and said, batches that follow their number."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from harness.types import Text
from models.nexus_o.audio_decoder import random_decoder
from models.nexus_o.decoder_config import DecoderConfig
from models.nexus_o.firefly_checkpoint import random_firefly
from models.nexus_o.omni import Kind as Place
from models.nexus_o.omni import build
from models.nexus_o.sound import audio_tokens
from models.text.tokenizer import TURN_END, byte_tokenizer
from models.training.nexus.samples import IGNORED, Sample
from models.training.nexus.sizes import SIZES
from models.training.nexus.speech import (
    AT_FIRST,
    AVERAGE,
    MISHEARD,
    Reply,
    SpeechBatch,
    SpeechBatches,
    SpeechLearner,
    collate,
    replies,
    reply,
    speech_controls,
)
from models.training.nexus.stages import ABSENT, STAGES, Effort, Kind, Work
from models.training.nexus.voice import Line, OneVoice
from models.training.nexus.world import NexusBatches, NexusWorld

SIZE = SIZES["tiny"]
TOKENIZER = byte_tokenizer()
WORLD = NexusWorld(SIZE.config, TOKENIZER, seed=0)
HEARD: list[Kind] = ["transcript", "translation", "spoken question"]
SPOKEN: list[Kind] = ["reading", "spoken answer"]


def written(ids: torch.Tensor) -> str:
    """Text with its control tokens."""
    names = (
        TOKENIZER.bytes_of(token) or (TOKENIZER.backend.id_to_token(token) or "").encode() for token in ids.tolist()
    )
    return b"".join(names).decode(errors="replace")


def parts(sample: Sample) -> tuple[str, str]:
    """What is asked and what is learnt."""
    learnt = sample.labels != IGNORED
    assert sample.labels[learnt].equal(sample.inputs.ids[learnt])
    first = int(learnt.nonzero()[0])
    assert learnt[first:].all()
    return written(sample.inputs.ids[:first]), written(sample.inputs.ids[first:])


@pytest.mark.parametrize("kind", HEARD)
def test_the_answer_and_the_end_of_its_turn_are_learnt_and_the_audio_fills_its_places(kind: Kind):
    sample = WORLD.kinds[kind](random.Random(3))
    asked, learnt = parts(sample)
    assert asked.endswith("<|im_start|>assistant\n") and learnt.endswith(f"{TURN_END}\n")
    places = int((sample.inputs.kinds == Place.AUDIO).sum())
    assert places == sum(-(-frames // 5) for clip in sample.inputs.audio for frames in clip.valid) > 0
    assert sample.inputs.positions.shape == (3, sample.inputs.n_tokens)
    assert not (sample.inputs.kinds[sample.labels != IGNORED] != Place.TEXT).any()


def test_a_translation_is_in_the_language_that_is_not_spoken():
    found = set()
    for number in range(6):
        asked, learnt = parts(WORLD.translation(random.Random(number)))
        into_chinese = "into Chinese." in asked
        found.add(into_chinese)
        assert learnt.isascii() != into_chinese
    assert found == {True, False}


def test_the_same_utterance_is_written_down_and_translated():
    _, transcript = parts(WORLD.transcript(random.Random(5)))
    _, translation = parts(WORLD.translation(random.Random(5)))
    assert transcript.isascii() != translation.isascii()


def test_a_spoken_question_is_not_written_and_is_on_a_description_or_on_nothing():
    alone = 0
    for number in range(12):
        question = WORLD._question(random.Random(number))
        asked, learnt = parts(WORLD.spoken_question(random.Random(number)))
        before = [part.text for part in question.messages[0].parts if isinstance(part, Text)]
        assert asked.split("<|im_start|>user\n")[1].startswith(before[0] if before else "<|im_end|>")
        assert question.question not in asked
        assert learnt == f"{question.answer}{TURN_END}\n"
        alone += not before
    assert 0 < alone < 12


def test_what_is_spoken_is_told_beside_the_sample():
    for kind in ("transcript", "translation"):
        sample = WORLD.kinds[kind](random.Random(5))
        said = TOKENIZER.decode(sample.units.tolist())
        assert said and (kind != "transcript" or parts(sample)[1] == f"{said}{TURN_END}\n")


@pytest.mark.parametrize("kind", SPOKEN)
def test_what_is_spoken_is_the_answer_without_its_end(kind: Kind):
    said = WORLD.spoken[kind](random.Random(1))
    answer = written(said.inputs.ids[said.answer])
    assert answer and "<|" not in answer
    assert written(said.inputs.ids[said.answer.stop :]) == f"{TURN_END}\n"
    if kind == "reading":
        asks = ("Say this text aloud exactly as it is written:", "请一字不差地读出下面的文字：")
        assert any(f"{ask}\n{answer}{TURN_END}" in written(said.inputs.ids) for ask in asks)
    assert bool(said.inputs.audio) == (kind == "spoken answer")


@pytest.fixture(scope="module")
def model():
    return build(SIZE.config, 0)


@pytest.fixture(scope="module")
def codec():
    return random_firefly(SIZE.codec, 0)


def test_a_reply_has_a_state_for_each_token_of_the_answer_and_codes_for_its_sound(model, codec):
    said = WORLD.reading(random.Random(4))
    made = reply(model, codec, said)
    with torch.no_grad():
        whole = model.hidden([said.inputs])[0]
    assert made.hidden.equal(whole[said.answer]) and not made.hidden.requires_grad
    frames = len(said.wave) / 16_000 * codec.config.frame_rate
    assert made.codes.shape[0] == 8 and frames - 1.01 <= made.codes.shape[1] <= frames
    assert made.codes.min() >= 0 and made.codes.max() < 1000 and len(made.codes.unique(dim=1).T) > 5


def test_replies_are_made_once_and_again_for_other_weights(model, codec, tmp_path: Path):
    path = tmp_path / "replies.safetensors"
    first = replies(model, codec, WORLD, SPOKEN, 2, path)
    stamp = path.stat().st_mtime_ns
    again = replies(model, codec, WORLD, SPOKEN, 2, path)
    assert path.stat().st_mtime_ns == stamp
    for kind in SPOKEN:
        for one, other in zip(first[kind], again[kind], strict=True):
            assert one.hidden.equal(other.hidden) and one.codes.equal(other.codes)
    others = replies(build(SIZE.config, 1), codec, WORLD, SPOKEN, 2, path)
    assert path.stat().st_mtime_ns != stamp
    assert not others["reading"][0].hidden.equal(first["reading"][0].hidden)
    assert others["reading"][0].codes.equal(first["reading"][0].codes)
    path.write_bytes(b"broken")
    assert replies(model, codec, WORLD, SPOKEN, 2, path)["reading"][0].hidden.equal(first["reading"][0].hidden)


def test_replies_stand_side_by_side_with_their_lengths(model, codec, tmp_path: Path):
    made = replies(model, codec, WORLD, SPOKEN, 2, tmp_path / "replies.safetensors")
    chosen = [made["reading"][0], made["spoken answer"][1]]
    batch = collate(chosen)
    assert batch.heard.equal(batch.codes)
    for row, one in enumerate(chosen):
        assert batch.hidden[row, : batch.hidden_lengths[row]].equal(one.hidden)
        assert batch.codes[row, :, : batch.code_lengths[row]].equal(one.codes)
    packs = SpeechBatches(made, SIZE.work("3", 2), 0, tmp_path / "replies.safetensors", 1000)
    assert packs(0).codes.equal(packs(0).codes) and packs(0).hidden_lengths.min() > packs(1).hidden_lengths.max()


def made_up(frames: int) -> Reply:
    return Reply(torch.zeros(2, 8), torch.full((8, frames), frames))


def test_the_first_batches_are_of_short_replies_of_which_much_is_heard_wrong(tmp_path: Path):
    made = {"reading": [made_up(frames) for frames in range(1, 101)]}
    work = SIZE.work("3", 1000)
    only = replace(work, effort=replace(work.effort, mix={"reading": 1.0}))
    batches = SpeechBatches(made, only, 0, tmp_path / "none", 1000)
    early, late = ([batches(number) for number in range(first, first + 100)] for first in (0, 890))
    longest = [max(int(batch.code_lengths.max()) for batch in some) for some in (early, late)]
    assert longest[0] <= 0.6 * 100 and longest[1] > 90

    def wrong(batch: SpeechBatch) -> float:
        own = torch.arange(batch.codes.shape[2]) < batch.code_lengths[:, None]
        return float((batch.heard != batch.codes).float().mean(1)[own].mean())

    shares = [sum(map(wrong, some)) / len(some) for some in (early, late)]
    assert shares[0] == pytest.approx(AT_FIRST / 2, abs=0.06) and shares[1] == pytest.approx(MISHEARD, abs=0.02)
    for batch in (*early, *late):
        steps = len(batch.codes) * (8 + int(batch.code_lengths.max()))
        assert steps <= max(work.effort.batch * AVERAGE, 8 + int(batch.code_lengths.max()))
        assert all(
            (row[:, :end] == end).all() for row, end in zip(batch.codes, batch.code_lengths.tolist(), strict=True)
        )


def test_replies_that_are_held_out_are_others(model, codec, tmp_path: Path):
    learnt = replies(model, codec, WORLD, SPOKEN, 2, tmp_path / "replies.safetensors")
    kept = replies(model, codec, WORLD, SPOKEN, 2, tmp_path / "held-out.safetensors", held_out=True)
    for kind in SPOKEN:
        assert not any(one.codes.equal(other.codes) for one in learnt[kind] for other in kept[kind])


def test_one_voice_says_the_same_alike_in_whole_frames():
    speaking = OneVoice(SIZES["mini"].codec)
    line = Line("The red circle is left of the box.", "en")
    first, again = (speaking.say(line, random.Random(seed)) for seed in (1, 2))
    assert first.equal(again) and len(first) % SIZES["mini"].codec.samples == 0
    assert not first[: SIZES["mini"].codec.samples].any()
    lines = [speaking.line(random.Random(seed)) for seed in range(60)]
    assert {line.language for line in lines} == {"en", "zh"} and all(line.text.strip() == line.text for line in lines)
    assert sum(line.text[0].isupper() and line.text.endswith(".") for line in lines) > 5
    with pytest.raises(ValueError, match="44100 Hz"):
        OneVoice(SIZE.codec)


def test_the_controls_tell_states_that_say_something_from_others():
    """A decoder that says the codes that a state counts."""
    work = SIZE.work("3")
    learner = SpeechLearner(random_decoder(DecoderConfig.of(SIZE.config), 0), work)
    width = SIZE.config.language.hidden_size
    rows = [Reply(torch.randn(3, width), torch.full((8, 6), number)) for number in range(8)]
    optimiser = torch.optim.Adam(learner.parameters(), 1e-2)
    for _ in range(60):
        optimiser.zero_grad()
        learner(collate(rows)).backward()
        optimiser.step()
    found = speech_controls(learner, {"reading": rows})
    assert found.true < 0.5 * found.blank and found.true < 0.5 * found.shuffled


@pytest.mark.parametrize("name", ["1", "2"])
def test_a_batch_follows_its_number(name: str):
    work = SIZE.work(name)
    batches = NexusBatches(WORLD, work, 0)
    first, again, other = batches(5), NexusBatches(WORLD, work, 0)(5), batches(6)
    assert len(first.samples) == work.effort.batch
    assert [s.inputs.ids.tolist() for s in first.samples] == [s.inputs.ids.tolist() for s in again.samples]
    assert [s.inputs.ids.tolist() for s in first.samples] != [s.inputs.ids.tolist() for s in other.samples]


class Silent(NexusWorld):
    """Counts what is asked of it in place of making it."""

    def __init__(self) -> None:
        super().__init__(SIZE.config, TOKENIZER, 0)
        nothing = Sample(None, torch.zeros(1))  # type: ignore[arg-type]
        self.kinds = {kind: lambda _: nothing for kind in self.kinds}


@pytest.mark.parametrize("name", ["1", "2"])
def test_kinds_are_drawn_by_their_published_counts_and_those_the_world_lacks_never(name: str):
    work = Work(STAGES[name], Effort(1.0, 1, 4000))
    drawn = Counter(NexusBatches(Silent(), work, 0)(0).kinds)
    published = {kind: count for kind, count in STAGES[name].phases[0].items() if kind not in ABSENT}
    assert set(drawn) == set(published)
    for kind, count in published.items():
        assert drawn[kind] / 4000 == pytest.approx(count / sum(published.values()), abs=0.03)


@given(st.integers(2, 5000), st.data())
def test_the_last_stage_reads_aloud_first_and_answers_then(steps: int, data: st.DataObject):
    work = SIZE.work("3", steps)
    assert list(work.shares(0)) == ["reading"] and list(work.shares(steps - 1)) == ["spoken answer"]
    step = data.draw(st.integers(0, steps - 2))
    if list(work.shares(step)) == ["spoken answer"]:
        assert list(work.shares(step + 1)) == ["spoken answer"]


def test_phases_share_the_steps_as_their_samples_do():
    work = SIZE.work("3", 40_220)
    assert list(work.shares(39_999)) == ["reading"] and list(work.shares(40_000)) == ["spoken answer"]


def test_windows_of_five_seconds_give_ten_tokens_a_second():
    assert audio_tokens(5 * 16_000, SIZE.config) == 50 and audio_tokens(6 * 16_000, SIZE.config) == 60
