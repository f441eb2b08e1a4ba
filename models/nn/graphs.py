"""Replaying a decoding step as a CUDA graph, so that a step costs its kernels and not their launches."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Hashable

import torch


class Step:
    """A step whose tensors keep their places and shapes: captured on CUDA, called plainly elsewhere.

    `key` names the shapes of a call. The first call with a key runs plainly, which also warms up the libraries; the
    second captures a graph, and from then on the graph is replayed. Capturing runs nothing, so no step is taken twice.
    If a capture fails, the step goes on without graphs and says so once. Without `graphs` every call is plain.
    """

    def __init__(self, step: Callable[[], None], device: torch.device, graphs: bool = True) -> None:
        self._step = step
        self._capturing = graphs and device.type == "cuda"
        self._graphs: dict[Hashable, torch.cuda.CUDAGraph | None] = {}
        self._pool = torch.cuda.graph_pool_handle() if self._capturing else None

    def __call__(self, key: Hashable = None) -> None:
        if not self._capturing or key not in self._graphs:
            self._graphs[key] = None
            self._step()
            return
        graph = self._graphs[key] or self._capture(key)
        if graph is None:
            self._step()
        else:
            graph.replay()

    def _capture(self, key: Hashable) -> torch.cuda.CUDAGraph | None:
        graph = torch.cuda.CUDAGraph()
        try:
            with torch.cuda.graph(graph, pool=self._pool):
                self._step()
        except RuntimeError as error:
            warnings.warn(f"decoding goes on without CUDA graphs: {error}", stacklevel=3)
            torch.cuda.synchronize()
            self._capturing = False
            return None
        self._graphs[key] = graph
        return graph
