"""Clips: films as scripts, questions that follow from them, and what ships in the layouts of three benchmarks."""

import ast
import csv
import json
import re
from collections import Counter, defaultdict
from dataclasses import replace
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.media import load
from harness.types import Media
from tasks.mini.build import DATA, differences
from tasks.mini.clip_events import TASKS, asked
from tasks.mini.clip_questions import DIMENSIONS, DRAFTS, multi_choice, temporal, yes_no
from tasks.mini.clips import FOLDERS, Places
from tasks.mini.dice import Dice
from tasks.mini.encoding import SIDE, decoded, planes, write_frames, write_mp4
from tasks.mini.motion import Film, Ground, Move, a_person, a_thing, picture, state_at
from tasks.mini.partition import part_of
from tasks.mini.plots import DURATIONS, TOPICS
from tasks.mini.props import POSES, body
from tasks.mini.stories import ASK, SPOKEN_ONLY, stories

FORMS = ("multi-choice", "yes_no", "caption_matching", "captioning")
MME = list(csv.DictReader((DATA / "Video-MME" / "Video-MME.tsv").open(encoding="utf-8"), delimiter="\t"))
MVBENCH = {task: json.loads((DATA / "MVBench" / "json" / f"{task}.json").read_text()) for task in FOLDERS}
TEMPCOMPASS = {
    form: [
        (video, dimension, row)
        for video, dims in json.loads((DATA / "TempCompass" / "questions" / f"{form}.json").read_text()).items()
        for dimension, rows in dims.items()
        for row in rows
    ]
    for form in FORMS
}
ROLLING = Film(
    2.0,
    (Ground(0.0, "paper", 0), Ground(1.0, "beach", 3)),
    (a_thing("ball", "red", 40, 112).does(Move(0.0, 2.0, "go", (180, 112)), Move(0.0, 2.0, "turn", (360,))),),
)


def story(part, duration="short", spoken=True, types=("Temporal Perception", "Action Recognition", "Counting Problem")):
    dice = Dice(f"{part} {duration} {types}")
    return next(stories(dice, "Life Record", "Food", duration, spoken, types, part))


# Films.


@pytest.mark.parametrize(
    ("move", "moment", "field", "value"),
    [
        (Move(1, 3, "go", (100, 60)), 2, "x", 50),
        (Move(1, 3, "go", (100, 60)), 9, "y", 60),
        (Move(1, 3, "rush", (100, 0)), 2, "x", 25),
        (Move(1, 3, "brake", (100, 0)), 2, "x", 75),
        (Move(0, 2, "go", (0, 0, 30)), 1, "y", -30),
        (Move(0, 2, "grow", (4.0,)), 1, "side", 80),
        (Move(0, 2, "turn", (90,)), 1, "angle", 45),
        (Move(0, 2, "hop", (50, 1)), 1, "lift", 50),
        (Move(0, 2, "hop", (50, 1)), 2, "lift", 0),
        (Move(0, 4, "shake", (20, 1)), 1, "sway", 20),
        (Move(2, 2, "paint", (), "blue"), 1.9, "colour", "red"),
        (Move(2, 2, "paint", (), "blue"), 2, "colour", "blue"),
        (Move(2, 2, "leave"), 1.9, "shown", True),
        (Move(2, 2, "leave"), 2, "shown", False),
        (Move(0, 2, "pose", (3,), "wave"), 1, "pose", "wave"),
        (Move(0, 2, "pose", (3,), "wave"), 2, "pose", "stand"),
    ],
)
def test_a_move_is_done_bit_by_bit_and_its_effect_stays(move, moment, field, value):
    state = state_at(a_thing("star", "red", 0, 0, 40).does(move), moment)
    assert getattr(state, field) == pytest.approx(value, abs=1e-6) if field != "shown" else state.shown is value


