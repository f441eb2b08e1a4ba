"""Text to ids and back, by bytes and by released files."""

from __future__ import annotations

import json
import unicodedata
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from models.checkpoint_error import CheckpointError
from models.text.tokenizer import CONTROL_TOKENS, PLAIN_TOKENS, byte_tokenizer, estimated, load_tokenizer


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


def test_the_byte_tokenizer_has_the_22_added_tokens() -> None:
    tokenizer = byte_tokenizer()
    assert len(tokenizer) == 278
    assert [tokenizer.id_of(name) for name in ("<|endoftext|>", "<|im_start|>", "<|im_end|>")] == [256, 257, 258]
    assert tokenizer.decode([257, *tokenizer.encode("hi"), 258]) == "hi"
    with pytest.raises(KeyError):
        tokenizer.id_of("<|absent|>")


def write_vocab(folder: Path) -> dict[str, int]:
    symbols = [chr(c) for c in (*range(33, 127), *range(161, 173), *range(174, 256), *range(256, 324))]
    vocab = {symbol: index for index, symbol in enumerate([*symbols, "Ġh", "Ġhi"])}
    (folder / "vocab.json").write_text(json.dumps(vocab), encoding="utf-8")
    (folder / "merges.txt").write_text("#version: 0.2\nĠ h\nĠh i\n", encoding="utf-8")
    return vocab


def state(folder: Path, tokens: dict[int, tuple[str, bool]]) -> None:
    stated = {str(index): {"content": name, "special": special} for index, (name, special) in tokens.items()}
    (folder / "tokenizer_config.json").write_text(json.dumps({"added_tokens_decoder": stated}), encoding="utf-8")


def test_tokens_that_a_release_adds_are_read_from_its_settings(tmp_path: Path) -> None:
    """As a folder is that was written without `tokenizer.json`."""
    write_vocab(tmp_path)
    state(
        tmp_path, {258: ("<|endoftext|>", True), 282: ("<|one|>", False), 280: ("<|mark|>", True), 281: ("a b", False)}
    )
    tokenizer = load_tokenizer(tmp_path)
    assert tokenizer.encode("<|mark|>a b<|one|>") == [280, 281, 282]
    assert tokenizer.decode([280, 281, 282]) == "a b<|one|>"


@pytest.mark.parametrize("tokens", [{259: ("<|endoftext|>", True)}, {281: ("<|mark|>", True)}])
def test_a_token_whose_id_is_not_the_stated_one_is_refused(tmp_path: Path, tokens: dict[int, tuple[str, bool]]) -> None:
    write_vocab(tmp_path)
    state(tmp_path, tokens)
    with pytest.raises(CheckpointError, match=r"tokenizer_config\.json: .* is token \d+, stated as"):
        load_tokenizer(tmp_path)


def test_vocab_and_merges_alone_are_enough(tmp_path: Path) -> None:
    vocab = write_vocab(tmp_path)
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


def test_an_estimate_needs_no_tokenizer_and_takes_half_characters() -> None:
    assert [estimated(text) for text in ("", "abc", "abcd", "你好", "\ud800")] == [0, 1, 2, 2, 1]
