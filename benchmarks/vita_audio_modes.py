"""VITA-Audio's decoding modes beside the limit that memory sets them, with the first chunk of speech: tables 8 and 9.

`python -m benchmarks.vita_audio_modes [--size small|0.5b|7b] [--device cpu|cuda] [--dtype ...] [--graphs on off]
[--tokens N] [--prefill 32] [--modes turbo ...] [--json] [-o FOLDER]`. Weights are random, the prompt is zeros, no token
ends an answer, prefill counts, as in the paper. Rates are of CPU seconds on a CPU and of wall seconds on a GPU; each
mode takes turns with the others. The limit is bytes read / the bandwidth measured by the same process, by a copy and by
a sum, whichever is faster. `small` has every width of 7B times 3/32, so that a cycle's bytes have the same shares.
"""

from __future__ import annotations

import argparse
import json
import math
import statistics
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import torch

from benchmarks.machine import cpu_name, described
from benchmarks.vita_audio_bytes import cycle, first_chunk, moved, speed_limit
from benchmarks.vita_audio_files import Found, as_text, write
from benchmarks.vita_audio_timing import (
    Speech,
    Times,
    bandwidth,
    chunk_seconds,
    clock_of,
    random_model,
    speech_seconds,
    token_times,
)  # fmt: skip
from models.vita_audio.config import MtpConfig
from models.vita_audio.language import MtpModel
from models.vita_audio.schedule import MODES, TURBO, VANILLA, Mode, parse_mode

SIZES = {
    "small": MtpConfig(336, 1776, 38, 10, 7, 1, 15760),
    "0.5b": MtpConfig.half_billion(),
    "7b": MtpConfig.published(),
}
TOKENS = {"small": 256, "0.5b": 4096, "7b": 4096}
DTYPES = {"bfloat16": torch.bfloat16, "float32": torch.float32, "float16": torch.float16}
PUBLISHED = Path(__file__).parents[1] / "reports" / "published" / "published.json"


class Setting(NamedTuple):
    """How every answer is made; `clock` is the one that counts, `speed` bytes a second of memory."""

    prefill: int
    tokens: int
    repeats: int
    clock: str
    speed: float
    itemsize: int


def config_without_weights(config: MtpConfig) -> MtpConfig:
    """As many calls and layers, next to no weights: what is left is the cost of calling."""
    return MtpConfig(56, 56, config.num_hidden_layers, config.modules, 7, 1, 16)


def measured(model: MtpModel, modes: Sequence[Mode], graphs: Sequence[bool], setting: Setting) -> Found:
    """Each mode's times, one a repeat; the modes take turns."""
    runs = [(mode, graph) for graph in graphs for mode in modes]
    for mode, graph in runs:
        token_times(model, setting.prefill, min(setting.tokens, 30), mode, graph)
    found: dict[tuple[Mode, bool], list[Times]] = {run: [] for run in runs}
    for _ in range(setting.repeats):
        for mode, graph in runs:
            found[mode, graph].append(token_times(model, setting.prefill, setting.tokens, mode, graph))
    return found


def mode_rows(
    config: MtpConfig, found: Found, calling: Found, setting: Setting, paper: dict[str, float]
) -> list[dict[str, Any]]:
    """Table 8 with its limits, a row a mode; ratios are medians of those to Vanilla in the same turn.

    `calling` are the times of the same calls without weights to speak of.
    """
    rows = []
    for (mode, graph), times in found.items():
        seconds = [each.on(setting.clock)[-1] for each in times]
        base = [each.on(setting.clock)[-1] for each in found[VANILLA, graph]]
        ratios = [one / other for one, other in zip(base, seconds, strict=True)]
        without = calling[mode, graph][0].on(setting.clock)
        read = moved(config, mode, setting.prefill, setting.tokens, setting.itemsize)
        tokens_per_s = setting.tokens / statistics.median(seconds)
        limit = setting.speed * setting.tokens / read.total
        length, of_cycle = cycle(config, mode, setting.itemsize)
        rows.append({
            "mode": str(mode),
            "graphs": graph,
            "tokens_per_s": tokens_per_s,
            "ratio": statistics.median(ratios),
            "ratio_least": min(ratios),
            "ratio_most": max(ratios),
            "ratio_limit": speed_limit(config, mode, VANILLA, setting.prefill, setting.tokens, setting.itemsize),
            "bytes_per_token": read.total / setting.tokens,
            "cache_share": read.cache / read.total,
            "cycle_tokens": length,
            "cycle_bytes": of_cycle.total,
            "limit_tokens_per_s": limit,
            "share_of_limit": tokens_per_s / limit,
            "calling_share": without[-1] / len(without) * tokens_per_s,
            "seconds": statistics.median(seconds),
            "wall_s": statistics.median(each.wall[-1] for each in times),
            "cpu_s": statistics.median(each.cpu[-1] for each in times),
            "paper_tokens_per_s": paper.get(str(mode)),
        })  # fmt: skip
    return rows


def chunk_rows(config: MtpConfig, found: dict[tuple[Mode, bool], float], setting: Setting) -> list[dict[str, Any]]:
    """The language model's part of table 9: seconds until the first 8 codes could be there, and what bytes allow."""
    rows = []
    for (mode, graph), seconds in found.items():
        tokens = first_chunk(mode)
        limit = moved(config, mode, setting.prefill, tokens, setting.itemsize).total / setting.speed
        rows.append({"mode": str(mode), "graphs": graph, "tokens": tokens, "llm_s": seconds, "limit_s": limit})
    return rows


