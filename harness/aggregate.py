"""Records and their scores -> a task's entry in `results.json`: counts, metrics, sub-scores, intervals.

The records' order does not matter: a run that was killed and resumed gives the same numbers as one that was not.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from harness import stats
from harness.failures import MIN_COVERAGE, UsageError, coverage, failure_from
from harness.idset import IdSet
from harness.measures import aggregated, quantile
from harness.plan import key
from harness.profiles import stands_in
from harness.schema import GroupResult, JudgeUsage, MetricResult, Record, Scored, ScoreResult, TaskResult
from harness.stats import Interval, Stratum, ratio_interval
from harness.tally import Tally
from harness.task import Aggregate, Combined, Metric, Quantile, Ratio, Statistic, Task
from harness.types import Channel, Score
from harness.units import PartTable, Units, averaged

MAX_ANSWERS = 12
"""With more different answers than this there is no distribution worth showing."""
_ONE_INCOMPLETE = "1 group lacks a member and is in no group score"
MAX_ANSWER = 40
"""Characters of an answer that can be one of few."""


@dataclass(frozen=True, slots=True)
class Planned:
    """What was to be answered, as far as the results need it."""

    prompt: str
    profile: str
    """Of the headline."""
    repeats: int = 1
    n_published: int | None = None
    judges: Mapping[str, str] = field(default_factory=dict)
    usage: Mapping[str, JudgeUsage] = field(default_factory=dict)
    told: str = ""
    """What else has to be said of the headline."""
    excluded: Mapping[str, str] = field(default_factory=dict)
    """Id -> why its samples are left out of every number."""


def task_result(
    task: Task,
    planned: Planned,
    pairs: Iterable[tuple[Record, Scored]],
    ids: Iterable[str] | None,
    seed: int = 0,
) -> TaskResult:
    """The entry of a task. `ids` are those of the plan; without a plan (a responses file) what is there is all."""
    tallies: dict[tuple[str, Channel], dict[int, Tally]] = {}
    seen, repeated = IdSet(), 0
    failures: Counter[str] = Counter()
    of_headline: Counter[str] = Counter()
    steps: Counter[str] = Counter()
    answers: Counter[str] = Counter()
    solved: dict[str, list[bool]] = {}
    left_out: dict[str, str] = {}
    truncated, n_excluded, seconds, audio_s, kept = 0, 0, 0.0, 0.0, False
    head = planned.profile, task.default_channel
    for record, scored in pairs:
        if not seen.add(key(record.id, record.repeat)):
            repeated += 1
            continue
        seconds, kept = seconds + record.took, kept or record.cached
        audio_s += 0.0 if record.response is None or record.failure else record.audio_s
        if (why := planned.excluded.get(record.id)) is not None:
            n_excluded += 1
            left_out[record.id] = why
            continue
        truncated += record.response is not None and record.response.truncated
        steps.update(scored.steps)
        if failure := record.failure or scored.failure:
            kind = f"{failure.stage}/{failure.kind}"
            failures[kind] += 1
            first = scored.scores.get(head[0], {}).get(head[1])
            of_headline[kind] += first is None or first.status == "failed"
        for profile, channels in scored.scores.items():
            for channel, score in channels.items():
                by_repeat = tallies.setdefault((profile, channel), {})
                if record.repeat not in by_repeat:
                    by_repeat[record.repeat] = Tally(task, profile)
                by_repeat[record.repeat].add(record, score)
                if (profile, channel) == head:
                    _note_answer(answers, score)
                    if planned.repeats > 1 and score.status != "unscored":
                        solved.setdefault(record.id, []).append(score.wrong is False and score.status == "ok")

    rows, missing = _missing(ids, planned.repeats, seen)
    expected = len(seen) + missing
    scores: dict[str, dict[Channel, ScoreResult]] = {}
    faults: dict[str, None] = {}
    for (profile, channel), by_repeat in sorted(tallies.items()):
        scores.setdefault(profile, {})[channel], found = _score_result(task, by_repeat, missing, seed)
        faults |= dict.fromkeys(f"no value of {name} under {profile}: {why}" for name, why in found.items())
    headline = scores.get(head[0], {}).get(head[1])
    if headline is None:  # nothing was answered
        headline, _ = _score_result(task, {0: Tally(task, head[0])}, missing, seed)
        scores.setdefault(head[0], {})[head[1]] = headline
    result = TaskResult(
        version=task.version,
        prompt=planned.prompt,
        profile=head[0],
        channel=head[1],
        n_expected=expected,
        n_scored=headline.n_scored,
        n_failed=headline.n_failed,
        n_unscored=headline.n_unscored,
        coverage=headline.coverage,
        valid=headline.valid and not missing and not repeated,
        scores=scores,
        n_published=planned.n_published,
        n_rows=rows if ids is not None else expected,
        n_missing=missing,
        n_repeated=repeated,
        n_excluded=n_excluded,
        excluded=dict(sorted(Counter(left_out.values()).items())),
        failures=dict(sorted(failures.items())),
        truncated=truncated,
        steps=dict(sorted(steps.items())),
        gap=_gap(scores.get(head[0], {})),
        repeats=planned.repeats,
        spread=_spread(task, tallies.get(head, {})) if planned.repeats > 1 else {},
        pass_at=_pass_at(list(solved.values()), planned.repeats) if planned.repeats > 1 else {},
        judges=dict(planned.judges),
        judge_usage=dict(planned.usage),
        by_rule=stands_in(task, head[0]),
        answers=dict(sorted(answers.items(), key=lambda one: (-one[1], one[0]))) if len(answers) <= MAX_ANSWERS else {},
        seconds=round(seconds, 3),
        audio_s=0.0 if kept else round(audio_s, 3),
    )
    heads = tallies.get(head, {}).values()
    reasons = sum((tally.reasons for tally in heads), Counter[str]())
    lost = sum(tally.lost for tally in heads)
    unfit = sum((tally.unfit for tally in heads), Counter[str]())
    result.problems = [
        f"invalid: {_told(n, result)} in no group that counts: {why}" for why, n in sorted(unfit.items())
    ]
    result.problems += _problems(result, headline, lost, +of_headline, reasons)
    result.problems += faults
    notes = sum((tally.notes for tally in heads), Counter[str]())
    result.problems += [f"{_told(n, result)}: {note}" for note, n in sorted(notes.items())]
    if task.submission and result.n_unscored == expected - n_excluded:
        result.problems.append("no score here: `harness export RUN --format submission` writes the file to send in")
    result.problems += _of_channels(scores[head[0]], head[1])
    result.problems += [planned.told] if planned.told else []
    result.valid = result.valid and not lost and not unfit
    return result


def _missing(ids: Iterable[str] | None, repeats: int, seen: IdSet) -> tuple[int, int]:
    """How many rows were planned, and how many of their repeats have no record."""
    rows = missing = 0
    for identity in ids or ():
        rows += 1
        missing += sum(key(identity, repeat) not in seen for repeat in range(repeats))
    return rows, missing


def _problems(
    result: TaskResult, headline: ScoreResult, lost: int, failures: Mapping[str, int], reasons: Mapping[str, int]
) -> list[str]:
    """Why the numbers do not count, then what else has to be said of them."""
    said = []
    if result.n_missing:
        said.append(f"invalid: the log lacks {result.n_missing} of {result.n_expected} planned {_kind(result)}s")
    if result.n_repeated:
        records = "1 record" if result.n_repeated == 1 else f"{result.n_repeated} records"
        said.append(f"invalid: the log has {records} twice; the first of each counts")
    if lost:
        said.append(f"invalid: {lost} failed rows count nowhere, as it is not known what they belong to")
    if headline.coverage < MIN_COVERAGE:
        scorable = result.n_expected - result.n_unscored - result.n_excluded
        kinds = ", ".join(f"{n} x {kind}" for kind, n in sorted(failures.items()))
        said.append(
            f"invalid: coverage {100 * headline.coverage:.1f} % is under {100 * MIN_COVERAGE:g} % "
            f"({result.n_scored} of {scorable} {_kind(result)}s scored" + (f"; {kinds})" if kinds else ")")
        )
    if headline.n_incomplete_groups:
        n = headline.n_incomplete_groups
        said.append(f"{n} groups lack a member and are in no group score" if n > 1 else _ONE_INCOMPLETE)
    said += [f"{n} sample{'' if n == 1 else 's'} excluded: {why}" for why, n in result.excluded.items()]
    if result.n_published is not None and result.n_counted != result.n_published:
        said.append(f"{result.n_counted:,} of {result.n_published:,} published rows")
    if result.n_unscored:
        why = f" ({', '.join(reasons)})" if len(reasons) == 1 and "" not in reasons else ""
        verb = "is" if result.n_unscored == 1 else "are"
        said.append(f"{_told(result.n_unscored, result)} {verb} unscored and in no number{why}")
    return said


def _kind(result: TaskResult) -> str:
    """What is counted: of several repeats each has an answer of every sample."""
    return "sample" if result.repeats == 1 else "answer"


def _told(n: int, result: TaskResult) -> str:
    return f"{n} {_kind(result)}" + ("" if n == 1 else "s")


def _of_channels(channels: Mapping[Channel, ScoreResult], headline: Channel) -> Iterator[str]:
    """What has to be said of channels beside the headline's."""
    for name, scored in channels.items():
        if name != headline and (scored.n_failed or scored.n_unscored):
            total = scored.n_scored + scored.n_failed + scored.n_unscored
            told = f"{scored.n_failed} failed, {scored.n_unscored} unscored" + ("" if scored.valid else ": invalid")
            yield f"{name or 'other'} channel: {scored.n_scored} of {total} scored, {told}"


