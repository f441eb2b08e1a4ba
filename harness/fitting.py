"""Whether what a task's own functions make of an answer can be stored, and is what the task's metrics say that it is.

A score that does not fit fails its sample with the reason: it would spoil or better the numbers of all others, or
could not be read back.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import msgspec

from harness.failures import failure_from
from harness.files import encoded
from harness.task import Aggregate, Combined, Member, Metric, Quantile, Ratio, Statistic, Task
from harness.types import Doc, Score

_ROUNDING = 1e-9
"""By how much of itself a sum of floats may be over its limit."""
_READ_BACK = msgspec.json.Decoder(Score)


def misfit(task: Task, doc: Doc, score: Score, profile: str) -> str:
    """Why a score of a row cannot count, naming the field at fault; "" where it can.

    It cannot be stored; a part is no finite number, or outside of what a metric allows; the row is in none of the means
    that it belongs to, or in no group; or it is "ok" and in no metric.
    """
    if fault := _unstorable(score):
        return fault
    if score.status == "unscored":
        return ""
    if fault := _nameless(task.metrics, score):
        return fault
    if task.group is None:
        silent = score.status == "ok" and not _counts(task.metrics, score.parts, score.payload or {})
        return _astray(score.parts) if silent else beyond(task.metrics, score.parts)
    if score.status == "ok" and not score.parts:
        return _astray(score.parts)
    try:
        parts = task.group([Member(doc, score)], profile)
        return _no_number(parts, "group") or beyond(task.metrics, parts)
    except Exception as error:
        return failure_from(error, "score").message


def misfit_group(task: Task, parts: Mapping[str, float]) -> str:
    """The same of the parts that `Task.group` makes of all members of a cluster."""
    if fault := _no_number(parts, "group") or beyond(task.metrics, parts):
        return fault
    return "" if parts.get("incomplete") or _counts(task.metrics, parts, {}) else _astray(parts)


def beyond(metrics: Sequence[Metric], parts: Mapping[str, float]) -> str:
    """Which parts make less of a ratio than its lower limit or more than its upper one; or ""."""
    for metric in metrics:
        if not isinstance(metric, Ratio):
            continue
        part, whole = (float(parts.get(name, 0.0)) for name in (metric.part, metric.whole))
        limits = ((metric.part, part, metric.lower * whole / metric.scale), (metric.whole, whole, 0.0))
        for name, value, least in limits:
            if value < least * (1 + _ROUNDING):
                return f"the part {name!r} is {value:g}; metric {metric.name} allows none under {least:g}"
        if metric.upper is not None and metric.scale * part > metric.upper * whole * (1 + _ROUNDING):
            said = f"the parts {metric.part!r} and {metric.whole!r} are {part:g} and {whole:g}"
            return f"{said}; they make metric {metric.name} more than its upper limit {metric.upper:g}"
    return ""


def _unstorable(score: Score) -> str:
    """What of a score JSON cannot hold, or would not be read back as what it was; or ""."""
    if not isinstance(score, Score):
        return f"the scorer gave {score!r:.80}, which is no Score"
    if isinstance(score.parts, Mapping) and (fault := _no_number(score.parts, "scorer")):
        return fault
    try:
        _READ_BACK.decode(encoded(score))
    except Exception as error:  # whatever the values of one's own raise
        return f"the scorer gave a Score that cannot be stored: {failure_from(error, 'score').message}"
    return ""


def _no_number(parts: Mapping[str, object], giver: str) -> str:
    """Which part is no finite number; or ""."""
    for name, value in parts.items():
        try:
            fine = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
        except OverflowError:  # an int that no float holds
            fine = False
        if not fine:
            return f"the {giver} gave {value!r:.80} as the part {name!r}"
    return ""


def _counts(metrics: Sequence[Metric], parts: Mapping[str, float], payload: Mapping[str, object]) -> bool:
    """Whether some metric has a sample with these parts and this payload in its n. A task without metrics has no n."""
    for metric in metrics:
        match metric:
            case Ratio():
                held = metric.whole in parts
            case Statistic():
                held = metric.over in parts
            case Quantile():
                held = metric.part in parts
            case Aggregate():
                held = metric.name in payload
            case Combined():  # of a ratio that is there by itself
                held = False
        if held:
            return True
    return not metrics


def _astray(parts: Mapping[str, float]) -> str:
    return f"the score counts in no metric: its parts are {', '.join(map(repr, parts)) or 'none'}"


def _nameless(metrics: Sequence[Metric], score: Score) -> str:
    """Which tag has no value that a mean or sum over its values counts; or ""."""
    for tag, known in _means(metrics).items():
        said = score.tags.get(tag, ())
        if not any(value in known for value in said):
            return f"the row's {tag} is {', '.join(said) or 'missing'}; it must be one of {', '.join(known)}"
    return ""


def _means(metrics: Sequence[Metric]) -> Mapping[str, dict[str, None]]:
    """Tag -> its values that some mean or sum over values counts."""
    known: dict[str, dict[str, None]] = {}
    for metric in metrics:
        if isinstance(metric, Combined):
            known.setdefault(metric.tag, {}).update(dict.fromkeys(metric.weights))
    return known
