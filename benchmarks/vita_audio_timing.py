"""Time and bandwidth of VITA-Audio's parts on one device: CPU seconds of the process on a CPU, wall seconds on a GPU.

All weights are random. A GPU is waited for before each reading of the clock.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import NamedTuple

import torch

from models.sampling import Decoding
from models.vita_audio.cascade import Cascade, CascadeDecode, MtpPrompt
from models.vita_audio.config import MtpConfig
from models.vita_audio.decoder_config import FlowConfig, VocoderConfig
from models.vita_audio.flow import Flow
from models.vita_audio.language import MtpModel
from models.vita_audio.schedule import Mode, turns
from models.vita_audio.speech_tokenizer import SpeechTokenizer, TokenizerConfig
from models.vita_audio.vocoder import Vocoder

FIRST_CODES = 8
"""0.64 s of speech: the first chunk."""
STEPS = 1
"""Of the flow, for a first chunk."""


class Speech(NamedTuple):
    """Sizes of what hears and what speaks."""

    tokenizer: TokenizerConfig
    flow: FlowConfig
    vocoder: VocoderConfig

    @classmethod
    def published(cls) -> Speech:
        return cls(TokenizerConfig.published(), FlowConfig.published(), VocoderConfig.published())


class Times(NamedTuple):
    """Seconds from the start of decoding until each token was read, prefill included."""

    wall: list[float]
    cpu: list[float]

    def on(self, clock: str) -> list[float]:
        return self.wall if clock == "wall" else self.cpu


def clock_of(device: str) -> str:
    """`wall`, or `cpu` where other work on the machine must not count."""
    return "wall" if device.startswith("cuda") else "cpu"


def random_model(config: MtpConfig, device: str, dtype: torch.dtype) -> MtpModel:
    """Random weights from seed 0, made on the device and in the type themselves: 7B would not fit twice."""
    usual = torch.get_default_dtype()
    with torch.random.fork_rng(), torch.device(device):
        torch.manual_seed(0)
        torch.set_default_dtype(dtype)
        try:
            return MtpModel(config).eval()
        finally:
            torch.set_default_dtype(usual)


def prompt_of(tokens: int) -> MtpPrompt:
    """Zeros, as in the paper's code."""
    return MtpPrompt(torch.zeros(tokens, dtype=torch.long))


def token_times(model: MtpModel, prefill: int, tokens: int, mode: Mode, graphs: bool) -> Times:
    """One greedy answer of exactly `tokens` tokens: no token ends it."""
    times = Times([], [])
    _wait(model.device)
    wall, cpu = time.monotonic(), time.process_time()
    for emission in CascadeDecode(model, [prompt_of(prefill)], Decoding(tokens), mode, graphs):
        times.wall.extend([emission.time - wall] * len(emission.ids))
        times.cpu.extend([time.process_time() - cpu] * len(emission.ids))
    return times


@torch.inference_mode()
def chunk_seconds(model: MtpModel, prefill: int, tokens: int, mode: Mode, graphs: bool, repeats: int) -> float:
    """Median seconds from a prompt to the `tokens` tokens of a first chunk, of a server that is warm.

    Each turn runs once plainly and is captured, where there are graphs, before it counts.
    """
    table = Cascade(model, [prompt_of(prefill)], Decoding(tokens), mode, graphs)
    planned = list(turns(mode, model.config.modules, tokens))

    def chunk() -> None:
        table.rewind()
        made = 0
        for turn in planned:
            table.take(turn, made)
            made += len(turn)
        table.ids[:, prefill : prefill + made].tolist()

    return median_seconds(chunk, model.device, repeats, warm_up=2)


def speech_seconds(sizes: Speech, device: str, question: float, repeats: int) -> dict[str, float]:
    """Median seconds of the encoder for `question` seconds of speech, and of the decoder for the first codes."""
    place = torch.device(device)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        wave = torch.randn(round(16000 * question)) / 10
        with place:
            tokenizer = SpeechTokenizer(sizes.tokenizer).eval()
            flow, vocoder = Flow(sizes.flow).eval(), Vocoder(sizes.vocoder).eval()
    codes = torch.arange(FIRST_CODES, device=place)[None]
    return {
        "question_s": question,
        "encoder_s": median_seconds(lambda: tokenizer.encode([wave]), place, repeats),
        "decoder_s": median_seconds(lambda: vocoder(flow(codes, steps=STEPS)).cpu(), place, repeats),
    }


def bandwidth(device: str, size: int | None = None) -> dict[str, float]:
    """Bytes a second of a copy, read and written, and of a read alone by a sum; the best of several each.

    `size` are the bytes that are read, by default far above any cache.
    """
    place = torch.device(device)
    size = size or (1 << 31 if place.type == "cuda" else 1 << 28)
    source = torch.ones(size // 4, device=place)
    target = torch.empty_like(source)
    copy = min(_seconds(lambda: target.copy_(source), place) for _ in range(8))
    read = min(_seconds(source.sum, place) for _ in range(8))
    return {"copy": 2 * size / copy, "read": size / read}


def median_seconds(work: Callable[[], object], device: torch.device, repeats: int, warm_up: int = 1) -> float:
    for _ in range(warm_up):
        work()
    return statistics.median(_seconds(work, device) for _ in range(repeats))


def _seconds(work: Callable[[], object], device: torch.device) -> float:
    now = time.perf_counter if clock_of(device.type) == "wall" else time.process_time
    _wait(device)
    began = now()
    work()
    _wait(device)
    return now() - began


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
