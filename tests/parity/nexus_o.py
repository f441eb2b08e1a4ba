"""Parity of NEXUS-O's codec and delay pattern with recorded reference outputs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file
from torch import Tensor

from models.nexus_o.delay import delay, training_pair, undo
from models.nexus_o.firefly import Firefly
from models.nexus_o.firefly_checkpoint import build_firefly, released_state
from models.nexus_o.firefly_config import FireflyConfig
from models.nexus_o.firefly_mel import log_mel
from models.nexus_o.firefly_quantizer import digits
from models.nexus_o.firefly_stream import stream_waves
from models.nn.mel import slaney_filters
from tests.parity.check import Check
from tests.parity.goldens import locate

FOLDER = "nexus_o_and_alignment"
TOLERANCE, ROUNDING = 2e-5, 1e-6


def _arrays(goldens: Path, name: str) -> dict[str, Tensor]:
    with np.load(locate(goldens, FOLDER, name), allow_pickle=False) as file:
        return {key: torch.from_numpy(np.asarray(file[key])) for key in file.files}


def _json(goldens: Path, name: str) -> Any:
    return json.loads(locate(goldens, FOLDER, name).read_text(encoding="utf-8"))


@torch.no_grad()
def firefly(goldens: Path) -> Check:
    check = Check("nexus_o_firefly", TOLERANCE)
    recorded, built = _json(goldens, "firefly_full_keys_shapes.json"), _published_shapes()
    differing = [name for name in sorted({*recorded, *built}) if recorded.get(name) != built.get(name)]
    check.equal(f"the {len(recorded)} tensors of the published size: differing", differing, [])
    path = locate(goldens, FOLDER, "firefly_weights.safetensors")
    config = FireflyConfig.from_json(_json(goldens, "firefly_config.json"))
    io, loaded = _arrays(goldens, "firefly_io.npz"), build_firefly(config, load_file(path), path)
    check.equal("tensors left out", loaded.unknown, ())
    model, waves = loaded.model, io["encode_audio"]

    filters = slaney_filters(config.mel.sample_rate, config.mel.fft, config.mel.mels)
    check.close("mel_fb", filters.T, io["mel_fb"], tolerance=ROUNDING)
    mel = log_mel(waves[:, 0], config.mel)
    check.close("encode_mel", mel, io["encode_mel"])
    check.close("encode_backbone_unmasked", model.backbone(mel), io["encode_backbone_unmasked"])
    encoded = model.encode(waves, io["encode_audio_lengths"])
    check.equal("encode_indices", encoded.codes, io["encode_indices"])
    check.equal("encode_feature_lengths", encoded.lengths, io["encode_feature_lengths"])

    places = digits(torch.arange(config.codes), config.quantizer.levels)
    check.equal("fsq_implicit_codebook", places, io["fsq_implicit_codebook_1000x4"])
    codes, lengths = io["decode_indices"], io["decode_feature_lengths"]
    check.close("decode_zq_bld", model.quantizer.embed(codes).transpose(1, 2), io["decode_zq_bld"])
    features = model.quantizer.decode(codes)
    check.close("decode_z", features, io["decode_z"])
    check.close("decode_head_unmasked", model.head(features), io["decode_head_unmasked"])
    decoded = model.decode(codes, lengths)
    check.close("decode_wav", decoded.waves, io["decode_wav"])
    check.equal("decode_audio_lengths", decoded.lengths, io["decode_audio_lengths"])
    streamed = torch.cat(list(stream_waves(model, codes.split(4, dim=2))), dim=2)
    check.close("decode_head_unmasked in chunks", streamed, io["decode_head_unmasked"])
    return check


def _published_shapes() -> dict[str, list[int]]:
    with torch.device("meta"):
        state = released_state(Firefly(FireflyConfig.published()))
    return {name: list(tensor.shape) for name, tensor in state.items()}


def delay_pattern(goldens: Path) -> Check:
    check = Check("nexus_o_delay_pattern")
    tables = _arrays(goldens, "delay_pattern.npz")
    for case in _json(goldens, "delay_pattern_cases.json"):
        name, streams, pad = case["name"], case["K"], case["pad"]
        want = {key.partition("__")[2]: table for key, table in tables.items() if key.startswith(f"{name}__")}
        codes, pair = want["codes"], training_pair(want["codes"], pad)
        check.equal(f"{name} shape", list(codes.shape), [case["B"], streams, case["T"]])
        check.equal(f"{name} delayed", delay(codes, pad, bos=False), want["delayed"])
        check.equal(f"{name} delayed_bos", delay(codes, pad), want["delayed_bos"])
        check.equal(f"{name} train_inputs", pair.inputs, want["train_inputs"])
        check.equal(f"{name} train_targets", pair.targets, want["train_targets"])
        check.equal(f"{name} undone", undo(want["delayed_bos"], streams), codes)
        check.equal(f"{name} undone without bos", undo(want["delayed"], streams, bos=False), codes)
        if "hf_pattern_from_bos" in want:
            to_make = delay(torch.full_like(codes, -1), pad)
            check.equal(f"{name} hf_pattern_from_bos", to_make, want["hf_pattern_from_bos"])
    return check


COMPONENTS = {"nexus_o_firefly": firefly, "nexus_o_delay_pattern": delay_pattern}