def paper_speeds(size: str) -> dict[str, float]:
    """Tokens a second of table 8 by mode; empty for a size that is not in it."""
    rows = [row for row in json.loads(PUBLISHED.read_text(encoding="utf-8")) if row["source"] == "VITA-Audio"]
    return {
        row["model"].split()[-1].lower(): row["value"]
        for row in rows
        if row["table"] == "Table 8" and row["metric"] == "tokens per second" and row["split"].lower() == size
    }


def goals(result: dict[str, Any]) -> list[dict[str, Any]]:
    """What must hold, and whether it does: None where this device or size cannot tell."""
    settings = result["settings"]
    gpu = settings["device_kind"] == "cuda" and settings["size"] == "7b" and settings["dtype"] == "bfloat16"
    cpu = settings["device_kind"] == "cpu" and settings["size"] == "small"
    best = {row["mode"]: row for row in sorted(result["modes"], key=lambda row: row["tokens_per_s"])}
    chunk = {row["mode"]: row["llm_s"] for row in sorted(result["first_chunk"], key=lambda row: -row["llm_s"])}

    def goal(name: str, here: bool, value: float | None, least: float = 0, most: float = math.inf) -> dict[str, Any]:
        if not here or value is None:
            return {"goal": name, "measured": None, "holds": None}
        return {"goal": name, "measured": value, "holds": least <= value <= most}

    turbo, vanilla = best.get("turbo"), best["vanilla"]
    prefilled = settings["prefill"] == 32
    return [
        goal("small on a CPU: turbo at least 3 x vanilla", cpu, turbo and turbo["ratio"], 3),
        goal("7B, bf16, GPU: vanilla at least 0.7 of the limit", gpu, vanilla["share_of_limit"], 0.7),
        goal("7B, bf16, GPU: turbo at least 4.72 x vanilla", gpu, turbo and turbo["ratio"], 4.72),
        goal("7B, bf16, GPU: first chunk within 15 ms", gpu and prefilled, chunk.get("turbo"), most=0.015),
    ]


def benchmark(
    config: MtpConfig, args: argparse.Namespace, speech: Speech | None, size: int | None = None
) -> tuple[dict[str, Any], Found]:
    """The whole result, and the times of each token. Memory is measured with `size` bytes, before and after."""
    dtype, cuda = DTYPES[args.dtype], args.device.startswith("cuda")
    graphs = [graph == "on" for graph in args.graphs] if cuda else [False]
    modes = list(dict.fromkeys([VANILLA, *(parse_mode(name) for name in args.modes)]))
    setting = Setting(args.prefill, args.tokens, args.repeats, clock_of(args.device), 1, dtype.itemsize)
    before = bandwidth(args.device, size)
    model = random_model(config, args.device, dtype)
    found = measured(model, modes, graphs, setting)
    chunks = {
        (mode, graph): chunk_seconds(model, args.prefill, first_chunk(mode), mode, graph, max(3, args.repeats))
        for mode, graph in found
    }
    parameters = sum(parameter.numel() for parameter in model.parameters())
    del model
    bare = random_model(config_without_weights(config), args.device, dtype)
    calling = measured(bare, modes, graphs, setting._replace(tokens=min(args.tokens, 110), repeats=1))
    after = bandwidth(args.device, size)
    memory = {name: max(speed, after[name]) for name, speed in before.items()}
    setting = setting._replace(speed=max(memory.values()))
    result = {
        "settings": {
            **described(), **vars(args), "out": str(args.out) if args.out else None,
            "device": torch.cuda.get_device_name() if cuda else cpu_name(), "device_kind": "cuda" if cuda else "cpu",
            "torch": torch.__version__, "torch_threads": torch.get_num_threads(), "clock": setting.clock,
            "weights": "random", "parameters": parameters,
        },
        "bandwidth_measured": memory,
        "turbo_cycle_shares": {
            "here": cycle(config, TURBO, dtype.itemsize)[1].shares,
            "7b": cycle(MtpConfig.published(), TURBO, dtype.itemsize)[1].shares,
        },
        "modes": mode_rows(config, found, calling, setting, paper_speeds(args.size)),
        "first_chunk": chunk_rows(config, chunks, setting),
        "speech": speech and speech_seconds(speech, args.device, args.question, args.repeats),
    }  # fmt: skip
    return {**result, "goals": goals(result)}, found


def parsed(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", choices=tuple(SIZES), default="small")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--dtype", choices=tuple(DTYPES), default="bfloat16")
    parser.add_argument("--modes", nargs="+", default=list(MODES), help="names or pairs such as 1,4,3,8")
    parser.add_argument("--prefill", type=int, default=32, help="tokens of the prompt")
    parser.add_argument("--tokens", type=int, help="tokens of an answer; 256 if small, else 4096")
    parser.add_argument("--graphs", nargs="+", choices=("on", "off"), default=["on", "off"], help="CUDA graphs")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--threads", type=int, default=1, help="CPU threads")
    parser.add_argument("--question", type=float, default=3.0, help="seconds of speech that the encoder hears")
    parser.add_argument("--no-speech", action="store_true", help="leave encoder and decoder of speech out")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("-o", "--out", type=Path, help="folder for the result, tables and the plot")
    args = parser.parse_args(arguments)
    args.tokens = args.tokens or TOKENS[args.size]
    try:
        for mode in args.modes:
            first_chunk(parse_mode(mode))
    except ValueError as error:
        parser.error(f"--modes: {error}")
    if min(args.tokens, args.prefill, args.repeats, args.threads) < 1:
        parser.error("--tokens, --prefill, --repeats and --threads must be at least 1")
    return args


def main() -> None:
    args = parsed()
    torch.set_num_threads(args.threads)
    result, found = benchmark(SIZES[args.size], args, None if args.no_speech else Speech.published())
    if args.out:
        write(args.out, result, found)
    print(json.dumps(result, indent=1) if args.json else as_text(result), file=sys.stdout)


if __name__ == "__main__":
    main()
