"""VITA-Audio's prompts: no system prompt of its own, recordings in their places, ids of the whole string."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.failures import SampleError
from harness.types import Media, Message, Part, Text
from models.vita_audio.prompts import as_text, codes_content, context_content, conversation, tokenise
from models.vita_audio.tokens import BEGIN, CONTEXT, END, SpecialTokens, code_name, tiny_tokenizer

SPEECH = Media("audio", "a.wav")
PLAIN, PLUS = tiny_tokenizer(codes=30), tiny_tokenizer(plus=True, codes=30)
PLAIN_TOKENS, PLUS_TOKENS = SpecialTokens.of(PLAIN), SpecialTokens.of(PLUS)


def user(*parts: Part) -> Message:
    return Message("user", parts)


@pytest.mark.parametrize(
    ("parts", "content"),
    [
        ((Text("Why?"),), "Why?"),
        ((SPEECH,), "<|audio|>"),
        ((Text("Convert the speech to text.\n"), SPEECH), "Convert the speech to text.\n<|audio|>"),
        ((Text("Convert the speech to text."), SPEECH), "Convert the speech to text.\n<|audio|>"),
        ((Text("\n"), SPEECH), "\n<|audio|>"),
        ((SPEECH, Text(""), Text("Answer.")), "<|audio|>\nAnswer."),
        ((SPEECH, SPEECH), "<|audio|>\n<|audio|>"),
    ],
)
def test_a_users_turn(parts: tuple[Part, ...], content: str) -> None:
    assert as_text(conversation([user(*parts)])) == (f"<|im_start|>user\n{content}<|im_end|>\n<|im_start|>assistant\n")


def test_an_answer_that_is_there_is_closed() -> None:
    rendered = as_text(conversation([user(Text("Q")), Message("assistant", (Text("A"),))]))
    assert rendered.endswith("<|im_start|>assistant\nA<|im_end|>\n")


def test_a_voice_to_speak_in_comes_first() -> None:
    runs = conversation([user(Text("Convert the text to speech.\nHi."))], voice=True)
    assert len(runs) == 2
    assert as_text(runs).startswith(
        "<|im_start|>system\nSpeaker Metadata:\nAudio: <|audio|>\n<|im_end|>\n<|im_start|>user"
    )


@pytest.mark.parametrize("kind", ["image", "video"])
def test_what_it_does_not_see_is_told(kind: str) -> None:
    with pytest.raises(SampleError, match=f"takes no {kind}") as error:
        conversation([user(Media(kind, "a"))])  # type: ignore[arg-type]
    assert error.value.kind == "unsupported"


parts = st.lists(st.one_of(st.just(SPEECH), st.text(max_size=12).map(Text)), min_size=1, max_size=6).map(tuple)


@given(parts=parts, codes=st.lists(st.integers(0, 29), max_size=5))
def test_the_ids_are_those_of_the_whole_string(parts: tuple[Part, ...], codes: list[int]) -> None:
    """Text that spells an added token is left to the tokenizer in both."""
    runs = conversation([user(*parts)])
    heard = codes_content(codes, PLAIN_TOKENS)
    prompt = tokenise(runs, [heard] * (len(runs) - 1), PLAIN, PLAIN_TOKENS)
    spelled = BEGIN + "".join(map(code_name, codes)) + END
    assert prompt.ids == PLAIN.encode(spelled.join(runs))
    assert all(prompt.ids[place.start : place.stop] == heard for place in prompt.places)
    assert len(prompt.places) == len(runs) - 1


def test_plus_keeps_a_place_for_each_vector() -> None:
    runs = conversation([user(SPEECH, Text("and"), SPEECH)])
    prompt = tokenise(runs, [context_content(n, PLUS_TOKENS) for n in (3, 2)], PLUS, PLUS_TOKENS)
    assert prompt.ids == PLUS.encode(
        f"{BEGIN}{CONTEXT * 3}{END}\nand\n{BEGIN}{CONTEXT * 2}{END}".join(
            ["<|im_start|>user\n", "<|im_end|>\n<|im_start|>assistant\n"]
        )
    )
    context = PLUS.id_of(CONTEXT)
    assert [place for span in prompt.places for place in span] == [i for i, t in enumerate(prompt.ids) if t == context]


def test_what_does_not_fit_the_model_is_refused() -> None:
    with pytest.raises(ValueError, match="not one of a Plus model"):
        context_content(3, PLAIN_TOKENS)
    with pytest.raises(ValueError, match="code 30 has no token"):
        codes_content([30], PLAIN_TOKENS)
    with pytest.raises(ValueError, match="2 recordings for 1 places"):
        tokenise(conversation([user(SPEECH)]), [[], []], PLAIN, PLAIN_TOKENS)
