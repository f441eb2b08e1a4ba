"""Make the weights of the `mini-ctc` judge: espeak-ng's training voices, the mini world's training sentences and facts.

    python -m models.training.mini_ctc --out DIR [--steps N] [--utterances N] [--seed N] [--cache DIR]

Nothing of it is shared with the speech encoder of a model under test: other features, another network, another seed,
another loss weighting. No voice and no sentence of the test data is heard. On two CPU cores it takes about 40 minutes.
"""

from __future__ import annotations

import argparse
import json
import math
import random
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from itertools import islice
from multiprocessing import get_context
from pathlib import Path
from typing import NamedTuple

import numpy as np
import soxr
import torch
from numpy.typing import NDArray
from safetensors.torch import save_file
from torch import Tensor

from harness.progress import track
from tasks.judges.mini_ctc.alphabet import ENGLISH, Alphabet
from tasks.judges.mini_ctc.features import BANDS, RATE, log_mel, prepared
from tasks.judges.mini_ctc.network import Config, Network
from tasks.mini.facts import facts
from tasks.mini.grammar import sentences
from tasks.mini.training import recorded, training_speaker
from tasks.mini.vocabulary import english_number
from tasks.mini.voices import Language

SEED = 4711
UTTERANCES, STEPS, FRAMES = 26_000, 4_200, 7_000
"""Of one training; frames of 10 ms in a batch."""
HELD_OUT = 40
"""One utterance in so many is kept from training."""
PEAK_RATE, WARM_UP, KEPT = 2.5e-3, 200, 0.998
"""Learning rate, steps until it is reached, and what an average of the weights keeps of itself in a step."""
KINDS = ("sentence",) * 11 + ("question",) * 3 + ("answer",) * 3 + ("word",) * 3
"""Of English; Mandarin has sentences, and one in six utterances is a part of one."""
WARP = (0.88, 1.14)
"""Played slower or faster: the formants of voices that nobody has."""


class Heard(NamedTuple):
    features: NDArray[np.float16]  # [frames, BANDS]
    text: str


def alphabet() -> Alphabet:
    """English letters, and every character of the mini world's Mandarin."""
    characters = {
        c for sentence in islice(sentences(random.Random("characters"), "train"), 30_000) for c in sentence.chinese
    }
    return Alphabet([*ENGLISH, *sorted(characters)])


def text_of(language: Language, rng: random.Random) -> str:
    """What an utterance says: a training sentence, a question on a fact, its answer, or a word or two."""
    sentence = next(sentences(rng, "train"))
    if language == "zh":
        return "".join(_part(sentence.chinese_words, rng)) if rng.random() < 1 / 6 else sentence.chinese
    fact = rng.choice(facts())
    match rng.choice(KINDS):
        case "sentence":
            return sentence.english.lower()
        case "question":
            return rng.choice(fact.wordings)
        case "answer":
            said = english_number(rng.randint(1, 99)).lower() if fact.answers[-1].isdigit() else fact.answers[0]
            return rng.choice(("{}", "{}", "it is {}", "the answer is {}", "i think it is {}")).format(said)
    return " ".join(_part(sentence.english.lower().split(), rng))


def _part(words: Sequence[str], rng: random.Random) -> Sequence[str]:
    first = rng.randrange(len(words))
    return words[first : first + rng.randint(1, 3)]


def utterance(seed: int, number: int) -> Heard:
    """One utterance by a training voice; it depends on the seed and its number alone. Needs espeak-ng."""
    rng = random.Random(f"mini-ctc {seed} {number}")
    language: Language = "en" if number % 2 else "zh"
    text = text_of(language, rng)
    wave = recorded(text, training_speaker(language, rng), rng)
    if rng.random() < 0.5:
        wave = soxr.resample(wave, RATE, RATE * rng.uniform(*WARP))
    return Heard(log_mel(torch.from_numpy(prepared(wave, RATE))).half().numpy(), text)


def corpus(seed: int, n: int, cache: Path) -> list[Heard]:
    """The first `n` utterances, made once and kept below `cache`."""
    path = cache / f"mini-ctc-{seed}-{n}.npz"
    if not path.exists():
        cache.mkdir(parents=True, exist_ok=True)
        made: list[Heard] = []
        with (
            track("speech", n) as progress,
            ProcessPoolExecutor(2, get_context("spawn"), torch.set_num_threads, (1,)) as pool,
        ):
            for heard in pool.map(partial(utterance, seed), range(n), chunksize=50):
                made.append(heard)
                progress.advance()
        joined = np.concatenate([heard.features for heard in made])
        np.savez(path, features=joined, lengths=[len(h.features) for h in made], texts=[h.text for h in made])
    with np.load(path) as kept:
        pieces = np.split(kept["features"], np.cumsum(kept["lengths"])[:-1])
        return [Heard(features, str(text)) for features, text in zip(pieces, kept["texts"], strict=True)]


