"""Numbers as they are written everywhere: with unit and interval, a missing one as an en dash and never as 0."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from harness.schema import MetricResult, TaskResult

MISSING = "–"


def number(value: float | None, unit: str) -> str:
    """Rates with two decimals, anything else with one; a plain factor (RTF) with three digits."""
    if value is None:
        return MISSING
    match unit:
        case "%":
            return f"{value:.2f}"
        case "":
            return f"{value:.3g}"
        case _:
            return f"{value:.1f}"


def with_unit(value: float | None, unit: str) -> str:
    """ "4.21 %"."""
    return MISSING if value is None else f"{number(value, unit)} {unit}".rstrip()


def signed(value: float, unit: str) -> str:
    """
    >>> signed(-0.5, "%"), signed(3.0, "%"), signed(0.0, "%")
    ('−0.50', '+3.00', '0.00')
    """
    told = number(abs(value), unit)
    return told if not told.strip("0.") else f"{'+' if value > 0 else '−'}{told}"


def points(unit: str) -> str:
    """The unit of a difference: two shares are some points apart."""
    return "points" if unit == "%" else unit


def p_value(p: float) -> str:
    """
    >>> p_value(0.0004), p_value(0.0312), p_value(1.0)
    ('< 0.001', '0.031', '1.000')
    """
    return "< 0.001" if p < 0.001 else f"{p:.3f}"


def interval(metric: MetricResult) -> str:
    """ "[3.90, 4.55]", or nothing."""
    return "" if metric.ci is None else f"[{', '.join(number(bound, metric.unit) for bound in metric.ci)}]"


def measured(metric: MetricResult) -> str:
    """Value, unit and interval: "4.21 % [3.90, 4.55]"."""
    return f"{with_unit(metric.value, metric.unit)} {interval(metric)}".rstrip()


def rests_on(metric: MetricResult) -> str:
    """What the interval is made of: "Clopper-Pearson, n = 240 images"."""
    unit = metric.ci_unit + ("s" if metric.n != 1 else "")
    method = f"{metric.ci_method}, " if metric.ci_method else ""
    return f"{method}n = {metric.n:,} {unit}"


def headline(metrics: Mapping[str, MetricResult]) -> dict[str, MetricResult]:
    """The metrics that are shown first: all of them where none is marked."""
    return {name: metric for name, metric in metrics.items() if metric.headline} or dict(metrics)


def over_profiles(entry: TaskResult, name: str) -> str:
    """ "2.04 % qwen2; 2.04–9.31 % over 5 profiles", nothing where all profiles agree; one that counts another number of
    samples is named with it."""
    values = profile_values(entry, name)
    if len({number(value, entry.headline.metrics[name].unit) for value in values.values()}) < 2:
        return ""  # one profile, or all agree
    unit = entry.headline.metrics[name].unit
    own = with_unit(entry.headline.metrics[name].value, unit)
    low, high = number(min(values.values()), unit), number(max(values.values()), unit)
    others = "".join(f", n = {n:,} under {profile}" for profile, n in _other_counts(entry, values).items())
    return f"{own} {entry.profile}; {low}–{high} {unit}".rstrip() + f" over {len(values)} profiles{others}"


def _other_counts(entry: TaskResult, profiles: Iterable[str]) -> dict[str, int]:
    """Profile -> how many samples count under it, where they are not as many as in the headline."""
    counts = {
        profile: scores.n_scored + scores.n_failed
        for profile in profiles
        if (scores := entry.scores[profile].get(entry.channel)) is not None
    }
    return {profile: n for profile, n in counts.items() if n != counts.get(entry.profile)}


def profile_values(entry: TaskResult, name: str) -> dict[str, float]:
    """Profile -> the metric's value in the headline's channel, where it has one."""
    found: dict[str, float] = {}
    for profile, channels in entry.scores.items():
        metric = channels[entry.channel].metrics.get(name) if entry.channel in channels else None
        if metric is not None and metric.value is not None:
            found[profile] = metric.value
    return found


def over_repeats(values: Sequence[float], unit: str) -> str:
    """ "mean 51.20 %, 48.00–54.00 % over 4 repeats"."""
    low, high = number(min(values), unit), with_unit(max(values), unit)
    return f"mean {with_unit(sum(values) / len(values), unit)}, {low}–{high} over {len(values)} repeats"


def counted(entry: TaskResult) -> str:
    """ "1,310 of 2,620 published rows" where the benchmark has another number of rows, else nothing."""
    if entry.n_published is None or entry.n_published == entry.n_counted:
        return ""
    return f"{entry.n_counted:,} of {entry.n_published:,} published rows"
