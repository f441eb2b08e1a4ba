"""Samples with a system message, several turns, pictures within the text and a clip with its sound, end to end."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import soundfile
from PIL import Image

from harness.media import reference
from harness.plan import fingerprint, given_to_all
from harness.run import start
from harness.schema import messages_of
from harness.task import Preset, Row
from harness.types import Generation, Message, Request, Text
from reports.page.site import write_site
from tests.harness.media_files import TONE, write_video
from tests.harness.toy import config, numbered, objects, toy_task


def conversation(folder: Path) -> tuple[Message, ...]:
    for name, colour in (("red", (200, 0, 0)), ("blue", (0, 0, 200))):
        Image.new("RGB", (40, 30), colour).save(folder / f"{name}.png")
    write_video(folder / "clip.mp4", 50, 25)
    soundfile.write(folder / "sound.wav", TONE, 16_000)
    red, blue = (reference("image", folder / f"{name}.png") for name in ("red", "blue"))
    clip, sound = reference("video", folder / "clip.mp4", 0.5, 1.5), reference("audio", folder / "sound.wav")
    return (
        Message("system", (Text("Answer in one word."),)),
        Message("user", (Text("First"), red, Text("then"), blue, Text("which is warmer?"))),
        Message("assistant", (Text("the first"),)),
        Message("user", (clip, sound, Text("What was heard?"))),
    )


def asked(messages: tuple[Message, ...]) -> str:
    request = Request("0", messages, Generation(), ("text",))
    return fingerprint(request, given_to_all(None, "first"))


def test_a_conversation_is_planned_asked_recorded_and_shown_as_it_is(tmp_path: Path) -> None:
    messages = conversation(tmp_path)

    def ask(row: Row) -> tuple[Message, ...]:
        return messages

    task = toy_task(
        numbered(1),
        presets={"plain": Preset(ask, Generation(max_new_tokens=4))},
        inputs=frozenset({"text", "image", "video", "audio"}),
    )
    run = start(config(model="vita15-tiny"), tmp_path / "run", replace(objects(task), model=None))
    (row,), (record,) = run.plan("toy"), run.records("toy")
    assert messages_of(row.messages) == messages_of(record.messages) == messages
    assert record.failure is None and record.response is not None
    assert record.response.usage.prompt_tokens <= row.prompt_tokens, "the plan makes room for all of it"
    assert row.prompt_tokens < 3 * record.response.usage.prompt_tokens

    site = tmp_path / "site"
    write_site([run.path], site)
    shown = "".join(path.read_text() for path in site.rglob("*.js"))
    for words in ("Answer in one word.", "First", "then", "which is warmer?", "the first", "What was heard?"):
        assert words in shown
    assert shown.count(".png") >= 2 and ".mp4" in shown and ".wav" in shown
    assert "0.5" in shown and "1.5" in shown, "the cut of the clip"


def test_order_roles_and_cuts_are_part_of_what_is_asked(tmp_path: Path) -> None:
    messages = conversation(tmp_path)
    system, first, answer, last = messages
    others = [
        (system, replace(first, parts=tuple(reversed(first.parts))), answer, last),
        (system, first, replace(answer, role="user"), last),
        (first, answer, last),
        (system, first, answer, replace(last, parts=(replace(last.parts[0], end_s=1.0), *last.parts[1:]))),  # type: ignore[type-var]
    ]
    assert len({asked(messages), *map(asked, others)}) == 5