def test_moves_follow_one_another_and_an_actor_is_there_for_its_time():
    actor = a_thing("star", "red", 0, 0).does(Move(0, 1, "go", (10, 0)), Move(1, 2, "go", (10, 20)))
    assert [(state_at(actor, t).x, state_at(actor, t).y) for t in (1, 1.5, 2)] == [(10, 0), (10, 10), (10, 20)]
    actor = actor._replace(since=1.0, until=2.0)
    assert [state_at(actor, t).shown for t in (0.9, 1.0, 1.9, 2.0)] == [False, True, True, False]


@pytest.mark.parametrize("pose", [pose for pose in POSES if pose != "stand"])
def test_a_pose_moves_and_comes_back(pose):
    shapes = [body(pose, phase / 8) for phase in range(9)]
    assert len(set(shapes)) > 2
    for first, last in zip(shapes[0], shapes[-1], strict=True):
        assert first == pytest.approx(last)
    if pose not in ("wave", "clap", "jump", "walk"):  # those begin with the hands or feet at work
        assert shapes[0] == body("stand", 0.0)


def test_a_film_changes_its_ground_and_moves_its_things():
    first, later, last = (np.asarray(picture(ROLLING, t)) for t in (0.0, 0.9, 1.0))
    assert (first[112, 40] != first[5, 5]).any() and (later[112, 40] == later[5, 5]).all()
    assert (later[5, 5] != last[5, 5]).any()
    assert len(ROLLING.moments) == 16


# Files.


def test_a_film_gives_the_same_bytes_again_and_almost_its_pictures(tmp_path: Path):
    for name in ("a", "b"):
        write_mp4(tmp_path / f"{name}.mp4", ROLLING)
    assert (tmp_path / "a.mp4").read_bytes() == (tmp_path / "b.mp4").read_bytes()
    shape, pixels = decoded(tmp_path / "a.mp4")
    assert shape == (16, SIDE, SIDE, 0)
    shown = np.frombuffer(pixels, np.uint8).reshape(16, SIDE, SIDE, 3).astype(int)
    drawn = np.asarray(picture(ROLLING, 0.5).reduce(2)).astype(int)
    assert np.abs(shown[4] - drawn).mean() < 4


def test_another_encoding_of_the_same_frames_is_told_from_other_frames(tmp_path: Path):
    for folder, film in (("old", ROLLING), ("new", replace(ROLLING, seconds=1.5)), ("toned", ROLLING)):
        write_mp4(tmp_path / folder / "MVBench" / "a.mp4", film, tone=folder == "toned")
    (line,) = differences(tmp_path / "old", tmp_path / "new", ["MVBench"])
    assert line.endswith("content differs")
    again = tmp_path / "again" / "MVBench" / "a.mp4"
    again.parent.mkdir(parents=True)
    again.write_bytes((tmp_path / "old" / "MVBench" / "a.mp4").read_bytes() + b"\0\0\0\x08free")
    (line,) = differences(tmp_path / "old", tmp_path / "again", ["MVBench"])
    assert line.endswith("same content, encoded differently")
    assert decoded(tmp_path / "toned" / "MVBench" / "a.mp4")[0][3] >= 2 * 16_000


def test_colours_are_those_of_the_standard():
    grey = picture(replace(ROLLING, actors=()), 0.0)
    grey.paste((255, 0, 0), (0, 0, *grey.size))
    assert planes(grey)[0, 0] == 82 and planes(grey)[-1, 0] == 240 and planes(grey)[SIDE, 0] == 90  # BT.601 red


def test_frames_of_a_folder_are_three_a_second(tmp_path: Path):
    write_frames(tmp_path / "f", ROLLING)
    assert sorted(path.name for path in (tmp_path / "f").iterdir()) == [f"{i:05d}.jpg" for i in range(1, 7)]


# Generators.