def _note_answer(answers: Counter[str], score: Score) -> None:
    if score.extracted is not None and len(answers) <= MAX_ANSWERS:
        answers[score.extracted if len(score.extracted) <= MAX_ANSWER else ""] += 1


def _score_result(
    task: Task, by_repeat: Mapping[int, Tally], missing: int, seed: int
) -> tuple[ScoreResult, dict[str, str]]:
    """The numbers of one profile and channel; of metrics whose own function fails also why."""
    counts: Counter[str] = Counter()
    for tally in by_repeat.values():
        counts.update(tally.counts)
    expected = sum(counts.values()) + missing
    hidden = bool(task.submission) and counts["unscored"] == expected
    share = 1.0 if hidden else coverage(counts["ok"], expected - counts["unscored"])
    tables = [tally.finished() for _, tally in sorted(by_repeat.items())]
    groups = _groups(task, tables)
    metrics: dict[str, MetricResult] = {}
    faults: dict[str, str] = {}
    whole = _units(task, tables)
    for metric in task.metrics:
        if isinstance(metric, Combined):
            metrics[metric.name] = _combined(metric, task, tables)
        elif not isinstance(metric, Ratio) or metric.overall:
            metrics[metric.name] = _measured(metric, whole, tables, seed, faults)
    made = ScoreResult(
        n_scored=counts["ok"],
        n_failed=counts["failed"],
        n_unscored=counts["unscored"],
        coverage=share,
        valid=share >= MIN_COVERAGE,
        metrics=metrics,
        groups=groups,
        n_incomplete_groups=int(sum(table.values("incomplete").sum() for table in tables)),
    )
    return made, faults


