"""Runs of other samples are compared over those that both score, not over all that their speakers said."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from reports.compare.compared import MetricChange, compare
from reports.runs import Run, load
from tests.reports.fake_run import Sample, entry, metric, sample, unscored, write_run

SPEECH, PICTURES, LATENCY = "librispeech_test_clean", "mme", "latency_fixed"


def said(speaker: int, number: int, errors: int) -> Sample:
    score = {"parts": {"errors": float(errors), "units": 3.0}, "wrong": errors > 0}
    return sample(f"{speaker}-{number}", errors / 3, cluster=f"speaker {speaker}", score=score)


def run_of(path: Path, task: str, name: str, samples: Sequence[Sample], profile: str = "qwen2") -> Run:
    results = entry({name: metric(1.0)}, profile, n_expected=len(samples), n_scored=len(samples))
    return load(write_run(path, {task: results}, {task: samples}, data="hub"))


def changed(one: Run, other: Run) -> MetricChange:
    made = compare(one, other)
    assert not made.refused
    (found,) = made.tasks
    (change,) = found.metrics
    return change


def test_what_the_same_speakers_said_elsewhere_does_not_count(tmp_path: Path) -> None:
    part = run_of(tmp_path / "part", SPEECH, "wer", [said(speaker, 0, 0) for speaker in range(10)])
    rest = [said(speaker, number, int(number > 0)) for speaker in range(10) for number in range(10)]
    change = changed(part, run_of(tmp_path / "whole", SPEECH, "wer", rest))
    assert (change.one, change.other, change.units, change.kind) == (0.0, 0.0, 10, "speaker")
    assert change.difference is not None and not change.difference.significant


def test_a_run_of_few_speakers_is_paired_with_one_of_many(tmp_path: Path) -> None:
    few = run_of(tmp_path / "few", SPEECH, "wer", [said(speaker, n, 0) for speaker in range(3) for n in range(10)])
    many = [said(speaker, n, n % 2) for speaker in range(10) for n in range(10)]
    change = changed(few, run_of(tmp_path / "many", SPEECH, "wer", many))
    assert (change.one, change.units, change.kind) == (0.0, 30, "sample")
    assert change.difference is not None and change.difference.significant


def test_what_one_run_cannot_score_counts_in_neither(tmp_path: Path) -> None:
    whole = [said(speaker, number, number) for speaker in range(10) for number in range(2)]
    gone = [one if not one.scored.id.endswith("-1") else unscored(one.scored.id) for one in whole]
    change = changed(*(run_of(tmp_path / name, SPEECH, "wer", some) for name, some in (("a", whole), ("b", gone))))
    assert change.one == change.other == 0.0


def test_a_picture_of_which_one_run_has_a_single_question_counts_in_neither(tmp_path: Path) -> None:
    def about(picture: int, question: int, right: bool) -> Sample:
        score = {"name": "correct", "value": float(right), "parts": {"right": float(right)}, "wrong": not right}
        score["tags"] = {"category": ("existence",)}
        doc = {"category": "existence", "image_path": f"{picture}.jpg", "question_id": f"{picture}"}
        scores = {"vlmevalkit_vita": {"": sample("x", score=score).scored.scores["qwen2"][""]}}
        return sample(f"{picture}-{question}", cluster=f"{picture}.jpg", doc=doc, scores=scores)

    both = [about(picture, question, picture > 0) for picture in range(10) for question in range(2)]
    whole = run_of(tmp_path / "whole", PICTURES, "acc", both, "vlmevalkit_vita")
    change = changed(whole, run_of(tmp_path / "part", PICTURES, "acc", both[1:], "vlmevalkit_vita"))
    assert (change.one, change.other, change.units) == (100.0, 100.0, 9)


def test_a_quantile_is_of_the_samples_that_both_have(tmp_path: Path) -> None:
    def timed(number: int, ms: float) -> Sample:
        score = {"name": "end", "value": ms, "parts": {"ttft_ms": ms}, "wrong": None}
        scores = {"wall": {"": sample("x", score=score).scored.scores["qwen2"][""]}}
        return sample(str(number), scores=scores)

    whole = [timed(number, 100.0 * number) for number in range(1, 10)]
    one, other = (
        run_of(tmp_path / name, LATENCY, "ttft_p50_ms", some, "wall")
        for name, some in (("whole", whole), ("part", whole[:3]))
    )
    change = changed(one, other)
    assert (change.one, change.other, change.units, change.difference) == (200.0, 200.0, 3, None)


def test_all_metrics_stand_first_where_none_is_marked(tmp_path: Path) -> None:
    samples = [said(speaker, 0, speaker % 2) for speaker in range(10)]
    results = entry({"wer": metric(1.0, headline=False)}, n_expected=10, n_scored=10)
    one = load(write_run(tmp_path / "one", {SPEECH: results}, {SPEECH: samples}, data="hub"))
    assert changed(one, one).headline and changed(one, one).p_holm is not None
