"""Prompts: template, system prompt by modality, order of media, state marks."""

from __future__ import annotations

import pytest

from harness.types import Media, Message, Text
from models.text.tokenizer import byte_tokenizer
from models.vita15.omni import AUDIO, IMAGE
from models.vita15.prompts import SYSTEM, as_text, conversation, strip_state, system_prompt, tokenise

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


def test_text_that_looks_like_a_place_is_text() -> None:
    ids = tokenise(conversation([user(Text("a <image> tag"))], []), byte_tokenizer())
    assert min(ids) >= 0