@pytest.mark.parametrize("task", list(TASKS))
def test_each_task_yields_films_of_any_part_and_the_same_again(task):
    films = {part: {x.film for x in islice(asked(Dice(3), task, part), 8)} for part in ("train", "dev", "test")}
    assert all(part_of(repr(film)) == part for part, those in films.items() for film in those)
    assert all(len(those) == 8 for those in films.values())
    assert films["train"] == {x.film for x in islice(asked(Dice(3), task, "train"), 8)}
    for x in islice(asked(Dice(4), task, "train"), 60):
        assert x.answer not in x.wrong and len(set(x.wrong)) == len(x.wrong) and 1 <= len(x.wrong) <= 4
        assert x.question.endswith("?") and (x.start is None) == (x.end is None)
        if x.start is not None:
            assert 0 <= x.start < x.end <= x.film.seconds


@pytest.mark.parametrize("task", list(TASKS))
def test_a_question_of_a_task_does_not_give_its_answer_away(task):
    """Each answer that is often offered is right about as often as the others beside it."""
    right, offered = Counter(), Counter()
    drawn = [TASKS[task](Dice(seed)) for seed in range(600)]
    for x in drawn:
        right[x.answer] += 1
        offered.update({text: 1 / (1 + len(x.wrong)) for text in (x.answer, *x.wrong)})
    never = {"not sure", "It cannot be told.", "It is broken."}
    for text, expected in offered.items():
        if expected > 40 and text not in never:
            assert 0.4 < right[text] / expected < 1.75, (text, right[text], expected)


@pytest.mark.parametrize("dimension", DIMENSIONS)
def test_each_dimension_yields_four_statements_of_one_form(dimension):
    for draft in islice(temporal(Dice(5), dimension, "train"), 60):
        for field in ("answer", "caption", "check"):
            assert len({getattr(statement, field) for statement in draft.statements}) == 4
        assert all(s.caption.endswith(".") and s.check.endswith("?") for s in draft.statements)
        assert part_of(repr(draft.film)) == "train"


@pytest.mark.parametrize("dimension", DIMENSIONS)
def test_films_of_each_dimension_move_but_where_nothing_moves_is_the_answer(dimension):
    for draft in islice(temporal(Dice(6), dimension, "train"), 12):
        pictures = {picture(draft.film, moment).tobytes() for moment in draft.film.moments}
        assert (len(pictures) == 1) == (draft.statements[0].answer == "neither of them moves")


@pytest.mark.parametrize("dimension", DIMENSIONS)
def test_a_question_on_time_does_not_give_its_answer_away(dimension):
    """Each answer that is often offered is right about as often as the others beside it."""
    right, offered = Counter(), Counter()
    for draft in (DRAFTS[dimension](Dice(seed)) for seed in range(800)):
        right[draft.statements[0].answer] += 1
        offered.update(statement.answer for statement in draft.statements)
    for answer, times in offered.items():
        if times > 120:
            assert 0.12 < right[answer] / times < 0.42, (answer, right[answer], times)


@given(st.integers(0, 3), st.integers(0, 10_000))
def test_the_right_option_is_where_it_is_put(place, seed):
    draft = next(temporal(Dice(seed), DIMENSIONS[seed % 5], "train"))
    asked_once = multi_choice(draft, place)
    question, *options = asked_once["question"].split("\n")
    assert question == draft.question and options[place] == asked_once["answer"]
    assert asked_once["answer"] == f"{'ABCD'[place]}. {draft.statements[0].answer}"
    assert [row["answer"] for row in yes_no(draft)] == ["yes", "no"]


@given(st.lists(st.integers(2, 5), min_size=1, max_size=60), st.integers())
def test_right_answers_stand_equally_often_at_each_place(sizes, seed):
    places, taken = Places(Dice(seed)), defaultdict(Counter)
    for size in sizes:
        taken[size][places.take(size)] += 1
    for size, counts in taken.items():
        assert set(counts) <= set(range(size))
        assert max(counts.values()) - min(counts[place] for place in range(size)) <= 1


