"""The stages of speech: tokenizer, vocoder and flow, each with a folder of its own that is not made twice."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from safetensors.torch import load_file, save_file
from torch import Tensor

from models.training.codes import flow_stage, vocoder_stage
from models.training.codes.flow_stage import FlowBatches, FlowLearner, Spoken
from models.training.codes.phases import join_losses, run
from models.training.codes.readings import FIRST_HELD_OUT, Reading, readings
from models.training.codes.sizes import SpeechSize
from models.training.codes.tokenizer_run import codes_of, load, train_tokenizer
from models.training.codes.vocoder_stage import Sound, VocoderBatches, VocoderLearner, sound
from models.training.controls import Controls
from models.training.loop import LOSSES, REPORT, done_before, write_report
from models.training.plot import plot_losses
from models.training.speech_out.spectra import mel_loss
from models.vita_audio.flow import SAMPLE_RATE, Flow
from models.vita_audio.speech_checkpoint import build_flow, build_vocoder
from models.vita_audio.vocoder import Vocoder

STAGES: Mapping[str, str] = {
    "tokenizer": "speech tokenizer, taught phonemes",
    "vocoder": "vocoder, by mel spectra",
    "flow": "flow matching, from codes to spectrograms",
}
VOICED_READINGS = 2500
"""Readings that vocoder and flow learn from."""
FLOW_CONTROLS = 40
"""Held-out readings whose spectrograms are made, as each takes twenty passes."""
WEIGHTS = "weights.safetensors"


class SpeechTraining:
    """The speech stages of one size and seed, below one folder."""

    def __init__(self, size: SpeechSize, seed: int, out: Path, device: str = "cpu") -> None:
        self.size, self.seed, self.out, self.device = size, seed, out, device
        self.cache = out / "speech"

    def folder(self, name: str) -> Path:
        return self.out / f"stage-{name}"

    def run(self, name: str) -> None:
        """Train one stage, unless it is done. Raises FileNotFoundError where the tokenizer is missing,
        SynthesizerError without the extra `espeak`."""
        folder = self.folder(name)
        if done_before(name, folder, seed=self.seed):
            return
        folder.mkdir(parents=True, exist_ok=True)
        how: Mapping[str, Callable[[Path], dict[str, Any]]] = {
            "tokenizer": lambda folder: train_tokenizer(self.size, self.seed, folder, self.cache, self.device),
            "vocoder": self._vocoder,
            "flow": self._flow,
        }
        done = how[name](folder)
        report = {"stage": name, "title": STAGES[name], "seed": self.seed, "threads": torch.get_num_threads(), **done}
        report["seconds"] = round(report["seconds"], 1)
        plot_losses(folder / LOSSES, folder / "losses.svg", f"Stage {name}: {STAGES[name]}")
        write_report(folder, report)
        print(json.dumps(report), file=sys.stderr)

    def sounds(self, some: Sequence[Reading]) -> list[Sound]:
        return [sound(reading, self.size.vocoder.mels) for reading in some]

    def read(self, held_out: bool) -> list[Reading]:
        """Readings for vocoder and flow."""
        mels, size = self.size.tokenizer.mels, self.size
        first, count = (FIRST_HELD_OUT, size.held_out) if held_out else (0, size.readings)
        return readings(self.seed, first, count, mels, self.cache)[:VOICED_READINGS]

    def _vocoder(self, folder: Path) -> dict[str, Any]:
        effort = self.size.efforts["vocoder"]
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.seed)
            vocoder = vocoder_stage.start(Vocoder(self.size.vocoder))
        learner = VocoderLearner(vocoder, vocoder_stage.Phase("vocoder", effort.learning_rate)).to(self.device)
        batches = VocoderBatches(self.sounds(self.read(False)), effort.batch, self.seed)
        seconds = run(learner, batches, effort.steps, folder / "vocoder", vocoder_stage.SETTINGS)
        join_losses(folder, ["vocoder"])
        vocoder = vocoder.to("cpu").eval()
        save_file(vocoder.state_dict(), folder / WEIGHTS)
        found = vocoder_controls(vocoder, self.sounds(self.read(True)))
        return _told(seconds, vocoder, found, steps=effort.steps, batch=effort.batch)

    def _flow(self, folder: Path) -> dict[str, Any]:
        if not (self.folder("tokenizer") / REPORT).exists():
            raise FileNotFoundError(f"stage flow starts from stage tokenizer, which {self.out} does not hold")
        effort, tokenizer = self.size.efforts["flow"], load(self.folder("tokenizer"))
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.seed)
            flow = Flow(self.size.flow)
            flow.spk_embed_affine_layer.bias.data.zero_()
        learner = FlowLearner(flow, flow_stage.Phase("flow", effort.learning_rate)).to(self.device)

        def spoken(some: Sequence[Reading]) -> list[Spoken]:
            codes = codes_of(tokenizer, [reading.clip for reading in some])
            return [Spoken(torch.tensor(c), s.mel) for c, s in zip(codes, self.sounds(some), strict=True)]

        batches = FlowBatches(spoken(self.read(False)), flow, effort.batch, self.seed)
        seconds = run(learner, batches, effort.steps, folder / "flow", flow_stage.SETTINGS)
        join_losses(folder, ["flow"])
        flow = flow.to("cpu").eval()
        save_file(flow.state_dict(), folder / WEIGHTS)
        found = flow_controls(flow, spoken(self.read(True)[:FLOW_CONTROLS]))
        return _told(seconds, flow, found, steps=effort.steps, batch=effort.batch)

    def vocoder(self) -> Vocoder:
        """As it was trained."""
        path = self.folder("vocoder") / WEIGHTS
        return build_vocoder(self.size.vocoder, load_file(path), path).model

    def flow(self) -> Flow:
        """As it was trained."""
        path = self.folder("flow") / WEIGHTS
        return build_flow(self.size.flow, load_file(path), path).model


def _told(seconds: float, model: torch.nn.Module, found: Controls, **more: Any) -> dict[str, Any]:
    parameters = sum(value.numel() for value in model.parameters())
    return {"seconds": seconds, "trained_parameters": parameters, "held_out_loss": found._asdict(), **more}


@torch.no_grad()
def vocoder_controls(vocoder: Vocoder, sounds: Sequence[Sound]) -> Controls:
    """Mean mel loss of held-out readings made from their own spectrogram, from a silent one, and from another's."""

    def mean(mels: Sequence[Tensor]) -> float:
        losses = []
        for one, mel in zip(sounds, mels, strict=True):
            made = vocoder(mel[None], torch.Generator().manual_seed(0))[0]
            length = min(len(made), len(one.wave))
            losses.append(float(mel_loss(made[None, :length], one.wave[None, :length], SAMPLE_RATE)))
        return math.fsum(losses) / len(losses)

    mels = [one.mel for one in sounds]
    return Controls(mean(mels), mean([torch.full_like(mel, float(mel.min())) for mel in mels]), mean(_turned(mels)))


@torch.no_grad()
def flow_controls(flow: Flow, spoken: Sequence[Spoken]) -> Controls:
    """Mean distance of held-out readings' spectrograms from those of their own codes, of one code throughout (the
    first, which is silence), and of another's codes."""

    def mean(given: Sequence[Tensor]) -> float:
        losses = []
        for one, codes in zip(spoken, given, strict=True):
            made = flow(codes[None])[0]
            length = min(made.shape[1], one.mel.shape[1])
            losses.append(float(F.l1_loss(made[:, :length], one.mel[:, :length])))
        return math.fsum(losses) / len(losses)

    codes = [one.codes for one in spoken]
    return Controls(mean(codes), mean([row[:1].expand_as(row) for row in codes]), mean(_turned(codes)))


def _turned(some: Sequence[Tensor]) -> list[Tensor]:
    return [*some[-1:], *some[:-1]]
