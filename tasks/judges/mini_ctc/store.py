"""The recogniser's weights: config.json (shape, characters, words) and weights.safetensors (half precision)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from harness.failures import UsageError
from tasks.judges.mini_ctc.alphabet import Alphabet
from tasks.judges.mini_ctc.decode import Words

if TYPE_CHECKING:
    from tasks.judges.mini_ctc.network import Network

CONFIG, WEIGHTS = "config.json", "weights.safetensors"
SHIPPED = Path(__file__).parent / "weights"
LARGEST = 64 << 20
"""Bytes of a file above which it cannot be this recogniser's."""
REMEDY = (
    "Leave :DIR out for the weights that ship, name a folder that `python -m models.training.mini_ctc` left, or "
    "install the harness again"
)


class Recogniser:
    """A network with its alphabet. Computes in float32, one sound at a time: what else is heard changes nothing."""

    def __init__(self, network: Network, alphabet: Alphabet, words: Words) -> None:
        self.alphabet, self.words = alphabet, words
        self._network = network.float().eval()

    def scores(self, features: NDArray[np.float32]) -> NDArray[np.float32]:
        """[frames, BANDS] -> log probabilities [frames / 2 rounded up, units]."""
        import torch

        with torch.inference_mode():
            scores, _ = self._network(torch.from_numpy(features)[None], torch.tensor([len(features)]))
        found: NDArray[np.float32] = scores[0].numpy().copy()
        return found


def digest(folder: Path) -> str:
    """SHA-256 over both files. Raises UsageError naming the file that is missing or cannot be read."""
    found = hashlib.sha256()
    for name in (CONFIG, WEIGHTS):
        content = _content(folder / name)
        found.update(len(content).to_bytes(8, "big") + content)
    return found.hexdigest()


def save(network: Network, alphabet: Alphabet, words: Iterable[str], folder: Path, made: Mapping[str, Any]) -> None:
    """Write both files. `words` are the English ones that it knows; `made` says how: seed, steps, clips."""
    from safetensors.torch import save_file

    folder.mkdir(parents=True, exist_ok=True)
    halved = {name: tensor.half().contiguous() for name, tensor in network.state_dict().items()}
    save_file(halved, folder / WEIGHTS)
    (folder / WEIGHTS).chmod(0o644)
    known = {"characters": "".join(alphabet.characters), "words": " ".join(sorted(words))}
    told = {"shape": asdict(network.shape), **known, "made": dict(made)}
    (folder / CONFIG).write_text(json.dumps(told, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def load(folder: Path) -> Recogniser:
    """Raises UsageError naming folder, file and remedy where a file is missing, damaged or of another network."""
    from safetensors import SafetensorError
    from safetensors.torch import load as tensors_of

    from tasks.judges.mini_ctc.network import Network, Shape

    told, content = _content(folder / CONFIG), _content(folder / WEIGHTS)
    try:
        config = json.loads(told)
        alphabet, shape = Alphabet(config["characters"]), Shape(**config["shape"])
        words = Words(config["words"].split())
        if shape.units != len(alphabet):
            raise ValueError(f"{len(alphabet)} units are named and {shape.units} scored")
        shape.check()
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise _damaged(folder / CONFIG, error) from error
    try:
        tensors = tensors_of(content)
        network = Network(shape)
        network.load_state_dict(tensors)
    except (SafetensorError, RuntimeError, ValueError) as error:
        raise _damaged(folder / WEIGHTS, error) from error
    if not all(bool(tensor.isfinite().all()) for tensor in tensors.values()):
        raise _damaged(folder / WEIGHTS, ValueError("weights that are not finite numbers"))
    return Recogniser(network, alphabet, words)


def _content(path: Path) -> bytes:
    try:
        if path.stat().st_size > LARGEST:
            raise _damaged(path, ValueError(f"it has more than {LARGEST >> 20} MiB"))
        return path.read_bytes()
    except OSError as error:
        what = "is missing" if isinstance(error, FileNotFoundError) else f"cannot be read ({error.strerror})"
        raise UsageError(
            f"the judge mini-ctc has no weights in {path.parent}: {path.name} {what}. {REMEDY}."
        ) from error


def _damaged(path: Path, error: Exception) -> UsageError:
    told = (str(error).splitlines() or [""])[0][:200]
    return UsageError(
        f"the judge mini-ctc cannot use the weights in {path.parent}: {path.name} is damaged or of another network "
        f"({type(error).__name__}: {told}). {REMEDY}."
    )
