"""Options are listed as the benchmarks list them."""

from __future__ import annotations

import random

from tasks.mini.listings import on_clip, on_picture
from tasks.prompts import vita_choice, vlmevalkit_choice
from tasks.video.mvbench import best_option

OPTIONS = ("red", "blue")


def test_every_way_to_put_a_question_comes_up():
    lettered = {"A": "red", "B": "blue"}
    pictures = {on_picture("Which?", OPTIONS, random.Random(seed)) for seed in range(20)}
    assert pictures == {vita_choice("Which?", lettered), vlmevalkit_choice("Which?", lettered)}
    clips = {on_clip("Which?", OPTIONS, random.Random(seed)) for seed in range(20)}
    assert best_option({"question": "Which?", "candidates": ["red", "blue"]}) in clips and len(clips) == 2
    assert all("red" in text and "blue" in text for text in clips)
