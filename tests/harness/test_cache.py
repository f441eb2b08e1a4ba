"""Answers kept over runs: what is asked again, and what is not."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from harness.cache import Cache, prune, stat, verify
from harness.contracts import ModelOptions
from harness.failures import UsageError
from harness.files import read_json
from harness.run import start
from harness.task import Task
from harness.types import Failure, Request, Response, Timings, Usage, Waveform
from tests.harness.toy import TASK, ToyModel, config, numbered, objects, timed, toy_task


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HARNESS_CACHE", str(tmp_path / "cache"))


class Asked(ToyModel):
    """Fails on one question; its fingerprint is that of its weights."""

    def answer(self, request: Request) -> Response | Failure:
        if request.sample_id == "3":
            return Failure("generate", "transient", "try again")
        return super().answer(request)


def asked(out: Path, task: Task = TASK, weights: str = "a", **fields: Any) -> int:
    """How many requests a run with the cache puts to the model."""
    model = Asked(ModelOptions(weights))
    start(config(cache=True, **fields), out, objects(task, model=model))
    return len(model.asked)


def numbers(run: Path) -> dict[str, Any]:
    """results.json without its times."""
    results = read_json(run / "results.json")
    for entry in results["tasks"].values():
        del entry["seconds"]
    del results["stretches"]
    return results


def test_the_second_run_asks_nothing_but_what_failed_and_has_the_same_results(tmp_path: Path) -> None:
    assert asked(tmp_path / "one") == 40
    assert asked(tmp_path / "two") == 1
    assert numbers(tmp_path / "one") == numbers(tmp_path / "two")
    assert read_json(tmp_path / "two" / "results.json")["stretches"][0]["cached"] == 39


def test_without_the_flag_nothing_is_kept(tmp_path: Path) -> None:
    start(config(), tmp_path / "one", objects(TASK))
    assert stat()["answers"] == 0


@pytest.mark.parametrize(
    ("change", "again"),
    [
        ({"seed": 1}, 40),
        ({"dtype": "bfloat16"}, 40),
        ({"option": {"mode": "turbo"}}, 40),
        ({"weights": "b"}, 40),
        ({"prompt": {"toy": "short"}}, 40),
        ({}, 1),
    ],
)
def test_another_seed_dtype_prompt_or_other_weights_are_asked_again(
    change: dict[str, Any], again: int, tmp_path: Path
) -> None:
    asked(tmp_path / "one")
    assert asked(tmp_path / "two", **change) == again


def test_in_half_precision_the_batch_decides_too(tmp_path: Path) -> None:
    assert asked(tmp_path / "one", dtype="bfloat16") == 40
    assert asked(tmp_path / "two", dtype="bfloat16", batch_tokens=100) == 40
    assert asked(tmp_path / "three", dtype="bfloat16", batch_tokens=100) == 1


def test_another_medium_under_the_same_path_is_asked_again(tmp_path: Path) -> None:
    from harness.media import encode_flac, sha256_of

    recording = tmp_path / "a.flac"

    def about(seed: int) -> Task:
        noise = np.random.default_rng(seed).uniform(-0.1, 0.1, 800).astype(np.float32)
        recording.write_bytes(encode_flac(Waveform(noise, 16_000)))
        row = {**numbered(1)[0], "media": str(recording), "sha256": sha256_of(recording)}
        return toy_task([row], inputs=frozenset({"text", "audio"}))

    assert asked(tmp_path / "one", about(1)) == 1
    assert asked(tmp_path / "two", about(1)) == 0
    assert asked(tmp_path / "three", about(2)) == 1


def test_latency_is_always_measured(tmp_path: Path) -> None:
    task = timed(toy_task(numbered(5)))
    first = asked(tmp_path / "one", task)
    assert asked(tmp_path / "two", task) == first > 0
    assert stat()["answers"] == 0


def test_repeats_are_answers_of_their_own(tmp_path: Path) -> None:
    from harness.types import Generation

    task = toy_task(numbered(5), generation=Generation(temperature=1.0))
    assert asked(tmp_path / "one", task, repeats=3) == 15
    assert (
        asked(tmp_path / "two", task, repeats=4) == 5 + 3
    )  # of the three repeats that were kept, one sample had failed


SPOKEN = Response(
    "text",
    Waveform(np.linspace(-0.5, 0.5, 160, dtype=np.float32), 16_000),
    Timings(end=1.0, first_token=0.5),
    Usage(3, 4, 5),
    raw_text="☞text",
    truncated=True,
)


def test_an_answer_comes_back_as_it_was(tmp_path: Path) -> None:
    cache = Cache("m", tmp_path)
    cache.put("ab12", SPOKEN)
    found = cache.get("ab12")
    assert found is not None and found.speech is not None and SPOKEN.speech is not None
    assert replace(found, speech=None) == replace(SPOKEN, speech=None)
    np.testing.assert_allclose(found.speech.samples, SPOKEN.speech.samples, atol=1e-4)
    cache.put("ab12", found)
    again = cache.get("ab12")
    assert again is not None and again.speech is not None
    np.testing.assert_array_equal(again.speech.samples, found.speech.samples)


@pytest.mark.parametrize("suffix", [".json", ".flac"])
def test_a_damaged_answer_is_told_and_asked_again(suffix: str) -> None:
    cache = Cache("m")
    cache.put("ab12", SPOKEN)
    assert verify() == {"answers": 1, "damaged": []}
    (path,) = (Path(stat()["folder"]) / "ab").glob(f"*{suffix}")
    path.write_bytes(path.read_bytes().replace(b"text", b"tixt") if suffix == ".json" else path.read_bytes()[:-9])
    assert cache.get("ab12") is None
    assert len(verify()["damaged"]) == 1
    assert stat()["models"] == {"damaged": 1}


def test_speech_that_is_empty_is_damaged_too() -> None:
    Cache("m").put("ab12", SPOKEN)
    (path,) = (Path(stat()["folder"]) / "ab").glob("*.flac")
    path.write_bytes(b"")
    assert Cache("m").get("ab12") is None
    assert len(verify()["damaged"]) == 1


def test_old_answers_are_pruned() -> None:
    import os

    cache = Cache("m")
    cache.put("ab12", SPOKEN)
    cache.put("cd34", SPOKEN)
    (old,) = (Path(stat()["folder"]) / "ab").glob("*.json")
    long_ago = time.time() - 40 * 86400
    os.utime(old, (long_ago, long_ago))
    assert prune(30)["removed"] == 1
    assert stat()["answers"] == 1
    assert prune(0)["removed"] == 1
    assert msgspec.json.encode(stat()["models"]) == b"{}"


def test_a_place_that_keeps_nothing_is_told_before_the_model_is_loaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("HARNESS_CACHE", str(tmp_path / "file" / "below"))
    with pytest.raises(UsageError, match=r"answers cannot keep answers: .*HARNESS_CACHE.*--no-cache"):
        asked(tmp_path / "one")
    assert not (tmp_path / "one").exists()
