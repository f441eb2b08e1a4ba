"""Parity of VITA-Audio Plus's front end, encoder and projector with recorded reference outputs."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file
from torch import Tensor

from models.nn.kaldi import fbank
from models.vita_audio.hearing import build_hearing
from models.vita_audio.sensevoice_config import FrontEndConfig, SenseVoiceConfig
from models.vita_audio.sensevoice_features import Cmvn, FrontEnd, n_frames
from models.vita_audio.sensevoice_files import read_cmvn
from tests.parity.check import Check
from tests.parity.goldens import locate

FOLDER = "vita_audio"
FBANK_TOLERANCE, NORMALISED_TOLERANCE, TOLERANCE = 5e-4, 1e-4, 2e-5
SHORT = 3000  # samples of the short clip


def _arrays(goldens: Path, name: str) -> dict[str, Tensor]:
    with np.load(locate(goldens, FOLDER, f"{name}_io.npz"), allow_pickle=False) as file:
        return {key: torch.from_numpy(np.asarray(file[key])) for key in file.files}


def front_end(goldens: Path) -> Check:
    check = Check("vita_audio_fbank", FBANK_TOLERANCE)
    io, config = _arrays(goldens, "fbank"), FrontEndConfig()
    cmvn = read_cmvn(locate(goldens, FOLDER, "am.mvn"), config.width)
    check.close("am_shift", cmvn.shift, io["am_shift"], 2e-6)  # the file has six decimals
    check.close("am_scale", cmvn.scale, io["am_scale"], 1e-6)
    wave, front = io["wav"], FrontEnd(config, cmvn)
    check.close("fbank80", fbank(wave, config.mels, window="hamming"), io["fbank80"])
    for name, clip in (("lfr_cmvn", wave), ("short_lfr_cmvn", wave[:SHORT])):
        check.close(name, front(clip), io[name], NORMALISED_TOLERANCE)
        check.equal(f"frames of {name}", n_frames(len(clip)), len(io[name]))
    return check


@torch.no_grad()
def encoder(goldens: Path) -> Check:
    check = Check("vita_audio_plus_encoder", TOLERANCE)
    io, meta = _arrays(goldens, "plus"), locate(goldens, FOLDER, "plus_meta.json")
    stated = json.loads(meta.read_text(encoding="utf-8"))
    config = SenseVoiceConfig.from_yaml(stated["sensevoice_kwargs"])
    front = FrontEndConfig(mels=config.inputs // FrontEndConfig.stack)
    path = locate(goldens, FOLDER, "plus_model.safetensors")
    hidden = stated["llm_config"]["hidden_size"]
    loaded = build_hearing(config, hidden, FrontEnd(front, Cmvn.none(front.width)), load_file(path), path)
    check.equal("tensors left out", loaded.unknown, ())
    model = loaded.model
    for case in ("single", "batch"):
        got = model.audio_model.model(io[f"{case}_feats"], io[f"{case}_lens"])
        want, lengths = io[f"{case}_enc"], io[f"{case}_enc_lens"]
        check.equal(f"{case}_enc_lens", got.lengths, lengths)
        for row, length in enumerate(lengths.tolist()):
            check.close(f"{case}_enc row {row}", got.states[row, :length], want[row, :length])
    check.close("proj_out", model.audio_projection(io["proj_in"]), io["proj_out"])
    heard = model([clip[:length] for clip, length in zip(io["single_feats"], io["single_lens"], strict=True)])
    check.close("proj_out from features", torch.stack(heard), io["proj_out"])
    return check


COMPONENTS = {"vita_audio_fbank": front_end, "vita_audio_plus_encoder": encoder}
