"""What work ahead of the model and rows that come and go are worth.

`python -m benchmarks.pipeline decode [--rows 8] [--threads 2] [--json]`: 64 prompts, answered with 4 to 256 tokens each
(as many short answers as long ones, on a logarithmic scale), by a small Qwen2 with random weights, in float32:

- continuous: rows that end leave, waiting prompts take their places;
- static: batches of as many rows, in the order of the prompts, each as long as its longest answer;
- static_closed_up: the same, but rows that ended are computed no further;
- transformers: `generate` on the same batches, with a criterion that ends each row at its length.

All give the same tokens.

`python -m benchmarks.pipeline run [--before CHECKOUT] [--json]`: wall and CPU seconds of recognition and MME with
`vita15-mini` on mini data, start-up included, beside another checkout of the harness, and how many answers differ.

The ways take turns; the figures are medians over the repeats.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from benchmarks.decode import SMALL, build, reference
from benchmarks.machine import cpu_name, described
from models.decoding import Decode, Decoding, Prompt, supplier

SHORTEST, LONGEST = 4, 256
PROMPT_TOKENS = (16, 192)


@dataclass(frozen=True, eq=False)
class Case:
    """A prompt's embeddings [S, D] and how many tokens it is answered with."""

    embeds: Tensor
    length: int


def cases(n: int, width: int, device: str, dtype: torch.dtype) -> list[Case]:
    """`n` prompts of 16 to 192 tokens, with lengths of answers spread evenly on a logarithmic scale and shuffled."""
    draw = random.Random(0)
    steps = [math.log(SHORTEST) + i / (n - 1) * math.log(LONGEST / SHORTEST) for i in range(n)]
    lengths = [round(math.exp(step)) for step in steps]
    draw.shuffle(lengths)
    generator = torch.Generator().manual_seed(0)
    return [
        Case(torch.randn(draw.randint(*PROMPT_TOKENS), width, generator=generator).to(device, dtype), length)
        for length in lengths
    ]


def ours(lm: Any, given: Sequence[Case], rows: int, wait: bool = False) -> list[list[int]]:
    """The answers, `rows` side by side. With `wait` a row that has its length goes on until all in it have theirs."""
    answers: list[list[int]] = [[] for _ in given]
    longest = max(case.length for case in given)
    decode = Decode(lm, supplier(Prompt(case.embeds) for case in given), rows, Decoding(longest))
    for emission in decode:
        answers[emission.row] += emission.ids
        if not wait and len(answers[emission.row]) >= given[emission.row].length:
            decode.end(emission.row)
    return [answer[: case.length] for answer, case in zip(answers, given, strict=True)]


def transformers_batch(model: Any, given: Sequence[Case]) -> list[list[int]]:
    from transformers import StoppingCriteriaList

    lengths = torch.tensor([case.length for case in given], device=given[0].embeds.device)

    def long_enough(input_ids: Tensor, scores: Any, **_: Any) -> Tensor:
        return input_ids.shape[1] >= lengths

    embeds = pad_sequence([case.embeds for case in given], batch_first=True, padding_side="left")
    sizes = torch.tensor([len(case.embeds) for case in given], device=embeds.device)
    mask = (torch.arange(embeds.shape[1], device=embeds.device) >= embeds.shape[1] - sizes[:, None]).long()
    made = model.generate(
        inputs_embeds=embeds,
        attention_mask=mask,
        max_new_tokens=int(lengths.max()),
        do_sample=False,
        stopping_criteria=StoppingCriteriaList([long_enough]),
    )
    return [row[: case.length] for row, case in zip(made.tolist(), given, strict=True)]


