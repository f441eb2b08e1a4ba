"""Practice put into weights that ship: what is rounded, what stays byte for byte, whose practice is refused."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from models.checkpoint_error import CheckpointError
from models.released.files import SINGLE
from models.training.practice import LEFT, main, put
from models.training.release import PRACTISED, convert
from models.training.rounding import rounded
from models.training.vita15 import Training
from models.vita15.adapter import MINI


@pytest.fixture
def weights(training: Training, tmp_path: Path) -> Path:
    """As they would have shipped before."""
    convert(training.folder("2.2"), training.folder("3.2"), tmp_path / "weights")
    return tmp_path / "weights"


def test_what_was_practised_is_put_there_rounded_and_all_else_stays(training: Training, weights: Path):
    others = {path: path.read_bytes() for path in weights.rglob("*") if path.is_file() and path.name != SINGLE}
    before, order = load_file(weights / SINGLE), _places(weights / SINGLE)
    put(training.folder("4.3"), weights)
    learnt, found = load_file(training.folder("4.3") / SINGLE), load_file(weights / SINGLE)
    assert _places(weights / SINGLE) == order
    for name, value in found.items():
        if name == LEFT or not name.startswith(PRACTISED):
            assert value.equal(before[name]), name
        elif value.ndim > 1:
            bits = 4 if name.startswith("model.layers.") and ".mlp." in name else 5
            assert value.equal(rounded(learnt[name], bits).half()), name
        else:
            assert value.equal(learnt[name].half()), name
    kept = {path: held for path, held in others.items() if path.name not in ("weights.json", "model.safetensors")}
    assert kept and all(path.read_bytes() == held for path, held in kept.items())


def test_weights_made_at_once_are_those_put_into_others_but_for_one_matrix(
    training: Training, weights: Path, tmp_path: Path
):
    put(training.folder("4.3"), weights)
    convert(training.folder("4.3"), training.folder("3.2"), tmp_path / "whole")
    added, whole = load_file(weights / SINGLE), load_file(tmp_path / "whole" / SINGLE)
    assert added.keys() == whole.keys()
    assert [name for name, value in added.items() if not value.equal(whole[name])] in ([LEFT], [])


def test_practice_of_other_weights_is_refused(training: Training, weights: Path, tmp_path: Path):
    other = Path(shutil.copytree(weights, tmp_path / "other"))
    tensors = load_file(other / SINGLE)
    tensors["model.embed_tokens.weight"] += 1
    save_file(tensors, other / SINGLE, metadata={"format": "pt"})
    with pytest.raises(CheckpointError, match=r"from other weights than .*: model\.embed_tokens\.weight differs"):
        put(training.folder("4.3"), other)


def _places(path: Path) -> list[str]:
    with safe_open(path, "pt") as file:
        return list(file.keys())


def test_practice_of_another_size_is_refused_and_nothing_is_written(training: Training, tmp_path: Path):
    weights = Path(shutil.copytree(MINI, tmp_path / "mini"))
    before = {path: path.read_bytes() for path in weights.rglob("*") if path.is_file()}
    with pytest.raises(CheckpointError, match="is of another size than"):
        put(training.folder("4.3"), weights)
    assert {path: path.read_bytes() for path in weights.rglob("*") if path.is_file()} == before


@pytest.mark.parametrize("lost", ["README.md", "claims.json", "before", "a table"])
def test_what_is_missing_is_told_before_anything_is_written(
    training: Training, weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lost: str
):
    before = Path(shutil.copytree(weights, tmp_path / "before"))
    for name in ("README.md", "claims.json"):
        shutil.copyfile(MINI / name, weights / name)
    if lost == "before":
        shutil.rmtree(before)
    elif lost == "a table":
        (weights / "README.md").write_text("# Weights\n", encoding="utf-8")
    else:
        (weights / lost).unlink()
    held = {path: path.read_bytes() for path in weights.rglob("*") if path.is_file()}
    arguments = ["--training", str(training.out), "--before", str(before), "--weights", str(weights)]
    monkeypatch.setattr("sys.argv", ["practice", *arguments])
    assert main() == 2
    assert {path: path.read_bytes() for path in weights.rglob("*") if path.is_file()} == held