def _units(task: Task, tables: Sequence[PartTable], tag: str = "", value: str = "") -> Units:
    """The units of all samples, or of those with a tag's value; repeats are averaged."""
    kind = None if task.group is not None else task.cluster_name
    picked = [table.units(kind, table.tags.get(tag, {}).get(value, []) if tag else None) for table in tables]
    units = averaged(picked)
    grouped = task.group is not None and task.cluster_name
    return units._replace(kind=task.cluster_name or "sample") if grouped else units


def _groups(task: Task, tables: Sequence[PartTable]) -> dict[str, dict[str, GroupResult]]:
    """The sub-scores of every metric that has some: tag -> value -> its own samples, units and intervals."""
    found: dict[str, dict[str, GroupResult]] = {}
    split = [metric for metric in task.metrics if isinstance(metric, Ratio) and metric.by]
    for tag in dict.fromkeys(tag for metric in split for tag in metric.by):
        values = sorted({value for table in tables for value in table.tags.get(tag, {})})
        for value in values:
            units = _units(task, tables, tag, value)
            metrics = {metric.name: _ratio(metric, units) for metric in split if tag in metric.by}
            n = max(len(table.tags.get(tag, {}).get(value, ())) for table in tables)
            found.setdefault(tag, {})[value] = GroupResult(n, metrics)
    return found


def _measured(
    metric: Ratio | Statistic | Quantile | Aggregate,
    units: Units,
    tables: Sequence[PartTable],
    seed: int,
    faults: dict[str, str],
) -> MetricResult:
    """A metric over units or samples. Where its own function raises it has no value, and `faults` gets why."""
    if isinstance(metric, Ratio):
        return _ratio(metric, units)
    if isinstance(metric, Aggregate):
        made = aggregated(metric, tables)
        if made.fault:
            faults[metric.name] = made.fault
        return _entry(metric, made.value, None, "sample", made.n)
    if isinstance(metric, Quantile):
        made, values = quantile(metric, tables)
        interval = stats.quantile_interval(values, metric.q) if len(values) else None
        return _entry(metric, made.value, interval, "sample", made.n)
    units = units.having(metric.over)
    if not len(units.parts):
        return _entry(metric, None, None, units.kind, 0)
    sums = dict(zip(units.names, units.parts.sum(axis=0), strict=True))
    try:
        value = float(metric.compute(sums))
        interval = stats.bootstrap_interval(units.parts, units.names, metric.compute, seed=seed)
    except UsageError:
        raise
    except Exception as error:  # a function of one's own may raise anything
        faults[metric.name] = failure_from(error, "score").message
        value, interval = None, None
    return _entry(metric, value, interval, units.kind, len(units.parts))


