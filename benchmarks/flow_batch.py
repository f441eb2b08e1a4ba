"""What it is worth to take the flow's steps for many requests at once.

`python -m benchmarks.flow_batch [--size tiny|small|published] [--batch 8] [--steps 10] [--json]`: CPU seconds for the
spectrograms of `--batch` answers with random weights, in float32: one at a time, and side by side as `Voice.speak`
takes them. The answers are of one length, or of lengths spread evenly down to `--shortest` of the longest.
`most_apart` is the largest difference between the two ways. The ways take turns; seconds are medians over the repeats,
ratios medians of each repeat's own.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from benchmarks.machine import described
from models.vita_audio.decoder_config import EstimatorConfig, FlowConfig, VocoderConfig
from models.vita_audio.flow import Flow
from models.vita_audio.ragged import groups
from models.vita_audio.random_speech import build_random_decoder
from models.vita_audio.voice import BATCH_FRAMES

SMALL = FlowConfig(1024, 64, 32, 32, 64, 4, 256, 2, 10, 4, 0.7, 12.5, EstimatorConfig(128, 32, (64, 64), 2, 4, 4, 16))
SIZES = {"tiny": FlowConfig.tiny(), "small": SMALL, "published": FlowConfig.published()}


def one_at_a_time(flow: Flow, answers: Sequence[Tensor], steps: int) -> list[Tensor]:
    return [flow(codes[None], steps)[0] for codes in answers]


def side_by_side(flow: Flow, answers: Sequence[Tensor], steps: int) -> list[Tensor]:
    found: dict[int, Tensor] = {}
    for places in groups([flow.frames(len(codes)) for codes in answers], BATCH_FRAMES):
        mels = flow.ragged([answers[place] for place in places], steps)
        found |= dict(zip(places, mels, strict=True))
    return [found[place] for place in range(len(answers))]


def cpu_seconds(work: Callable[[], object]) -> float:
    began = time.process_time()
    work()
    return time.process_time() - began


def row(flow: Flow, lengths: Sequence[int], steps: int, repeats: int) -> dict[str, Any]:
    """CPU seconds of both ways for answers of so many codes."""
    generator = torch.Generator().manual_seed(0)
    answers = [torch.randint(flow.config.codes, (length,), generator=generator) for length in lengths]
    alone, together = one_at_a_time(flow, answers, steps), side_by_side(flow, answers, steps)
    apart = max(float((a - b).abs().max()) for a, b in zip(alone, together, strict=True))
    times = [
        (
            cpu_seconds(lambda: one_at_a_time(flow, answers, steps)),
            cpu_seconds(lambda: side_by_side(flow, answers, steps)),
        )
        for _ in range(repeats)
    ]
    return {
        "codes": list(lengths),
        "one_at_a_time_s": round(statistics.median(time for time, _ in times), 4),
        "side_by_side_s": round(statistics.median(time for _, time in times), 4),
        "ratio": round(statistics.median(a / b for a, b in times), 3),
        "most_apart": apart,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", choices=SIZES, nargs="+", default=["tiny", "small"])
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument(
        "--codes", type=int, nargs="+", default=[8, 48], help="codes of the longest answer, 12.5 a second"
    )
    parser.add_argument("--shortest", type=float, default=0.25, help="of the longest")
    parser.add_argument("--steps", type=int, default=10)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--threads", type=int, default=1, help="CPU threads")
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    rows = []
    for size in args.size:
        flow = build_random_decoder(SIZES[size], VocoderConfig.tiny()).flow
        for longest in args.codes:
            shortest = max(1, round(args.shortest * longest))
            spread = [round(shortest + i * (longest - shortest) / max(1, args.batch - 1)) for i in range(args.batch)]
            for name, lengths in (("equal", [longest] * args.batch), ("spread", spread)):
                found = {"size": size, "lengths": name, **row(flow, lengths, args.steps, args.repeats)}
                rows.append(found)
                if not args.json:
                    print(found, flush=True)
    if args.json:
        print(json.dumps({**described(), **vars(args), "torch": torch.__version__, "runs": rows}, indent=1))


if __name__ == "__main__":
    main()
