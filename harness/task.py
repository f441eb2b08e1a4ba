"""What a benchmark is: data, prompt presets, scoring profiles and metrics in one frozen value."""

from __future__ import annotations

from collections.abc import Callable, Collection, Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple, Protocol

from harness.contracts import DataChoice
from harness.types import (
    Answer,
    Ask,
    Channel,
    Doc,
    Generation,
    Media,
    Message,
    Modality,
    Output,
    Pictures,
    Sample,
    Score,
    Verdict,
)

Row = dict[str, Any]
"""A row as a reader gives it: the benchmark's columns, `sample_id`, and media as paths or bytes.

A row that cannot be read has `error`, why, beside what is known of it."""
Sums = Mapping[str, Any]
"""Part name -> float or float64 array [resamples], summed over units."""
Scores = Score | Mapping[Channel, Score]
Scorer = Callable[[Doc, Answer, str], Scores | Generator[Ask, Verdict, Scores]]
"""(doc, answer, profile) -> a score, or one for each channel.

A scorer that needs a judge is a generator: it yields what it asks and is sent the verdict."""


class Member(NamedTuple):
    """A sample of a group that is scored together."""

    doc: Doc
    score: Score


@dataclass(frozen=True, slots=True)
class Ratio:
    """`scale` times the sum of one part over the sum of another: a rate, an accuracy, points a picture.

    `upper` is the largest value that it can take, None where there is none (errors by insertions have no limit),
    `lower` the smallest, which is under 0 where a public rule subtracts: a sample whose parts make more or less has
    failed. With `complement` it is what is missing to `upper`. With
    `by` there is a value for each value of that tag too; `overall` is False where the value of all samples together is
    no number of the benchmark.
    """

    name: str
    unit: str
    higher_is_better: bool
    part: str
    whole: str
    scale: float = 100.0
    upper: float | None = 100.0
    lower: float = 0.0
    headline: bool = False
    by: tuple[str, ...] = ()
    complement: bool = False
    overall: bool = True


@dataclass(frozen=True, slots=True)
class Combined:
    """The weighted sum of another metric's values over values of a tag, each of which has samples of its own.

    None where one of them was not asked: a sum over what was not asked is no number.
    """

    name: str
    unit: str
    higher_is_better: bool
    of: str
    """Name of a `Ratio` that has `tag` in its `by`."""
    tag: str
    weights: Mapping[str, float]
    """Value of the tag -> its weight: 1 each for a sum, 1/n each for a mean."""
    headline: bool = False


@dataclass(frozen=True, slots=True)
class Statistic:
    """Any other function of summed parts, such as corpus BLEU; `compute` takes floats or arrays [resamples] alike.

    `over` is the part that only those samples have that count in it (the others are in no n). What `compute` raises is
    told, and there is no value.
    """

    name: str
    unit: str
    higher_is_better: bool
    compute: Callable[[Sums], Any]
    over: str
    headline: bool = False


@dataclass(frozen=True, slots=True)
class Quantile:
    """The `q` quantile (1 is the maximum) of one part over the samples that have it."""

    name: str
    unit: str
    part: str
    q: float
    headline: bool = False
    higher_is_better: bool = False


@dataclass(frozen=True, slots=True)
class Aggregate:
    """Any function of all samples' payloads under the metric's name (`Score.payload`), in the order of their ids.

    It has no interval and no paired test: nothing is known of what it does with a resample. What `compute` raises as
    UsageError ends the scoring; the answers are kept. Whatever else it raises is told, and there is no value.
    """

    name: str
    unit: str
    higher_is_better: bool
    compute: Callable[[Sequence[Any]], float | None]
    """None where what it makes is no number."""
    headline: bool = False


Metric = Ratio | Combined | Statistic | Quantile | Aggregate


@dataclass(frozen=True, slots=True)
class Preset:
    """One published way to ask a benchmark's questions, named after the protocol.

    `messages` makes the conversation from a row, media included, and raises ValueError naming the field at fault.
    `read` takes the answer out of the form that the prompt asks for (JSON, a tag), before any profile scores it; a
    sample whose answer it raises for has failed.
    """

    messages: Callable[[Row], Sequence[Message]]
    generation: Generation = Generation()
    pictures: Pictures = field(default_factory=Pictures)
    read: Callable[[str], str] | None = None


class RowSource(Protocol):
    """Where rows come from: `tasks.data.Source` for published data, anything alike for generated prompts."""

    @property
    def published(self) -> int | None:
        """How many rows the benchmark publishes; None where there is no such number."""

    def rows(self, data: DataChoice) -> Iterable[Row]:
        """Rows in the benchmark's order. Raises `UsageError` naming what is missing and the remedies."""

    def fingerprint(self, data: DataChoice) -> Mapping[str, Any]:
        """What identifies the data: id, revision, split, and hashes of contents."""

    def strays(self, data: DataChoice) -> Sequence[str]:
        """Media files of the data that no row names."""


