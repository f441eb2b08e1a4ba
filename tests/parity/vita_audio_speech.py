"""Parity of VITA-Audio's speech tokenizer and speech decoder with recorded reference outputs."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file
from torch import Tensor

from models.vita_audio.decoder_config import FlowConfig, VocoderConfig
from models.vita_audio.flow import Prompt, initial_noise, time_grid
from models.vita_audio.speech_checkpoint import build_flow, build_tokenizer, build_vocoder
from models.vita_audio.speech_features import speech_features
from models.vita_audio.speech_tokenizer import TokenizerConfig
from tests.parity.check import Check
from tests.parity.goldens import locate

FOLDER = "vita_audio"
HIDDEN_TOLERANCE, TOLERANCE = 1e-3, 1e-4


def _arrays(goldens: Path, name: str) -> dict[str, Tensor]:
    with np.load(locate(goldens, FOLDER, f"{name}_io.npz"), allow_pickle=False) as file:
        return {key: torch.from_numpy(np.asarray(file[key])) for key in file.files}


def _config(goldens: Path, name: str) -> Any:
    return json.loads(locate(goldens, FOLDER, name).read_text(encoding="utf-8"))


@torch.no_grad()
def glm_tokenizer(goldens: Path) -> Check:
    check = Check("vita_audio_glm_tokenizer", HIDDEN_TOLERANCE)
    path = locate(goldens, FOLDER, "glm_tokenizer_model.safetensors")
    config = TokenizerConfig.from_json(_config(goldens, "glm_tokenizer_config.json"))
    io, loaded = _arrays(goldens, "glm_tokenizer"), build_tokenizer(config, load_file(path), path)
    check.equal("tensors left out", loaded.unknown, ())
    mel, mask = io["mel"], io["attention_mask"].bool()
    got, valid = loaded.model(mel, mask), io["valid_mask"].bool()
    check.equal("valid_mask", got.mask, valid)
    check.equal("codes", got.codes[valid], io["codes"][valid])
    check.close("prequant", got.features[valid], io["prequant"][valid])
    check.close("last_hidden", got.last[valid], io["last_hidden"][valid])
    for index, state in enumerate((*got.states, got.last)):
        want = io[f"hs{index}"]
        rows = mask[:, :: mask.shape[1] // want.shape[1]]
        check.close(f"hs{index}", state[rows], want[rows])
    length = int(io["T_single"])
    single = loaded.model(mel[:1, :, :length], torch.ones(1, length, dtype=torch.bool))
    check.equal("codes_single", single.codes, io["codes_single"])

    waves = [io[name] for name in sorted(io) if name.startswith("wav_")]
    features = speech_features(waves, io["fe_features"].shape[1])
    check.close("fe_features", features.mel, io["fe_features"], tolerance=TOLERANCE)
    check.equal("fe_mask", features.mask, io["fe_mask"])
    check.equal("fe_ntokens", features.mask[:, ::2][:, ::4].sum(1), io["fe_ntokens"])
    return check


@torch.no_grad()
def flow(goldens: Path) -> Check:
    check = Check("vita_audio_flow", HIDDEN_TOLERANCE)
    path = locate(goldens, FOLDER, "flow_model.safetensors")
    config = FlowConfig.from_json(_config(goldens, "decoder_config.json"))
    io, loaded = _arrays(goldens, "flow"), build_flow(config, load_file(path), path)
    check.equal("tensors left out", loaded.unknown, ())
    model, codes = loaded.model, io["token"].reshape(1, -1)
    check.close("enc_out", model.encode(codes), io["enc_out"], tolerance=TOLERANCE)
    mu = model.expected(codes)
    check.close("mu", mu, io["mu"], tolerance=TOLERANCE)
    check.equal("z", initial_noise(mu.transpose(1, 2)), io["z"])
    for name in sorted(io):
        if name.startswith("t_span"):
            check.close(name, time_grid(int(name.removeprefix("t_span"))), io[name], tolerance=1e-6)
        elif name.startswith("mel_zero_spk_steps"):
            got = model(codes, int(name.removeprefix("mel_zero_spk_steps")), noise=io["z"])
            check.close(name, got, io[name])
        elif name.startswith("mel_spk_steps"):
            got = model(codes, int(name.removeprefix("mel_spk_steps")), io["spk_emb"], noise=io["z"])
            check.close(name, got, io[name])
        elif name.startswith("mel_prompted_steps"):
            cut = _prompt_codes(model.frames, io["prompt_feat"].shape[1])
            prompt = Prompt(codes[:, :cut], io["prompt_feat"])
            steps, noise = int(name.removeprefix("mel_prompted_steps")), io["prompted_z"]
            check.close(name, model(codes[:, cut:], steps, None, prompt, noise), io[name])
    parts = (io[f"est_{part}"] for part in ("x", "mu", "spk", "cond"))
    estimate = model.decoder["estimator"](*parts, io["est_t"].reshape(1).float())
    check.close("est_out", estimate, io["est_out"], tolerance=TOLERANCE)
    return check


def _prompt_codes(frames: Callable[[int], int], given: int) -> int:
    """How many codes stand for `given` mel frames."""
    return next(count for count in range(given + 1) if frames(count) >= given)


@torch.no_grad()
def hift(goldens: Path) -> Check:
    check = Check("vita_audio_hift", HIDDEN_TOLERANCE)
    path = locate(goldens, FOLDER, "hift_model.safetensors")
    config = VocoderConfig.from_json(_config(goldens, "decoder_config.json"))
    io, loaded = _arrays(goldens, "hift"), build_vocoder(config, load_file(path), path)
    check.equal("tensors left out", loaded.unknown, ())
    model, mel = loaded.model, io["mel"]
    f0 = model.pitch(mel)
    check.close("f0", f0, io["f0"])
    source = model.source(f0, random=False)
    check.close("source_zero_noise", source, io["source_zero_noise"], tolerance=TOLERANCE)
    check.close("wav_zero_noise", model.decode(mel, source), io["wav_zero_noise"])
    given = io["source_given"]
    check.close("wav_given_source", model.decode(mel, given), io["wav_given_source"])
    spectrum = torch.cat([io["stft_real"], io["stft_imag"]], dim=1)
    check.close("stft", model.spectrum(given), spectrum, tolerance=TOLERANCE)
    return check


COMPONENTS = {
    "vita_audio_glm_tokenizer": glm_tokenizer,
    "vita_audio_flow": flow,
    "vita_audio_hift": hift,
}
