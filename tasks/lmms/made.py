"""`lmms:NAME` -> a task of ours: its questions, filters, scores and aggregations are those of lmms-eval's own code."""

from __future__ import annotations

import inspect
import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache, partial
from types import SimpleNamespace
from typing import Any

from harness.failures import UsageError
from harness.lmms import VERSION, generation_of, messages_of
from harness.media.files import cache_folder
from harness.task import Aggregate, Metric, Preset, Row, Statistic, Sums, Task
from harness.types import Answer, Doc, Message, Score
from tasks.lmms.benchmark import LEFT_OUT, ROW, TARGET, Benchmark, plain_columns
from tasks.lmms.index import FOLDERS, file_of

PRESET = "lmms_eval"
N = " n"
"""Ends the part that counts the samples which have a metric."""


def task(name: str) -> Task:
    """Raises UsageError for a name that lmms-eval does not know, or a task that no model here can be asked."""
    return _task(name, os.environ.get(FOLDERS, ""))


@cache
def _task(name: str, folders: str) -> Task:
    benchmark = Benchmark(name, file_of(name))
    described = benchmark.described
    try:
        generation = generation_of(described.config.generation_kwargs)
    except ValueError as error:
        raise UsageError(f"lmms:{name}: generation_kwargs: {error}") from error
    profiles = tuple(ensemble.name for ensemble in filters_of(described))
    version = described.VERSION if described.VERSION != "Yaml" else ""
    return Task(
        name=f"lmms:{name}",
        version=f"lmms-eval {VERSION} {version}".strip(),
        inputs=frozenset({"text"}),  # the media are known row by row
        source=benchmark,
        doc=partial(doc_of, benchmark),
        presets={PRESET: Preset(partial(_messages, benchmark), generation)},
        default_preset=PRESET,
        scorer=partial(score, benchmark),
        metrics=metrics_of(benchmark),
        profiles=profiles,
        default_profile=profiles[0],
        citation=f"task {name} of lmms-eval {VERSION}",
        licence="as its data set says",
    )


@cache
def metrics_of(benchmark: Benchmark) -> tuple[Metric, ...]:
    """A mean is resampled over samples; of any other aggregation nothing is known but its value."""
    from lmms_eval.api.registry import get_aggregation

    described, mean = benchmark.described, get_aggregation("mean")
    found: list[Metric] = []
    for name, function in described.aggregation().items():
        better = bool(described.higher_is_better().get(name, True))
        if function is mean:
            found.append(Statistic(name, "", better, partial(_mean, name), over=name + N, headline=True))
        else:
            compute = partial(_aggregated, benchmark.name, name, function)
            found.append(Aggregate(name, "", better, compute, headline=True))
    return tuple(found)


def _mean(name: str, sums: Sums) -> Any:
    return sums[name] / sums[name + N]


def _aggregated(task: str, name: str, function: Any, payloads: Sequence[Any]) -> float | None:
    given = {}
    if "args" in inspect.signature(function).parameters:
        given["args"] = SimpleNamespace(output_path=str(cache_folder() / "lmms"))
    try:
        made = function(list(payloads), **given)
    except Exception as error:
        raise UsageError(
            f"lmms:{task}: the aggregation of {name} fails: {type(error).__name__}: {error}. The answers are kept; "
            "`harness score RUN` goes on when it is mended"
        ) from error
    if isinstance(made, str | bytes) or made is None:
        return None
    try:
        return float(made)
    except (TypeError, ValueError):
        return None


def doc_of(benchmark: Benchmark, row: Row) -> Doc:
    """The row's columns without media, its place, and the gold answer where the task has one."""
    if "row" not in row:
        return {ROW: row[ROW]}
    held = plain_columns(row["row"])
    doc = {**held, ROW: row[ROW]}
    media = set(row["row"]) - set(benchmark.whole.eval_docs_no_media.features)
    if left_out := sorted(set(row["row"]) - held.keys() - media):
        doc[LEFT_OUT] = left_out
    with suppress(Exception):  # many tasks have none that can be said by itself
        doc[TARGET] = str(benchmark.whole.doc_to_target(row["row"]))
    return doc


def _messages(benchmark: Benchmark, row: Row) -> Sequence[Message]:
    return messages_of(benchmark.whole.doc_to_messages(row["row"]))


