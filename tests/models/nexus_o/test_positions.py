"""Rotary positions on three axes: by example, by property, and against transformers' own."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers.models.qwen2_5_vl.modeling_qwen2_5_vl import Qwen2_5_VLForConditionalGeneration

from models.nexus_o.omni import Kind
from models.nexus_o.positions import Grid, Run, positions
from tests.models.nexus_o.backbones import CONFIG, pair

runs = st.builds(Run, st.integers(1, 9))
images = st.builds(Grid, st.just(1), st.integers(1, 6), st.integers(1, 6), st.just(0.0))
videos = st.builds(
    Grid, st.integers(1, 5), st.integers(1, 6), st.integers(1, 6), st.integers(1, 400).map(lambda steps: steps / 64)
)


@pytest.fixture(scope="module")
def reference() -> Qwen2_5_VLForConditionalGeneration:
    return pair()[1]


def test_an_image_stands_on_a_grid_and_text_goes_on_behind_it() -> None:
    found = positions([Run(2), Grid(1, 2, 3), Run(2)], 2)
    assert found.axes.tolist() == [
        [0, 1, 2, 2, 2, 2, 2, 2, 5, 6],
        [0, 1, 2, 2, 2, 3, 3, 3, 5, 6],
        [0, 1, 2, 3, 4, 2, 3, 4, 5, 6],
    ]
    assert found.next == 7


def test_a_video_goes_on_in_time_by_its_seconds() -> None:
    """Half a second a layer at 2 a second is one step; 0.9 s makes steps of 1.8, rounded down."""
    assert positions([Grid(3, 1, 1, 0.5)], 2).axes[0].tolist() == [0, 1, 2]
    assert positions([Grid(4, 1, 1, 0.9)], 2).axes[0].tolist() == [0, 1, 3, 5]


def test_a_long_video_is_where_versions_of_transformers_differ() -> None:
    """Layers up to position 8, rows and columns up to 1: text follows at 9 (4.50), or at 2 (5)."""
    parts = [Grid(5, 2, 2, 1.0), Run(2)]
    assert positions(parts, 2, "max").axes[0, -2:].tolist() == [9, 10]
    assert positions(parts, 2, "max").next == 11
    assert positions(parts, 2, "grid").axes[0, -2:].tolist() == [2, 3]
    assert positions(parts, 2, "grid").next == 9


@given(st.lists(st.one_of(runs, images, videos), max_size=6))
def test_positions_never_go_back_and_every_part_begins_alike_on_all_axes(parts: list[Run | Grid]) -> None:
    found = positions(parts, 2)
    assert found.axes.shape == (3, sum(part.tokens for part in parts))
    at, highest = 0, -1
    for part in parts:
        tokens = part.tokens
        own = found.axes[:, at : at + tokens]
        assert own[:, 0].tolist() == [highest + 1] * 3
        highest = int(own.max())
        at += tokens
    assert found.next == highest + 1


def between(parts: list[Any]) -> list[Run | Grid]:
    """Pictures never touch in a prompt: their marks stand between them."""
    return [one for part in parts for one in ((part, Run(2)) if isinstance(part, Grid) else (part,))]


def theirs(reference: Qwen2_5_VLForConditionalGeneration, parts: list[Run | Grid]) -> tuple[torch.Tensor, int]:
    """Positions [3, S] of transformers, and what comes next."""
    kinds: list[int] = []
    grids: dict[Kind, list[list[int]]] = {Kind.IMAGE: [], Kind.VIDEO: []}
    merge = CONFIG.vision.spatial_merge_size
    for part in parts:
        kind = Kind.TEXT if isinstance(part, Run) else Kind.VIDEO if part.seconds else Kind.IMAGE
        kinds += [int(kind)] * part.tokens
        if isinstance(part, Grid):
            grids[kind].append([part.layers, part.rows * merge, part.columns * merge])
    axes, ahead = reference.model.get_rope_index(
        torch.zeros(1, len(kinds), dtype=torch.long),
        mm_token_type_ids=torch.tensor([kinds]),
        image_grid_thw=torch.tensor(grids[Kind.IMAGE]) if grids[Kind.IMAGE] else None,
        video_grid_thw=torch.tensor(grids[Kind.VIDEO]) if grids[Kind.VIDEO] else None,
        second_per_grid_ts=torch.tensor([part.seconds for part in parts if isinstance(part, Grid) and part.seconds]),
    )
    return axes[:, 0], len(kinds) + int(ahead)


@pytest.fixture(scope="module")
def rounds(reference: Qwen2_5_VLForConditionalGeneration) -> bool:
    """Whether the transformers that is installed takes whole seconds only (5.10 does, 4.50 and 5.23 do not)."""
    return int(theirs(reference, [Grid(2, 1, 1, 0.5)])[0][0, 1]) == 0


@settings(deadline=None)
@given(st.lists(st.one_of(runs, images, videos), min_size=1, max_size=5).map(between))
def test_they_are_those_of_transformers(
    reference: Qwen2_5_VLForConditionalGeneration, rounds: bool, parts: list[Run | Grid]
) -> None:
    if rounds:
        parts = [part if isinstance(part, Run) else part._replace(seconds=math.ceil(part.seconds)) for part in parts]
    axes, behind = theirs(reference, parts)
    found = positions(parts, CONFIG.vision.tokens_per_second, "grid")
    assert torch.equal(found.axes, axes)
    assert found.next == behind
    short = all(isinstance(part, Run) or part.layers * part.seconds * 2 <= max(part[1:3]) for part in parts)
    if short:  # then every version agrees
        assert torch.equal(positions(parts, CONFIG.vision.tokens_per_second, "max").axes, axes)
