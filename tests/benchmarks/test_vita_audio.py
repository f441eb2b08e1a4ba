"""The bytes that VITA-Audio's modes read, by hand and from the model itself, and the benchmark at toy size."""

from __future__ import annotations

import argparse
import csv
import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from benchmarks import vita_audio_modes
from benchmarks.vita_audio_bytes import Moved, cycle, first_chunk, moved, moved_by, speed_limit
from benchmarks.vita_audio_files import as_text, write
from benchmarks.vita_audio_modes import SIZES, benchmark, goals, paper_speeds, parsed
from benchmarks.vita_audio_timing import Speech, random_model, token_times
from models.vita_audio.config import MtpConfig
from models.vita_audio.decoder_config import EstimatorConfig, FlowConfig, VocoderConfig
from models.vita_audio.language import build
from models.vita_audio.schedule import BALANCE, BOOST, LLM, MODES, TURBO, VANILLA, Call, Mode
from models.vita_audio.speech_tokenizer import TokenizerConfig

SEVEN = MtpConfig.published()
TINY = MtpConfig.tiny(64)
SPEECH = Speech(
    TokenizerConfig(16, 2, 24, 2, 8, 64, 32, 16, 4, 2),
    FlowConfig(32, 12, 6, 8, 16, 2, 24, 2, 4, 4, 0.7, 12.5, EstimatorConfig(32, 8, (16, 16), 1, 1, 2, 8)),
    replace(VocoderConfig.published(), mels=8, base=16, predictor=8),
)


def test_a_call_at_7b_reads_what_one_counts_by_hand() -> None:
    attention = 2 * 3584 * 3584 + 3584 + 2 * (512 * 3584 + 512)
    layer = attention + 3 * 3584 * 18944 + 2 * 3584
    head = 168072 * 3584
    main = moved_by(SEVEN, Call(LLM, 11, False), rows=100, itemsize=2)
    assert main == Moved(2 * (28 * layer + 3584), 0, 2 * head, 28 * 100 * 2 * 512 * 2)
    module = moved_by(SEVEN, Call(9, 11, False), rows=100, itemsize=2)
    assert module == Moved(0, 2 * (layer + 2 * 3584 * 3584 + 3 * 3584), 2 * head, 100 * 2 * 512 * 2)
    assert main.total == pytest.approx(14.26e9, rel=1e-3)


def test_the_weights_of_a_turbo_cycle_are_all_of_the_model_but_its_embedding() -> None:
    config, model = TINY, build(TINY, seed=0)
    counted = sum(p.numel() for name, p in model.named_parameters() if "embed_tokens" not in name)
    head, norm = config.vocab_size * config.hidden_size, config.hidden_size
    assert cycle(config, TURBO, 4)[1].total == 4 * (counted + 10 * (head + norm))  # which every module reads again


def test_keys_and_values_of_an_answer_grow_by_a_row_a_token() -> None:
    a_row = 2 * 2 * 8 * 4  # of a layer: keys and values, 2 heads of 8 numbers of 4 bytes
    assert moved(TINY, VANILLA, 5, 3, 4).cache == 2 * a_row * (5 + 6 + 7)
    assert moved(TINY, TURBO, 5, 3, 4).cache == a_row * (2 * 5 + 5 + 5)


def test_bytes_set_the_modes_their_limits() -> None:
    limits = {name: speed_limit(SEVEN, mode, VANILLA, 32, 4096, 2) for name, mode in MODES.items()}
    assert limits == pytest.approx({"vanilla": 1, "balance": 2.689, "boost": 2.694, "turbo": 4.994}, abs=1e-3)


def test_the_small_size_shares_its_bytes_out_as_7b_does() -> None:
    here, there = (cycle(config, TURBO, 2)[1].shares for config in (SIZES["small"], SEVEN))
    assert here == pytest.approx(there, abs=1e-3)
    assert sum(here.values()) == pytest.approx(1)
    assert cycle(SEVEN, TURBO, 2)[0] == 11 and cycle(SEVEN, VANILLA, 2)[0] == 1


def test_the_first_chunk_closes_as_the_paper_counts() -> None:
    assert [first_chunk(mode) for mode in (VANILLA, BALANCE, BOOST, TURBO)] == [16, 16, 11, 11]
    assert first_chunk(Mode.of([1, 4, 2, 4])) == 5 + 3 * 6
    with pytest.raises(ValueError, match="never comes to 8 codes"):
        first_chunk(Mode.of([1, 2]))