def _alone(doc: Doc) -> str | None:
    return None


def _none(row: Row) -> Mapping[str, Media]:
    return {}


@dataclass(frozen=True)
class Task:
    """A benchmark.

    `doc` is what a row keeps for scoring, without media; `cluster` names a doc's cluster; `scorer` scores an answer.
    Where the samples of a cluster are scored together (both questions on a picture), `group` makes the cluster's
    additive parts from its samples and the profile; without it parts are summed. A group whose parts say `incomplete`
    does not have the benchmark's size: it is told.
    """

    name: str
    version: str
    inputs: frozenset[Modality]
    source: RowSource
    doc: Callable[[Row], Doc]
    presets: Mapping[str, Preset]
    default_preset: str
    scorer: Scorer
    metrics: Sequence[Metric]
    profiles: Sequence[str]
    default_profile: str
    citation: str
    licence: str
    outputs: tuple[Output, ...] = ("text",)
    more_outputs: tuple[Output, ...] = ()
    """What is asked for beside `outputs` of models that can give it."""
    recordings: Callable[[Row], Mapping[str, Media]] = _none
    """A row's recordings beside those that are asked about (`Sample.recordings`)."""
    reference: Callable[[Doc], str] | None = None
    """The text that an answer is to be, where it is known how long that is (a transcript)."""
    benchmark: str | None = None
    """The benchmark as `published.json` names it, with `split` and the metric's name there by ours."""
    split: str = ""
    splits: Mapping[Channel, str] = field(default_factory=dict)
    """Channel beside the headline's -> what stands for `split` in its place."""
    published_metrics: Mapping[str, str] = field(default_factory=dict)
    cluster_name: str | None = None
    cluster: Callable[[Doc], str | None] = _alone
    group: Callable[[Sequence[Member], str], Mapping[str, float]] | None = None
    default_channel: Channel = ""
    """The channel of the headline, where answers are scored in more than one."""
    judges: Mapping[str, str] = field(default_factory=dict)
    """Role that the scorer asks -> name of the judge that takes it unless another is chosen."""
    mini_judges: Mapping[str, str] = field(default_factory=dict)
    """The same for the mini world, whose voices and words the others do not know."""
    without_judge: tuple[str, ...] = ()
    """Profiles that ask no judge, the headline first. A task that has some is scored by them alone until a judge is
    named; one that asks judges and has none cannot be scored without."""
    signatures: Mapping[str, str] = field(default_factory=dict)
    """Profile -> what its field prints to say how such a number was computed (sacrebleu's signature)."""
    submission: tuple[str, ...] = ()
    """Columns of `doc` in the file that the benchmark's server takes, where its gold answers are not public."""
    max_batch: int | None = None
    """Most samples answered together; 1 where latency is measured."""
    warm_up: int = 0
    """Samples answered and thrown away before the first that counts."""

    @property
    def needs(self) -> Mapping[str, str]:
        """Role -> judge without which the task cannot be scored: nobody listens where nothing is spoken, and voices
        are compared where a judge of them is named."""
        if self.without_judge:
            return {}
        heard = "speech" in self.outputs
        return {role: name for role, name in self.judges.items() if role == "llm" or (heard and role != "speaker")}

    @property
    def timed(self) -> bool:
        """Latency is measured: one sample at a time, and nothing beside it."""
        return self.max_batch == 1

    @property
    def headline(self) -> Sequence[Metric]:
        """The metrics that are shown first, the last of which sums the others up: all of them where none is marked."""
        return [metric for metric in self.metrics if metric.headline] or self.metrics

    def sample(self, row: Row, preset: Preset) -> Sample:
        """One row as a sample. Raises ValueError naming the field when the row is malformed."""
        doc = self.doc(row)
        return Sample(str(row["sample_id"]), tuple(preset.messages(row)), doc, self.cluster(doc), self.recordings(row))

    def asking(self, able: Collection[Output], mini: bool = False) -> Task:
        """The task as it is put to a model that gives the outputs `able`; the mini world has judges of its own."""
        outputs = self.outputs + tuple(output for output in self.more_outputs if output in able)
        judges = {role: self.mini_judges.get(role, name) if mini else name for role, name in self.judges.items()}
        return replace(self, outputs=outputs, more_outputs=(), judges=judges)

    def rows(self, data: DataChoice) -> Iterator[Row]:
        """Rows in the benchmark's order. Raises `UsageError` naming what is missing and the remedies."""
        return iter(self.source.rows(data))
