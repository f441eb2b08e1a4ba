"""Prompts: template, system prompt by modality, order of media, state marks; and the tokenizers."""

from __future__ import annotations

import json
import unicodedata
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from harness.types import Media, Message, Text
from models.checkpoint_error import CheckpointError
from models.vita15.omni import AUDIO, IMAGE
from models.vita15.prompts import SYSTEM, as_text, conversation, strip_state, system_prompt, tokenise
from models.vita15.tokenizer import CONTROL_TOKENS, PLAIN_TOKENS, byte_tokenizer, load_tokenizer

PICTURE, SPEECH, CLIP = Media("image", "a.png"), Media("audio", "a.wav"), Media("video", "a.mp4")


def user(*parts: Text | Media) -> Message:
    return Message("user", parts)


def asked(*messages: Message, places: list[int]) -> str:
    """The prompt after the system's turn."""
    return as_text(conversation(messages, places)).split("<|im_end|>\n", 1)[1]


def test_text_alone() -> None:
    prompt = as_text(conversation([user(Text("Why?"))], []))
    assert prompt == (
        f"<|im_start|>system\n{SYSTEM}<|im_end|>\n<|im_start|>user\nWhy?<|im_end|>\n<|im_start|>assistant\n"
    )


@pytest.mark.parametrize(
    ("parts", "places", "content"),
    [
        ((SPEECH,), [1], "<audio>"),
        ((Text("What?"), PICTURE), [3], "<image><image><image>\nWhat?"),
        ((PICTURE, SPEECH), [2, 1], "<image><image>\n<audio>"),
        ((CLIP, Text("What?")), [4], "<image><image><image><image>\nWhat?"),
        ((PICTURE, PICTURE, Text("A"), Text("B")), [1, 2], "<image>\n<image><image>\nA\nB"),
        ((Text("Write down:"), SPEECH), [1], "Write down:\n<audio>"),
        ((SPEECH, Text("Answer.")), [1], "<audio>Answer."),
        ((SPEECH, Text("")), [1], "<audio>"),
    ],
)
def test_a_users_turn(parts: tuple[Text | Media, ...], places: list[int], content: str) -> None:
    assert asked(user(*parts), places=places) == f"<|im_start|>user\n{content}<|im_end|>\n<|im_start|>assistant\n"


def test_several_turns_keep_their_media_in_order() -> None:
    messages = [user(PICTURE, SPEECH), Message("assistant", (Text("☞Yes."),)), user(SPEECH)]
    pieces = conversation(messages, [2, 1, 1])
    assert [piece for piece in pieces if isinstance(piece, int)] == [IMAGE, IMAGE, AUDIO, AUDIO]
    assert "<|im_start|>assistant\n☞Yes.<|im_end|>\n<|im_start|>user\n" in as_text(pieces)


def test_a_last_answer_is_closed_without_a_newline() -> None:
    assert asked(user(Text("Q")), Message("assistant", (Text("A"),)), places=[]).endswith("A<|im_end|>")


def test_the_system_prompt_tells_what_is_seen() -> None:
    assert system_prompt([user(SPEECH)]) == SYSTEM
    assert system_prompt([user(PICTURE)]).endswith("you are seeing the image, not the video.")
    assert system_prompt([user(CLIP)]).endswith("you are seeing the video, not the image.")


def test_a_system_message_replaces_the_built_in_one() -> None:
    prompt = as_text(conversation([Message("system", (Text("Be brief."),)), user(Text("Q"))], []))
    assert prompt.startswith("<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nQ")


@pytest.mark.parametrize(("answer", "text"), [("☞Yes.", "Yes."), ("☟", ""), ("☜☜a", "☜a"), ("No ☞", "No ☞"), ("", "")])
def test_state_marks(answer: str, text: str) -> None:
    assert strip_state(answer) == text


@given(st.text(max_size=60))
def test_the_byte_tokenizer_gives_every_text_back(text: str) -> None:
    composed = unicodedata.normalize("NFC", text)
    assume(not any(token in composed for token in CONTROL_TOKENS + PLAIN_TOKENS))
    tokenizer = byte_tokenizer()
    ids = tokenizer.encode(text)
    assert len(ids) == len(composed.encode())
    assert tokenizer.decode(ids) == composed


@pytest.mark.parametrize("token", CONTROL_TOKENS + PLAIN_TOKENS)
def test_a_text_that_spells_an_added_token_is_that_token(token: str) -> None:
    """As in the released tokenizer: control tokens leave no trace in an answer, the plain ones are shown."""
    tokenizer = byte_tokenizer()
    assert tokenizer.encode(f"a{token}b") == [tokenizer.id_of("a"), tokenizer.id_of(token), tokenizer.id_of("b")]
    assert tokenizer.decode([tokenizer.id_of(token)]) == ("" if token in CONTROL_TOKENS else token)


def test_text_that_looks_like_a_place_is_text() -> None:
    ids = tokenise(conversation([user(Text("a <image> tag"))], []), byte_tokenizer())
    assert min(ids) >= 0


def test_the_byte_tokenizer_has_the_22_added_tokens() -> None:
    tokenizer = byte_tokenizer()
    assert len(tokenizer) == 278
    assert [tokenizer.id_of(name) for name in ("<|endoftext|>", "<|im_start|>", "<|im_end|>")] == [256, 257, 258]
    assert tokenizer.decode([257, *tokenizer.encode("hi"), 258]) == "hi"
    with pytest.raises(KeyError):
        tokenizer.id_of("<|absent|>")


def test_vocab_and_merges_alone_are_enough(tmp_path: Path) -> None:
    symbols = [chr(c) for c in (*range(33, 127), *range(161, 173), *range(174, 256), *range(256, 324))]
    vocab = {symbol: index for index, symbol in enumerate([*symbols, "Ġh", "Ġhi"])}
    (tmp_path / "vocab.json").write_text(json.dumps(vocab), encoding="utf-8")
    (tmp_path / "merges.txt").write_text("#version: 0.2\nĠ h\nĠh i\n", encoding="utf-8")
    tokenizer = load_tokenizer(tmp_path)
    assert tokenizer.encode("a hi<|im_end|>\n") == [vocab["a"], vocab["Ġhi"], 260, vocab["Ċ"]]
    tokenizer.save(tmp_path)
    assert load_tokenizer(tmp_path).encode("a hi") == [vocab["a"], vocab["Ġhi"]]


@pytest.mark.parametrize("content", [None, "{", '{"model": {}}'])
def test_a_bad_tokenizer_is_named(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / "tokenizer.json").write_text(content, encoding="utf-8")
    with pytest.raises(CheckpointError, match=str(tmp_path)):
        load_tokenizer(tmp_path)
