"""VITA-Audio's tokens: found by name, in both variants, and refused where they are not what they should be."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import AddedToken, Tokenizer

from models.text.tokenizer import QwenTokenizer, byte_tokenizer
from models.vita_audio.tokens import BEGIN, CODES, CONTEXT, END, SpecialTokens, code_name, marks, tiny_tokenizer

QWEN = 151665  # tokens of Qwen2.5 with its own added ones


@pytest.fixture(scope="module", params=[False, True], ids=["plain", "plus"])
def plus(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


def added(names: list[str], special: bool = False) -> QwenTokenizer:
    backend = Tokenizer.from_str(byte_tokenizer().backend.to_str())
    backend.add_special_tokens([AddedToken(name, normalized=False) for name in marks(False)])
    backend.add_tokens([AddedToken(name, normalized=False) for name in names])
    return QwenTokenizer(backend)


@pytest.mark.parametrize(
    ("plus", "want", "total"),
    [
        (False, {BEGIN: 151674, END: 151675, "<|audio|>": 151684}, 168069),
        (True, {BEGIN: 151674, END: 151675, CONTEXT: 151676, "<|begin_of_quad|>": 151677, "<|audio|>": 151685}, 168070),
    ],
)
def test_behind_qwens_own_tokens_the_marks_have_the_released_ids(plus: bool, want: dict[str, int], total: int) -> None:
    ids = {name: QWEN + place for place, name in enumerate(marks(plus))}
    assert {name: ids[name] for name in want} == want
    assert QWEN + len(ids) + CODES == total and len(ids) == len(set(ids))


def test_a_variant_is_known_by_its_tokens(plus: bool) -> None:
    tokenizer = tiny_tokenizer(plus, codes=12)
    tokens = SpecialTokens.of(tokenizer)
    assert (tokens.plus, tokens.codes) == (plus, 12)
    assert tokens.begin_of_audio == tokenizer.id_of(BEGIN) and tokens.end_of_audio == tokenizer.id_of(END)
    assert tokens.context_of_audio == (tokenizer.id_of(CONTEXT) if plus else None)
    assert tokens.audio_tag == tokenizer.id_of("<|audio|>") and tokens.first_code == tokenizer.id_of("<|audio_0|>")


def test_all_codes_of_the_release_fit_behind_a_tokenizer() -> None:
    tokens = SpecialTokens.of(tiny_tokenizer(codes=CODES))
    assert tokens.codes == CODES and tokens.token_of(CODES - 1) == len(tiny_tokenizer(codes=CODES)) - 1


def test_marks_are_not_shown_and_codes_are() -> None:
    tokenizer = tiny_tokenizer(codes=3)
    ids = tokenizer.encode(f"a{BEGIN}{code_name(2)}{END}b")
    assert len(ids) == 5 and tokenizer.decode(ids) == "a<|audio_2|>b"


def test_adding_tokens_leaves_the_tokenizer_as_it_is() -> None:
    before = byte_tokenizer()
    assert len(tiny_tokenizer(codes=4)) == len(before) + len(marks(False)) + 4 and len(before) == 278


@given(st.integers(-5, 400))
def test_a_token_is_text_or_a_code_or_neither(token: int) -> None:
    tokens = SpecialTokens(300, 301, None, 302, first_code=310, codes=20)
    assert tokens.is_text(token) == (token < 310) and tokens.is_code(token) == (310 <= token < 330)
    if tokens.is_code(token):
        assert tokens.token_of(tokens.code_of(token)) == token
    else:
        with pytest.raises(ValueError, match=f"token {token} is no code"):
            tokens.code_of(token)


@pytest.mark.parametrize("code", [-1, 20])
def test_a_code_without_a_token_is_refused(code: int) -> None:
    with pytest.raises(ValueError, match="codes 0 to 19"):
        SpecialTokens(300, 301, None, 302, 310, 20).token_of(code)


def test_what_is_missing_is_named() -> None:
    with pytest.raises(ValueError, match=r"no token <\|begin_of_audio\|>, <\|end_of_audio\|>, <\|audio\|>"):
        SpecialTokens.of(byte_tokenizer())
    with pytest.raises(ValueError, match="no tokens for codes"):
        SpecialTokens.of(added([]))
    with pytest.raises(ValueError, match=r"has <\|audio_2\|> but no token <\|audio_1\|>"):
        SpecialTokens.of(added([code_name(0), code_name(2)]))


def test_codes_that_are_not_in_a_row_are_refused() -> None:
    with pytest.raises(ValueError, match=r"no ids in a row: <\|audio_1\|>"):
        SpecialTokens.of(added([code_name(0), "<|between|>", code_name(1)]))
