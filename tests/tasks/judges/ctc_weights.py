"""A recogniser of random weights, small, for what does not depend on having learnt."""

from __future__ import annotations

from pathlib import Path

import torch

from tasks.judges.mini_ctc import store
from tasks.judges.mini_ctc.alphabet import Alphabet
from tasks.judges.mini_ctc.network import Network, Shape

ALPHABET = Alphabet("一二三红")


def random_weights(folder: Path, seed: int = 0) -> Path:
    torch.manual_seed(seed)
    network = Network(Shape(len(ALPHABET), width=16, blocks=2, kernel=5))
    store.save(network, ALPHABET, ("a", "cat"), folder, {"seed": seed})
    return folder
