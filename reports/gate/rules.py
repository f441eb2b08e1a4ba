"""A gate's verdict. Pure: what a run and a baseline say of a number, and the gate's limits.

In this order: the number must be there and rest on enough; absolute limits; the same conditions as the baseline's; the
tolerance; chance. A gate that cannot be held against anything fails, it never passes.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Literal

from harness import registry, stats
from harness.differences import changes
from harness.failures import UsageError
from harness.measures import matched, measure, whole
from harness.schema import MetricResult
from harness.task import Aggregate, Metric, Quantile, Ratio, Task
from harness.types import Channel
from reports.conditions import DECODING
from reports.gate.config import Gate, Gates
from reports.gate.side import Parts, Side, TaskSide

Judged = dict[tuple[int, int], bool]
Status = Literal["pass", "improved", "warn", "fail", "skipped", "accepted"]
ROUNDING = 1e-9
"""What sums of floats may be off, as a share of the number: a change of just the tolerance is within it."""
FEW = 3
"""Differences in conditions that a reason names."""


@dataclass(frozen=True)
class Outcome:
    """A gate's verdict and what it rests on. `worse` is the change in the metric's bad direction."""

    gate: Gate
    status: Status
    reason: str
    unit: str = ""
    higher_is_better: bool = True
    value: float | None = None
    baseline: float | None = None
    worse: float | None = None
    allowed: float | None = None
    n: int | None = None
    interval: tuple[float, float] | None = None
    p: float | None = None
    p_holm: float | None = None
    fixed: int | None = None
    broken: int | None = None
    regression: bool = False
    """It fails because the number is worse, and not because it could not be held against anything: such a one can be
    accepted."""


def decide_all(gates: Gates, run: Side, baseline: Side | None) -> list[Outcome]:
    """Every gate's outcome, in the file's order, with p-values corrected for all of them together (Holm)."""
    found = [decide(gate, run, baseline, gates.missing_baseline) for gate in gates.gates]
    tested = [place for place, outcome in enumerate(found) if outcome.p is not None]
    for place, p in zip(tested, stats.holm([found[place].p or 0.0 for place in tested]), strict=True):
        found[place] = replace(found[place], p_holm=p)
    return found


def decide(gate: Gate, run: Side, baseline: Side | None, missing: Literal["fail", "warn"] = "fail") -> Outcome:
    """Raises UsageError where the gate itself is wrong: a direction, cluster or test that its metric has not."""
    outcome = _decide(gate, run, baseline, missing)
    if outcome.status == "fail" and gate.level == "warn":
        return replace(outcome, status="warn")
    return outcome


def _decide(gate: Gate, run: Side, baseline: Side | None, missing: Literal["fail", "warn"]) -> Outcome:
    if gate.task not in run.tasks:
        return Outcome(gate, "fail", f"the run has no task {gate.task}; it has {', '.join(run.tasks)}")
    mine = run.tasks[gate.task]
    metric = _number(mine, gate)
    if metric is None:
        known = ", ".join(sorted({name for by_name in mine.metrics.values() for name in by_name}))
        return Outcome(gate, "fail", f"the run has no metric {gate.name}; the task has {known}")
    check(gate, metric)
    outcome = Outcome(gate, "pass", "", metric.unit, metric.higher_is_better, metric.value, n=mine.n_scored)
    if fault := _rests_on_too_little(gate, mine, metric):
        return replace(outcome, status="fail", reason=fault)
    assert metric.value is not None
    if fault := _unlike_its_samples(gate, mine, metric.value, run):
        return replace(outcome, status="fail", reason=fault)
    theirs = baseline.tasks.get(gate.task) if baseline and gate.compares else None
    if fault := _beyond_limits(gate, metric.value):
        unlike = _not_comparable(gate, mine, theirs) if theirs else ""
        reason = f"{fault}; {unlike}" if unlike else fault
        return replace(outcome, status="fail", reason=reason, regression=not unlike)
    if not gate.compares:
        return replace(outcome, reason="within its limits")
    before = _number(theirs, gate) if theirs else None
    if baseline is None or theirs is None or before is None or before.value is None:
        what = "there is no baseline" if baseline is None else f"the baseline has no number of {gate.name}"
        return replace(outcome, status=missing, reason=what)
    if gate.same_device and run.device != baseline.device:
        return replace(
            outcome,
            status="skipped",
            baseline=before.value,
            reason=f"measured on another device than the baseline ({baseline.device} -> {run.device})",
        )
    outcome = replace(outcome, baseline=before.value)
    if not theirs.valid:
        return replace(outcome, status="fail", reason="the baseline's result is invalid: update it")
    again = _made_again(gate, theirs, baseline)
    if again is not None and not _close(again, before.value):
        return replace(outcome, status="fail", reason=f"the baseline's samples give {again:g}: was it edited?")
    if fault := _not_comparable(gate, mine, theirs):
        return replace(outcome, status="fail", reason=fault)
    return _compared(gate, metric, outcome, run, baseline)


def _number(side: TaskSide, gate: Gate) -> MetricResult | None:
    return side.metrics.get(_channel(gate, side), {}).get(gate.metric)


def check(gate: Gate, metric: MetricResult) -> None:
    """Raises UsageError naming the gate's field that does not fit its metric."""
    own = "higher" if metric.higher_is_better else "lower"
    if gate.direction is not None and gate.direction != own:
        raise UsageError(f"gate {gate.name}: direction is {gate.direction}, but {own} is better; leave the field out")
    if gate.test is not None:
        match _metric(registry.get_task(gate.task), gate.metric):
            case Quantile():
                raise UsageError(f"gate {gate.name}: a quantile has no paired test; leave the field test out")
            case Aggregate():
                raise UsageError(f"gate {gate.name}: the metric is no sum over samples; leave the field test out")
    unit = metric.ci_unit
    if gate.cluster is not None and gate.cluster != unit:
        raise UsageError(f"gate {gate.name}: cluster is {gate.cluster}, but the independent units are {unit}s")


