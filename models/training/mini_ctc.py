"""Train the small CTC recogniser that judges speech in the mini world.

    python -m models.training.mini_ctc --out DIR [--seed N] [--steps N] [--clips N]

Makes its speech once (espeak-ng), below DIR/cache; then trains on the CPU, printing losses, and every EVALUATE_EVERY
steps the errors on held-out clips. The weights with the fewest are left in DIR. A killed training goes on from its
last state. Nothing is shared with the speech encoder of `models.vita15`.
"""

from __future__ import annotations

import argparse
import math
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import torch
from rapidfuzz.distance import Levenshtein
from safetensors.torch import load_file, save_file
from torch import nn
from torch.nn import functional

from harness.media.espeak import SynthesizerError
from models.training.ctc_corpus import Clip, characters, corpus, words
from models.training.ctc_examples import BATCH, MILD, STRONG, WARPED, Batch, Batches, Masks, collate, split
from models.training.precision import mixed
from tasks.judges.mini_ctc.alphabet import BLANK, Alphabet
from tasks.judges.mini_ctc.decode import best_path
from tasks.judges.mini_ctc.network import Network, Shape
from tasks.judges.mini_ctc.store import save


class Phase(NamedTuple):
    steps: int
    peak: float
    """Learning rate."""
    masks: Masks


PHASES = (Phase(3000, 2.5e-3, STRONG), Phase(1800, 1.2e-3, MILD), Phase(1700, 1.5e-3, WARPED))
"""Strong masks alone leave it short of fitting the clips in this time; so it goes on with clips that are nearly whole,
and ends with voices that are none of the training speakers'."""
STEPS = sum(phase.steps for phase in PHASES)
CLIPS, SEED = 24_000, 1
WARM_UP, FLOOR = 0.06, 0.01
BETAS, WEIGHT_DECAY, CLIP_NORM = (0.9, 0.98), 0.01, 1.0
REPORT_EVERY, EVALUATE_EVERY = 25, 250  # steps
STATE = "state.safetensors"


class Errors(NamedTuple):
    wer: float
    """English words."""
    cer: float
    """Mandarin characters."""

    @property
    def rate(self) -> float:
        return (self.wer + self.cer) / 2


def learning_rate(step: int, phase: Phase) -> float:
    """Linear warm-up, then a cosine; `step` counts from the start of the phase."""
    warm = max(1, round(WARM_UP * phase.steps))
    if step < warm:
        return phase.peak * (step + 1) / warm
    done = (step - warm) / max(1, phase.steps - warm)
    return phase.peak * (FLOOR + (1 - FLOOR) * 0.5 * (1 + math.cos(math.pi * done)))


def schedule(steps: int) -> list[tuple[float, Masks]]:
    """Learning rate and masks of each of `steps` steps; fewer than STEPS shorten all phases alike."""
    planned: list[tuple[float, Masks]] = []
    until = 0
    for phase in PHASES:
        until += phase.steps
        scaled = phase._replace(steps=round(until * steps / STEPS) - len(planned))
        planned += [(learning_rate(step, scaled), phase.masks) for step in range(scaled.steps)]
    return planned


def train(out: Path, seed: int = SEED, steps: int = STEPS, n_clips: int = CLIPS, cache: Path | None = None) -> None:
    """Leave the best weights in `out`. Raises SynthesizerError (no extra `espeak`), FloatingPointError (divergence)."""
    kept, held = split(corpus(seed, n_clips, cache or out / "cache"))
    alphabet = Alphabet(characters())
    torch.manual_seed(seed)
    network = Network(Shape(len(alphabet)))
    optimizer = torch.optim.AdamW(network.parameters(), PHASES[0].peak, BETAS, weight_decay=WEIGHT_DECAY)
    batches = Batches(kept, alphabet, seed)
    first, best = _restored(network, optimizer, out / STATE)
    planned = schedule(steps)
    started = time.monotonic()
    for step in range(first, steps):
        rate, masks = planned[step]
        for group in optimizer.param_groups:
            group["lr"] = rate
        loss = ctc(network, batches(step, masks))
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(network.parameters(), CLIP_NORM)
        optimizer.step()
        if not math.isfinite(value := loss.item()):
            raise FloatingPointError(f"the loss is {value} at step {step}: lower the peaks of PHASES")
        done = step + 1
        if done % REPORT_EVERY == 0 or done == steps:
            speed = (done - first) / (time.monotonic() - started)
            print(f"step {done}/{steps}: loss {value:.4f}, {speed:.2f} steps/s, {(steps - done) / speed:.0f} s left",
                  flush=True)  # fmt: skip
        if done % EVALUATE_EVERY == 0 or done == steps:
            errors = evaluate(network, held, alphabet)
            print(f"  held out: WER {errors.wer:.4f}, CER {errors.cer:.4f}", flush=True)
            if errors.rate <= best:
                best = errors.rate
                save(network, alphabet, words(), out, {"seed": seed, "steps": steps, "step": done, "clips": n_clips})
            _keep(network, optimizer, out / STATE, done, best)