@pytest.mark.parametrize("duration", DURATIONS)
@pytest.mark.parametrize("task_type", list(ASK))
def test_each_kind_of_question_can_be_asked_on_films_of_each_length(task_type, duration):
    for part in ("train", "test"):
        told = story(part, duration, types=(task_type,))
        (question,) = told.questions
        assert question.answer not in question.wrong and len(set(question.wrong)) == 3
        assert all(text.endswith(".") for text in (question.answer, *question.wrong))
        assert part_of(repr(told.film)) == part and told.film.seconds == told.plot.parts[-1].end


def test_where_nothing_is_said_there_are_no_subtitles():
    assert story("train", spoken=False).subtitles == ""
    assert story("train").subtitles.startswith("1\n00:00:00,000 --> ")


# What ships.


def test_video_mme_has_each_duration_domain_and_task_type_equally_often():
    assert len(MME) == 108 and [int(row["index"]) for row in MME] == list(range(108))
    assert Counter(row["duration"] for row in MME) == dict.fromkeys(DURATIONS, 36)
    assert set(Counter((row["duration"], row["domain"]) for row in MME).values()) == {6}
    assert Counter(row["task_type"] for row in MME) == dict.fromkeys(ASK, 9)
    assert len({row["sub_category"] for row in MME}) >= 25 and {row["sub_category"] for row in MME} <= set(TOPICS)
    assert [row["question_id"] for row in MME[:4]] == ["001-1", "001-2", "001-3", "002-1"]
    assert all(row["question_id"].startswith(row["video_id"]) for row in MME)


def test_video_mme_has_four_options_and_balanced_letters():
    for row in MME:
        options = ast.literal_eval(row["options"])
        assert [option[:3] for option in options] == ["A. ", "B. ", "C. ", "D. "]
        assert len({option[3:] for option in options}) == 4 and all(option.endswith(".") for option in options)
    assert Counter(row["answer"] for row in MME) == dict.fromkeys("ABCD", 27)


def test_two_thirds_of_the_videos_have_subtitles_and_some_answers_are_only_there():
    texts = {row["videoID"]: row["subtitle_path"] for row in MME}
    assert sum(bool(path) for path in texts.values()) == 24
    spoken = 0
    for row in MME:
        if row["subtitle_path"]:
            text = (DATA / "Video-MME" / row["subtitle_path"]).read_text(encoding="utf-8")
            assert re.match(r"1\n\d\d:\d\d:\d\d,\d{3} --> \d\d:\d\d:\d\d,\d{3}\n\S", text)
            answer = ast.literal_eval(row["options"])["ABCD".index(row["answer"])][3:]
            spoken += answer.rstrip(".").split()[-1].lower() in text.lower()
        else:
            assert row["task_type"] != SPOKEN_ONLY
    assert spoken >= 15


def test_mvbench_has_twenty_tasks_with_balanced_candidates():
    assert set(MVBENCH) == set(TASKS) and all(len(rows) == 6 for rows in MVBENCH.values())
    places, sizes = Counter(), set()
    for rows in MVBENCH.values():
        for row in rows:
            sizes.add(len(row["candidates"]))
            if len(row["candidates"]) == 4:
                places[row["candidates"].index(row["answer"])] += 1
    assert sizes == {3, 4, 5}
    assert max(places.values()) <= 0.35 * places.total()
    assert Counter(row["answer"] for row in MVBENCH["object_existence"]) == {"yes": 3, "no": 3}
    bounded = {task for task, rows in MVBENCH.items() if all("start" in row for row in rows)}
    assert bounded == {"action_sequence", "action_prediction", "object_interaction", "action_localization",
                       "episodic_reasoning"}  # fmt: skip
    assert sum("start" in row for rows in MVBENCH.values() for row in rows) == 6 * len(bounded)


