"""How NEXUS-O is asked about speech, as presets `nexus_o`: ours, because neither its paper nor its repository has any.

Each is one plain sentence, so that it favours no wording that a model was trained on, and every answer is greedy (its
specification, 3 and 6). Qwen2-Audio's own words end in `<|en|>` or `<|zh|>`, which are tokens of that model alone; they
are the preset `qwen2`. Pictures and videos are asked as VLMEvalKit does, which the paper used: preset `vlmevalkit`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from harness.task import Preset, Row
from harness.types import Generation, Message, Text
from tasks.data import media_part
from tasks.prompts import audio_alone, text_of
from tasks.scoring.conventions import Language

TRANSCRIBE = "Write down what is said in this recording, word for word, in the language that is spoken."
TRANSLATE = "Translate what is said in this recording into {}. Write only the translation."
SAY: Mapping[Language, str] = {
    "en": "Say this text aloud exactly as it is written:\n",
    "zh": "请一字不差地读出下面的文字：\n",
}

READ = Generation(max_new_tokens=256)
SPOKEN = Generation(max_new_tokens=512)


def recognition() -> Preset:
    """A transcript of the row's `audio`."""
    return _heard(TRANSCRIBE)


def translation(language: str) -> Preset:
    """What the row's `audio` says, in a language that is named in English ("Chinese")."""
    return _heard(TRANSLATE.format(language))


def synthesis(column: str, language: Language) -> Preset:
    """The text in a column, said."""

    def messages(row: Row) -> Sequence[Message]:
        return (Message("user", (Text(SAY[language] + text_of(row, column)),)),)

    return Preset(messages, SPOKEN)


def spoken_question() -> Preset:
    """The row's `audio` with no word beside it: the question itself says what is wanted."""
    return Preset(audio_alone, SPOKEN)


def _heard(text: str) -> Preset:
    """The recording, then what to do with it."""

    def messages(row: Row) -> Sequence[Message]:
        return (Message("user", (media_part("audio", row.get("audio")), Text(text))),)

    return Preset(messages, READ)
