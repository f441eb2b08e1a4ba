"""The tokenizer: Qwen2.5's byte-level BPE, read from the checkpoint's folder, and a byte-level one for tests.

`tokenizer.json` is read where it is there, else `vocab.json`, `merges.txt` and what `tokenizer_config.json` says of
tokens that were added. Both ways give a `tokenizers.Tokenizer`; nothing else of the folder is run.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from functools import cache
from itertools import groupby
from pathlib import Path
from typing import Any

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers

from models.checkpoint_error import CheckpointError

END_OF_TEXT, TURN_START, TURN_END = "<|endoftext|>", "<|im_start|>", "<|im_end|>"
CONTROL_TOKENS = (
    END_OF_TEXT, TURN_START, TURN_END,
    "<|object_ref_start|>", "<|object_ref_end|>", "<|box_start|>", "<|box_end|>", "<|quad_start|>", "<|quad_end|>",
    "<|vision_start|>", "<|vision_end|>", "<|vision_pad|>", "<|image_pad|>", "<|video_pad|>",
)  # fmt: skip
PLAIN_TOKENS = (
    "<tool_call>", "</tool_call>", "<|fim_prefix|>", "<|fim_middle|>", "<|fim_suffix|>", "<|fim_pad|>",
    "<|repo_name|>", "<|file_sep|>",
)  # fmt: skip
"""The last eight of Qwen2.5's 22 added tokens are single ids, but shown when an answer is decoded."""

# How Qwen2.5 cuts text before BPE: contractions, words with one leading mark, single digits, marks, white space.
CUTS = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
_PROBE = " It's 12 café, 你好 🙂\n"
BYTES_PER_TOKEN = 3
"""Of text, without a tokenizer: four letters of English or one ideograph make about a token of Qwen2.5's."""
_REMEDY = "Take the tokenizer files of the model's release: tokenizer.json, or vocab.json with merges.txt."


class QwenTokenizer:
    """Text <-> ids. Placeholders of media never come here: the prompt is cut at them first."""

    def __init__(self, backend: Tokenizer) -> None:
        self.backend = backend
        missing = [token for token in (END_OF_TEXT, TURN_START, TURN_END) if backend.token_to_id(token) is None]
        if missing:
            raise ValueError(f"the tokenizer has no token {', '.join(missing)}")
        self._control = {index for index, token in backend.get_added_tokens_decoder().items() if token.special}
        self._bytes: dict[int, bytes] = {}
        probe = self.encode(_PROBE)
        if b"".join(map(self.bytes_of, probe)).decode(errors="replace") != self.decode(probe):
            raise ValueError("the tokenizer's tokens are not made of bytes, as those of Qwen2.5 are")

    def __len__(self) -> int:
        """Number of tokens with the added ones: 151665 in the release."""
        return self.backend.get_vocab_size(with_added_tokens=True)

    def encode(self, text: str) -> list[int]:
        """Raises ValueError on text that is none: a lone half of a UTF-16 pair."""
        try:
            return list(self.backend.encode(text, add_special_tokens=False).ids)
        except TypeError:
            place = next((at for at, character in enumerate(text) if 0xD800 <= ord(character) < 0xE000), None)
            raise ValueError(f"the text has half a character (a lone surrogate) at place {place}") from None

    def count(self, text: str) -> int:
        """How many tokens a text has; about so many where it cannot be encoded (a lone surrogate)."""
        try:
            return len(self.encode(text))
        except ValueError:
            return len(text)

    def decode(self, ids: Sequence[int]) -> str:
        """Text of the ids without control tokens; ids past the vocabulary (padding rows) give nothing."""
        return str(self.backend.decode(list(ids), skip_special_tokens=True))

    def bytes_of(self, index: int) -> bytes:
        """What one token adds to a text, in UTF-8; a character's bytes may come in several tokens.

        The bytes of ids one after the other are the text that `decode` gives.
        """
        if index not in self._bytes:
            token = None if index in self._control else self.backend.id_to_token(index)
            self._bytes[index] = b"" if token is None else _token_bytes(token)
        return self._bytes[index]

    def id_of(self, token: str) -> int:
        """The id of one token. Raises KeyError."""
        found = self.backend.token_to_id(token)
        if found is None:
            raise KeyError(token)
        return int(found)

    def save(self, folder: Path) -> None:
        self.backend.save(str(folder / "tokenizer.json"))


