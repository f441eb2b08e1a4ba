"""Reading and writing SenseVoice's settings and feature statistics from a model folder: config.yaml and am.mvn."""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import NamedTuple

import torch
import yaml
from torch import Tensor

from harness.failures import UsageError
from harness.yaml_files import read_yaml
from models.checkpoint_error import CheckpointError
from models.vita_audio.sensevoice_config import FrontEndConfig, SenseVoiceConfig
from models.vita_audio.sensevoice_features import Cmvn, FrontEnd

CONFIG, STATISTICS = "config.yaml", "am.mvn"
REMEDY = "Copy config.yaml and am.mvn of FunAudioLLM/SenseVoiceSmall into the folder."


class SenseVoiceFiles(NamedTuple):
    config: SenseVoiceConfig
    front_end: FrontEnd


def read_sensevoice(folder: Path) -> SenseVoiceFiles:
    """Both files of a model folder. Raises `CheckpointError` naming file, field and remedy."""
    path = folder / CONFIG
    try:
        settings = read_yaml(path, CONFIG)
        config, front = SenseVoiceConfig.from_yaml(settings), FrontEndConfig.from_yaml(settings)
    except UsageError as error:  # names the file itself
        raise CheckpointError(f"{error}\n{REMEDY}") from error
    except ValueError as error:
        raise CheckpointError(f"{path}: {error}\n{REMEDY}") from error
    if config.inputs != front.width:
        raise CheckpointError(
            f"{path}: input_size is {config.inputs}, but n_mels * lfr_m is {front.width}: they must agree\n{REMEDY}"
        )
    return SenseVoiceFiles(config, FrontEnd(front, read_cmvn(folder / STATISTICS, front.width)))


def read_cmvn(path: Path, width: int) -> Cmvn:
    """Statistics of `width` numbers from a Kaldi network of text: <AddShift> and <Rescale>, each with one vector.

    Raises `CheckpointError` naming the file, the part and the remedy.
    """
    try:
        text = path.read_text(encoding="utf-8")
        return Cmvn(*(_vector(text, part, width) for part in ("AddShift", "Rescale")))
    except (OSError, ValueError) as error:
        raise CheckpointError(f"{path}: no feature statistics: {error}\n{REMEDY}") from error


def _vector(text: str, part: str, width: int) -> Tensor:
    found = re.search(rf"<{part}>\s+\d+\s+\d+\s+<LearnRateCoef>\s+\S+\s+\[([^\]<]*)\]", text)
    if found is None:
        raise ValueError(f"<{part}> with '<LearnRateCoef> 0 [ numbers ]' is missing")
    numbers = [float(word) for word in found[1].split()]
    if len(numbers) != width:
        raise ValueError(f"<{part}> has {len(numbers)} numbers, expected {width}")
    if not all(math.isfinite(number) for number in numbers):
        raise ValueError(f"<{part}> has a number that is not finite")
    return torch.tensor(numbers)


def write_sensevoice(folder: Path, config: SenseVoiceConfig, front_end: FrontEnd) -> None:
    """Both files, as `read_sensevoice` reads them."""
    encoder = {
        "output_size": config.width,
        "attention_heads": config.heads,
        "linear_units": config.inner,
        "num_blocks": config.layers,
        "tp_blocks": config.top_layers,
        "kernel_size": config.kernel,
    }
    front = {"n_mels": front_end.config.mels, "lfr_m": front_end.config.stack, "lfr_n": front_end.config.step}
    content = {
        "encoder": "SenseVoiceEncoderSmall",
        "encoder_conf": encoder,
        "frontend_conf": front,
        "input_size": config.inputs,
        "vocab_size": config.vocabulary,
    }
    (folder / CONFIG).write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")
    parts = [
        f"<{part}> {len(numbers)} {len(numbers)}\n<LearnRateCoef> 0 [ {' '.join(map(repr, numbers.tolist()))} ]\n"
        for part, numbers in (("AddShift", front_end.cmvn.shift), ("Rescale", front_end.cmvn.scale))
    ]
    (folder / STATISTICS).write_text("<Nnet>\n" + "".join(parts) + "</Nnet>\n", encoding="utf-8")
