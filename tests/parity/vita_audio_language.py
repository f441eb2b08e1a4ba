"""Parity of VITA-Audio's language model and its prediction modules with recorded reference outputs."""

from __future__ import annotations

import json
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file
from torch import Tensor

from models.sampling import Decoding, Sampling
from models.vita_audio.cascade import Cascade, MtpPrompt, decode
from models.vita_audio.config import MtpConfig
from models.vita_audio.language import MtpModel
from models.vita_audio.loss import Packed, packed_loss, packed_rows
from models.vita_audio.schedule import LLM, MODES, Mode, calls, sources
from tests.parity.check import Check
from tests.parity.goldens import locate

FOLDER = "vita_audio"
MODULE_TOLERANCE, LLM_TOLERANCE, LOSS_TOLERANCE = 5e-3, 1e-4, 1e-3


def arrays(goldens: Path, name: str) -> dict[str, Tensor]:
    with np.load(locate(goldens, FOLDER, name), allow_pickle=False) as file:
        return {key: torch.from_numpy(np.asarray(file[key])) for key in file.files}


def meta(goldens: Path, name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(locate(goldens, FOLDER, name).read_text(encoding="utf-8"))
    return found


def load(goldens: Path, name: str, config: MtpConfig) -> MtpModel:
    model = MtpModel(config)
    state = load_file(locate(goldens, FOLDER, f"{name}_model.safetensors"))
    model.load_state_dict({key: value for key, value in state.items() if ".audio_" not in key})
    return model.eval()


def _networks(goldens: Path, name: str) -> Check:
    check = Check(f"vita_audio_{name}", MODULE_TOLERANCE)
    about, io = meta(goldens, f"{name}_meta.json"), arrays(goldens, f"{name}_io.npz")
    model = load(goldens, name, MtpConfig.from_json(about["config"]))
    prompt = MtpPrompt(io["prompt_ids"])
    for key, mode in about["modes"].items():
        _generation(check, model, io, key, prompt, Mode.of(mode["mtp_inference_mode"]))
        if (stop := mode.get("eos_token_id_for_eos_test")) is not None:
            got = decode(model, [prompt], Decoding(60, stop_ids=(stop,)), Mode.of(mode["mtp_inference_mode"]))[0]
            check.equal(f"eos_{key}_tokens", [*got, stop], io[f"eos_{key}_tokens"].tolist())
    _forced(check, model, io)
    _losses(check, model, io)
    return check


@torch.no_grad()
def _generation(check: Check, model: MtpModel, io: dict[str, Tensor], key: str, prompt: MtpPrompt, mode: Mode) -> None:
    """Tokens exactly, the logits of every step, and which rows of which network each step took in."""
    tokens, modules = io[f"gen_{key}_tokens"], model.config.modules
    table = Cascade(model, [prompt], Decoding(len(tokens)), mode)
    plan = list(islice(calls(mode, modules), len(tokens)))
    logits = []
    for made, call in enumerate(plan):
        table.take((call,), made)
        logits.append(table.logits[0].clone())
    made_by = [call.source for call in plan]
    check.equal(f"gen_{key}_source", made_by, io[f"gen_{key}_source"].tolist())
    length = len(prompt.ids)
    check.equal(f"gen_{key}_tokens", table.ids[0, length : length + len(tokens)], tokens)
    if f"gen_{key}_calls" in io:
        rows = [call.new + (length if call.first else 0) for call in plan]
        last = [length + made - 1 for made in range(len(plan))]
        first = [end - count + 1 for end, count in zip(last, rows, strict=True)]
        check.equal(
            f"gen_{key}_calls", list(zip(made_by, rows, first, last, strict=True)), _tuples(io[f"gen_{key}_calls"])
        )
    for step, source in enumerate(made_by):
        bound = LLM_TOLERANCE if source == LLM and not mode.uses_modules else MODULE_TOLERANCE
        check.close(f"gen_{key}_logits[{step}]", logits[step], io[f"gen_{key}_logits"][step], tolerance=bound)


@torch.no_grad()
def _forced(check: Check, model: MtpModel, io: dict[str, Tensor]) -> None:
    got = model.forced(io["tf_ids"][None])
    for index, name in enumerate(["main", *(f"mtp{i}" for i in range(model.config.modules))]):
        bound = LLM_TOLERANCE if name == "main" else MODULE_TOLERANCE
        check.close(f"tf_{name}_logits", got.logits[index][0], io[f"tf_{name}_logits"], tolerance=bound)
        check.close(f"tf_{name}_hidden", got.hidden[index][0], io[f"tf_{name}_hidden"], tolerance=bound)


@torch.no_grad()
def _losses(check: Check, model: MtpModel, io: dict[str, Tensor]) -> None:
    """Of one sample and of three packed ones, with a head that learns and with a frozen one."""
    single = Packed(io["tf_ids"], io["tf_labels"], torch.arange(len(io["tf_ids"])))
    pack = Packed(io["pack_ids"], io["pack_labels"], io["pack_pos"])
    for name, packed in (("tf", single), ("pack", pack)):
        got = packed_loss(model, packed)
        total = "tf_loss" if name == "tf" else "pack_loss_lmhead_trainable"
        check.close(total, got.total, io[total], tolerance=LOSS_TOLERANCE)
        for index, loss in enumerate(got.modules):
            key = f"{name}_mtp{index}_loss"
            check.close(key, loss, io[key], tolerance=LOSS_TOLERANCE)
    frozen = packed_loss(model, pack, main=False, detach=True)
    check.close("pack_loss_lmhead_frozen", frozen.total, io["pack_loss_lmhead_frozen"], tolerance=LOSS_TOLERANCE)
    first = packed_rows(model, pack)[0]
    check.close("pack_main_logits", model.lm_head(first.hidden), io["pack_main_logits"], tolerance=LLM_TOLERANCE)


def _tuples(calls_: Tensor) -> list[tuple[int, ...]]:
    return [tuple(row) for row in calls_.tolist()]


def mtp_small(goldens: Path) -> Check:
    return _networks(goldens, "mtp_small")


def mtp10(goldens: Path) -> Check:
    check = _networks(goldens, "mtp10")
    about, more = meta(goldens, "mtp10_meta.json"), arrays(goldens, "mtp10_extra.npz")
    model = load(goldens, "mtp10", MtpConfig.from_json(about["config"]))
    ids = arrays(goldens, "mtp10_io.npz")["prompt_ids"]
    penalty = Sampling(repetition_penalty=float(more["repetition_penalty"]))
    for key, mode in about["modes"].items():
        how = Mode.of(mode["mtp_inference_mode"])
        got = decode(model, [MtpPrompt(ids)], Decoding(len(more[f"{key}_tokens"]), sampling=penalty), how)
        check.equal(f"{key} with a repetition penalty", got[0], more[f"{key}_tokens"].tolist())
        short = more[f"{key}_prompt1_tokens"]
        got = decode(model, [MtpPrompt(ids[:1])], Decoding(len(short)), how)
        check.equal(f"{key} of a prompt of one token", got[0], short.tolist())
    return check


def plus(goldens: Path) -> Check:
    """The modules read the raw embedding where the language model reads what was heard."""
    check = Check("vita_audio_plus", MODULE_TOLERANCE)
    about, io = meta(goldens, "plus_meta.json"), arrays(goldens, "plus_io.npz")
    model = load(goldens, "plus", MtpConfig.from_json(about["llm_config"]))
    with torch.no_grad():
        embeds = model.embed(io["prompt_ids"]).clone()
        embeds[io["audio_indices"][1, 0]] = io["proj_out"][0]
    for key, mode in about["modes"].items():
        prompt = MtpPrompt(io["prompt_ids"], embeds)
        _generation(check, model, io, key, prompt, Mode.of(mode["mtp_inference_mode"]))
    return check


def schedule(goldens: Path) -> Check:
    check = Check("vita_audio_schedule")
    for key, case in meta(goldens, "schedule.json").items():
        modules = int(key.rpartition("_N")[2]) if "_N" in key else 10
        mode, count = Mode.of(case["mtp_inference_mode"]), len(case["source"])
        made_by = list(islice(sources(mode, modules), count))
        check.equal(f"{key} source", made_by, case["source"])
        if "num_llm_forwards" in case:
            check.equal(f"{key} num_llm_forwards", made_by.count(LLM), case["num_llm_forwards"])
        if key in MODES:
            check.equal(f"{key} by name", MODES[key].numbers, case["mtp_inference_mode"])
    return check


COMPONENTS = {
    "vita_audio_schedule": schedule,
    "vita_audio_mtp_small": mtp_small,
    "vita_audio_mtp10": mtp10,
    "vita_audio_plus": plus,
}