def batches(data: Sequence[Heard], rng: random.Random) -> Iterator[list[Heard]]:
    """Utterances of like length together, about `FRAMES` frames a batch, without end."""
    while True:
        order = sorted(range(len(data)), key=lambda i: len(data[i].features) + rng.uniform(0, 30))
        groups: list[list[Heard]] = [[]]
        for i in order:
            if (len(groups[-1]) + 1) * len(data[i].features) > FRAMES:
                groups.append([])
            groups[-1].append(data[i])
        rng.shuffle(groups)
        yield from groups


def padded(batch: Sequence[Heard]) -> tuple[Tensor, Tensor]:
    """Features [rows, frames, BANDS] and lengths [rows]."""
    lengths = torch.tensor([len(heard.features) for heard in batch])
    features = torch.zeros(len(batch), int(lengths.max()), BANDS)
    for row, heard in enumerate(batch):
        features[row, : len(heard.features)] = torch.from_numpy(heard.features.astype(np.float32))
    return features, lengths


def masked(features: Tensor, lengths: Tensor, rng: random.Random) -> Tensor:
    """Bands and moments left out (SpecAugment, Park et al., Interspeech 2019)."""
    for row, length in enumerate(lengths.tolist()):
        for _ in range(2):
            low, wide = rng.randrange(BANDS), rng.randint(0, 10)
            features[row, :, low : low + wide] = 0
            first, long = rng.randrange(length), rng.randint(0, 10)
            features[row, first : first + long] = 0
    return features


def rate_at(step: int, steps: int) -> float:
    """Rises to `PEAK_RATE`, then falls as a cosine to nothing."""
    if step < WARM_UP:
        return PEAK_RATE * (step + 1) / WARM_UP
    return PEAK_RATE * 0.5 * (1 + math.cos(math.pi * (step - WARM_UP) / max(1, steps - WARM_UP)))


def errors(network: Network, units: Alphabet, data: Sequence[Heard]) -> float:
    """Share of units that are wrong on held-out utterances, by the best path."""
    from rapidfuzz.distance import Levenshtein

    wrong = whole = 0
    network.eval()
    with torch.inference_mode():
        for heard in data:
            path = network(*padded([heard]))[0][0].argmax(1).tolist()
            wrong += Levenshtein.distance(units.text(path), heard.text)
            whole += len(heard.text)
    network.train()
    return wrong / whole


def train(data: Sequence[Heard], units: Alphabet, steps: int, seed: int) -> tuple[Network, float]:
    """The average of the weights over the last steps, and its error on utterances that were held out."""
    torch.manual_seed(seed)
    rng = random.Random(f"mini-ctc training {seed}")
    held, kept = data[::HELD_OUT], [heard for i, heard in enumerate(data) if i % HELD_OUT]
    network, config = Network(Config(len(units))), Config(len(units))
    average = Network(config)
    average.load_state_dict(network.state_dict())
    optimizer = torch.optim.AdamW(network.parameters(), PEAK_RATE, (0.9, 0.98), weight_decay=0.01)
    with track("training", steps) as progress:
        for step, batch in zip(range(steps), batches(kept, rng), strict=False):
            features, lengths = padded(batch)
            targets = [torch.tensor(units.encoded(heard.text)) for heard in batch]
            logs, frames = network(masked(features, lengths, rng), lengths)
            loss = torch.nn.functional.ctc_loss(
                logs.transpose(0, 1),
                torch.cat(targets),
                frames,
                torch.tensor([len(t) for t in targets]),
                zero_infinity=True,
            )
            for group in optimizer.param_groups:
                group["lr"] = rate_at(step, steps)
            optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            optimizer.step()
            with torch.no_grad():
                keep = min(KEPT, (step + 1) / (step + 10))
                for own, new in zip(average.parameters(), network.parameters(), strict=True):
                    own.lerp_(new, 1 - keep)
            progress.advance()
            if step % 200 == 199 or step + 1 == steps:
                print(
                    f"step {step + 1}: loss {loss.item():.3f}, held out {errors(average, units, held[:200]):.4f}",
                    flush=True,
                )
    return average, errors(average, units, held)


def save(network: Network, units: Alphabet, out: Path, facts_of_training: dict[str, object]) -> None:
    """Weights in half precision, and beside them what they are for."""
    out.mkdir(parents=True, exist_ok=True)
    save_file(
        {name: tensor.half().contiguous() for name, tensor in network.state_dict().items()}, out / "model.safetensors"
    )
    config = {"network": Config(len(units)).to_json(), "units": "".join(units.units), "training": facts_of_training}
    (out / "config.json").write_text(json.dumps(config, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description="Train the mini world's speech recogniser.")
    parser.add_argument("--out", type=Path, required=True, help="folder for the weights")
    parser.add_argument("--steps", type=int, default=STEPS)
    parser.add_argument("--utterances", type=int, default=UTTERANCES)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--cache", type=Path, default=Path("runs/speech"), help="folder for the speech, made once")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    units = alphabet()
    data = corpus(options.seed, options.utterances, options.cache)
    network, held_out = train(data, units, options.steps, options.seed)
    made = {name: getattr(options, name) for name in ("seed", "utterances", "steps")}
    save(network, units, options.out, made | {"held_out_error": round(held_out, 5)})
    print(f"held-out error {held_out:.4f}; weights in {options.out}")


if __name__ == "__main__":
    main()
