"""Features on disk: written in shards, read back by layer, refused where they do not belong together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose

from alignment_probes import features as module
from alignment_probes.data import Triple, load
from alignment_probes.features import Features, check_same_samples, extract
from harness.contracts import Capabilities, ModelOptions, ProbeStage
from harness.failures import UsageError
from harness.types import Failure, LoadedRequest, Media, States
from models.vita15.adapter import vita15_tiny

LAYERS, WIDTH = 3, 5


class NumberModel:
    """Its states are the caption's number; fails as told."""

    n_layers = LAYERS - 1
    capabilities = Capabilities(frozenset({"text", "image", "audio"}), frozenset({"text"}), hidden_states=True)

    def __init__(self, fail: dict[str, Exception] | None = None, most: int = 99) -> None:
        self.fail, self.most = fail or {}, most
        self.batches: list[int] = []

    def hidden_states(
        self, batch: Sequence[LoadedRequest], stage: ProbeStage
    ) -> Iterator[tuple[int, States | Failure]]:
        self.batches.append(len(batch))
        if len(batch) > self.most:
            raise MemoryError
        for place, loaded in enumerate(batch):
            identity = loaded.request.sample_id
            if identity in self.fail:
                raise self.fail[identity]
            value = float(identity)
            if stage == "embedding":
                layers = np.full((LAYERS, WIDTH), value, np.float32) + np.arange(LAYERS, dtype=np.float32)[:, None] / 10
                yield place, States({"last": layers}, {"last": 1})
            else:
                row = np.full(WIDTH, value, np.float32)
                yield place, States(dict.fromkeys(("image", "audio", "text"), row), {"image": 4, "audio": 2, "text": 3})


@pytest.fixture(scope="module")
def mini() -> tuple[Triple, ...]:
    return load("mini", 12).triples


def numbered(mini: Sequence[Triple], count: int) -> list[Triple]:
    return [mini[i % len(mini)]._replace(id=str(i)) for i in range(count)]


def taken(model: Any, triples: Sequence[Triple], stage: ProbeStage, folder: Path, batch_size: int = 4) -> Features:
    extract(model, triples, stage, folder, batch_size)
    return Features.open(folder)


def test_features_come_back_in_order_from_many_shards(
    mini: tuple[Triple, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "SHARD_BYTES", 600)
    found = taken(NumberModel(), numbered(mini, 11), "embedding", tmp_path)
    assert len(found.shards) > 2
    assert found.ids == tuple(map(str, range(11)))
    assert found.n_layers == LAYERS
    layer = found.read("vision+audio", 2)
    assert layer.shape == (11, WIDTH)
    assert torch.equal(layer[:, 0], torch.arange(11) + torch.tensor(0.2))
    assert found.read("text").shape == (11, LAYERS, WIDTH)
    assert not list(tmp_path.glob("*.part"))


def test_one_bad_sample_leaves_the_others(mini: tuple[Triple, ...], tmp_path: Path) -> None:
    model = NumberModel(fail={"2": ValueError("cannot see this")})
    triples = numbered(mini, 6)
    triples[4] = triples[4]._replace(image=Media("image", "nowhere.png"))
    rejected = extract(model, triples, "unembedding", tmp_path, 4)
    assert [(row.id, row.failure.stage) for row in rejected] == [("2", "generate"), ("4", "load")]
    assert "cannot see this" in rejected[0].failure.message
    assert Features.open(tmp_path).ids == ("0", "1", "3", "5")


def test_out_of_memory_halves_the_batch(mini: tuple[Triple, ...], tmp_path: Path) -> None:
    model = NumberModel(most=2)
    assert taken(model, numbered(mini, 8), "unembedding", tmp_path, 8).ids == tuple(map(str, range(8)))
    assert model.batches == [8, 4, 2, 2, 4, 2, 2]


def test_features_that_are_not_finite_are_a_failure(mini: tuple[Triple, ...], tmp_path: Path) -> None:
    (rejected,) = extract(NumberModel(), [mini[0]._replace(id="nan"), *numbered(mini, 3)], "unembedding", tmp_path, 2)
    assert rejected.id == "nan"
    assert "not finite" in rejected.failure.message


@pytest.mark.parametrize("stage", ["unembedding", "embedding"])
def test_batch_size_and_order_of_samples_change_no_feature(
    mini: tuple[Triple, ...], tmp_path: Path, stage: ProbeStage
) -> None:
    model = vita15_tiny(ModelOptions())
    first = taken(model, mini, stage, tmp_path / "a", 1)
    second = taken(model, mini[::-1], stage, tmp_path / "b", 5)
    assert second.ids == first.ids[::-1]
    for side in first.shapes:
        assert_allclose(second.read(side).flip(0).numpy(), first.read(side).numpy(), atol=1e-5)


def test_features_of_different_samples_are_refused(mini: tuple[Triple, ...], tmp_path: Path) -> None:
    one = taken(NumberModel(), numbered(mini, 6), "unembedding", tmp_path / "a")
    two = taken(NumberModel(), numbered(mini, 5), "unembedding", tmp_path / "b")
    other_order = taken(NumberModel(), numbered(mini, 6)[::-1], "unembedding", tmp_path / "c")
    layers = taken(NumberModel(), numbered(mini, 6), "embedding", tmp_path / "d")
    for theirs, said in ((two, r"6 and 5.*'5'"), (other_order, "order differs"), (layers, "stage")):
        with pytest.raises(UsageError, match=said):
            check_same_samples(one, theirs)


def test_what_is_missing_or_broken_is_named(mini: tuple[Triple, ...], tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"index\.json is missing"):
        Features.open(tmp_path)
    found = taken(NumberModel(), numbered(mini, 4), "unembedding", tmp_path)
    with pytest.raises(UsageError, match=r"no features of smell; it has image, "):
        found.read("smell")
    (tmp_path / found.shards[0]).write_bytes(b"torn")
    with pytest.raises(UsageError, match=r"shard-00000\.safetensors cannot be read"):
        found.read("image")
