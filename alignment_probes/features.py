"""Features of a model on probe data: taken batch by batch, stored in shards, read back one layer at a time.

    features/shard-00000.safetensors   one tensor a side: image, audio, text [rows, d], or with layers
                                       vision, vision+audio, text [rows, layers + 1, d]; and tokens.<side> [rows]
    features/index.json                stage, ids, shapes, and the size and hash of every shard; written last

Memory holds one shard while features are taken, and one layer of one side while they are scored.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save
from torch import Tensor

from alignment_probes.data import Rejected, Triple
from harness import media as media_files
from harness.contracts import ProbedModel, ProbeStage
from harness.engines.retry import settle
from harness.failures import UsageError, failure_from
from harness.files import write_atomically, write_json
from harness.probe_schema import read_index
from harness.progress import track
from harness.types import Failure, Generation, LoadedRequest, Message, Part, Pictures, Request, States, Text

FORMAT = 1
SHARD_BYTES = 128 * 2**20
IMAGE_TILES = 1
"""A picture is shown whole, as one tile, so that every picture has equally many tokens."""

_Row = dict[str, np.ndarray[Any, np.dtype[Any]]]


def requests(triple: Triple, stage: ProbeStage) -> dict[str, Request]:
    """What the model is given for one triple: everything at once at its input, one request a side for layers.

    A triple without speech has no side that speaks.
    """
    text = Text(triple.caption)
    spoken: tuple[Part, ...] = () if triple.audio is None else (triple.audio,)
    parts: dict[str, tuple[Part, ...]] = {"": (triple.image, *spoken, text)}
    if stage == "embedding":
        parts = {"vision": (triple.image,), "vision+audio": (triple.image, *spoken), "text": (text,)}
        if not spoken:
            del parts["vision+audio"]
    return {
        side: Request(triple.id, (Message("user", content),), Generation(), pictures=Pictures(max_tiles=IMAGE_TILES))
        for side, content in parts.items()
    }


def extract(
    model: ProbedModel, triples: Sequence[Triple], stage: ProbeStage, folder: Path, batch_size: int
) -> list[Rejected]:
    """Take the features of all triples into `folder`, in their order; returns those that failed."""
    rejected: list[Rejected] = []
    with track(f"features ({stage})", len(triples), 0) as progress, closing(_Shards(folder, stage)) as shards:
        for start in range(0, len(triples), batch_size):
            batch = triples[start : start + batch_size]
            for triple, outcome in zip(batch, _rows(model, batch, stage), strict=True):
                if isinstance(outcome, Failure):
                    rejected.append(Rejected(triple.id, outcome))
                else:
                    shards.add(triple.id, outcome)
                progress.advance(failed=isinstance(outcome, Failure))
        shards.finish()
    return rejected


def _rows(model: ProbedModel, batch: Sequence[Triple], stage: ProbeStage) -> list[_Row | Failure]:
    rows: list[_Row | Failure] = [{} for _ in batch]
    asked = [requests(triple, stage) for triple in batch]
    for side in asked[0]:
        for place, states in enumerate(_states(model, [request[side] for request in asked], stage)):
            row = rows[place]
            if isinstance(row, Failure):
                continue
            if isinstance(states, Failure):
                rows[place] = states
                continue
            for name, vector in states.vectors.items():
                if not np.isfinite(vector).all():
                    rows[place] = Failure("generate", "permanent", f"features of {side or name} are not finite")
                    break
                row[side or name] = np.ascontiguousarray(vector, np.float32)
                row[f"tokens.{side or name}"] = np.asarray(states.tokens[name], np.int64)
    return rows


def _states(model: ProbedModel, batch: Sequence[Request], stage: ProbeStage) -> list[States | Failure]:
    outcomes: dict[int, States | Failure] = {}
    loaded: list[tuple[int, LoadedRequest]] = []
    for place, request in enumerate(batch):
        try:
            channels = model.capabilities.channels
            contents = tuple(media_files.load(media, channels) for media in request.media)
            loaded.append((place, LoadedRequest(request, contents)))
        except Exception as error:
            outcomes[place] = failure_from(error, "load")

    def ask(items: Sequence[tuple[int, LoadedRequest]]) -> Iterator[tuple[int, States | Failure]]:
        return model.hidden_states([request for _, request in items], stage)

    outcomes |= {place: outcome for (place, _), outcome in settle(loaded, ask)}
    return [outcomes[place] for place in range(len(batch))]


class _Shards:
    """The writer: rows are gathered to a shard's size and written, the index comes last."""

    def __init__(self, folder: Path, stage: ProbeStage) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder, self._stage = folder, stage
        self._ids: list[str] = []
        self._rows: list[_Row] = []
        self._shapes: dict[str, tuple[int, ...]] = {}
        self._files: list[dict[str, Any]] = []

    def add(self, identity: str, row: _Row) -> None:
        shapes = {name: array.shape for name, array in row.items()}
        self._shapes = self._shapes or shapes
        if shapes != self._shapes:
            raise ValueError(f"features of {identity} have shapes {shapes}, those before have {self._shapes}")
        self._ids.append(identity)
        self._rows.append(row)
        if len(self._rows) * sum(array.nbytes for array in row.values()) >= SHARD_BYTES:
            self._write()

    def _write(self) -> None:
        tensors = {name: np.stack([row[name] for row in self._rows]) for name in self._shapes}
        content = save(tensors)
        path = self._folder / f"shard-{len(self._files):05}.safetensors"
        write_atomically(path, content)
        digest = hashlib.sha256(content).hexdigest()
        self._files.append({"file": path.name, "rows": len(self._rows), "sha256": digest})
        self._rows = []

    def finish(self) -> None:
        if self._rows:
            self._write()
        shapes = {name: list(shape) for name, shape in self._shapes.items()}
        index = {"format": FORMAT, "stage": self._stage, "dtype": "float32", "ids": self._ids, "shapes": shapes}
        write_json(self._folder / "index.json", index | {"shards": self._files})

    def close(self) -> None:
        for path in self._folder.glob("*.part"):  # what an error left behind
            with suppress(OSError):
                path.unlink()


