"""How Video-MME's questions are worded, with and without what is said while the frames are shown."""

from __future__ import annotations

from pathlib import Path

from harness.media.frames import frame_times
from harness.media.subtitles import lines_at, read_subtitles
from harness.task import Row
from harness.types import Pictures
from tasks.prompts import LETTER_ONLY, field
from tasks.scoring.cells import listed, options_of

FRAMES = {
    "vita": Pictures(max_frames=16, frame_rule="segments"),
    "lmms_eval": Pictures(max_frames=32, frame_rule="uniform"),
    "vlmevalkit": Pictures(max_frames=8, frame_rule="inner"),
}
SELECT = "Select the best answer to the following multiple-choice question"
ONE_LETTER = "Respond with only the letter (A, B, C, or D) of the correct option."
LISTED = "This video's subtitles are listed below:"


def lines_of(row: Row) -> list[str]:
    """The options as the benchmark lists them: "A. text"."""
    lines = listed(row.get("options") or row.get("candidates"))
    return lines or [f"{letter}. {text}" for letter, text in options_of(row).items()]


def spoken(row: Row, pictures: Pictures) -> list[str]:
    """What the subtitles say at the frames that are shown; [] where there are none."""
    if fault := row.get("subtitles_fault"):
        raise ValueError(fault)
    file = row.get("subtitles")
    if not isinstance(file, Path) or not isinstance(row.get("video"), Path):
        return []
    return lines_at(read_subtitles(file), frame_times(row["video"], pictures))


def vita(row: Row, subtitled: bool) -> str:
    lines = spoken(row, FRAMES["vita"]) if subtitled else []
    block = f"{LISTED} \n" + "\n".join(lines) + "\n" if lines else ""
    question = "\n".join([field(row, "question"), *lines_of(row)])
    return f"{block}{question}Please respond with only the letter of the correct answer."


def lmms_eval(row: Row, subtitled: bool) -> str:
    task = f"{SELECT} based on the video and the subtitles. {ONE_LETTER}"
    question = f"{task}\n{field(row, 'question')}\n" + "\n".join(lines_of(row)) + "\n"
    if not subtitled:
        return f"{question}\n{LETTER_ONLY}"
    lines = "\n".join(spoken(row, FRAMES["lmms_eval"])) or "No subtitles available"
    return f"{LISTED} \n{lines}\n{question}The best answer is:"


def vlmevalkit_wording(row: Row, subtitled: bool) -> str:
    lines = spoken(row, FRAMES["vlmevalkit"]) if subtitled else []
    block = f"{LISTED}\n" + "\n".join(lines) + "\n" if lines else ""
    task = f"\nThese are the frames of a video. {block}{SELECT} based on the video. {ONE_LETTER}\n"
    return f"{task}Question: {field(row, 'question')}\n" + "\n".join(lines_of(row)) + "\nAnswer: "
