"""The small tokenizer: a word a token, a Hanzi a token, and bytes for all else."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from models.text.tokenizer import load_tokenizer
from models.training.tokenizer import closed_tokenizer

PHRASE = "You are a robot. \n- Be kind."
TOKENIZER = closed_tokenizer(["the red bird", "昨天男孩", 'Is it "KEY"?'], [PHRASE, " Please."])


def pieces(text: str) -> list[str]:
    return [TOKENIZER.decode([token]) for token in TOKENIZER.encode(text)]


def test_words_hanzi_phrases_and_state_marks_are_single_tokens():
    assert pieces("the red bird") == ["the", " red", " bird"]
    assert pieces("男孩昨天") == ["男", "孩", "昨", "天"]
    assert pieces(f"{PHRASE}the") == [PHRASE, "the"]
    assert pieces("☞the") == ["☞", "the"]
    assert pieces('Is it "KEY"? Please.') == ["Is", " it", ' "', "KEY", '"?', " Please."]


def test_a_word_that_was_not_given_falls_to_bytes():
    assert pieces("birds") == list("birds")


def test_the_order_of_the_texts_does_not_matter():
    texts = ["the red bird", "昨天男孩", "two boats"]
    assert closed_tokenizer(texts).backend.to_str() == closed_tokenizer(texts[::-1]).backend.to_str()


@given(st.text(max_size=40))
def test_every_text_comes_back(text: str):
    import unicodedata

    normal = unicodedata.normalize("NFC", text)
    assert TOKENIZER.backend.decode(TOKENIZER.encode(text), skip_special_tokens=False) == normal


def test_it_is_read_back_as_it_was_written(tmp_path: Path):
    TOKENIZER.save(tmp_path)
    for text in ("the red bird 昨天 xyz", PHRASE, "☜Yes"):
        assert load_tokenizer(tmp_path).encode(text) == TOKENIZER.encode(text)
