"""AISHELL-1 test: read Mandarin, 20 speakers (Bu et al., O-COCOSDA 2017; OpenSLR 33)."""

from __future__ import annotations

from tasks.data import Source
from tasks.readers.hub import Hub
from tasks.readers.speech import aishell1, hub_utterances
from tasks.speech.asr import SPEAKERS, Published, asr_task


def without_spaces(text: str) -> str:
    """The corpus separates words by spaces, which Mandarin does not have."""
    return "".join(text.split())


AISHELL1 = asr_task(
    "aishell1",
    "zh",
    Source(
        aishell1,
        ("data_aishell/wav/test", "data_aishell/transcript"),
        "data_aishell/wav/test/<speaker>/*.wav and data_aishell/transcript/aishell_transcript_v0.8.txt",
        Hub(
            id="TwinkStart/AISHELL-1",
            revision="2a509ef3a7a88d3234205eaeecba39fdd9d50518",
            split="test",
            columns=("audio", "text"),
            adapt=hub_utterances,
        ),
        published=7176,
    ),
    SPEAKERS,
    published=Published("AISHELL-1", "test"),
    clean=without_spaces,
    citation="Bu et al., AISHELL-1: an open-source Mandarin speech corpus and a speech recognition baseline, 2017",
    licence="Apache-2.0",
)
