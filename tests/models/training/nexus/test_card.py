"""The card of nexus-o-mini holds the figures of runs and probes, and says which targets are missed."""

from __future__ import annotations

from typing import Any

from models.nexus_o.omni import build
from models.training.claims import Change
from models.training.nexus.alignment import Alignment, read
from models.training.nexus.base import BASE
from models.training.nexus.card import HEARD, SEEN, Facts, card
from models.training.nexus.sizes import SIZES
from models.training.nexus.stages import STAGES
from models.training.person import Heard
from models.training.targets import Target

A_PERSON = Heard("Somebody", "Good morning.", "ten lemons", 100.0)


def results(value: float, targets: tuple[Target, ...]) -> dict[str, Any]:
    found = {}
    for target in targets:
        unit = "points" if target.metric == "total" else "" if target.metric == "bleu" else "%"
        entry = {"value": value, "ci": [value - 1, value + 1], "unit": unit}
        scores = {target.channel or "text": {"metrics": {target.metric: entry}, "groups": {}}}
        found[target.task] = {"profile": "ours", "channel": "text", "scores": {"ours": scores}}
    return {"tasks": found}


def report(name: str, losses: dict[str, float] | None) -> dict[str, Any]:
    told = {"title": f"title of {name}", "seed": 3, "steps": 10, "samples": 160, "seconds": 90.0, "threads": 1}
    return told | {"trained_parameters": 2_500_000} | ({} if losses is None else {"held_out_loss": losses})


def facts(targets: tuple[Target, ...]) -> Facts:
    reports = {name: report(name, {"true": 1.0, "blank": 2.5}) for name in BASE}
    reports |= {name: report(name, None) for name in STAGES}
    kept = [Change("mmbench_en", "accuracy", "70.0 %", "60.0 %", "-10.0 [-15.0, -5.0]", "0.002")]
    aligned = [Alignment("1", "audio-text", "cka", "0.500 [0.400, 0.600]", "0.100", "+0.200", "0.01")]
    blanked = {"audio": results(99, HEARD), "image": results(35, SEEN)}
    model = build(SIZES["tiny"].config, 0)
    return Facts(reports, results(50, targets), blanked, kept, aligned, [A_PERSON], model, 5_678_000)


def test_every_figure_is_where_it_belongs():
    lines = card(facts((*HEARD, *SEEN))).splitlines()
    heard = "50.0 % [49.0, 51.0], missed | 99.0 % [98.0, 100.0] (silence)"
    assert f"| LibriSpeech test-clean, WER | at most 15 % | {heard} |" in lines
    seen = "50.0 % [49.0, 51.0], missed | 35.0 % [34.0, 36.0] (grey pictures)"
    assert f"| MMBench 1.1 English | at least 60 % | {seen} |" in lines
    assert "| mmbench_en accuracy | 70.0 % | 60.0 % | -10.0 [-15.0, -5.0] | 0.002 |" in lines
    assert "| 1 | audio-text | cka | 0.500 [0.400, 0.600] | 0.100 | +0.200 | 0.01 |" in lines
    seeing = next(line for line in lines if line.startswith("| seeing"))
    assert "2.50 M | page 20%, collage 30%, gallery 50% | 10 x 16 | 2 (1) | 1.00 / 2.50 |" in seeing
    assert any(line.startswith("| 3 title of 3 |") and "reading" in line for line in lines)
    assert any("the folder holds 5.7 MB" in line for line in lines)
    assert lines[lines.index("  “Good morning.”, it writes") + 1] == "  “ten lemons” (WER 100 %)."


def probed(against: dict[str, Any] | None) -> dict[str, Any]:
    cell = {"value": 0.5, "ci": [0.4, 0.6], "chance": {"mean": 0.1, "sd": 0.01}, "reason": None}
    none = {"value": None, "ci": None, "chance": None, "reason": "too few rows"}
    metrics = {"mutual_knn": cell, "cka": none, "cknna": cell, "edit_knn": cell}
    score = {"comparison": "audio-text", "variant": "raw", "layer": None, "metrics": metrics}
    return {"scores": [score, score | {"variant": "l2"}], "against_baseline": against}


def test_a_probe_gives_three_metrics_with_their_chance_and_their_test_against_the_stage_before():
    plain = {"comparison": "audio-text", "variant": "raw", "layer": None, "metric": "mutual_knn"}
    test = plain | {"difference": -0.25, "p_holm": 0.03}
    found = read("2", probed({"tests": [test, test | {"variant": "l2", "difference": 9.0}]}))
    assert found == [
        Alignment("2", "audio-text", "mutual_knn", "0.500 [0.400, 0.600]", "0.100", "-0.250", "0.03"),
        Alignment("2", "audio-text", "cka", "–", "–", "–", "–"),
        Alignment("2", "audio-text", "cknna", "0.500 [0.400, 0.600]", "0.100", "–", "–"),
    ]
    assert [row.difference for row in read("1", probed(None))] == ["–"] * 3