@dataclass(frozen=True)
class Features:
    """Stored features; opened without reading them."""

    folder: Path
    stage: ProbeStage
    ids: tuple[str, ...]
    shapes: dict[str, tuple[int, ...]]
    """Shape of one row of each side."""
    shards: tuple[str, ...]

    @classmethod
    def open(cls, folder: Path) -> Features:
        """Read the index. Raises UsageError naming the file at fault."""
        path = folder / "index.json"
        if not path.is_file():
            raise UsageError(f"no features in {folder}: index.json is missing; was the probe stopped? Run it again.")
        index = read_index(folder)
        if index["format"] != FORMAT:
            raise UsageError(f"{path}: format is {index['format']!r}, this version reads {FORMAT}")
        shapes = {name: tuple(shape) for name, shape in index["shapes"].items()}
        shards = tuple(shard["file"] for shard in index["shards"])
        return cls(folder, index["stage"], tuple(index["ids"]), shapes, shards)

    @property
    def has_audio(self) -> bool:
        """Whether speech was probed."""
        return "audio" in self.shapes or "vision+audio" in self.shapes

    @property
    def n_layers(self) -> int:
        """States of a side with layers (the model's layers and its input); 1 without layers."""
        return 1 if self.stage == "unembedding" else self.shapes["text"][0]

    def read(self, side: str, layer: int | None = None) -> Tensor:
        """One side of all samples: [n, d] float32, of one layer where there are layers. Raises UsageError."""
        if side not in self.shapes:
            raise UsageError(f"{self.folder} has no features of {side}; it has {', '.join(self.shapes)}")
        pieces: list[Tensor] = []
        for name in self.shards:
            path = self.folder / name
            try:
                with safe_open(path, "pt") as shard:
                    pieces.append(shard.get_slice(side)[:] if layer is None else shard.get_slice(side)[:, layer])
            except (OSError, SafetensorError) as error:
                raise UsageError(f"{path} cannot be read: {error}. Run the probe again.") from error
        return torch.cat(pieces) if pieces else torch.empty(0, *self.shapes[side])


def check_same_samples(ours: Features, theirs: Features) -> None:
    """Raises UsageError unless both hold the same samples, in the same order, at the same stage."""
    if ours.stage != theirs.stage:
        raise UsageError(f"{ours.folder} is of stage {ours.stage}, {theirs.folder} of {theirs.stage}; probe one stage")
    if ours.ids == theirs.ids:
        return
    stray = sorted({*ours.ids} ^ {*theirs.ids})
    told = f"{len(stray)} samples are in one of them only, e.g. {stray[0]!r}" if stray else "their order differs"
    raise UsageError(
        f"{ours.folder} and {theirs.folder} hold features of different samples ({len(ours.ids)} and "
        f"{len(theirs.ids)}): {told}. Probe both models on the same --data and --limit."
    )