def test_every_token_has_a_time_and_time_runs_forward() -> None:
    times = token_times(random_model(TINY, "cpu", torch.float32), prefill=3, tokens=13, mode=TURBO, graphs=True)
    for seconds in times:
        assert len(seconds) == 13
        assert seconds == sorted(seconds) and seconds[0] > 0


def settings(*more: str) -> argparse.Namespace:
    toy = ["--tokens", "12", "--prefill", "3", "--repeats", "2", "--question", "0.3", "--dtype", "float32"]
    return parsed([*toy, *more])


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], Path]:
    folder = tmp_path_factory.mktemp("modes")
    result, found = benchmark(TINY, settings("--modes", "turbo", "1,4"), SPEECH, size=1 << 16)
    write(folder, result, found)
    return result, folder


def test_a_run_at_toy_size_measures_each_mode_and_each_part(measured: tuple[dict[str, Any], Path]) -> None:
    result, _ = measured
    rows = {row["mode"]: row for row in result["modes"]}
    assert list(rows) == ["vanilla", "turbo", "1,4"]
    assert rows["vanilla"]["ratio"] == rows["vanilla"]["ratio_limit"] == 1
    for row in rows.values():
        assert row["tokens_per_s"] == pytest.approx(12 / row["cpu_s"])
        assert row["limit_tokens_per_s"] * row["bytes_per_token"] == pytest.approx(
            max(result["bandwidth_measured"].values())
        )
    assert [row["tokens"] for row in result["first_chunk"]] == [16, 11, 20]
    assert min(row["llm_s"] for row in result["first_chunk"]) > 0
    assert result["speech"]["encoder_s"] > 0 and result["speech"]["decoder_s"] > 0
    assert result["settings"]["device"] and result["settings"]["command"]


def test_its_files_and_text_hold_what_was_measured(measured: tuple[dict[str, Any], Path]) -> None:
    result, folder = measured
    assert json.loads((folder / "modes.json").read_text()) == result
    with (folder / "tokens.csv").open() as file:
        tokens = list(csv.DictReader(file))
    assert [int(row["token"]) for row in tokens if row["mode"] == "turbo"] == list(range(12))
    assert len((folder / "modes.csv").read_text().splitlines()) == 1 + 3
    assert len((folder / "first-chunk.csv").read_text().splitlines()) == 1 + 3
    assert "<svg" in (folder / "tokens.svg").read_text()
    text = as_text(result)
    assert f"{result['modes'][1]['tokens_per_s']:.1f}" in text
    assert "7B, bf16, GPU: first chunk within 15 ms: not measured here" in text


def test_a_goal_is_judged_only_where_it_can_be() -> None:
    def judged(kind: str, size: str, turbo: float, first: float = 0.01) -> list[bool | None]:
        modes = [
            {"mode": "vanilla", "tokens_per_s": 1.0, "ratio": 1.0, "share_of_limit": 0.6},
            {"mode": "turbo", "tokens_per_s": turbo, "ratio": turbo, "share_of_limit": 0.6},
        ]
        about = {"device_kind": kind, "size": size, "dtype": "bfloat16", "prefill": 32}
        result = {"settings": about, "modes": modes, "first_chunk": [{"mode": "turbo", "llm_s": first}]}
        return [goal["holds"] for goal in goals(result)]

    assert judged("cpu", "small", 2.9) == [False, None, None, None]
    assert judged("cpu", "small", 3.1) == [True, None, None, None]
    assert judged("cpu", "7b", 5.0) == [None, None, None, None]
    assert judged("cuda", "7b", 4.8) == [None, False, True, True]
    assert judged("cuda", "7b", 4.7, 0.016) == [None, False, False, False]


def test_the_papers_speeds_stand_beside_the_sizes_that_it_measured() -> None:
    assert paper_speeds("7b") == {"vanilla": 64.62, "balance": 171.09, "boost": 170.88, "turbo": 304.99}
    assert paper_speeds("small") == {}


@pytest.mark.parametrize(
    ("arguments", "told"),
    [(["--modes", "fast"], "no decoding mode 'fast'"), (["--modes", "1,2"], "never"), (["--repeats", "0"], "at least")],
)
def test_a_wrong_argument_is_told(arguments: list[str], told: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parsed(arguments)
    assert told in capsys.readouterr().err


def test_the_command_prints_the_result(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(vita_audio_modes, "SIZES", {"small": TINY})
    monkeypatch.setattr(vita_audio_modes, "bandwidth", lambda device, size: {"copy": 1e9})
    command = ["modes", "--tokens", "12", "--repeats", "1", "--modes", "turbo", "--no-speech", "--json"]
    monkeypatch.setattr(sys, "argv", command)
    vita_audio_modes.main()
    assert json.loads(capsys.readouterr().out)["speech"] is None
