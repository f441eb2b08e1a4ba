"""How the public evaluations word the questions of image and video benchmarks, and presets made of such wordings.

The wording decides the score, so each is a named preset that a run records. Taken over as facts from VLMEvalKit's
VITA adapter (`vita`), lmms-eval 0.7.3 (`lmms_eval`) and VLMEvalKit's default (`vlmevalkit`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

from harness.failures import lacking
from harness.task import Preset, Row
from harness.types import Generation, Media, Message, Pictures, Text
from tasks.data import media_part
from tasks.scoring.cells import absent, options_of
from tasks.scoring.choice import Options

Wording = Callable[[Row], str]

SHORT_ANSWER = "Answer the question using a single word or phrase."
YES_OR_NO = " Please answer yes or no."
LETTER_ONLY = "Answer with the option's letter from the given choices directly."
VLMEVALKIT_TOKENS = VITA_TOKENS = Generation(max_new_tokens=2048)
VITA_TILES = Pictures(max_tiles=6)
_CJK = re.compile("[\u4e00-\u9fff]")
_MARK = re.compile(r"<image (\d+)>")


def preset(wording: Wording, generation: Generation, pictures: Pictures = Pictures(), *, blind: bool = False) -> Preset:
    """Pictures (or the clip) first, then the question. With `blind` a row may have no picture at all."""

    def messages(row: Row) -> Sequence[Message]:
        return (Message("user", (*media_of(row, blind), Text(wording(row)))),)

    return Preset(messages, generation, pictures)


def audio_alone(row: Row) -> Sequence[Message]:
    """No word beside the row's `audio`."""
    return (Message("user", (media_part("audio", row.get("audio")),)),)


def interleaved(wording: Wording, generation: Generation) -> Preset:
    """Pictures where the text has `<image 1>`; those that it does not name come first."""

    def messages(row: Row) -> Sequence[Message]:
        media, text = media_of(row, blind=False), wording(row)
        named = {int(number) for number in _MARK.findall(text)}
        parts: list[Media | Text] = [m for place, m in enumerate(media, start=1) if place not in named]
        for piece in re.split(r"(<image \d+>)", text):
            mark = _MARK.fullmatch(piece)
            if mark and int(mark[1]) <= len(media):
                parts.append(media[int(mark[1]) - 1])
            elif piece:
                parts.append(Text(piece))
        return (Message("user", tuple(parts)),)

    return Preset(messages, generation)


def media_of(row: Row, blind: bool) -> tuple[Media, ...]:
    """A row's pictures in order, or its clip. Raises ValueError when it has none, unless it may be `blind`."""
    if "video" in row:
        return (clip_of(row),)
    pictures = row.get("images")
    if pictures is None:
        pictures = [] if blind and row.get("image") is None else [row.get("image")]
    if not pictures and not blind:
        raise ValueError("the row has no image")
    return tuple(media_part("image", picture) for picture in pictures)


def clip_of(row: Row) -> Media:
    """A row's clip with the part of it that is asked about (`start_s`, `end_s`)."""
    media = media_part("video", row.get("video"))
    return Media(media.kind, media.path, media.sha256, row.get("start_s"), row.get("end_s"))


def text_of(row: Mapping[str, object], name: str) -> str:
    """A text of the row, which may be empty. Raises ValueError naming the field that is missing or no text."""
    value = row.get(name)
    if isinstance(value, int | float) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str):
        raise lacking(row, name)
    return value


def field(row: Mapping[str, object], name: str) -> str:
    """A text of the row. Raises ValueError naming the field that is missing or empty."""
    value = text_of(row, name)
    if not value.strip():
        raise lacking(row, name)
    return value


def hint_of(row: Mapping[str, object]) -> str:
    hint = row.get("hint")
    return "" if absent(hint) else str(hint)


def option_lines(options: Options) -> str:
    return "".join(f"\n{letter}. {text}" for letter, text in options.items())


def vita_choice(question: str, options: Options, hint: str = "") -> str:
    """Hint, question and options a line each, then what to answer with, in Mandarin where the text is."""
    text = (f"{hint}\n" if hint else "") + question + option_lines(options)
    mandarin = _CJK.search(text) is not None
    if options:
        return text + ("\n请直接回答选项字母。" if mandarin else f"\n{LETTER_ONLY}")
    return text + ("\n请直接回答问题。" if mandarin else "\nAnswer the question directly.")


def vlmevalkit_choice(question: str, options: Options, hint: str = "") -> str:
    """VLMEvalKit's own wording of a question with options; without options the question alone."""
    text = (f"Hint: {hint}\n" if hint else "") + f"Question: {question}\n"
    if not options:
        return text
    return f"{text}Options:{option_lines(options)}\nPlease select the correct answer from the options above. \n"


def vita_asks(row: Row) -> str:
    """A row with options (or without), as VITA was asked."""
    return vita_choice(field(row, "question"), options_of(row), hint_of(row))


def vlmevalkit_asks(row: Row) -> str:
    """A row with options (or without), as VLMEvalKit asks a model that has no wording of its own."""
    return vlmevalkit_choice(field(row, "question"), options_of(row), hint_of(row))


MME_WORDINGS: Mapping[str, Callable[[str], str]] = {
    "vita": lambda question: f"{question} {SHORT_ANSWER}",
    "lmms_eval": lambda question: f"{question.strip().replace(YES_OR_NO, '')}\n{SHORT_ANSWER}",
    "vlmevalkit": str,
}
