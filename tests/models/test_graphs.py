"""Steps off CUDA are plain calls; on CUDA they are replayed."""

from __future__ import annotations

import pytest
import torch

from models.nn.graphs import Step


@pytest.mark.parametrize("graphs", [True, False])
def test_every_call_is_one_step(graphs: bool) -> None:
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    count = torch.zeros(1, device=device)

    def add_one() -> None:
        count.add_(1)

    step = Step(add_one, device, graphs)
    for calls, key in enumerate(("a", "a", "a", "b", "a", "b", "b"), start=1):
        step(key)
        assert count.item() == calls
