"""The test clips as the video benchmarks publish theirs, one function for each archive."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tasks.mini.clip_events import asked
from tasks.mini.clip_questions import DIMENSIONS, caption_matching, captioning, multi_choice, temporal, yes_no
from tasks.mini.clip_tasks import Asked
from tasks.mini.dice import Dice
from tasks.mini.encoding import write_frames, write_mp4
from tasks.mini.plots import DURATIONS, THEMES, Duration
from tasks.mini.stories import ASK, SPOKEN_ONLY, stories

SEED = 0
VIDEOS_OF_A_DURATION, QUESTIONS_OF_A_VIDEO = 12, 3
SILENT = 3
"""In one of so many videos nothing is said, so that it has no subtitles."""
WITH_TONE = (1, 13)
"""Numbers of videos that have a track of sound."""
ROWS_OF_A_TASK = 6
VIDEOS_OF_A_DIMENSION = 6

FOLDERS: dict[str, str] = {
    "action_sequence": "star/Charades_v1_480",
    "action_prediction": "star/Charades_v1_480",
    "action_antonym": "ssv2_video",
    "fine_grained_action": "Moments_in_Time_Raw/videos",
    "unexpected_action": "FunQA_test/test",
    "object_existence": "clevrer/video_validation",
    "object_interaction": "star/Charades_v1_480",
    "object_shuffle": "perception/videos",
    "moving_direction": "clevrer/video_validation",
    "action_localization": "sta/sta_video",
    "scene_transition": "scene_qa/video",
    "action_count": "perception/videos",
    "moving_count": "clevrer/video_validation",
    "moving_attribute": "clevrer/video_validation",
    "state_change": "perception/videos",
    "fine_grained_pose": "nturgbd",
    "character_order": "perception/videos",
    "egocentric_navigation": "vlnqa",
    "episodic_reasoning": "tvqa/frames_fps3_hq",
    "counterfactual_inference": "clevrer/video_validation",
}
"""Where MVBench keeps the videos of each task."""
AS_FRAMES = "episodic_reasoning"
"""The task whose videos are folders of frames."""


class Places:
    """Where right answers stand among their options: at each place equally often."""

    def __init__(self, dice: Dice) -> None:
        self._dice = dice
        self._left: dict[int, list[int]] = {}

    def take(self, options: int) -> int:
        """The place, from 0, of the next right answer among so many options."""
        if not self._left.get(options):
            self._left[options] = self._dice.sample(range(options), options)
        return self._left[options].pop()


def _with(wrong: tuple[str, ...], answer: str, place: int) -> list[str]:
    return [*wrong[:place], answer, *wrong[place:]]


def _json(path: Path, content: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes((json.dumps(content, indent=1, ensure_ascii=False) + "\n").encode())


def _hands(dice: Dice, spoken: list[bool]) -> list[list[str]]:
    """The task types of each video's questions: each equally often, no two alike, what needs words where there are."""
    types = list(ASK) * (len(spoken) * QUESTIONS_OF_A_VIDEO // len(ASK))
    while True:
        dice.shuffle(types)
        hands = [types[i :: len(spoken)] for i in range(len(spoken))]
        if all(
            len(set(hand)) == len(hand) and (speaks or SPOKEN_ONLY not in hand)
            for hand, speaks in zip(hands, spoken, strict=True)
        ):
            return hands


def _schedule(dice: Dice) -> Iterator[tuple[Duration, str, str, bool, list[str]]]:
    """Duration, domain, sub-category, whether anything is said, and task types of each video."""
    turns = dict.fromkeys(THEMES, 0)
    for duration in DURATIONS:
        spoken = [number % SILENT != 0 for number in range(VIDEOS_OF_A_DURATION)]
        for i, hand in enumerate(_hands(dice, spoken)):
            domain = list(THEMES)[i % len(THEMES)]
            kinds = list(THEMES[domain].topics)
            yield duration, domain, kinds[turns[domain] % len(kinds)], spoken[i], hand
            turns[domain] += 1


def video_mme(out: Path) -> int:
    """`Video-MME.tsv`, data/ and subtitle/; returns the number of questions."""
    dice, folder, rows = Dice(f"video-mme {SEED}"), out / "Video-MME", list[dict[str, str | int]]()
    places = Places(dice)
    for number, (duration, domain, kind, spoken, types) in enumerate(_schedule(dice), 1):
        name = f"mini{number:03d}"
        story = next(stories(Dice(f"video-mme {name} {SEED}"), domain, kind, duration, spoken, types, "test"))
        write_mp4(folder / "data" / f"{name}.mp4", story.film, tone=number in WITH_TONE)
        subtitle = f"subtitle/{name}.srt" if story.subtitles else ""
        if subtitle:
            (folder / "subtitle").mkdir(exist_ok=True)
            (folder / subtitle).write_bytes(story.subtitles.encode())
        for i, question in enumerate(story.questions, 1):
            place = places.take(4)
            options = _with(question.wrong, question.answer, place)
            rows.append(
                {
                    "index": len(rows),
                    "video_id": f"{number:03d}",
                    "videoID": name,
                    "question_id": f"{number:03d}-{i}",
                    "duration": duration,
                    "domain": domain,
                    "sub_category": kind,
                    "task_type": question.task_type,
                    "question": question.text,
                    "options": repr([f"{letter}. {text}" for letter, text in zip("ABCD", options, strict=True)]),
                    "answer": "ABCD"[place],
                    "subtitle_path": subtitle,
                    "video_path": f"data/{name}.mp4",
                }
            )
    table = io.StringIO()
    writer = csv.DictWriter(table, list(rows[0]), delimiter="\t", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    (folder / "Video-MME.tsv").write_bytes(table.getvalue().encode())
    return len(rows)


def _different(items: Iterator[Asked]) -> Iterator[Asked]:
    """Without those that have the answer of the one before, so that a few rows show several answers."""
    last = ""
    for item in items:
        if item.answer != last:
            last = item.answer
            yield item


def mvbench(out: Path) -> int:
    """json/ and video/; returns the number of questions."""
    folder, places = out / "MVBench", Places(Dice(f"mvbench {SEED}"))
    for task in FOLDERS:
        items, rows = _different(asked(Dice(f"mvbench {task} {SEED}"), task, "test")), list[dict[str, Any]]()
        for i in range(ROWS_OF_A_TASK):
            item, name = next(items), f"{task}_{i + 1:02d}"
            path = folder / "video" / FOLDERS[task] / name
            if task == AS_FRAMES:
                write_frames(path, item.film)
            else:
                name += ".mp4"
                write_mp4(path.with_name(name), item.film)
            candidates = _with(item.wrong, item.answer, places.take(len(item.wrong) + 1))
            row = {"video": name, "question": item.question, "candidates": candidates, "answer": item.answer}
            rows.append(row if item.start is None else row | {"start": item.start, "end": item.end})
        _json(folder / "json" / f"{task}.json", rows)
    return len(FOLDERS) * ROWS_OF_A_TASK


def tempcompass(out: Path) -> int:
    """questions/ in four forms and videos/; returns the number of questions."""
    folder, dice = out / "TempCompass", Dice(f"tempcompass {SEED}")
    forms: dict[str, dict[str, dict[str, list[dict[str, str]]]]] = {
        form: {} for form in ("multi-choice", "yes_no", "caption_matching", "captioning")
    }
    choosing, matching, writing = Places(dice), Places(dice), Places(dice)
    for dimension in DIMENSIONS:
        drafts = temporal(Dice(f"tempcompass {dimension} {SEED}"), dimension, "test")
        for i in range(VIDEOS_OF_A_DIMENSION):
            draft, name = next(drafts), f"{dimension}_{i + 1:02d}"
            write_mp4(folder / "videos" / f"{name}.mp4", draft.film)
            questions = {
                "multi-choice": [multi_choice(draft, choosing.take(4))],
                "yes_no": yes_no(draft),
                "caption_matching": [caption_matching(draft, dice, matching.take(2))],
                "captioning": [captioning(draft, dice, writing.take(4))],
            }
            for form, asked_of_it in questions.items():
                forms[form][name] = {dimension: asked_of_it}
    for form, content in forms.items():
        _json(folder / "questions" / f"{form}.json", content)
    return sum(len(rows) for form in forms.values() for dims in form.values() for rows in dims.values())
