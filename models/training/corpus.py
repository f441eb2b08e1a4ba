"""Speech of the mini world as filter banks, made once and kept on disk: making it takes longer than reading it."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file
from torch import Tensor

from harness.progress import track
from models.nn.kaldi import fbank
from models.training.whole import save_whole, write_whole
from tasks.mini.recording import printed
from tasks.mini.training import recorded, training_fact, training_scene, training_speaker, training_utterance
from tasks.mini.voices import Language

Content = Literal["en", "zh", "question", "fact"]
LANGUAGES: tuple[Language, ...] = ("en", "zh")
WORKERS = 2
FEW = 200  # clips that are not worth the start of processes


class Clip(NamedTuple):
    features: Tensor  # filter banks [T, 80], half precision
    text: str
    meaning: str
    """What an answer to it says: a sentence's translation as it is printed, a fact's answer; "" for other questions."""


def corpus(content: Content, seed: int, n: int, cache: Path) -> list[Clip]:
    """`n` clips: sentences in English or Mandarin, one question on each of the first `n` scenes, or general facts.

    Clip `i` depends on the seed and `i` alone. Read from `cache` where it was made before. Needs the extra `espeak`.
    """
    path = cache / f"{content}-{seed}-{n}.safetensors"
    texts = path.with_suffix(".json")
    if not texts.exists():
        cache.mkdir(parents=True, exist_ok=True)
        made = []
        with track(f"speech ({content})", n) as progress:
            for clip in _made(content, seed, n):
                made.append(clip)
                progress.advance()
        lengths = torch.tensor([len(clip.features) for clip in made])
        features = torch.from_numpy(np.concatenate([clip.features for clip in made]))
        save_whole({"features": features, "lengths": lengths}, path)
        write_whole(json.dumps([clip[1:] for clip in made], ensure_ascii=False), texts)
    tensors = load_file(path)
    clips = tensors["features"].split(tensors["lengths"].tolist())
    said = json.loads(texts.read_text(encoding="utf-8"))
    return [Clip(features, *words) for features, words in zip(clips, said, strict=True)]


def asked(seed: int, number: int) -> int:
    """Which of a scene's two questions is the spoken one."""
    return random.Random(f"asked {seed} {number}").randrange(2)


class _Made(NamedTuple):
    features: NDArray[np.float16]
    text: str
    meaning: str


def _made(content: Content, seed: int, n: int) -> Iterator[_Made]:
    make = partial(_make, content, seed)
    if n <= FEW:
        yield from map(make, range(n))
        return
    with ProcessPoolExecutor(WORKERS, get_context("spawn"), torch.set_num_threads, (1,)) as pool:
        yield from pool.map(make, range(n), chunksize=50)


def _make(content: Content, seed: int, number: int) -> _Made:
    rng = random.Random(f"spoken {content} {seed} {number}")
    match content:
        case "question":
            text, meaning = training_scene(seed, number).questions[asked(seed, number)].text, ""
            waveform = recorded(text, training_speaker("en", rng), rng)
        case "fact":
            text, meaning = training_fact(rng)
            waveform = recorded(text, training_speaker("en", rng), rng)
        case "en" | "zh":
            text, translation, waveform, _ = training_utterance(content, seed, number)
            meaning = printed(translation, "zh" if content == "en" else "en")
    return _Made(fbank(torch.from_numpy(waveform)).half().numpy(), text, meaning)
