"""Video-MME: 2,700 questions on 900 videos of three lengths, with and without subtitles (Fu et al., 2405.21075)."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from harness.media.frames import frame_times
from harness.media.subtitles import lines_at, read_subtitles
from harness.task import Preset, Ratio, Row, Task
from harness.types import Doc, Generation, Pictures
from tasks import choices
from tasks.data import Source
from tasks.docs import kept, tagged
from tasks.prompts import LETTER_ONLY, field, preset
from tasks.readers.clips import below, videomme
from tasks.readers.hub import Hub
from tasks.scoring import outcome
from tasks.scoring.cells import listed, options_of
from tasks.scoring.choice import NO_OPTION, vlmevalkit
from tasks.scoring.choice.lmms_eval import best_placed
from tasks.scoring.choice.robust import stated
from tasks.scoring.choice.vita import parsed
from tasks.scoring.outcome import Outcome

FRAMES = {
    "vita": Pictures(max_frames=16, frame_rule="segments"),
    "lmms_eval": Pictures(max_frames=32, frame_rule="uniform"),
    "vlmevalkit": Pictures(max_frames=8, frame_rule="uniform"),
}
LIMITS = {
    "vita": Generation(max_new_tokens=10),
    "lmms_eval": Generation(max_new_tokens=16),
    "vlmevalkit": Generation(max_new_tokens=2048),
}
ONE_LETTER = "Respond with only the letter (A, B, C, or D) of the correct option."
LISTED = "This video's subtitles are listed below:"


def doc_of(row: Row) -> Doc:
    doc = kept(row, "question", "answer", "duration", "domain")
    choices.lettered(doc)
    return doc


def _video_of(doc: Doc) -> str | None:
    """Three questions are on one video."""
    named = next((doc[name] for name in ("videoID", "video_id", "video_path") if doc.get(name)), None)
    return None if named is None else str(named)


def lines_of(row: Row) -> list[str]:
    """The options as the benchmark lists them: "A. text"."""
    lines = listed(row.get("options") or row.get("candidates"))
    return lines or [f"{letter}. {text}" for letter, text in options_of(row).items()]


def spoken(row: Row, pictures: Pictures) -> list[str]:
    """What the subtitles say at the frames that are shown; [] where there are none."""
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
    task = f"Select the best answer to the following multiple-choice question based on the video and the subtitles. {ONE_LETTER}"
    question = f"{task}\n{field(row, 'question')}\n" + "\n".join(lines_of(row)) + "\n"
    if not subtitled:
        return f"{question}\n{LETTER_ONLY}"
    lines = "\n".join(spoken(row, FRAMES["lmms_eval"])) or "No subtitles available"
    return f"{LISTED} \n{lines}\n{question}The best answer is:"


def vlmevalkit_wording(row: Row, subtitled: bool) -> str:
    lines = spoken(row, FRAMES["vlmevalkit"]) if subtitled else []
    block = f"{LISTED}\n" + "\n".join(lines) + "\n" if lines else ""
    return (
        f"\nThese are the frames of a video. {block}Select the best answer to the following multiple-choice question "
        f"based on the video. {ONE_LETTER}\nQuestion: {field(row, 'question')}\n"
        + "\n".join(lines_of(row))
        + "\nAnswer: "
    )


WORDINGS = {"vita": vita, "lmms_eval": lmms_eval, "vlmevalkit": vlmevalkit_wording}


def presets(subtitled: bool) -> dict[str, Preset]:
    return {
        name: preset(partial(wording, subtitled=subtitled), LIMITS[name], FRAMES[name])
        for name, wording in WORDINGS.items()
    }


def _dropping(answer: str, doc: Doc) -> Outcome:
    """An answer without a letter leaves the denominator: the copy of VLMEvalKit that VITA-1.5 was evaluated with."""
    letter = vlmevalkit.first_capital(answer)
    return Outcome(letter, float(letter == doc["answer"]), counted=letter is not None)


def _vlmevalkit(answer: str, doc: Doc) -> Outcome:
    """The question's own text is searched for options there, which it does not hold: no option text is found."""
    letter = vlmevalkit.first_capital(answer) or vlmevalkit.matched(answer, {}, current=True) or NO_OPTION
    return Outcome(letter, float(letter == doc["answer"]))


RULES: dict[str, outcome.Rule] = {
    "vita_parse_answer": choices.by_letter(lambda answer, options: parsed(answer), choices.lettered),
    "vlmevalkit_vita": _dropping,
    "vlmevalkit": _vlmevalkit,
    "lmms_eval": choices.by_letter(lambda answer, options: best_placed(answer), choices.lettered),
    "robust": choices.by_letter(stated, choices.lettered),
    "judged": choices.by_judge(choices.lettered),
}


def _task(name: str, split: str, *, subtitled: bool) -> Task:
    return Task(
        name=name,
        version="1",
        inputs=frozenset({"text", "video"}),
        source=Source(
            below("Video-MME", videomme),
            ("Video-MME",),
            "Video-MME/{Video-MME.tsv or test-*.parquet, data/*.mp4, subtitle/*.srt}",
            Hub(
                "lmms-lab/Video-MME",
                "test",
                ("video_id", "duration", "domain", "videoID", "question_id", "question", "options", "answer"),
                config="videomme",
                folder=videomme,
            ),
            published=2700,
        ),
        doc=doc_of,
        presets=presets(subtitled),
        default_preset="vlmevalkit",
        scorer=outcome.scorer(
            RULES, lambda doc: tagged(doc, "duration", "domain", "sub_category", "task_type"), choices.lettered
        ),
        metrics=(
            Ratio(
                "accuracy", "%", True, "right", "n", headline=True,
                by=("duration", "domain", "task_type", "sub_category"),
            ),
        ),
        profiles=tuple(RULES),
        default_profile="vita_parse_answer",
        judges=choices.JUDGES,
        without_judge=tuple(name for name in RULES if name != "judged"),
        benchmark="Video-MME",
        split=split,
        published_metrics={"accuracy": "acc %"},
        cluster_name="video",
        cluster=_video_of,
        citation="Fu et al., Video-MME: the first comprehensive evaluation benchmark of multi-modal LLMs in video analysis, 2024",
        licence="for research use only; the videos keep the licences of their makers",
    )  # fmt: skip


VIDEOMME = _task("videomme", "w/o subtitles", subtitled=False)
SUBTITLED = _task("videomme_subtitles", "w/ subtitles", subtitled=True)
