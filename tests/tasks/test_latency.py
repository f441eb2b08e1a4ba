"""Latency parts and their percentiles."""

from __future__ import annotations

import numpy as np
import pytest

from harness.aggregate import Planned, task_result
from harness.contracts import DataChoice
from harness.schema import MetricResult, Record, Scored
from harness.types import Answer, Score, Text, Timings, Usage
from tasks.latency import FIXED, NEW_TOKENS, PREFILL_TOKENS, REQUESTS, SPOKEN, latencies, measured

STREAMED = Timings(
    end=3.0,
    encoded=0.1,
    first_token=0.25,
    first_audio_token=0.4,
    first_audio=0.5,
    audio_s=6.0,
    first_chunk_s=1.0,
    underruns=0,
)


def test_every_moment_counts_from_the_request() -> None:
    assert latencies(STREAMED, 30) == pytest.approx(
        {
            "encode_ms": 100,
            "ttft_ms": 250,
            "first_audio_token_ms": 400,
            "ttfa_ms": 500,
            "total_ms": 3000,
            "audio_s": 6,
            "rtf": 0.5,
            "rtf_steady": 0.5,
            "tokens_per_s": 10,
            "underruns": 0,
        }
    )


def test_what_did_not_happen_has_no_value() -> None:
    assert latencies(Timings(end=1.0), 0) == {"total_ms": 1000}
    one_piece = Timings(end=1.0, first_audio=0.9, audio_s=2.0, first_chunk_s=2.0)
    assert "rtf_steady" not in latencies(one_piece, 0)
    assert latencies(Timings(end=1.0, audio_s=0.0), 0) == {"total_ms": 1000}, "silence has no real-time factor"


def test_answers_without_timings_are_not_scored_and_no_answer_has_failed() -> None:
    assert measured({}, Answer("x"), "wall").status == "unscored"
    assert measured({}, Answer(None), "wall").status == "failed"


def result(scores: list[Score]) -> dict[str, MetricResult]:
    pairs = [(Record(str(i), "", 0, [], {}), Scored(str(i), {"wall": {"": score}})) for i, score in enumerate(scores)]
    return task_result(SPOKEN, Planned("audio alone", "wall"), pairs, None).headline.metrics


def test_percentiles_and_their_intervals() -> None:
    timings = [Timings(end=float(i), first_token=i / 10) for i in range(1, 101)]
    found = result([measured({}, Answer("x", timings=one, usage=Usage()), "wall") for one in timings])
    assert found["ttft_p50_ms"].value == pytest.approx(np.quantile(np.arange(1, 101) * 100, 0.5))
    assert found["ttft_max_ms"].value == 10_000 and found["ttft_max_ms"].ci is None
    assert found["ttft_p50_ms"].ci == pytest.approx((4000, 6100))
    assert found["ttfa_p50_ms"].value is None and found["ttfa_p50_ms"].n == 0


def test_a_latency_is_neither_right_nor_wrong() -> None:
    assert measured({}, Answer("x", timings=STREAMED), "wall").wrong is None


def test_the_fixed_prompt_has_fixed_lengths() -> None:
    rows = list(FIXED.rows(DataChoice("mini")))
    preset = FIXED.presets["words"]
    (text,) = FIXED.sample(rows[0], preset).messages[0].parts
    assert len(rows) == REQUESTS
    assert isinstance(text, Text) and len(text.text.split()) == PREFILL_TOKENS
    assert preset.generation.min_new_tokens == preset.generation.max_new_tokens == NEW_TOKENS
