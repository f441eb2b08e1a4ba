"""VITA-1.5's perception against reference outputs: features, speech encoder, vision tower, tiling, frames."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import numpy as np
import PIL
import torch
from PIL import Image
from safetensors import safe_open
from torch import Tensor, nn

from models.nn.kaldi import fbank
from models.nn.resampling import resample
from models.vita15.audio_encoder import AudioEncoder, chunk_mask
from models.vita15.audio_features import load_cmvn, num_encoder_frames, num_llm_tokens
from models.vita15.config import AudioConfig, VisionConfig
from models.vita15.connector import Projector, pixel_shuffle, vision_features
from models.vita15.image_processing import choose_grid, expand_to_square, preprocess, tile_image
from models.vita15.video_frames import sample_frames
from models.vita15.vision import VisionTower
from tests.parity.check import Check
from tests.parity.goldens import locate

Module = TypeVar("Module", bound=nn.Module)

MODEL_TOLERANCE = 5e-5
FBANK_TOLERANCE = 2e-4
FLOAT_TOLERANCE = 1e-5


class Golden(NamedTuple):
    tensors: dict[str, Tensor]
    config: dict[str, Any]

    def under(self, prefix: str) -> dict[str, Tensor]:
        """The tensors whose name starts with the prefix, without it."""
        return {name[len(prefix) :]: t for name, t in self.tensors.items() if name.startswith(prefix)}


def fbank_and_cmvn(goldens: Path) -> Check:
    check = Check("fbank", FBANK_TOLERANCE)
    golden = _load(goldens, "fbank")
    for case, waveform in golden.under("wav.").items():
        want = golden.tensors[f"fbank.{case}"]
        check.close(f"fbank.{case}", fbank(waveform, num_mel_bins=want.shape[1]), want)
        recorded = golden.config.get("cases", {}).get(case, {})
        if "frames" in recorded:
            check.equal(f"frames of case {case}", len(want), recorded["frames"])
        if "lengths_for_llm" in recorded:
            check.equal(f"tokens of case {case}", num_llm_tokens(len(want)), recorded["lengths_for_llm"])
    for prefix, name in (("cmvn.", "global_cmvn.json"), ("cmvn_zero_variance.", "global_cmvn_zero_variance.json")):
        _check_cmvn(check, goldens, golden, prefix, name)
    for frames, encoder_frames, tokens in golden.tensors["length_table"].tolist():
        check.equal(f"encoder frames of {frames}", num_encoder_frames(frames), encoder_frames)
        check.equal(f"tokens of {frames}", num_llm_tokens(frames), tokens)
    return check


def _check_cmvn(check: Check, goldens: Path, golden: Golden, prefix: str, name: str) -> None:
    """The statistics of one file; a folder without it leaves the rest of the component standing."""
    try:
        cmvn = load_cmvn(_path(goldens, name))
    except FileNotFoundError as error:
        print(f"{check.component}: {prefix}* not checked, no golden file {error.filename}", file=sys.stderr)
        return
    for statistic in ("mean", "istd"):
        want = golden.tensors[f"{prefix}{statistic}"]
        _relatively_close(check, f"{prefix}{statistic}", getattr(cmvn, statistic), want)
    for case, want in golden.under(f"{prefix}out.").items():
        features = fbank(golden.tensors[f"wav.{case}"], num_mel_bins=want.shape[1])
        check.close(f"{prefix}out.{case}", (features - cmvn.mean) * cmvn.istd, want, 1e-4)


def _relatively_close(check: Check, name: str, got: Tensor, want: Tensor) -> None:
    """Within fp32 rounding of each value, because inverse deviations span many orders of magnitude."""
    scale = torch.where(want == 0, torch.ones_like(want), want)
    check.close(name, got / scale, want / scale, 1e-6)


def resampling(goldens: Path) -> Check:
    check = Check("resample", FLOAT_TOLERANCE)
    golden = _load(goldens, "resample")
    for name, want in golden.under("out.").items():
        rate, target = name.split("_to_")
        got = torch.stack([resample(row, int(rate), int(target)) for row in golden.tensors[f"in.{rate}"]])
        check.close(name, got, want)
    return check


def chunk_masks(goldens: Path) -> Check:
    check = Check("chunk_mask")
    for name, want in _load(goldens, "chunk_mask").tensors.items():
        size, chunk, left = (int(number) for number in re.findall(r"-?\d+", name))
        check.equal(name, chunk_mask(size, chunk, left), want)
    return check


@torch.no_grad()
def audio_encoder(goldens: Path) -> Check:
    check = Check("audio_encoder", MODEL_TOLERANCE)
    golden = _load(goldens, "audio_encoder")
    weights = golden.under("model.audio_encoder.")
    prompt = weights.pop("prompt_embeddings.weight", None)
    config, output_size = _audio_config(golden, weights), len(weights["adpter.project.weight"])

    def model(**changes: int) -> AudioEncoder:
        changed = AudioConfig(**(vars(config) | changes))
        extra = {} if prompt is None or not changed.num_prompt_embeddings else {"prompt_embeddings.weight": prompt}
        return _loaded(AudioEncoder(changed, output_size), weights | extra)

    batch, lengths, long = golden.tensors["in.batch"], golden.tensors["in.lengths"], golden.tensors["in.long"]
    inputs = {"batch": (batch, lengths), "long": (long, torch.tensor([long.shape[1]] * len(long)))}
    for item, length in enumerate(lengths.tolist()):  # one item of the batch alone
        inputs[f"single{item}"] = batch[item : item + 1, :length], lengths[item : item + 1]

    for name, want in golden.under("out.").items():
        if name.count(".") != 2 or name.split(".")[1] not in inputs:
            print(f"audio_encoder: no rule for the golden out.{name}, not compared", file=sys.stderr)
            continue
        variant, source, field = name.split(".")
        base, _, prompts = variant.partition("_with_prompt")
        settings = golden.config["variants"].get(base, _FULL)
        features, counts = inputs[source]
        encoder = model(
            chunk_size=settings["chunk"], left_chunks=settings["left"], num_prompt_embeddings=int(prompts or 0)
        )
        if field == "subsampling":
            check.close(name, encoder.encoder.enc[0](encoder.encoder.global_cmvn(features)), want)
        elif field == "encoder":
            check.close(name, encoder.encoder(features, counts).hidden, want)
        elif field == "mask":
            check.equal(name, encoder.encoder(features, counts).mask[:, None], want)
        elif field == "inputs_embeds":
            out = encoder(features, counts)
            check.close(name, out.embeddings, want)
            tokens = [int(prompts or 0) + num_llm_tokens(count) for count in counts.tolist()]
            check.equal(f"{name}: lengths", out.lengths.tolist(), tokens)
        elif field == "attention_mask":
            check.equal(name, encoder(features, counts).mask, want)
        else:
            print(f"audio_encoder: no rule for the golden out.{name}, not compared", file=sys.stderr)
    return check


_FULL = {"chunk": -1, "left": -1}


def _audio_config(golden: Golden, weights: dict[str, Tensor]) -> AudioConfig:
    dims = golden.config["dims"]
    return AudioConfig(
        num_mel_bins=golden.tensors["in.batch"].shape[2],
        hidden_size=dims["dim"],
        num_attention_heads=dims["heads"],
        intermediate_size=dims["ffn"],
        num_hidden_layers=dims["nb"],
        adapter_kernel=weights["adpter.conv1d2.weight"].shape[2],
    )


@torch.no_grad()
def vision(goldens: Path) -> Check:
    check = Check("vision", MODEL_TOLERANCE)
    golden = _load(goldens, "vision")
    config = VisionConfig(
        **golden.config["vision"], patch_size=golden.config["patch_size"], layer_norm_eps=golden.config["eps"]
    )
    tower = _loaded(VisionTower(config), golden.under("model.vision_tower."))
    weights = golden.under("model.mm_projector.")
    projector = _loaded(Projector(weights["0.weight"].shape[1], len(weights["0.weight"])), weights)

    pixel_values = golden.tensors["in.pixel_values"]
    states = tower.hidden_states(pixel_values)
    wanted = golden.under("out.hidden_states.")
    check.equal("number of hidden states", len(states), len(wanted))
    for layer, want in wanted.items():
        check.close(f"hidden_states.{layer}", states[int(layer)], want)
    features = vision_features(tower(pixel_values))
    for name, want in golden.under("out.tower_features").items():
        check.close(f"tower_features{name}", features, want)
    check.close("projected", projector(features), golden.tensors["out.projected"])
    shuffled = pixel_shuffle(golden.tensors["in.pixel_shuffle"])
    check.equal("pixel_shuffle", shuffled, golden.tensors["out.pixel_shuffle"])
    if (other := golden.tensors.get("in.pixel_values_other_size")) is not None:  # a pair that a golden may lack
        want = golden.tensors["out.projected_other_size"]
        check.close("projected_other_size", projector(vision_features(tower(other))), want)
    return check


def tiling_grids(goldens: Path) -> Check:
    check = Check("tiling_grids")
    for case in json.loads(_path(goldens, "tiling_grids.json").read_text(encoding="utf-8")):
        for tiles, want in case["grids"].items():
            low, high = map(int, tiles.split("-"))
            grid = choose_grid(case["w"], case["h"], low, high, case["image_size"])
            count = grid.columns * grid.rows
            got = {**grid._asdict(), "tiles": count + (count > 1)}
            expected = {"columns": want["cols"], "rows": want["rows"], "tiles": want["tiles_with_thumbnail"]}
            check.equal(f"{case['w']}x{case['h']} in {tiles}", got, expected)
    return check


def tiling_pixels(goldens: Path) -> Check:
    """Pixels are the same to the bit with the Pillow that made the file; another may differ by one step."""
    golden = _load(goldens, "tiling_pixels")
    same = golden.config["PIL"] == PIL.__version__
    levels, floats = (0, FLOAT_TOLERANCE) if same else (1, 2e-2)
    check = Check("tiling_pixels", floats)
    for index, case in enumerate(golden.config["cases"]):
        low = case.get("min_num", 1)
        tiles = tile_image(_image(golden.tensors[f"image.{index}"]), low, case["max_num"], case["tile"])
        want, wanted = golden.tensors[f"tiles_u8.{index}"], golden.tensors[f"pixel_values.{index}"]
        grid = choose_grid(case["w"], case["h"], low, case["max_num"], case["tile"])
        check.equal(f"grid.{index}", list(grid), case["grid"])
        check.equal(f"n.{index}", len(tiles), case["n"])
        check.close(f"tiles_u8.{index}", np.stack([np.array(tile) for tile in tiles]), want, levels)
        check.close(f"pixel_values.{index}", preprocess(tiles, case["tile"]), wanted)
        given = preprocess([_image(tile) for tile in want], case["tile"])
        check.close(f"pixel_values.{index} of the stored tiles", given, wanted, FLOAT_TOLERANCE)
    for name, frame in golden.under("frame.").items():
        want = golden.tensors[f"frame_pixel_values.{name}"]
        check.close(f"frame_pixel_values.{name}", preprocess([_image(frame)], want.shape[-1])[0], want)
    image, want = _image(golden.tensors["pad.image"]), golden.tensors["pad.pixel_values"]
    check.equal("pad.square", np.array(expand_to_square(image)), golden.tensors["pad.square"])
    check.close("pad.pixel_values", preprocess([image], want.shape[-1], "pad")[0], want)
    return check


def video_frames(goldens: Path) -> Check:
    check = Check("video_frames")
    for case in json.loads(_path(goldens, "video_frames.json").read_text(encoding="utf-8")):
        settings = {k: case[k] for k in ("start_s", "end_s", "max_frames", "min_frames") if k in case}
        total = case["total_frames"]
        name = f"{total} frames at {case['fps']} a second {settings}"
        try:
            got = sample_frames(case["fps"], total, **settings)
        except ValueError as error:  # where the reference raises too, all is well
            check.equal(name, f"ERROR {error}"[:5], str(case["indices"])[:5])
            continue
        if isinstance(case["indices"], list):
            check.equal(name, got, case["indices"])
        else:  # the reference raises where its stride is zero; here the stride is clamped to one
            valid = got == sorted(got) and 0 <= got[0] <= got[-1] < total
            check.equal(f"{name}: the reference raises, indices are valid", valid, True)
    return check


COMPONENTS: dict[str, Callable[[Path], Check]] = {
    "fbank": fbank_and_cmvn,
    "resample": resampling,
    "chunk_mask": chunk_masks,
    "audio_encoder": audio_encoder,
    "vision": vision,
    "tiling_grids": tiling_grids,
    "tiling_pixels": tiling_pixels,
    "video_frames": video_frames,
}


def _path(goldens: Path, name: str) -> Path:
    return locate(goldens, "vita15", name)


def _load(goldens: Path, name: str) -> Golden:
    path = _path(goldens, f"{name}.safetensors")
    with safe_open(path, "pt") as file:
        config = json.loads(file.metadata()["config"])
        return Golden({name: file.get_tensor(name) for name in file.keys()}, config)  # noqa: SIM118


def _loaded(module: Module, weights: dict[str, Tensor]) -> Module:
    module.load_state_dict(weights, strict=True)
    return module.eval()


def _image(levels: Tensor) -> Image.Image:
    return Image.fromarray(levels.numpy())
