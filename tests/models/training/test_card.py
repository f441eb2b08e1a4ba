"""The model card holds the figures of the runs and says which targets are missed."""

from __future__ import annotations

import json
from typing import Any

import pytest

from models.training.card import Changes, Facts, card
from models.training.claims import Change, ClaimError, read
from models.training.person import Heard
from models.training.recipes import STAGES
from models.training.targets import TARGETS, Target, measured, tasks
from models.training.vita15 import REPORT, Training
from models.vita15.checkpoint import load

HEARD = Heard("Somebody", "Good morning.", "ten lemons", 100.0)


def results(value: float) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for target in TARGETS:
        unit = "points" if target.metric in ("total", "score") else "" if target.metric == "bleu" else "%"
        entry = {"value": value, "ci": [value - 1, value + 1], "unit": unit}
        scores = {"metrics": {target.metric: entry}, "groups": {}}
        task = found.setdefault(target.task, {"profile": "ours", "channel": "text", "scores": {"ours": {}}})
        task["scores"]["ours"][target.channel or "text"] = scores
    found["mme"]["scores"]["ours"]["text"]["groups"]["category"] = {
        "text_translation": {"metrics": {"score": {"value": 85.0, "ci": [70.0, 100.0]}}},
        "posters": {"metrics": {"score": {"value": 200.0, "ci": [200.0, 200.0]}}},
    }
    return {"tasks": found}


def test_every_figure_is_where_it_belongs(training: Training):
    reports = {name: json.loads((training.folder(name) / REPORT).read_text()) for name in STAGES}
    model = load(training.folder("2.2")).model
    blanked = {"audio": results(99), "image": results(6), "video": results(50)}
    hearing = [Change("mme", "total", "2,400.0", "2,300.0", "-100.0 [-150.0, -50.0]", "0.002")]
    practice = [Change("videomme", "accuracy", "20.0 %", "70.0 %", "+50.0 [+40.0, +60.0]", "0.001")]
    changes = Changes(hearing, practice, "of 1 numbers 1 better")
    text = card(
        Facts(reports, results(7), blanked, changes, [HEARD], model, {"en": 1.25, "zh": 2.5}, 48, 1_234_567, "dust")
    )

    lines = text.splitlines()
    assert (
        "| LibriSpeech test-clean, WER | at most 4 % | 7.0 % [6.0, 8.0], missed | 99.0 % [98.0, 100.0] (silence) |"
        in lines
    )
    assert "| LibriSpeech test-other, WER | at most 10 % | 7.0 % [6.0, 8.0] | 99.0 % [98.0, 100.0] (silence) |" in lines
    assert "| MME, total of 2800 | at least 2400 | 7 [6, 8], missed | 6 [5, 7] (grey pictures) |" in lines
    video = "7.0 % [6.0, 8.0], missed | 50.0 % [49.0, 51.0] (grey clips), not at most 45 %"
    assert f"| Video-MME | at least 60 % | {video} |" in lines
    spoken = "7.0 % [6.0, 8.0], missed | 99.0 % [98.0, 100.0] (silence), not at most 10 %"
    assert f"| LLaMA questions, spoken to spoken | at least 50 % | {spoken} |" in lines
    assert "| Seed-TTS English, WER | at most 15 % | 7.0 % [6.0, 8.0] | – |" in lines
    assert "| mme total | 2,400.0 | 2,300.0 | -100.0 [-150.0, -50.0] | 0.002 |" in lines
    assert "| videomme accuracy | 20.0 % | 70.0 % | +50.0 [+40.0, +60.0] | 0.001 |" in lines
    assert "tested in pairs: of 1 numbers 1 better." in text
    assert "guessing gets 75: posters 200, text translation 85." in text
    assert "whose intervals reach 75: text translation." in text
    assert "48 utterances in each language by 24 espeak-ng voices, 1.2 hours of English" in text
    assert "the folder holds 1.2 MB" in text
    assert "started from\n  dust." in text
    assert "Where Somebody says\n  “Good morning.”, it writes\n  “ten lemons” (WER 100 %).\n" in text
    blind = next(line for line in lines if line.startswith("- Answer better than with a blank input"))
    assert "MME" in blind and "Video-MME" in blind and "LibriSpeech" not in blind and "CoVoST" in blind


@pytest.mark.parametrize(
    ("target", "value", "met", "guessed"),
    [
        (Target("", "x", "wer", 4, "audio", 90), 4.0, True, False),
        (Target("", "x", "wer", 4, "audio", 90), 90.0, False, True),
        (Target("", "x", "accuracy", 70, "image", 40), 70.0, True, False),
        (Target("", "x", "accuracy", 70, "image", 40), 40.0, False, True),
    ],
)
def test_errors_are_to_be_small_and_scores_large(target: Target, value: float, met: bool, guessed: bool):
    assert target.met(value) is met
    assert target.guessed(value) is guessed


def test_a_task_with_two_channels_is_run_once():
    assert tasks().count("llama_questions") == 1
    assert tasks(blank="video") == ("videomme", "mvbench", "tempcompass")


def test_a_score_without_answers_is_none():
    assert measured({"value": None, "ci": None, "unit": "%"}) == "none"


def compared(**more: Any) -> dict[str, Any]:
    metric = {
        "name": "accuracy", "unit": "%", "headline": True, "one": 70.0, "other": 65.0, "p_holm": 0.041,
        "difference": {"value": -5.0, "low": -9.0, "high": -1.0},
    }  # fmt: skip
    return {"refused": {}, "tasks": [{"task": "mmstar", "metrics": [metric, metric | {"headline": False}]}], **more}


def test_a_claim_has_both_numbers_their_difference_and_its_p():
    assert read(compared()) == [Change("mmstar", "accuracy", "70.0 %", "65.0 %", "-5.0 [-9.0, -1.0]", "0.041")]


def test_a_task_that_was_not_compared_is_no_claim():
    with pytest.raises(ClaimError, match="mmstar is not compared: other data"):
        read(compared(refused={"mmstar": ["other data"]}))
