"""The mini size's tokenizer: that of the mini world, with the marks and standing texts of NEXUS-O behind its tokens."""

from __future__ import annotations

from tokenizers import AddedToken

from models.nexus_o.prompts import AUDIO_TOKENS, SYSTEM
from models.text.tokenizer import QwenTokenizer
from models.training.world import world_tokenizer
from tasks.mini.training import SAY_ALOUD, SPOKEN_ASKS


def nexus_tokenizer() -> QwenTokenizer:
    """The ids of the mini world's own tokens stay as they are, so that a language model of it can be taken over."""
    backend = world_tokenizer().backend
    backend.add_special_tokens([AddedToken(mark, normalized=False, special=True) for mark in AUDIO_TOKENS])
    said = (text.strip("\n") for text in (SYSTEM, *SPOKEN_ASKS, *SAY_ALOUD.values()))
    backend.add_tokens([AddedToken(text, normalized=False) for text in said])
    return QwenTokenizer(backend)