def load_tokenizer(folder: Path) -> QwenTokenizer:
    """The tokenizer of a checkpoint's folder. Raises CheckpointError naming the file at fault."""
    whole, vocab, merges = folder / "tokenizer.json", folder / "vocab.json", folder / "merges.txt"
    if not whole.exists() and not (vocab.exists() and merges.exists()):
        raise CheckpointError(f"{folder}: no tokenizer is there\n{_REMEDY}")
    path = whole if whole.exists() else vocab
    try:
        if path == whole:
            return QwenTokenizer(Tokenizer.from_file(str(whole)))
        backend = byte_level(json.loads(vocab.read_text(encoding="utf-8")), _read_merges(merges))
        if (path := folder / "tokenizer_config.json").exists():
            _add_stated(backend, json.loads(path.read_text(encoding="utf-8")).get("added_tokens_decoder", {}))
        return QwenTokenizer(backend)
    except Exception as error:  # `tokenizers` raises bare Exception on malformed files
        raise CheckpointError(f"{path}: cannot be read as a tokenizer: {error}\n{_REMEDY}") from error


def byte_tokenizer() -> QwenTokenizer:
    """256 byte tokens and Qwen2.5's added tokens, without merges: every text, at a byte a token."""
    symbols = sorted(pre_tokenizers.ByteLevel.alphabet())
    return QwenTokenizer(byte_level({symbol: index for index, symbol in enumerate(symbols)}, []))


def estimated(text: str) -> int:
    """About how many tokens a text has, where there is no tokenizer to ask."""
    return math.ceil(len(text.encode(errors="surrogatepass")) / BYTES_PER_TOKEN)


@cache
def _byte_of() -> dict[str, int]:
    """The character that stands for a byte in a vocabulary -> that byte (GPT-2's table)."""
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [byte for byte in range(256) if byte not in printable]
    return {chr(byte): byte for byte in printable} | {chr(256 + place): byte for place, byte in enumerate(others)}


def _token_bytes(token: str) -> bytes:
    """A token with a character that stands for no byte is an added one, which is text as it is."""
    table = _byte_of()
    if all(character in table for character in token):
        return bytes(table[character] for character in token)
    return token.encode()


def _read_merges(path: Path) -> list[tuple[str, str]]:
    pairs = []
    for line in path.read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#version"):
            left, right = line.split(" ")
            pairs.append((left, right))
    return pairs


def _add_stated(backend: Tokenizer, stated: Mapping[str, Mapping[str, Any]]) -> None:
    """Add the tokens of `added_tokens_decoder` (id -> token) that are not there. ValueError on one with another id."""
    ids = {stated[index]["content"]: int(index) for index in sorted(stated, key=int)}
    special = {token["content"] for token in stated.values() if token.get("special")}
    absent = [name for name in ids if backend.token_to_id(name) is None]
    for marks, names in groupby(absent, special.__contains__):
        tokens = [AddedToken(name, normalized=False) for name in names]
        backend.add_special_tokens(tokens) if marks else backend.add_tokens(tokens)
    for name, index in ids.items():
        if (found := backend.token_to_id(name)) != index:
            raise ValueError(f"{name} is token {found}, stated as {index}")


def byte_level(vocab: dict[str, int], merges: list[tuple[str, str]], whole_words: bool = False) -> Tokenizer:
    """Qwen2.5's pipeline; the added tokens take the ids after the vocabulary, in their published order.

    With `whole_words` a word that stands in the vocabulary is one token whether or not merges lead to it.
    """
    backend = Tokenizer(models.BPE(vocab=vocab, merges=merges, ignore_merges=whole_words))
    backend.normalizer = normalizers.NFC()
    backend.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(CUTS), behavior="isolated", invert=False),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    backend.decoder = decoders.ByteLevel()
    backend.add_special_tokens([AddedToken(token, normalized=False) for token in CONTROL_TOKENS])
    backend.add_tokens([AddedToken(token, normalized=False) for token in PLAIN_TOKENS])
    return backend
