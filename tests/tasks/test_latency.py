"""Latency parts and their percentiles."""

from __future__ import annotations

import numpy as np
import pytest

from harness.aggregate import PartTable, value_metrics
from harness.contracts import DataChoice
from harness.types import Response, Timings, Usage
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
    assert measured({}, Response("x"), "wall").status == "unscored"
    assert measured({}, None, "wall").status == "failed"


def test_percentiles_and_their_intervals() -> None:
    rows = [
        measured({}, Response("x", timings=Timings(end=float(i), first_token=i / 10), usage=Usage()), "wall").parts
        for i in range(1, 101)
    ]
    table = PartTable()
    for parts in rows:
        table.add(parts, None)
    found = value_metrics([m for m in SPOKEN.metrics if m.name.startswith(("ttft", "ttfa"))], table, seed=0)
    assert found["ttft_p50_ms"]["value"] == pytest.approx(np.quantile(np.arange(1, 101) * 100, 0.5))
    assert found["ttft_max_ms"]["value"] == 10_000
    low, high = found["ttft_p95_ms"]["ci"]
    assert low < found["ttft_p95_ms"]["value"] < high
    assert found["ttfa_p50_ms"]["value"] is None


def test_the_fixed_prompt_has_fixed_lengths() -> None:
    rows = list(FIXED.rows(DataChoice("mini")))
    sample = FIXED.to_sample(rows[0], FIXED.prompts["words"])
    assert len(rows) == REQUESTS
    assert len(sample.messages[0].parts[0].text.split()) == PREFILL_TOKENS  # type: ignore[union-attr]
    assert FIXED.generation.min_new_tokens == FIXED.generation.max_new_tokens == NEW_TOKENS