def _metric(task: Task, name: str) -> Metric | None:
    return next((metric for metric in task.metrics if metric.name == name), None)


def _rests_on_too_little(gate: Gate, side: TaskSide, metric: MetricResult) -> str:
    if metric.value is None or not math.isfinite(metric.value):
        return "the metric has no value"
    if side.n_scored < gate.min_samples:
        return f"{side.n_scored} samples are scored, and min_samples is {gate.min_samples}"
    rate = side.n_failed / side.n_expected if side.n_expected else 1.0
    if gate.max_error_rate is not None and rate > gate.max_error_rate:
        return f"{100 * rate:.1f} % of the samples failed, and max_error_rate is {100 * gate.max_error_rate:g} %"
    if not side.valid:
        return "the result is invalid: `harness show RUN` says why"
    return ""


def _unlike_its_samples(gate: Gate, side: TaskSide, value: float, run: Side) -> str:
    """A number is made again from its samples' parts, so that an edited one does not pass."""
    again = _made_again(gate, side, run)
    if again is None or _close(again, value):
        return ""
    return f"its samples give {again:g} and not {value:g}: `harness verify RUN` tells what was changed"


def _made_again(gate: Gate, side: TaskSide, of: Side) -> float | None:
    """The number that its samples' parts give; None where they are not kept."""
    parts = of.parts(gate.task, _channel(gate, side))
    task = registry.get_task(gate.task)
    metric = _metric(task, gate.metric)
    if not parts or metric is None:
        return None
    if isinstance(metric, Quantile | Aggregate):
        return whole(metric, parts).value
    made = measure(task, metric, parts)
    return None if made is None else made.value


def _close(one: float, other: float) -> bool:
    return math.isclose(one, other, rel_tol=1e-6, abs_tol=1e-6)


def _channel(gate: Gate, side: TaskSide) -> Channel:
    return side.channel if gate.channel is None else gate.channel


def _beyond_limits(gate: Gate, value: float) -> str:
    if gate.floor is not None and value < gate.floor:
        return f"below the floor of {gate.floor:g}"
    if gate.ceiling is not None and value > gate.ceiling:
        return f"above the ceiling of {gate.ceiling:g}"
    return ""


def _not_comparable(gate: Gate, mine: TaskSide, theirs: TaskSide) -> str:
    made = dict(mine.conditions)
    if DECODING not in theirs.conditions:  # a baseline from before it was kept
        made.pop(DECODING, None)
    found = changes(theirs.conditions, made)
    if mine.samples != theirs.samples:
        found.append(f"other samples ({theirs.n_expected} -> {mine.n_expected})")
    elif mine.questions != theirs.questions:
        found.append("the samples are asked in other words or with other media")
    if not found:
        return ""
    more = f"; {len(found) - FEW} more" if len(found) > FEW else ""
    return f"not made as the baseline was: {'; '.join(found[:FEW])}{more}"


