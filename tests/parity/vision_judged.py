"""Parity of the benchmarks that a judge scores, its replies replayed."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from harness.schema import ScoreResult
from tasks.image.hallusionbench import HALLUSIONBENCH
from tasks.image.mathvista import MATHVISTA
from tasks.image.mmvet import MMVET
from tasks.judges import prompts
from tasks.scoring import extraction
from tasks.scoring.grading import chosen_from_caption
from tasks.video.tempcompass import ASPECTS, FORMATS, TEMPCOMPASS
from tests.parity import vision
from tests.parity.check import Check
from tests.parity.vision import SCORE_TOLERANCE, Run, load, of_tag, value

VLMEVALKIT = ("vlmevalkit", "vlmevalkit_vita")


def hallusionbench(goldens: Path) -> Check:
    golden = load(goldens, "hallusionbench")
    check = Check("hallusionbench", tolerance=SCORE_TOLERANCE)
    labels = {"correct": "1", "incorrect": "0", "unclear": "2"}
    for profile in (*VLMEVALKIT, "lmms_eval_intern", "lmms_eval_judge"):
        run = vision.run(HALLUSIONBENCH, golden, profile, profile)
        for record, score in run.pairs:
            expected, name = record["expected"][profile], f"{profile} {record['id']}"
            check.close(name, score.value, float(expected.get("score", expected.get("correct"))))
            if profile == "lmms_eval_judge":
                check.equal(f"{name} label", labels[str(score.extracted)], expected["judge_label"])
            elif profile == "lmms_eval_intern":
                check.equal(f"{name} extracted", "1" if score.extracted == "yes" else "0", expected["extracted"])
            else:
                check.equal(f"{name} extracted", score.extracted, expected["extracted"])
        _accuracies(check, run, golden["aggregate"][profile])
    return check


def _accuracies(check: Check, run: Run, expected: Mapping[str, Any]) -> None:
    result = run.result()
    if run.profile.startswith("lmms_eval"):
        scale, tolerance = (100, 1e-6) if run.profile == "lmms_eval_intern" else (1, 1e-4)  # rounded to four digits
        for name, share in expected.items():
            check.close(f"{run.profile} {name}", value(result, name), scale * share, tolerance)
        return
    for cell, shares in expected.items():
        if cell == "average_of_three":
            check.close(f"{run.profile} {cell}", value(result, "average"), shares)
            continue
        for name, share in shares.items():
            if cell in ("Overall", "VD", "VS"):
                got = value(result, name if cell == "Overall" else f"{name} {cell}")
            else:
                got = of_tag(result, "subcategory", cell, name)
            check.close(f"{run.profile} {cell} {name}", got, share)


def mathvista(goldens: Path) -> Check:
    golden = load(goldens, "mathvista")
    check = Check("mathvista", tolerance=SCORE_TOLERANCE)
    for profile in (*VLMEVALKIT, "lmms_eval"):
        run = vision.run(MATHVISTA, golden, profile, profile)
        for record, score in run.pairs:
            expected, name, doc = record["expected"][profile], f"{profile} {record['id']}", record["doc"]
            check.close(name, score.value, float(expected["correct"]))
            if profile == "lmms_eval":
                found = extraction.quickly(record["response"].strip(), doc)
                check.equal(f"{name} judge called", found is None, expected["judge_called"])
                check.equal(f"{name} extraction", score.extracted, expected["extraction"])
                normal = extraction.normalised(str(score.extracted), doc)
                check.equal(f"{name} normalized", normal, expected["normalized"])
            else:
                found = extraction.prefetched(record["response"], doc, current=profile == "vlmevalkit")
                check.equal(f"{name} prefetch", found is not None, expected["prefetch"])
                check.equal(f"{name} res", score.extracted, str(expected["res"]).strip())
        expected, result = golden["aggregate"][profile], run.result()
        if profile == "lmms_eval":
            check.close("lmms_eval accuracy", value(result, "accuracy"), expected["accuracy"], 5.001e-3)  # two digits
            continue
        for cell, counts in expected.items():
            groups = {**result.groups["task"], **result.groups["skill"]}
            overall = cell == "Overall"
            got = value(result, "accuracy") if overall else groups[cell].metrics["accuracy"].value
            check.close(f"{profile} {cell}", got, counts["acc"])
            check.equal(f"{profile} {cell} n", len(run.records) if overall else groups[cell].n_samples, counts["tot"])
    return check


def mmvet(goldens: Path) -> Check:
    golden = load(goldens, "mmvet")
    check = Check("mmvet", tolerance=SCORE_TOLERANCE)
    if "last_row" in golden:
        row = prompts.mmvet("What is x?", "cat<OR>dog", "model text 0").rpartition("\n")[2]
        check.equal("last row", row, golden["last_row"]["vlmevalkit"])
        check.equal("last row, lmms_eval", row.strip(), golden["last_row"]["lmms_eval"])
    for profile in (*VLMEVALKIT, "lmms_eval"):
        run = vision.run(MMVET, golden, profile, profile)
        for record, scored in zip(run.records, run.scored, strict=True):
            expected, name = record["expected"][profile]["score"], f"{profile} {record['id']}"
            if expected is None:  # the reference takes NaN for a score; here the judge has failed
                check.equal(f"{name} failed", scored.scores[profile][""].status, "failed")
            else:
                check.close(name, scored.scores[profile][""].value, expected)
        expected, result = golden["aggregate"][profile], run.result()
        if profile == "lmms_eval":
            check.close("lmms_eval overall", value(result, "score"), expected["overall"])
            continue
        for tag, cells in expected.items():
            for cell, counts in cells.items():
                got = value(result, "score") if cell == "Overall" else _shared(result, cell)
                check.close(f"{profile} {tag} {cell}", got, counts["acc"])
    return check


def _shared(result: ScoreResult, cell: str) -> float:
    """The reference keeps one sum for a capability and for the combination of it alone: such samples count twice."""
    found = [result.groups[tag][cell] for tag in ("capability", "combination") if cell in result.groups[tag]]
    n = sum(group.n_samples for group in found)
    return sum(group.n_samples * (group.metrics["score"].value or 0.0) for group in found) / n


def tempcompass(goldens: Path) -> Check:
    golden = load(goldens, "tempcompass")
    check = Check("tempcompass", tolerance=SCORE_TOLERANCE)
    for profile in ("lmms_eval", "vlmevalkit_exact_matching", "vlmevalkit_judge"):
        run = vision.run(TEMPCOMPASS, golden, profile, profile)
        for record, score in run.pairs:
            expected, name = record["expected"][profile], f"{profile} {record['id']}"
            if expected["rating"] is None:
                check.equal(f"{name} unscored", score.status, "unscored")
                continue
            rating = expected["rating"]
            check.close(name, score.value, 0.0 if profile == "lmms_eval" and rating < 0 else float(rating))
            if "parsed_answer" in expected:
                said, _ = chosen_from_caption(record["judge_reply"], record["doc"]["mc_answer"])
                check.equal(f"{name} parsed", said, expected["parsed_answer"])
        _tempcompass_aggregate(check, run, golden["aggregate"][profile])
    return check


def _tempcompass_aggregate(check: Check, run: Run, expected: Mapping[str, Any]) -> None:
    if run.profile == "lmms_eval":
        for kind, cells in expected.items():
            result = run.result({"task_type": kind})
            for name, share in cells.items():
                dim = name.removesuffix("_accuracy")
                got = value(result, "accuracy") if name == "avg_accuracy" else of_tag(result, "dim", dim, "accuracy")
                check.close(f"{run.profile} {kind} {name}", got, share)
        return
    for cell, (right, n) in expected["dim_task"].items():
        dim, kind = cell.split(". ")
        result = run.result({"task_type": kind, "dim": dim})
        check.close(f"{run.profile} {cell}", value(result, "accuracy"), 100 * right / n)
    result = run.result()
    for name, share in expected["acc"].items():
        tag = "dim" if name in ASPECTS else "format" if name in FORMATS else ""
        got = of_tag(result, tag, name, "accuracy") if tag else value(result, "accuracy")
        check.close(f"{run.profile} {name}", got, share, 5.001e-3)  # two digits
        check.equal(f"{run.profile} {name} finite", got is not None and math.isfinite(got), True)


COMPONENTS: dict[str, Callable[[Path], Check]] = {
    "hallusionbench": hallusionbench,
    "mathvista": mathvista,
    "mmvet": mmvet,
    "tempcompass": tempcompass,
}