def _ratio(metric: Ratio, units: Units) -> MetricResult:
    stratum = Stratum(units.column(metric.part), units.column(metric.whole))
    total = float(stratum.whole.sum())
    if total == 0:
        return _entry(metric, None, None, units.kind, 0)
    value = metric.scale * float(stratum.part.sum()) / total
    interval = _scaled(metric, [stratum])
    if metric.complement:
        assert metric.upper is not None
        value = metric.upper - value
        if interval is not None:
            interval = interval._replace(low=metric.upper - interval.high, high=metric.upper - interval.low)
    return _entry(metric, value, interval, units.kind, int((stratum.whole > 0).sum()))


def _scaled(metric: Ratio, strata: Sequence[Stratum]) -> Interval | None:
    interval = ratio_interval(strata, None if metric.upper is None else metric.upper / metric.scale)
    return interval and interval._replace(low=metric.scale * interval.low, high=metric.scale * interval.high)


def _combined(metric: Combined, task: Task, tables: Sequence[PartTable]) -> MetricResult:
    """A weighted sum of a ratio over values of a tag; undefined where one of them was not asked."""
    of = next(one for one in task.metrics if one.name == metric.of)
    assert isinstance(of, Ratio) and not of.complement
    strata: list[Stratum] = []
    kind = "sample"
    for name, weight in metric.weights.items():
        units = _units(task, tables, metric.tag, name)
        strata.append(Stratum(units.column(of.part), units.column(of.whole), weight))
        kind = units.kind
    n = sum(int((stratum.whole > 0).sum()) for stratum in strata)
    if any(stratum.whole.sum() == 0 for stratum in strata):
        return _entry(metric, None, None, kind, n)
    value = of.scale * sum(s.weight * float(s.part.sum()) / float(s.whole.sum()) for s in strata)
    return _entry(metric, value, _scaled(of, strata), kind, n)


def _entry(metric: Metric, value: float | None, interval: Interval | None, unit: str, n: int) -> MetricResult:
    defined = value is not None and math.isfinite(value)
    return MetricResult(
        value=value if defined else None,
        unit=metric.unit,
        higher_is_better=metric.higher_is_better,
        headline=metric.headline,
        n=n,
        ci=(interval.low, interval.high) if defined and interval is not None else None,
        ci_method=interval.method if defined and interval is not None else "",
        ci_unit=unit,
    )


def _gap(channels: Mapping[Channel, ScoreResult]) -> dict[str, float]:
    """Text minus speech, for every metric that both have."""
    if "text" not in channels or "speech" not in channels:
        return {}
    text, speech = channels["text"].metrics, channels["speech"].metrics
    both = {name: (text[name].value, speech[name].value) for name in text if name in speech}
    return {name: a - b for name, (a, b) in both.items() if a is not None and b is not None}


def _spread(task: Task, by_repeat: Mapping[int, Tally]) -> dict[str, list[float]]:
    """The headline metrics of each repeat by itself, as far as all samples together have a value."""
    found: dict[str, list[float]] = {}
    for _, tally in sorted(by_repeat.items()):
        tables = [tally.table]
        for metric in task.headline:
            if isinstance(metric, Ratio) and not metric.overall:
                continue
            one = (
                _combined(metric, task, tables)
                if isinstance(metric, Combined)
                else _measured(metric, _units(task, tables), tables, 0, {})
            )
            if one.value is not None:
                found.setdefault(metric.name, []).append(one.value)
    return found


def _pass_at(solved: Sequence[Sequence[bool]], repeats: int) -> dict[str, float]:
    """In percent, how many samples at least one of k answers solves: the unbiased estimate of Chen et al. 2021."""
    if not solved:
        return {}

    def expected(right: int, n: int, k: int) -> float:
        return 1.0 - math.comb(n - right, k) / math.comb(n, k) if n >= k else float(right > 0)

    ks = sorted({1, *(k for k in (2, 5, 10, 100) if k < repeats), repeats})
    return {str(k): 100 * sum(expected(sum(s), len(s), k) for s in solved) / len(solved) for k in ks}