def ctc(network: Network, batch: Batch) -> torch.Tensor:
    """Mean loss of a unit; the network computes in bfloat16 where that is faster."""
    with mixed(batch.features.device):
        scores, lengths = network(batch.features, batch.lengths)
    return functional.ctc_loss(
        scores.float().transpose(0, 1), batch.units, lengths, batch.counts, blank=BLANK, zero_infinity=True
    )


@torch.no_grad()
def evaluate(network: Network, clips: Sequence[Clip], alphabet: Alphabet) -> Errors:
    """Errors in words and characters, both languages' units open."""
    wrong, units = {"en": 0, "zh": 0}, {"en": 0, "zh": 0}
    ordered = sorted(clips, key=lambda clip: len(clip.features))
    for first in range(0, len(ordered), BATCH):
        some = ordered[first : first + BATCH]
        batch = collate([clip.features for clip in some], [clip.text for clip in some], alphabet)
        scores, lengths = network(batch.features, batch.lengths)
        for clip, row, length in zip(some, scores, lengths.tolist(), strict=True):
            heard = alphabet.decode(best_path(row[:length].numpy()))
            said, found = (clip.text.split(), heard.split()) if clip.language == "en" else (clip.text, heard)
            wrong[clip.language] += Levenshtein.distance(said, found)
            units[clip.language] += len(said)
    return Errors(*(wrong[language] / max(1, units[language]) for language in ("en", "zh")))


def _keep(network: Network, optimizer: torch.optim.Optimizer, path: Path, step: int, best: float) -> None:
    """What a killed training goes on from."""
    tensors = {f"weight.{name}": tensor.contiguous() for name, tensor in network.state_dict().items()}
    for number, state in optimizer.state_dict()["state"].items():
        tensors |= {f"moment.{number}.{name}": tensor.contiguous() for name, tensor in state.items()}
    tensors["at"] = torch.tensor([step, best], dtype=torch.float64)
    partial = path.with_suffix(".part")
    save_file(tensors, partial)
    partial.replace(path)


def _restored(network: Network, optimizer: torch.optim.Optimizer, path: Path) -> tuple[int, float]:
    """The step to go on at, and the best rate so far."""
    if not path.exists():
        return 0, math.inf
    tensors = load_file(path)
    network.load_state_dict({n.removeprefix("weight."): t for n, t in tensors.items() if n.startswith("weight.")})
    state: dict[int, dict[str, torch.Tensor]] = {}
    for name, tensor in tensors.items():
        if name.startswith("moment."):
            _, number, moment = name.split(".")
            state.setdefault(int(number), {})[moment] = tensor
    optimizer.load_state_dict(optimizer.state_dict() | {"state": state})
    step, best = tensors["at"].tolist()
    return int(step), best


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Train the small CTC recogniser of the mini world.")
    parser.add_argument("--out", type=Path, required=True, help="folder for the weights, the state and the cache")
    parser.add_argument("--cache", type=Path, help="folder for the speech (default: OUT/cache)")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--steps", type=int, default=STEPS)
    parser.add_argument("--clips", type=int, default=CLIPS)
    options = parser.parse_args(arguments)
    if options.steps < len(PHASES) or options.clips < 2 * BATCH:
        parser.error(f"--steps must be at least {len(PHASES)}, --clips at least {2 * BATCH}")
    try:
        train(options.out, options.seed, options.steps, options.clips, options.cache)
    except (SynthesizerError, FloatingPointError) as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