def decode_rows(args: argparse.Namespace) -> dict[str, Any]:
    dtype = torch.float32
    bare = build(SMALL, args.device, dtype)
    theirs = reference(bare, SMALL)
    theirs.generation_config.eos_token_id = SMALL.vocab_size  # none, but rows that end need one to be padded
    given = cases(args.requests, SMALL.hidden_size, args.device, dtype)

    def in_batches(way: Callable[[Sequence[Case]], list[list[int]]]) -> list[list[int]]:
        return [row for start in range(0, len(given), args.rows) for row in way(given[start : start + args.rows])]

    ways: Mapping[str, Callable[[], list[list[int]]]] = {
        "continuous": lambda: ours(bare, given, args.rows),
        "static": lambda: in_batches(lambda batch: ours(bare, batch, len(batch), wait=True)),
        "static_closed_up": lambda: in_batches(lambda batch: ours(bare, batch, len(batch))),
        "transformers": lambda: in_batches(lambda batch: transformers_batch(theirs, batch)),
    }
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    answers: dict[str, list[list[int]]] = {}
    with torch.inference_mode():
        for _ in range(args.repeats):
            for name, way in ways.items():
                began = time.perf_counter()
                answers[name] = way()
                seconds[name].append(time.perf_counter() - began)
    total = sum(case.length for case in given)
    speeds = {name: total / statistics.median(times) for name, times in seconds.items()}
    return {
        "tokens": total,
        "tokens_per_s": speeds,
        "continuous_to_static": speeds["continuous"] / speeds["static"],
        "continuous_to_static_closed_up": speeds["continuous"] / speeds["static_closed_up"],
        "continuous_to_transformers": speeds["continuous"] / speeds["transformers"],
        "same_tokens": {name: answers[name] == answers["continuous"] for name in ways},
    }


def run_rows(args: argparse.Namespace) -> dict[str, Any]:
    checkouts = {"now": Path(__file__).resolve().parents[1]}
    if args.before:
        checkouts["before"] = args.before.resolve()
    took: dict[str, list[Took]] = {name: [] for name in checkouts}
    answers: dict[str, dict[str, str]] = {}
    for repeat in range(args.repeats):
        for name, checkout in checkouts.items():
            with tempfile.TemporaryDirectory() as folder:
                out = Path(folder) / "run"
                took[name].append(timed_run(checkout, out))
                answers[name] = texts(out)
        print(f"{repeat + 1}/{args.repeats}", file=sys.stderr)
    found: dict[str, Any] = {"samples": len(answers["now"])}
    for name, times in took.items():
        found[f"{name}_wall_s"] = statistics.median(each.wall for each in times)
        found[f"{name}_cpu_s"] = statistics.median(each.cpu for each in times)
    if args.before:
        found["wall_now_to_before"] = found["now_wall_s"] / found["before_wall_s"]
        found["cpu_now_to_before"] = found["now_cpu_s"] / found["before_cpu_s"]
        keys = answers["now"].keys() | answers["before"].keys()
        found["answers_that_differ"] = sum(answers["now"].get(key) != answers["before"].get(key) for key in keys)
    return found


class Took(NamedTuple):
    wall: float
    cpu: float


def timed_run(checkout: Path, out: Path) -> Took:
    """Run the harness of a checkout in a process of its own."""
    command = [sys.executable, "-m", "harness", "run", "--model", "vita15-mini", "--tasks", "asr,mme"]
    command += ["--data", "mini", "--out", str(out)]
    environment = os.environ | {"PYTHONPATH": str(checkout)}
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(command, cwd=checkout, env=environment, check=True, capture_output=True)
    wall, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    return Took(wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)


def texts(run: Path) -> dict[str, str]:
    """Task and id -> answer."""
    found: dict[str, str] = {}
    for path in sorted(run.glob("samples/*.jsonl")):
        for line in path.read_text(encoding="utf-8").splitlines():
            record = json.loads(line)
            found[f"{path.stem}/{record['id']}"] = (record.get("response") or {}).get("text", "no answer")
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("decode", "run"))
    parser.add_argument("--requests", type=int, default=64)
    parser.add_argument("--rows", type=int, default=8, help="rows side by side")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--threads", type=int, default=0, help="CPU threads; 0 leaves torch's choice")
    parser.add_argument("--before", type=Path, help="another checkout of the harness, to run beside this one")
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    if args.threads:
        torch.set_num_threads(args.threads)
    device = torch.cuda.get_device_name() if args.device.startswith("cuda") else cpu_name()
    own = vars(args) | {"before": "another checkout" if args.before else None}
    settings = {**described(), **own, "device": device, "torch": torch.__version__}
    if args.before:
        settings["command"] = str(settings["command"]).replace(str(args.before), "CHECKOUT")
    found = {"settings": settings, args.what: decode_rows(args) if args.what == "decode" else run_rows(args)}
    if args.json:
        print(json.dumps(found, indent=1))
        return
    for name, value in found[args.what].items():
        print(f"{name:32} {value:.4g}" if isinstance(value, float) else f"{name:32} {value}")


if __name__ == "__main__":
    main()
