"""Training questions are worded as the benchmarks word theirs, have right answers, and keep to the training part."""

from __future__ import annotations

import re

import pytest

from harness.registry import get_task
from harness.types import Answer, Media, Text
from tasks.mini.asks import digest
from tasks.mini.clip_exercises import CLIP_EXERCISES, training_clip
from tasks.mini.exercises import EXERCISES, chosen, name_in, training_exercise
from tasks.mini.partition import part_of
from tasks.prompts import LETTER_ONLY, vita_choice
from tasks.video import mvbench

PICTURES, CLIPS = 24, 4


@pytest.mark.parametrize("benchmark", EXERCISES)
def test_pictures_are_of_the_training_part(benchmark: str):
    for number in range(PICTURES):
        made = training_exercise(benchmark, 3, number)
        if made.images:
            assert part_of(digest(*made.images)) == "train"
        assert made.turns and all(turn.asked and turn.answer for turn in made.turns)


@pytest.mark.parametrize("benchmark", EXERCISES)
def test_an_exercise_depends_on_its_number_alone(benchmark: str):
    one, again, other = (training_exercise(benchmark, 3, number) for number in (7, 7, 8))
    assert one.turns == again.turns and digest(*one.images) == digest(*again.images)
    assert digest(*one.images) != digest(*other.images)


@pytest.mark.parametrize("benchmark", ["mmbench_en", "mmstar", "mmmu", "ai2d"])
def test_a_question_with_options_is_answered_by_one_of_them_as_without(benchmark: str):
    checked = 0
    for number in range(PICTURES):
        turns = training_exercise(benchmark, 1, number).turns
        words = [turn.answer for turn in turns if not re.search(r"^A\. ", turn.asked, re.MULTILINE)]
        for turn in turns:
            options = re.findall(r"^[A-E]\. (.+)$", turn.asked, re.MULTILINE)
            if options:
                assert turn.answer == words[0] and options.count(turn.answer) == 1
                checked += 1
    assert checked > PICTURES / 2


def test_the_right_option_stands_anywhere():
    places = set()
    for number in range(80):
        for turn in training_exercise("mmstar", 0, number).turns:
            if LETTER_ONLY in turn.asked:
                found = re.findall(r"^([A-E])\. (.+)$", turn.asked, re.MULTILINE)
                options = {text: letter for letter, text in found}
                places.add(options[turn.answer])
    assert places >= {"A", "B", "C", "D"}


@pytest.mark.parametrize("benchmark", ["mvbench", "videomme"])
def test_on_clips_the_letter_is_that_of_the_words(benchmark: str):
    for number in range(CLIPS):
        for turn in training_clip(benchmark, 1, number).turns:
            options = dict(re.findall(r"^\(?([A-E])[.)] (.+?)\.?(?:Please.*)?$", turn.asked, re.MULTILINE))
            said, letter = re.fullmatch(r"(.+) \(([A-E])\)", turn.answer).groups()
            assert options[letter].lower().rstrip(".") == said.lower()


@pytest.mark.parametrize("benchmark", CLIP_EXERCISES)
def test_clips_have_frames_of_their_part_and_questions(benchmark: str):
    for number in range(CLIPS):
        made = training_clip(benchmark, 3, number)
        frames = made.frames(4)
        assert len(frames) == 4 and {frame.size for frame in frames} == {(112, 112)}
        assert 0 <= made.start < made.end <= made.film.seconds
        assert made.turns and all(turn.asked and turn.answer for turn in made.turns)


def test_mvbench_is_worded_as_its_task_words_it():
    made = training_clip("mvbench", 3, 0)
    turn = made.turns[0]
    options = re.findall(r"^\(([A-Z])\) (.+)$", turn.asked, re.MULTILINE)
    question = turn.asked.split("\n")[0].removeprefix("Question: ")
    row = {"question": question, "candidates": [text for _, text in options]}
    assert turn.asked == mvbench.best_option(row)
    assert made.system == mvbench.SYSTEM


def test_a_written_question_is_the_one_that_the_benchmark_asks(tmp_path):
    """The same row through the task's own preset."""
    picture = tmp_path / "a.png"
    training_exercise("ai2d", 0, 0).images[0].save(picture)
    row = {"question": "Which layer?", "A": "clay", "B": "sand", "image": picture}
    messages = get_task("ai2d").presets["vita"].messages(row)
    parts = messages[0].parts
    assert isinstance(parts[0], Media)
    assert parts[1] == Text(vita_choice("Which layer?", {"A": "clay", "B": "sand"}))


@pytest.mark.parametrize(
    ("text", "answer"),
    [("red", "red (B)"), ("A cup.", "a cup (B)"), ("Mercury", "Mercury (B)"), ("Q1", "Q1 (B)"), ("圆形", "圆形 (B)")],
)
def test_an_option_is_said_before_its_letter_without_another_capital_alone(text: str, answer: str):
    assert chosen(text, "B") == answer


@pytest.mark.parametrize("name", ["mmbench_en", "mmstar", "ai2d", "mmmu"])
def test_public_rules_read_the_words_of_an_option_and_the_letter_behind_them(name: str):
    task, doc = get_task(name), {"question": "q?", "A": "blue", "B": "a cup", "C": "Q1", "answer": "B"}
    for profile in ("vlmevalkit_vita", "vlmevalkit"):
        assert task.scorer(doc, Answer(text="a cup"), profile).value == 1.0
        assert task.scorer(doc, Answer(text="Q1"), profile).value == 0.0
        assert task.scorer(doc, Answer(text=chosen("a cup", "B")), profile).value == 1.0
        assert task.scorer(doc, Answer(text=chosen("Q1", "C")), profile).value == 0.0


@pytest.mark.parametrize(
    ("answer", "name"),
    [("red", "red"), ("full moon", "full moon"), ("35", ""), ("Q1", ""), ("It melts.", ""), ("a b c d", "")],
)
def test_only_short_words_name_what_is_seen(answer: str, name: str):
    assert name_in(answer) == name
