"""VITA-Audio's training samples: what is learnt of them, turns of text and speech, packs that follow their number."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from models.training.mtp.sizes import SIZES
from models.training.mtp.stages import STAGES, Kind
from models.training.mtp.world import AudioBatches, AudioWorld, rows_of
from models.vita_audio.interleave import IGNORED, Example
from models.vita_audio.schedule import BOOST
from models.vita_audio.tokens import BEGIN, END, tiny_tokenizer

TOKENIZER = tiny_tokenizer(codes=256)
WORLD = AudioWorld(TOKENIZER, BOOST, seed=0)
KINDS: list[Kind] = ["transcript", "text", "reading", "spoken question"]
FIRST = TOKENIZER.id_of("<|audio_0|>")


def written(ids: list[int]) -> str:
    """Text with its control tokens, and the codes as the bytes that they stand for."""
    parts = []
    for token in ids:
        name = TOKENIZER.backend.id_to_token(token)
        parts.append(bytes([token - FIRST]) if token >= FIRST else (TOKENIZER.bytes_of(token) or name.encode()))
    return b"".join(parts).decode(errors="replace")


@pytest.mark.parametrize("kind", KINDS)
def test_the_answer_and_the_end_of_its_turn_are_learnt_and_nothing_else(kind: Kind):
    sample = WORLD.kinds[kind](random.Random(3))
    learnt = [token for token, label in zip(sample.ids, sample.labels, strict=True) if label != IGNORED]
    assert learnt == [label for label in sample.labels if label != IGNORED]
    asked = sample.ids[: len(sample.ids) - len(learnt)]
    assert written(asked).endswith("<|im_start|>assistant\n") and written(learnt).endswith("<|im_end|>\n")
    assert set(sample.labels[: len(asked)]) == {IGNORED}


def test_a_transcript_writes_what_the_codes_say():
    text = written(WORLD.transcript(random.Random(1)).ids)
    head, _, rest = text.partition(BEGIN)
    spoken, _, rest = rest.partition(END)
    assert head == "<|im_start|>user\nConvert the speech to text.\n"
    assert rest == f"<|im_end|>\n<|im_start|>assistant\n{spoken}<|im_end|>\n" and spoken


def test_a_reading_has_the_text_and_its_codes_in_turns():
    sample = WORLD.reading(random.Random(2))
    learnt = [label for label in sample.labels if label != IGNORED]
    begin, end = TOKENIZER.id_of(BEGIN), TOKENIZER.id_of(END)
    assert learnt[1] == begin and learnt[10] == end and learnt[15] == begin
    codes = [token for token in learnt if token >= FIRST]
    text = [token for token in learnt[:-2] if token < begin]
    assert written(codes) == written(text) and f"speech.\n{written(text)}<|im_end|>" in written(sample.ids)


def test_a_spoken_question_is_answered_by_speech():
    text = written(WORLD.spoken_question(random.Random(4)).ids)
    assert text.startswith("<|im_start|>system\nYour Name: Omni\n") and text.count(BEGIN) == text.count(END) == 2
    assert text.split("assistant\n")[1] in (f"Yes{BEGIN}yes{END}<|im_end|>\n", f"No{BEGIN}no{END}<|im_end|>\n")


def test_rows_are_a_multiple_of_eight():
    assert rows_of(TOKENIZER) % 8 == 0 and 0 <= rows_of(TOKENIZER) - len(TOKENIZER) < 8


@pytest.mark.parametrize("name", STAGES)
def test_a_pack_follows_its_number_and_fits(name: str):
    stage = SIZES["tiny"].stage(name)
    packs = AudioBatches(WORLD, stage, 0)
    first, again, other = packs(5), AudioBatches(WORLD, stage, 0)(5), packs(6)
    assert first.ids.equal(again.ids) and not first.ids.equal(other.ids)
    assert len(first.ids) <= stage.length and first.ids.shape == first.labels.shape == first.positions.shape


def test_a_kind_is_drawn_as_often_as_its_share_says():
    asked: list[str] = []

    class Counting(AudioWorld):
        def transcript(self, rng: random.Random) -> Example:
            asked.append("transcript")
            return super().transcript(rng)

        def spoken_question(self, rng: random.Random) -> Example:
            asked.append("spoken question")
            return super().spoken_question(rng)

    packs = AudioBatches(Counting(TOKENIZER, BOOST, 0), replace(STAGES["4"], length=4096), 0)
    for number in range(5):
        packs(number)
    assert asked.count("spoken question") > 10 * asked.count("transcript")
    asked.clear()
    AudioBatches(Counting(TOKENIZER, BOOST, 0), STAGES["1"], 0)(0)
    assert "spoken question" not in asked and "transcript" in asked


def test_a_pack_that_is_shorter_than_a_sample_says_so():
    with pytest.raises(ValueError, match=r"stage 1: a sample .* but a pack only 20: raise the length"):
        AudioBatches(WORLD, replace(STAGES["1"], length=20), 0)(0)