def filters_of(described: Any) -> list[Any]:
    """The task's chains of filters: each is a scoring profile."""
    from lmms_eval.filters import build_filter_ensemble

    found = []
    for config in described.config.filter_list or ():
        components = [[one["function"], {k: v for k, v in one.items() if k != "function"}] for one in config["filter"]]
        found.append(build_filter_ensemble(config["name"], components))
    return found or [build_filter_ensemble("none", [["take_first", None]])]


@dataclass
class _Asked:
    """As much of lmms-eval's request as its filters use."""

    resps: list[str]
    filtered_resps: dict[str, Any] = field(default_factory=dict)


def score(benchmark: Benchmark, doc: Doc, answer: Answer, profile: str) -> Score:
    """`process_results` of the filtered answer; no answer is the empty one. Raises what the task's code raises."""
    described = benchmark.described
    row, own = _row(benchmark, doc)
    asked = _Asked([answer.text or ""])
    ensemble = next(one for one in filters_of(described) if one.name == profile)
    ensemble.apply([asked], [row])
    taken = _without_reasoning(described, asked.filtered_resps[profile])
    given = {"full_docs": benchmark.whole.eval_docs} if described.config.full_docs else {}
    found = own.process_results.__func__.__wrapped__(own, row, [taken], **given)
    return _score(benchmark, doc, taken, found)


def _row(benchmark: Benchmark, doc: Doc) -> tuple[dict[str, Any], Any]:
    """The row as it is scored, and the task that scores it: with the data set only where that is needed."""
    described = benchmark.described
    if described.config.process_results_use_image or LEFT_OUT in doc:
        return benchmark.row_of(doc[ROW]), benchmark.whole
    row = {name: value for name, value in doc.items() if name not in (ROW, LEFT_OUT, TARGET)}
    return row, described if callable(described.config.process_results) else benchmark.whole


def _without_reasoning(described: Any, taken: Any) -> Any:
    from lmms_eval.api.reasoning import parse_reasoning_tags_config, strip_reasoning_tags

    tags = parse_reasoning_tags_config(task_value=described.config.reasoning_tags)
    if tags is None:
        return taken
    if isinstance(taken, list):
        return [strip_reasoning_tags(one, tags) if isinstance(one, str) else one for one in taken]
    return strip_reasoning_tags(taken, tags)


def _score(benchmark: Benchmark, doc: Doc, taken: Any, found: Any) -> Score:
    """Numbers under a mean as parts; what other aggregations take as payload. Without any of the task's metrics it is
    in no number."""
    if not isinstance(found, dict):
        raise ValueError(f"process_results gave {type(found).__name__}, not metrics by name")
    if not any(metric.name in found for metric in metrics_of(benchmark)):
        return Score(benchmark.name, None, status="unscored", reason="process_results gave none of the task's metrics")
    parts: dict[str, float] = {"n": 1.0}
    payload: dict[str, Any] = {}
    for metric in metrics_of(benchmark):
        if metric.name not in found:
            continue
        value = _json(metric.name, found[metric.name])
        if isinstance(metric, Aggregate):
            payload[metric.name] = value
        elif isinstance(value, int | float):
            parts |= {metric.name: float(value), metric.name + N: 1.0}
        else:
            raise ValueError(f"process_results gave {value!r} as {metric.name}, of which there is no mean")
    numbers = [parts[metric.name] for metric in metrics_of(benchmark) if metric.name in parts]
    value = numbers[0] if numbers else next((float(v) for v in payload.values() if isinstance(v, int | float)), None)
    text = taken if isinstance(taken, str) else str(taken)
    shown = (str(doc[TARGET]), text) if TARGET in doc else None
    return Score(benchmark.name, value, parts, extracted=text, shown=shown, payload=payload or None)


def _json(name: str, value: Any) -> Any:
    """A payload as the log can hold it: numbers of numpy as Python's, tuples as lists."""
    match value:
        case None | bool() | str() | int() | float():
            return value
        case list() | tuple():
            return [_json(name, one) for one in value]
        case dict():
            return {str(key): _json(name, held) for key, held in value.items()}
    if hasattr(value, "tolist"):
        return _json(name, value.tolist())
    raise ValueError(f"process_results gave a {type(value).__name__} in {name}, which the log cannot hold")