def _compared(gate: Gate, metric: MetricResult, outcome: Outcome, run: Side, baseline: Side) -> Outcome:
    assert outcome.value is not None and outcome.baseline is not None
    baseline_value = outcome.baseline
    worse = outcome.value - outcome.baseline if not metric.higher_is_better else outcome.baseline - outcome.value
    allowed = gate.allowed(outcome.baseline)
    outcome = replace(outcome, worse=worse, allowed=allowed)
    chance = _chance(gate, metric, outcome, run, baseline) if gate.test is not None else outcome
    if chance.reason:  # it could not be tested
        return chance
    outcome = chance
    slack = ROUNDING * max(1.0, abs(baseline_value))
    if gate.hard_tol is not None and worse > gate.hard_tol + slack:
        return replace(outcome, status="fail", reason=f"worse by more than hard_tol {gate.hard_tol:g}", regression=True)
    if worse <= allowed + slack:
        improved = -worse > allowed + slack
        return replace(
            outcome, status="improved" if improved else "pass", reason="better" if improved else "within tolerance"
        )
    if gate.test is None:
        return replace(outcome, status="fail", reason="worse than the tolerance", regression=True)
    low = outcome.interval[0] if outcome.interval else None
    if low > 0 if low is not None else (outcome.p or 0.0) < gate.alpha:
        return replace(outcome, status="fail", reason="worse than the tolerance, and significant", regression=True)
    return replace(outcome, status="warn", reason="worse than the tolerance, but it may be chance")


def _chance(gate: Gate, metric: MetricResult, outcome: Outcome, run: Side, baseline: Side) -> Outcome:
    """The outcome with interval and p-value; with a reason, and failed, where the runs cannot be paired."""
    channel = _channel(gate, run.tasks[gate.task])
    mine, theirs = run.parts(gate.task, channel), baseline.parts(gate.task, channel)
    if mine is None or theirs is None:
        return replace(outcome, status="fail", reason="the baseline's parts of samples are missing: update it")
    task = registry.get_task(gate.task)
    chosen = _metric(task, gate.metric)
    if gate.test == "mcnemar":
        return _mcnemar(outcome, _judged(gate, task, chosen, mine), _judged(gate, task, chosen, theirs))
    one, other = (measure(task, chosen, parts) if chosen else None for parts in (theirs, mine))
    if one is None or other is None:
        return replace(outcome, status="fail", reason="there are no samples to pair")
    shared = matched(one, other)
    if shared.alone:
        return replace(outcome, status="fail", reason=f"{shared.alone} units have no partner in the other run")
    found = stats.paired_bootstrap(shared.other, shared.one, other.compute, one.compute, confidence=1 - gate.alpha)
    if found is None:
        return replace(outcome, status="fail", reason="too few units for a test; leave the field test out")
    sign = -1.0 if metric.higher_is_better else 1.0
    bounds = sorted((sign * found.low, sign * found.high))
    return replace(outcome, interval=(bounds[0], bounds[1]), p=found.p)


def _judged(gate: Gate, task: Task, metric: Metric | None, parts: Parts) -> Judged:
    """(Repeat, sample) -> whether it is wrong. Raises UsageError where the metric is no share of answers."""
    fits = isinstance(metric, Ratio) and task.group is None
    counts_wrong = fits and metric.higher_is_better == metric.complement  # type: ignore[union-attr]
    found: Judged = {}
    for repeat, table in enumerate(parts):
        for key, _, own, _ in table.rows():
            part, of = (own.get(metric.part, 0.0), own.get(metric.whole, 0.0)) if fits else (0.5, 1.0)  # type: ignore[union-attr]
            if of == 0:
                continue
            if of != 1 or part not in (0.0, 1.0):
                raise UsageError(
                    f"gate {gate.name}: mcnemar is for shares of answers that are right or wrong; use paired_bootstrap"
                )
            found[repeat, key] = bool(part) == counts_wrong
    return found


def _mcnemar(outcome: Outcome, mine: Judged, theirs: Judged) -> Outcome:
    if alone := len(mine.keys() ^ theirs.keys()):
        return replace(outcome, status="fail", reason=f"{alone} samples have no partner in the other run")
    fixed = sum(theirs[key] and not wrong for key, wrong in mine.items())
    broken = sum(wrong and not theirs[key] for key, wrong in mine.items())
    return replace(outcome, p=stats.mcnemar(fixed, broken), fixed=fixed, broken=broken)
