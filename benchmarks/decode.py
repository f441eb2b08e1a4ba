"""Decoding speed: tokens a second, bytes moved for each, and how near that is to the memory's bandwidth.

`python -m benchmarks.decode [--size small|published] [--device cpu|cuda] [--dtype ...] [--batch 1] [--json]`. Decoding
one token reads every weight of the language model once, and the keys and values so far; the roofline is the copy
bandwidth that the same process measures on the same device. `transformers.generate` decodes with the same weights in
turns with it. Weights are random. The speech decoder's step is measured beside it.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import torch
from torch import Tensor

from benchmarks.machine import cpu_name, described
from models.decoding import decode
from models.vita15.config import LanguageConfig
from models.vita15.language import language_model, qwen2_config, renew_rotary
from models.vita15.speech_config import Sampling, SpeechDecoderConfig
from models.vita15.speech_decoder import SpeechDecoder

SMALL = LanguageConfig(
    hidden_size=512,
    intermediate_size=1536,
    num_hidden_layers=8,
    num_attention_heads=8,
    num_key_value_heads=2,
    vocab_size=8192,
)


class Bare(torch.nn.Module):
    """A language model and its output layer: what the decode loop needs."""

    def __init__(self, config: LanguageConfig) -> None:
        super().__init__()
        self.model = language_model(config)
        self.lm_head = torch.nn.Linear(config.hidden_size, config.vocab_size, bias=False)


def build(config: LanguageConfig, device: str, dtype: torch.dtype) -> Bare:
    """Random weights, made on the device itself."""
    torch.manual_seed(0)
    with torch.device(device):
        torch.set_default_dtype(dtype)
        bare = Bare(config).eval()
        torch.set_default_dtype(torch.float32)
    renew_rotary(bare.model, device)
    return bare


def reference(bare: Bare, config: LanguageConfig) -> Any:
    """transformers' own causal model around the same weights."""
    from transformers import Qwen2ForCausalLM

    with torch.device("meta"):
        model = Qwen2ForCausalLM(qwen2_config(config))
    model.model, model.lm_head = bare.model, bare.lm_head
    model.generation_config.eos_token_id = None
    model.generation_config.pad_token_id = 0
    return model.eval()


def copy_bandwidth(device: str) -> float:
    """Bytes a second read and written by a large copy, the best of several."""
    size = (1 << 30 if device.startswith("cuda") else 1 << 28) // 4
    source, target = torch.ones(size, device=device), torch.empty(size, device=device)
    times = [seconds(lambda: target.copy_(source), device) for _ in range(8)]
    return 2 * 4 * size / min(times)


def seconds(work: Callable[[], object], device: str) -> float:
    if device.startswith("cuda"):
        torch.cuda.synchronize()
    began = time.perf_counter()
    work()
    if device.startswith("cuda"):
        torch.cuda.synchronize()
    return time.perf_counter() - began


def step_seconds(runs: Sequence[Callable[[int], object]], n_new: int, device: str, repeats: int) -> list[float]:
    """Seconds a step of each run: a long answer less a short one, so that prefill and set-up do not count.

    The runs take turns, so that what else the machine does meets them alike; the median of `repeats`.
    """
    short = max(2, n_new // 8)
    for run in runs:
        run(short)
    found: list[list[float]] = [[] for _ in runs]
    for _ in range(repeats):
        for run, times in zip(runs, found, strict=True):
            more = seconds(partial(run, n_new), device) - seconds(partial(run, short), device)
            times.append(more / (n_new - short))
    return [statistics.median(times) for times in found]


def language_rows(args: argparse.Namespace, dtype: torch.dtype) -> dict[str, Any]:
    config = SMALL if args.size == "small" else replace(LanguageConfig(), max_position_embeddings=8192)
    bare = build(config, args.device, dtype)
    embeds = torch.randn(args.batch, args.prefill, config.hidden_size, device=args.device).to(dtype)
    mask = torch.ones(args.batch, args.prefill, dtype=torch.long, device=args.device)
    theirs = reference(bare, config)

    def ours_new(n: int) -> list[list[int]]:
        return [row.ids for row in decode(bare, embeds, mask, max_new_tokens=n)]

    @torch.inference_mode()
    def theirs_new(n: int) -> Tensor:
        return theirs.generate(inputs_embeds=embeds, attention_mask=mask, max_new_tokens=n, do_sample=False)

    same = ours_new(16) == theirs_new(16).tolist()
    ours, other = step_seconds((ours_new, theirs_new), args.new, args.device, args.repeats)
    weights = sum(p.numel() for n, p in bare.named_parameters() if "embed_tokens" not in n) * dtype.itemsize
    head_dim = config.hidden_size // config.num_attention_heads
    a_position = 2 * config.num_hidden_layers * config.num_key_value_heads * head_dim * dtype.itemsize
    moved = weights + args.batch * a_position * (args.prefill + args.new // 2)
    bandwidth = copy_bandwidth(args.device)
    return {
        "parameters": sum(p.numel() for p in bare.parameters()),
        "tokens_per_s": args.batch / ours,
        "transformers_tokens_per_s": args.batch / other,
        "ratio_to_transformers": other / ours,
        "same_first_16_tokens": same,
        "bytes_per_step": moved,
        "copy_bytes_per_s": bandwidth,
        "roofline": moved / bandwidth / ours,
    }


def speech_rows(args: argparse.Namespace, dtype: torch.dtype) -> dict[str, Any]:
    config = SpeechDecoderConfig.published()
    if args.size == "small":
        config = SpeechDecoderConfig(codes=1024, hidden=256, heads=4, inner=1024, ar_layers=4, nar_layers=2)
    torch.manual_seed(0)
    decoder = SpeechDecoder(config).to(args.device, dtype).eval()
    decoder.out_fnn.bias.data[config.eos] = -1e4  # no early end: every answer has the length asked for
    text = torch.randn(1, 12, 4 * config.hidden, device=args.device).to(dtype)

    def codes(n: int) -> list[int]:
        made: list[int] = []
        generator = torch.Generator(args.device).manual_seed(0)
        for code in decoder.generate(text, Sampling(max_tokens=n), generator):
            made.append(code)
        return made

    (step,) = step_seconds((codes,), args.new, args.device, args.repeats)
    weights = sum(p.numel() for n, p in decoder.named_parameters() if n.startswith(("layers.", "norm", "out_fnn")))
    return {"codes_per_s": 1 / step, "times_real_time": 1 / step / 40, "bytes_per_step": weights * dtype.itemsize}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", choices=("small", "published"), default="small")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--dtype", choices=("float32", "bfloat16", "float16"), default="float32")
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--prefill", type=int, default=256, help="tokens of the prompt")
    parser.add_argument("--new", type=int, default=128, help="new tokens of the long answer")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--threads", type=int, default=0, help="CPU threads; 0 leaves torch's choice")
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    if args.threads:
        torch.set_num_threads(args.threads)
    dtype = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}[args.dtype]
    device = torch.cuda.get_device_name() if args.device.startswith("cuda") else cpu_name()
    settings = {**described(), **vars(args), "device": device, "torch": torch.__version__}
    found = {
        "settings": settings,
        "language_model": language_rows(args, dtype),
        "speech_decoder": speech_rows(args, dtype),
    }
    if args.json:
        print(json.dumps(found, indent=1))
        return
    for part, row in found.items():
        print(part)
        for name, value in row.items():
            print(f"  {name:28} {value:.4g}" if isinstance(value, float) else f"  {name:28} {value}")


if __name__ == "__main__":
    main()
