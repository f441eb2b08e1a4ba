"""About how long a prompt is, from texts and the headers of its media; needs neither weights nor processor.

Batches are planned by it. The figures are Qwen2.5-VL's and Qwen2.5-Omni's: a token for 28 x 28 pixels, 25 for a second
of sound. Where they are too low for a model and memory runs out, the batch is halved and asked again.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from harness.media import Extent
from harness.types import Request, Text
from models.hf.conversation import MAX_FRAMES
from models.text.tokenizer import estimated

TEMPLATE = 32
PIXELS_PER_TOKEN = 28 * 28
PICTURE_MOST = 1_280
"""Tokens: larger pictures are made smaller by most processors."""
SOUND_PER_S = 25


def estimate(request: Request, extents: Sequence[Extent]) -> int:
    texts = sum(estimated(part.text) for one in request.messages for part in one.parts if isinstance(part, Text))
    return TEMPLATE + texts + sum(_medium(m.kind, e, request) for m, e in zip(request.media, extents, strict=True))


def _medium(kind: str, extent: Extent, request: Request) -> int:
    if kind == "audio":
        return math.ceil(extent.seconds * SOUND_PER_S)
    picture = min(PICTURE_MOST, math.ceil(extent.width * extent.height / PIXELS_PER_TOKEN))
    if kind == "image":
        return picture
    most = request.pictures.max_frames or MAX_FRAMES
    wanted = math.ceil(extent.seconds) + 1 if request.pictures.frame_rule in ("model", "fps", "segments") else most
    return picture * max(1, min(most, wanted, extent.frames or wanted))
