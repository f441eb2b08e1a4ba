"""The model card holds the figures of the runs and says which targets are missed."""

from __future__ import annotations

import json
from typing import Any

from models.training.card import SPOKEN, TARGETS, Facts, card
from models.training.recipes import STAGES
from models.training.vita15 import REPORT, Training
from models.vita15.checkpoint import load


def results(value: float) -> dict[str, Any]:
    tasks: dict[str, Any] = {}
    for target in (*TARGETS, *SPOKEN):
        entry = {"value": value, "ci": [value - 1, value + 1], "unit": "%", "higher_is_better": False, "headline": True}
        if target.metric == "total":
            entry |= {"unit": "points", "higher_is_better": True}
        scores = {"metrics": {target.metric: entry}, "groups": {}}
        tasks[target.task] = {"profile": "ours", "channel": "", "scores": {"ours": {"": scores}, "theirs": {}}}
    tasks["mme"]["scores"]["ours"][""]["groups"]["category"] = {
        "text_translation": {"metrics": {"score": {"value": 85.0, "ci": [70.0, 100.0]}}},
        "posters": {"metrics": {"score": {"value": 200.0, "ci": [200.0, 200.0]}}},
    }
    return {"tasks": tasks}


def test_every_figure_is_where_it_belongs(training: Training):
    reports = {name: json.loads((training.folder(name) / REPORT).read_text()) for name in STAGES}
    model = load(training.folder("2.2")).model
    by_stage = {"1.3": results(90), "2.1b": results(50), "2.2": results(7)}
    blanked = {"silence": results(99), "grey pictures": results(6)}
    spoken = results(16)
    text = card(Facts(reports, by_stage, blanked, model, {"en": 1.25, "zh": 2.5}, 48, 1_234_567, spoken))

    lines = text.splitlines()
    assert (
        "| LibriSpeech test-clean, WER | at most 5 % | 7.0 % [6.0, 8.0], missed | 99.0 % [98.0, 100.0] (silence) |"
        in lines
    )
    assert "| AISHELL-1, CER | at most 10 % | 7.0 % [6.0, 8.0] | 99.0 % [98.0, 100.0] (silence) |" in lines
    assert "| MME, total of 2800 | at least 2000 | 7 [6, 8], missed | 6 [5, 7] (grey pictures) |" in lines
    assert "| MME, total of 2800 | 90 [89, 91] | 50 [49, 51] | 7 [6, 8] |" in lines
    assert "| Seed-TTS English, WER | at most 15 % | 16.0 % [15.0, 17.0], missed |" in lines
    assert "gets 75: posters 200, text translation 85." in text
    assert "whose intervals reach 75: text translation." in text
    assert f"| all | {sum(p.numel() for p in model.parameters()):,} |" in lines
    assert sum(line.startswith(f"| {name} ") for line in lines for name in STAGES) == len(STAGES)
    assert "1.2 MB" in text
