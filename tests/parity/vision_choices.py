"""Parity of the benchmarks that are scored by rule: option letters, yes and no, contained text."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from harness.types import Score
from tasks.image.ai2d import AI2D
from tasks.image.mmbench import EN
from tasks.image.mmmu import MMMU
from tasks.image.mmstar import MMSTAR
from tasks.image.ocrbench import OCRBENCH
from tasks.scoring import free_text
from tasks.scoring.cells import options_of
from tasks.scoring.choice import lmms_eval, vlmevalkit
from tasks.scoring.mmbench import SHORT
from tasks.video.mvbench import MVBENCH
from tasks.video.videomme import VIDEOMME
from tests.parity import vision
from tests.parity.check import Check
from tests.parity.vision import SCORE_TOLERANCE, Run, load, of_tag, value

VLMEVALKIT = ("vlmevalkit", "vlmevalkit_vita")


def _hit(expected: Mapping[str, Any]) -> float:
    return float(next(expected[name] for name in ("hit", "score", "correct") if name in expected))


def _compare(check: Check, run: Run, extracted: Callable[[Score], Any], field: str = "extracted") -> None:
    for golden, score in run.pairs:
        expected = golden["expected"][run.profile]
        name = f"{run.profile} {golden['id']}"
        check.close(name, score.value, _hit(expected))
        if field in expected:
            check.equal(f"{name} {field}", extracted(score), expected[field])


def _letter_or_z(score: Score) -> str:
    return score.extracted or "Z"


def _percent(fraction: float | None) -> float | None:
    return None if fraction is None else 100 * fraction


def ai2d(goldens: Path) -> Check:
    golden = load(goldens, "ai2d")
    check = Check("ai2d", tolerance=SCORE_TOLERANCE)
    for profile in (*VLMEVALKIT, "lmms_eval"):
        run = vision.run(AI2D, golden, profile, profile)
        _compare(check, run, _letter_or_z, "extracted" if profile != "lmms_eval" else "")
        expected, result = golden["aggregate"][profile], run.result()
        overall = expected["exact_match" if profile == "lmms_eval" else "Overall"]
        check.close(f"{profile} overall", value(result, "accuracy"), _percent(overall))
        for name in set(expected) - {"split", "Overall", "exact_match"}:
            check.close(f"{profile} {name}", of_tag(result, "category", name, "accuracy"), _percent(expected[name]))
    for record in golden["records"]:
        kept = lmms_eval.led_letter(record["response"])
        check.equal(f"lmms_eval {record['id']} kept", kept, record["expected"]["lmms_eval"]["extracted"])
    return check


def mmstar(goldens: Path) -> Check:
    golden = load(goldens, "mmstar")
    check = Check("mmstar", tolerance=SCORE_TOLERANCE)
    for profile in (*VLMEVALKIT, "lmms_eval"):
        run = vision.run(MMSTAR, golden, profile, profile)
        shown = _letter_or_z if profile in VLMEVALKIT else lambda score: score.extracted or ""
        _compare(check, run, shown)
        expected, result = golden["aggregate"][profile], run.result()
        if profile in VLMEVALKIT:
            check.close(f"{profile} overall", value(result, "accuracy"), _percent(expected["Overall"]))
        kinds = {record["doc"]["l2_category"]: record["doc"]["category"] for record in golden["records"]}
        means = {kind: of_tag(result, "l2_category", kind, "accuracy") or 0.0 for kind in kinds}
        for category in {*kinds.values()} & {*expected}:
            own = [means[kind] for kind, of in kinds.items() if of == category]
            got = of_tag(result, "category", category, "accuracy")
            check.close(
                f"{profile} {category}",
                sum(own) / len(own) if profile == "lmms_eval" else got,
                _percent(expected[category]),
            )
        for kind in {*kinds} & {*expected} - {*kinds.values()}:
            check.close(f"{profile} {kind}", means[kind], _percent(expected[kind]))
        if "average" in expected:
            check.close(f"{profile} average", sum(means.values()) / len(means), _percent(expected["average"]))
    return check


def mmmu(goldens: Path) -> Check:
    golden = load(goldens, "mmmu")
    check = Check("mmmu", tolerance=SCORE_TOLERANCE)
    for profile in VLMEVALKIT:
        run = vision.run(MMMU, golden, profile, profile)
        _compare(check, run, _letter_or_z)
        expected, result = golden["aggregate"][profile], run.result()
        check.close(f"{profile} overall", value(result, "accuracy"), _percent(expected["Overall"]))
        for name in set(expected) - {"split", "Overall"}:
            check.close(f"{profile} {name}", of_tag(result, "subject", name, "accuracy"), _percent(expected[name]))
    run = vision.run(MMMU, golden, "lmms_eval", "lmms_eval")
    for record, score in run.pairs:
        expected, name = record["expected"]["lmms_eval"], f"lmms_eval {record['id']}"
        check.close(name, score.value, float(expected["correct"]))
        if isinstance(expected["parsed"], list):
            found = free_text.candidates(record["response"])
            check.equal(f"{name} parsed", {*map(repr, found)}, {*map(repr, expected["parsed"])})
        else:
            check.equal(f"{name} parsed", score.extracted, expected["parsed"])
            check.equal(f"{name} drawn", score.extracted is None, expected["random_fallback"])
    expected, result = golden["aggregate"]["lmms_eval"], run.result()
    check.close("lmms_eval overall", value(result, "accuracy"), _percent(expected["mmmu_acc"]), 1e-3)  # 5 digits
    for name, share in expected["per_subject"].items():
        check.close(f"lmms_eval {name}", of_tag(result, "subject", name, "accuracy"), _percent(share), 1e-3)
    return check


def mmbench(goldens: Path) -> Check:
    golden = load(goldens, "mmbench")
    check = Check("mmbench", tolerance=SCORE_TOLERANCE)
    for record in golden["records"]:
        options, answer = options_of(record["doc"]), record["response"]
        for profile, rule in vlmevalkit.RULES.items():
            check.equal(f"{profile} {record['id']}", rule(answer, options), record["expected"][profile]["prefetch"])
        expected = record["expected"]["lmms_eval"]
        first = lmms_eval.prefetched(answer, options)
        check.equal(f"lmms_eval {record['id']}", first, expected["prefetch"])
        if first is None:
            found = lmms_eval.best_placed(answer, "".join(options)) or ""
            check.equal(f"lmms_eval {record['id']} fallback", found, expected["static_fallback"])
    for profile in (*VLMEVALKIT, "lmms_eval"):
        run = vision.run(EN, golden, profile, profile)
        result = run.result()
        expected = golden["aggregate"]["lmms_eval_static" if profile == "lmms_eval" else profile]
        report = expected.get("report_acc", {})
        overall = report.get("Overall", expected.get("overall_acc"))
        check.close(f"{profile} overall", value(result, "accuracy"), _percent(overall))
        by_short = {name: report[name] for name in report if name in SHORT.values()}
        by_short |= {SHORT.get(long, long): share for long, share in expected.get("l2_category_acc", {}).items()}
        by_name = expected.get("category_acc") or {
            name: share for name, share in report.items() if name not in ("split", "Overall", *by_short)
        }
        for tag, shares in (("l2_category", by_short), ("category", by_name)):
            for name, share in shares.items():
                check.close(f"{profile} {name}", of_tag(result, tag, name, "accuracy"), _percent(share))
        for group, hit in expected["group_hit"].items():
            own = run.result({"group": int(group.removeprefix("g"))})
            check.close(f"{profile} {group}", value(own, "accuracy"), 100.0 * hit)
    return check


def ocrbench(goldens: Path) -> Check:
    golden = load(goldens, "ocrbench")
    check = Check("ocrbench", tolerance=SCORE_TOLERANCE)
    for profile in (*VLMEVALKIT, "lmms_eval"):
        run = vision.run(OCRBENCH, golden, profile, profile)
        for record, score in run.pairs:
            expected = record["expected"][profile]["score"]
            check.close(f"{profile} {record['id']}", score.value, float(expected))
        result, n, expected = run.result(), len(run.records), golden["aggregate"][profile]
        hits = (value(result, "score") or 0.0) * n / 1000
        if profile == "lmms_eval":
            check.close("lmms_eval accuracy", hits / 1000, expected["ocrbench_accuracy"])
        else:
            check.close(f"{profile} Final Score", hits, expected["Final Score"])
            check.close(f"{profile} Norm", hits / 10, expected["Final Score Norm"])
        parts = expected["per_type"].items() if profile == "lmms_eval" else expected.items()
        for name, count in parts:
            if name.startswith("Final"):
                continue
            group = result.groups["type" if profile == "lmms_eval" else "group"].get(name)
            got = 0.0 if group is None else group.n_samples * (group.metrics["accuracy"].value or 0.0) / 100
            check.close(f"{profile} {name}", got, count)
    return check


def mvbench(goldens: Path) -> Check:
    golden = load(goldens, "mvbench")
    check = Check("mvbench", tolerance=SCORE_TOLERANCE)
    for profile in (*VLMEVALKIT, "lmms_eval"):
        run = vision.run(MVBENCH, golden, profile, profile)
        for record, score in run.pairs:
            expected = record["expected"][profile]
            right = abs(expected["score"])  # -1, a failed call, is counted as right by the reference
            check.close(f"{profile} {record['id']}", score.value, float(right))
            if "counted" in expected:
                check.equal(f"{profile} {record['id']} counted", bool(score.parts["n"]), expected["counted"])
        result = run.result()
        for name, share in golden["aggregate"][profile].items():
            overall = name in ("overall", "_all_records_one_task")
            got = value(result, "accuracy") if overall else of_tag(result, "task", name, "accuracy")
            if profile == "lmms_eval":
                check.close(f"{profile} {name}", got, share)
            else:
                check.close(f"{profile} {name}", got, 100 * share[0] / share[1])
                check.equal(f"{profile} {name} %", f"{got:.2f}%", share[2])
    return check


def videomme(goldens: Path) -> Check:
    golden = load(goldens, "videomme")
    check = Check("videomme", tolerance=SCORE_TOLERANCE)
    for profile in (*VLMEVALKIT, "lmms_eval", "vita_parse_answer"):
        run = vision.run(VIDEOMME, golden, profile, profile)
        for record, score in run.pairs:
            expected, name = record["expected"][profile], f"{profile} {record['id']}"
            if "extracted" in expected:
                check.equal(f"{name} extracted", score.extracted or "", expected["extracted"])
            else:
                check.equal(f"{name} regex", vlmevalkit.first_capital(record["response"]) or "", expected["regex"])
                if expected["fallback"] is not None:
                    check.equal(f"{name} fallback", score.extracted, expected["fallback"])
            check.equal(f"{name} counted", bool(score.parts["n"]), expected["score"] >= 0)
            check.close(name, score.value, max(0.0, float(expected["score"])))
        _videomme_aggregate(check, run, golden["aggregate"][profile])
    return check


def _videomme_aggregate(check: Check, run: Run, expected: Mapping[str, Any]) -> None:
    for duration, cell in expected.items():
        result = run.result({} if duration == "overall" else {"duration": duration})
        name, got = f"{run.profile} {duration}", value(result, "accuracy")
        if isinstance(cell, float):
            check.close(name, got, cell)
        elif "percent" in cell:
            check.close(name, got, cell["percent"])
        else:
            digits = len(cell["overall"].partition(".")[2])
            check.equal(name, _fixed(got, digits), cell["overall"])
            for tag, shares in cell.items():
                for one, share in shares.items() if tag != "overall" else ():
                    check.equal(f"{name} {one}", _fixed(of_tag(result, tag, one, "accuracy"), digits), share)


def _fixed(percent: float | None, digits: int) -> str:
    """A share as the reference prints it; rounding of halves goes by the share itself."""
    return "nan" if percent is None else f"{percent / 100:.{digits}f}"


COMPONENTS: dict[str, Callable[[Path], Check]] = {
    "ai2d": ai2d,
    "mmbench": mmbench,
    "mmmu": mmmu,
    "mmstar": mmstar,
    "ocrbench": ocrbench,
    "mvbench": mvbench,
    "videomme": videomme,
}