def test_tempcompass_has_five_dimensions_in_four_forms():
    assert {form: len(rows) for form, rows in TEMPCOMPASS.items()} == {
        "multi-choice": 30, "yes_no": 60, "caption_matching": 30, "captioning": 30,
    }  # fmt: skip
    for rows in TEMPCOMPASS.values():
        counts = Counter(dimension for _, dimension, _ in rows)
        assert set(counts) == set(DIMENSIONS) and len(set(counts.values())) == 1
    assert Counter(row["answer"] for _, _, row in TEMPCOMPASS["yes_no"]) == {"yes": 30, "no": 30}
    for form, question, answer in (
        ("multi-choice", "question", "answer"),
        ("caption_matching", "question", "answer"),
        ("captioning", "mc_question", "mc_answer"),
    ):
        places = Counter()
        for _, _, row in TEMPCOMPASS[form]:
            first, *options = row[question].split("\n")
            assert first.endswith("?") and row[answer] in options and len(set(options)) in (2, 4)
            places[options.index(row[answer])] += 1
        assert max(places.values()) <= {2: 0.6, 4: 0.35}[len(places)] * places.total()


def test_questions_are_asked_in_several_wordings():
    for form in FORMS:
        assert len({row["question"].split("\n")[0] for _, _, row in TEMPCOMPASS[form]}) >= 3
    assert len({row["question"] for row in MME}) >= 75


def every_clip():
    yield from sorted({DATA / "Video-MME" / row["video_path"] for row in MME})
    for task, rows in MVBENCH.items():
        if task != "episodic_reasoning":
            yield from (DATA / "MVBench" / "video" / FOLDERS[task] / row["video"] for row in rows)
    yield from sorted({DATA / "TempCompass" / "videos" / f"{video}.mp4" for video, _, _ in TEMPCOMPASS["yes_no"]})


def test_each_clip_opens_and_lasts_as_long_as_it_should():
    clips, lengths = list(every_clip()), {}
    assert len(clips) == 36 + 114 + 30
    for path in clips:
        with load(Media("video", str(path))) as clip:
            (frame,) = clip.frames([clip.n_frames - 1])
            assert frame.shape == (SIDE, SIDE, 3) and clip.fps == pytest.approx(8)
            lengths[path] = clip.n_frames / clip.fps
    of_duration = defaultdict(set)
    for row in MME:
        of_duration[row["duration"]].add(lengths[DATA / "Video-MME" / row["video_path"]])
    assert all(2 <= length <= 10 for path, length in lengths.items() if "Video-MME" not in path.parts)
    assert max(of_duration["short"]) < 10 < min(of_duration["medium"]) and min(of_duration["long"]) > 30


def test_episodes_are_folders_of_frames():
    for row in MVBENCH["episodic_reasoning"]:
        frames = sorted((DATA / "MVBench" / "video" / FOLDERS["episodic_reasoning"] / row["video"]).iterdir())
        assert [path.name for path in frames] == [f"{i:05d}.jpg" for i in range(1, len(frames) + 1)]
        assert len(frames) >= 3 * row["end"] and load(Media("image", str(frames[0]))).pixels.shape == (SIDE, SIDE, 3)


def test_shipped_clips_are_what_the_generator_makes(tmp_path: Path):
    """One of each archive stands for all: `python -m tasks.mini.build --check` makes all of them again."""
    film = next(temporal(Dice("tempcompass order 0"), "order", "test")).film
    write_mp4(tmp_path / "a.mp4", film)
    assert decoded(tmp_path / "a.mp4") == decoded(DATA / "TempCompass" / "videos" / "order_01.mp4")
    film = next(asked(Dice("mvbench state_change 0"), "state_change", "test")).film
    write_mp4(tmp_path / "b.mp4", film)
    assert decoded(tmp_path / "b.mp4") == decoded(
        DATA / "MVBench" / "video" / "perception" / "videos" / "state_change_01.mp4"
    )


def test_a_person_is_drawn_where_it_walks():
    walker = a_person("red", 60).does(Move(0, 2, "go", (160, 130)), Move(0, 2, "pose", (2,), "walk"))
    film = Film(2.0, (Ground(0.0, "paper", 0),), (walker,))
    columns = [np.nonzero((np.asarray(picture(film, t)) != 255).any(axis=(0, 2)))[0].mean() for t in (0.0, 1.0, 1.9)]
    assert columns == sorted(columns) and columns[-1] - columns[0] > 70
