"""The card of nexus-o-mini's voice holds the figures of runs, of the judge and of its two stages."""

from __future__ import annotations

from typing import Any

from models.training.nexus.voice_card import ANSWERED, READ, Facts, card
from models.training.targets import Target


def results(value: float, targets: tuple[Target, ...]) -> dict[str, Any]:
    found = {}
    for target in targets:
        entry = {"value": value, "ci": [value - 1, value + 1], "unit": "%"}
        scores = {target.channel or "speech": {"metrics": {target.metric: entry}, "groups": {}}}
        found[target.task] = {"profile": "ours", "channel": "speech", "scores": {"ours": scores}}
    return {"tasks": found}


def report(steps: int, **more: Any) -> dict[str, Any]:
    losses = {"true": 1.0, "blank": 2.5, "shuffled": 2.0}
    took = {"steps": steps, "samples": steps * 16, "seconds": 90.0, "threads": 1, "trained_parameters": 2_500_000}
    return took | {"held_out_loss": losses, "seed": 3} | more


def test_every_figure_is_where_it_belongs():
    judged = {
        "readings": {"wer": 5.5, "cer": 2.5},
        "spoken answer": {"wer": 20.0},
        "reading, seconds": {"true": 2.0, "made": 2.5},
    }
    reports = {"codec": report(1800), "3": report(4500, replies=4000, start="the weights nexus-o-mini")}
    text = card(Facts(reports, results(50, (*READ, *ANSWERED)), results(3, ANSWERED), judged, 3_210_000))
    lines = text.splitlines()
    assert "| Seed-TTS English, WER | at most 15 % | 50.0 % [49.0, 51.0], missed | – |" in lines
    answered = "50.0 % [49.0, 51.0] | 3.0 % [2.0, 4.0] (silence)"
    assert f"| TriviaQA, spoken to spoken | at least 50 % | {answered} |" in lines
    assert "| readings | 5.5 % | 2.5 % |" in lines
    assert "| spoken answer | 20.0 % | – |" in lines
    assert "seconds" not in text
    assert "| codec | 2.50 M | random weights | 1,800 x 16 | 2 (1) | 1.00 / 2.50 / 2.00 |" in lines
    assert "| 3 audio output | 2.50 M | the weights nexus-o-mini | 4,500 x 16 | 2 (1) | 1.00 / 2.50 / 2.00 |" in lines
    assert "4,000 replies of each kind" in text and "hold 3.2 MB" in text
