"""Parity of VITA-Audio Plus's front end, encoder and projector with recorded reference outputs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file
from torch import Tensor

from models.nn.kaldi import fbank
from models.sampling import Decoding
from models.vita_audio.cascade import MtpPrompt, decode
from models.vita_audio.config import MtpConfig
from models.vita_audio.hearing import Hearing
from models.vita_audio.language import MtpModel
from models.vita_audio.schedule import Mode
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


def _stated(goldens: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(locate(goldens, FOLDER, "plus_meta.json").read_text(encoding="utf-8"))
    return found


def _hearing(goldens: Path) -> Hearing:
    stated = _stated(goldens)
    config = SenseVoiceConfig.from_yaml(stated["sensevoice_kwargs"])
    front = FrontEndConfig(mels=config.inputs // FrontEndConfig.stack)
    model = Hearing(config, stated["llm_config"]["hidden_size"], FrontEnd(front, Cmvn.none(front.width)))
    state = load_file(locate(goldens, FOLDER, "plus_model.safetensors"))
    model.load_state_dict({name[len("model.") :]: x for name, x in state.items() if name.startswith("model.audio_")})
    return model.eval()


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
    io, model = _arrays(goldens, "plus"), _hearing(goldens)
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


@torch.no_grad()
def answers(goldens: Path) -> Check:
    """From features to tokens, with one file's weights for ear and language model and no tensor left over."""
    check = Check("vita_audio_plus_answers")
    io, stated, hearing = _arrays(goldens, "plus"), _stated(goldens), _hearing(goldens)
    model = MtpModel(MtpConfig.from_json(stated["llm_config"]), hearing.parts()).eval()
    model.load_state_dict(load_file(locate(goldens, FOLDER, "plus_model.safetensors")))
    embeds = model.embed(io["prompt_ids"])
    embeds[io["audio_indices"][1, 0]] = hearing([io["single_feats"][0]])[0]
    prompt = MtpPrompt(io["prompt_ids"], embeds)
    for key, mode in stated["modes"].items():
        want = io[f"gen_{key}_tokens"].tolist()
        got = decode(model, [prompt], Decoding(len(want)), Mode.of(mode["mtp_inference_mode"]))[0]
        check.equal(f"gen_{key}_tokens", got, want)
    return check


COMPONENTS = {
    "vita_audio_fbank": front_end,
    "vita_audio_plus_encoder": encoder,
    "vita_audio_plus_answers": answers,
}
