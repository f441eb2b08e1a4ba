"""Parity of VITA-Audio's streaming with the chunks that the released demo's loop decoded and sent."""

from __future__ import annotations

import json
from pathlib import Path

import torch

from models.vita_audio.chunks import Released, chunks, new_samples
from models.vita_audio.decoder_config import FlowConfig
from models.vita_audio.flow import Flow
from tests.parity.check import Check
from tests.parity.goldens import locate

FOLDER = "vita_audio"


def vita_audio_streaming(goldens: Path) -> Check:
    check = Check("vita_audio_streaming")
    with torch.device("meta"):
        frames = Flow(FlowConfig.published()).frames
    for case in json.loads(locate(goldens, FOLDER, "streaming.json").read_text(encoding="utf-8")):
        segments, made = case["segment_codes"], list(chunks(Released(), case["segment_codes"]))
        check.equal(f"{segments}: codes", sum(segments), case["total_codes"])
        check.equal(f"{segments}: decodes", len(made), len(case["decodes"]))
        for chunk, decode in zip(made, case["decodes"], strict=False):
            start, end = new_samples(chunk, frames)
            got = {"codes": chunk.end - chunk.first, "first_code": chunk.first}
            got |= {"flow_steps": chunk.steps, "samples_sent": end - start}
            for name, want in decode.items():
                check.equal(f"{segments}, decode of {decode['codes']} codes: {name}", got[name], want)
    return check


COMPONENTS = {"vita_audio_streaming": vita_audio_streaming}
