"""How VITA-Audio is asked by its own scripts, as presets (its specification, 7).

A model writes the messages in ChatML without a system message of its own. What the scripts leave to the checkpoint is
said here too: its repetition penalty stays on, for greedy answers as well. The voice of a Seed-TTS prompt is no part of
a preset: a model that clones voices is given it as `Request.voice`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from harness.task import Preset, Row
from harness.types import Generation, Message, Part, Text
from tasks.data import media_part
from tasks.prompts import audio_alone, text_of

TRANSCRIBE = "Convert the speech to text.\n"
SAY = "Convert the text to speech.\n"
ANSWER = "Your Name: Omni\nYour Gender: female\nRespond in a text-audio interleaved manner."
CONVERSE = "Your Name: Luke\nYour Gender: male\n\nRespond in a text-audio interleaved manner."

GREEDY = Generation(max_new_tokens=1024, repetition_penalty=1.05)
SAMPLED = replace(GREEDY, temperature=0.7, top_k=20, top_p=0.8)
RECOGNISED = replace(GREEDY, max_new_tokens=256, min_new_tokens=1)
"""The script takes the limit from the references' lengths, which no model knows; `--oracle-length-cap` does so too."""


def recognition() -> Preset:
    """A transcript of the row's `audio`."""

    def messages(row: Row) -> Sequence[Message]:
        return (_user(Text(TRANSCRIBE), media_part("audio", row.get("audio"))),)

    return Preset(messages, RECOGNISED)


def synthesis(column: str) -> Preset:
    """The text in a column, said; the answer has text and speech in turn and is sampled."""

    def messages(row: Row) -> Sequence[Message]:
        return (_user(Text(SAY + text_of(row, column))),)

    return Preset(messages, SAMPLED)


def spoken_question() -> Preset:
    """An answer to the row's `audio` in text and speech."""

    def messages(row: Row) -> Sequence[Message]:
        return _system(ANSWER), *audio_alone(row)

    return Preset(messages, GREEDY)


def conversation(generation: Generation) -> Preset:
    """As the demo, which latencies are measured with: without its system message nothing asks for speech. The length
    is the task's."""

    def messages(row: Row) -> Sequence[Message]:
        return _system(CONVERSE), _user(Text("\n"), media_part("audio", row.get("audio")))

    return Preset(messages, replace(generation, repetition_penalty=GREEDY.repetition_penalty))


def _system(text: str) -> Message:
    return Message("system", (Text(text),))


def _user(*parts: Part) -> Message:
    return Message("user", parts)
