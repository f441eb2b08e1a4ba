"""Weights are opened once, when they are first needed, and a model goes by them from then on."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import NamedTuple

import pytest

from harness.contracts import Capabilities, ModelOptions
from harness.failures import UsageError
from harness.types import Generation
from models.generation import GenerationDefaults
from models.lazy import LazyModel
from models.released.identity import Identity


class Toy(NamedTuple):
    identity: Identity
    generation: GenerationDefaults


class ToyModel(LazyModel[Toy, str]):
    def _fit(self, opened: Toy) -> str:
        return f"of {opened.identity.source}"

    def outlined(self) -> str:
        return self._outlined()


def toy(opened: list[int], device: str = "cpu", fault: str | None = None) -> ToyModel:
    def opener() -> Toy:
        opened.append(1)
        if fault is not None:
            raise UsageError(fault)
        return Toy(Identity("a folder", "0123456789abcdef", note="small"), GenerationDefaults((7,), 1.05))

    capabilities = Capabilities(frozenset({"text"}), frozenset({"text"}), stream=False, hidden_states=False)
    return ToyModel("toy", ModelOptions(device=device), capabilities, opener, lambda: "planned", "not open")


def test_it_is_planned_before_it_is_opened_and_known_by_its_weights_then() -> None:
    opened: list[int] = []
    model = toy(opened)
    assert (model.outlined(), model.label, model.note, opened) == ("planned", "toy", "not open", [])
    assert model.fingerprint()["digest"] == "0123456789abcdef"
    assert (model.outlined(), model.label, model.note) == ("of a folder", "toy (01234567)", "small")
    assert model.effective(Generation())["repetition_penalty"] == 1.05 and opened == [1]


def test_threads_that_need_it_together_open_it_once() -> None:
    opened: list[int] = []
    model, together = toy(opened), Barrier(4)

    def need(_: int) -> str:
        together.wait()
        return str(model.fingerprint()["source"])

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(need, range(4))) == ["a folder"] * 4
    assert opened == [1]


def test_a_closed_model_opens_again() -> None:
    opened: list[int] = []
    model = toy(opened)
    for _ in range(2):
        model.open()
        model.close()
        model.close()
    assert opened == [1, 1]


def test_weights_that_cannot_be_opened_leave_it_as_it_was() -> None:
    opened: list[int] = []
    model = toy(opened, fault="no such folder")
    for _ in range(2):
        with pytest.raises(UsageError, match="no such folder"):
            model.open()
    assert (model.label, model.outlined(), opened) == ("toy", "planned", [1, 1])


def test_an_absent_device_is_told_before_anything_is_opened() -> None:
    opened: list[int] = []
    with pytest.raises(UsageError, match="--device nowhere"):
        toy(opened, device="nowhere").open()
    assert opened == []
