"""What identifies weights: contents and not names, hashed once."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from models.released import identity
from models.released.files import SINGLE


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "cache"
    monkeypatch.setenv("HARNESS_CACHE", str(folder))
    return folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    found = tmp_path / "weights"
    found.mkdir()
    save_file({"model.norm.weight": torch.zeros(500)}, found / SINGLE)
    return found


def nudge(path: Path) -> None:
    state = load_file(path)
    state["model.norm.weight"][0] += 0.5
    save_file(state, path, metadata={"format": "pt"})


def test_a_large_file_is_hashed_once(
    folder: Path, cache: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(identity, "REMEMBERED_BYTES", 1000)
    long_ago = 1_600_000_000
    os.utime(folder / SINGLE, (long_ago, long_ago))
    first = identity.content_hash(folder / SINGLE)
    remembered = json.loads((cache / "weights.json").read_text())
    assert remembered == {str(folder / SINGLE): [(folder / SINGLE).stat().st_size, long_ago * 10**9, first]}
    monkeypatch.setattr(identity, "_hash", lambda path: "hashed again")
    assert identity.content_hash(folder / SINGLE) == first
    nudge(folder / SINGLE)
    assert identity.content_hash(folder / SINGLE) == "hashed again"


def test_a_hash_that_was_taken_just_after_a_change_is_not_remembered(
    folder: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(identity, "REMEMBERED_BYTES", 1000)
    nudge(folder / SINGLE)
    identity.content_hash(folder / SINGLE)
    assert not (cache / "weights.json").exists()


def test_in_the_hubs_cache_the_blobs_name_is_the_hash(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    blob = tmp_path / "blobs" / ("ab" * 32)
    blob.parent.mkdir()
    blob.write_bytes(b"x" * 10)
    link = tmp_path / "snapshots" / "model.safetensors"
    link.parent.mkdir()
    link.symlink_to(blob)
    monkeypatch.setattr(identity, "_hash", lambda path: "read")
    assert identity.content_hash(link) == "ab" * 32
    small = tmp_path / "blobs" / ("ab" * 20)  # the hub names small files by another kind of hash
    small.write_bytes(b"{}")
    other = tmp_path / "snapshots" / "config.json"
    other.symlink_to(small)
    assert identity.content_hash(other) == "read"


def test_tensors_are_hashed_by_name_type_and_value() -> None:
    tensors = {"a": torch.zeros(3), "b": torch.ones(2, dtype=torch.bfloat16)}
    changed = [
        tensors | {"a": torch.tensor([0.0, 0.0, 1e-9])},
        tensors | {"a": torch.zeros(3, dtype=torch.float16)},
        tensors | {"a": torch.zeros(1, 3)},
        {"c": tensors["a"], "b": tensors["b"]},
    ]
    found = {identity.tensor_digest(each) for each in (tensors, dict(reversed(tensors.items())), *changed)}
    assert len(found) == 1 + len(changed)


def test_a_digest_is_of_names_and_contents_in_any_order(folder: Path) -> None:
    other = folder / "config.json"
    other.write_text("{}", encoding="utf-8")
    files = [folder / SINGLE, other]
    first = identity.digest(folder, files)
    assert identity.digest(folder, reversed(files)) == first != identity.digest(folder, files[:1])
    renamed = other.rename(folder / "settings.json")
    assert identity.digest(folder, [files[0], renamed]) != first


def test_a_card_that_cannot_be_read_says_nothing(folder: Path) -> None:
    identity.write_card(folder, "small", "trained here", [folder / SINGLE])
    digest = identity.digest(folder, [folder / SINGLE])
    assert identity.read_card(folder) == identity.Card("small", "trained here", digest)
    (folder / identity.CARD).write_text("[]", encoding="utf-8")
    assert identity.read_card(folder) == identity.Card()
