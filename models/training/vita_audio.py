"""Train VITA-Audio's language model at a small size, stage by stage.

    python -m models.training.vita_audio --size mini --seed 0 [--stage tokenizer|vocoder|flow|1..4] [--steps N]
                                         [--mode balance] [--processes 2] [--dry-run]

Each stage leaves a folder `stage-S` with its weights (`model.safetensors`, parameter names of the release),
`config.json`, `generation_config.json`, the tokenizer, its losses (CSV and plot) and what it took in `stage.json`. A
stage that is done is not done again; one that was stopped goes on.

At size `tiny` the speech codes are synthetic: see `models.training.mtp.world`. At size `mini` they are those of
a speech tokenizer that is trained first, as are a vocoder and a flow (`models.training.codes`; needs the extra
`espeak`).
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Iterator
from dataclasses import asdict, replace
from functools import cached_property, partial
from pathlib import Path

import torch

from harness.media.espeak import SynthesizerError
from models.checkpoint_error import CheckpointError
from models.released.files import fill, read_json, read_shapes, weight_files, write_json, write_weights
from models.released.settings import GENERATION
from models.text.tokenizer import END_OF_TEXT, TURN_END
from models.training.arguments import positive
from models.training.codes.run import STAGES as SPEECH_STAGES
from models.training.codes.run import SpeechTraining
from models.training.codes.tokenizer_run import load as load_ear
from models.training.codes.world import CodeWorld, Input, made_codes
from models.training.controls import Controls
from models.training.loop import LOSSES, REPORT, STATE, StateError, done_before, optimise, write_report
from models.training.mtp.learner import AudioLearner, grown
from models.training.mtp.sizes import SIZES
from models.training.mtp.stages import STAGES, Stage
from models.training.mtp.start import start_alike
from models.training.mtp.world import AudioBatches, AudioWorld, rows_of
from models.training.plot import plot_losses
from models.training.team import Team, together
from models.vita_audio.config import MtpConfig
from models.vita_audio.language import MtpModel, build
from models.vita_audio.schedule import BALANCE, BOOST, Mode

MODES = {"boost": BOOST, "balance": BALANCE}
"""Patterns of text and speech that the releases were trained with."""
CONFIG = "config.json"
TOKENIZER = "tokenizer"
"""The stage whose codes are learnt, and where the embeddings of these start."""
REMEDY = "Train the stage again, in a new folder."
CODES_ARE = {False: "synthetic, one a UTF-8 byte", True: "heard by the tokenizer of stage tokenizer"}
CONTROL_PACKS = 12


class Training:
    """All stages of one size, seed and mode, below one folder. `steps`: in place of the stages' own. `processes` share
    the packs of each step of the language model's stages."""

    def __init__(
        self, size: str, seed: int, out: Path, device: str, mode: Mode = BOOST, steps: int | None = None,
        processes: int = 1,
    ) -> None:  # fmt: skip
        self.size, self.seed, self.out, self.device, self.mode, self.steps = SIZES[size], seed, out, device, mode, steps
        self.processes = processes
        self.tokenizer = self.size.tokenizer()
        self.codes_are = CODES_ARE[self.size.speech is not None]

    @cached_property
    def world(self) -> AudioWorld:
        """Raises FileNotFoundError where codes of sound are wanted and there is no tokenizer yet."""
        if self.size.speech is None:
            return AudioWorld(self.tokenizer, self.mode, self.seed)
        return self._code_world(False, "true")

    def _code_world(self, held_out: bool, hears: Input) -> CodeWorld:
        assert self.size.speech is not None
        made = made_codes(self.size.speech, self.seed, self.out)
        return CodeWorld(self.tokenizer, self.mode, self.seed, made[held_out], made[0].readings, hears)

    def stage(self, name: str) -> Stage:
        stage = self.size.stage(name)
        return stage if self.steps is None else replace(stage, steps=self.steps)

    def config(self, stage: Stage) -> MtpConfig:
        return self.size.config_of(stage, rows_of(self.tokenizer))

    def folder(self, name: str) -> Path:
        return self.out / f"stage-{name}"

    def run(self, name: str) -> None:
        """Train one stage, unless it is done. Raises FileNotFoundError naming a stage that has to come before,
        CheckpointError on one that cannot be gone on from, StateError where it is done with other settings."""
        stage, folder = self.stage(name), self.folder(name)
        if done_before(name, folder, seed=self.seed, steps=stage.steps, mode=self.mode.numbers):
            return
        assert self.world  # before the processes part, as it may have to make the codes
        together(self.processes, partial(self._learn, stage))

    def _learn(self, stage: Stage, team: Team) -> None:
        """In a team, the first member saves and reports."""
        name, folder = stage.name, self.folder(stage.name)
        learner = AudioLearner(self.start(stage).to(self.device), stage)
        folder.mkdir(parents=True, exist_ok=True)
        settings = replace(stage.settings, accumulation=stage.accumulation // team.size)
        batches = AudioBatches(self.world, stage, self.seed, team)
        seconds = optimise(learner, batches, stage.steps, folder, settings, team)
        if team.rank:
            return
        self._save(learner.model.to("cpu"), folder)
        more = {} if self.size.speech is None else {"held_out_loss": self._controls(learner, stage)._asdict()}
        report = {
            "stage": name,
            "title": stage.title,
            "seed": self.seed,
            "steps": stage.steps,
            "packs": stage.steps * stage.accumulation,
            "most_tokens_per_pack": stage.length,
            "mode": self.mode.numbers,
            "codes": self.codes_are,
            "seconds": round(seconds, 1),
            "threads": torch.get_num_threads() * team.size,
            "trained_parameters": sum(parameter.numel() for parameter in learner.trained().values()),
            **more,
        }
        plot_losses(folder / LOSSES, folder / "losses.svg", f"Stage {name}: {stage.title}")
        (folder / STATE).unlink(missing_ok=True)
        write_report(folder, report)
        print(json.dumps(report), file=sys.stderr)

    @torch.no_grad()
    def _controls(self, learner: AudioLearner, stage: Stage) -> Controls:
        """The stage's loss on held-out transcripts and spoken questions with the true recordings, with silence in
        their places, and with other recordings."""
        learner.eval()
        heard = replace(stage, name=f"{stage.name} held out", shares={"transcript": 1.0, "spoken question": 1.0})

        def mean(hears: Input) -> float:
            packs = AudioBatches(self._code_world(True, hears), heard, self.seed)
            return sum(float(learner(packs(number))) for number in range(CONTROL_PACKS)) / CONTROL_PACKS

        return Controls(mean("true"), mean("blank"), mean("swapped"))

    def start(self, stage: Stage) -> MtpModel:
        """The weights that a stage starts from, on the CPU."""
        if stage.after is None:
            model = build(self.config(stage), self.seed)
            if self.size.speech is not None:
                ear = load_ear(self._before(stage.name, TOKENIZER))
                start_alike(model, self.tokenizer, ear.codebook.weight, self.seed)
            return model
        before = self._before(stage.name, stage.after)
        model = load(before)
        wanted = self.config(self.size.stage(stage.after))
        if model.config != wanted:
            raise CheckpointError(
                f"{before / CONFIG}: has {model.config}, but this size {wanted}; take another --out or --size"
            )
        return grown(model, stage.modules, self.seed)

    def _before(self, name: str, needed: str) -> Path:
        folder = self.folder(needed)
        if not (folder / REPORT).exists():
            raise FileNotFoundError(
                f"stage {name} starts from stage {needed}, which {self.out} does not hold: run --stage {needed}"
            )
        return folder

    def plan(self, name: str) -> Iterator[str]:
        """What a stage would do, as lines; beside it, where it differs, what the release did."""
        stage, released = self.stage(name), STAGES[name]
        with torch.device("meta"):
            learner = AudioLearner(MtpModel(self.config(stage)), stage)
        every = (learner.trained().values(), learner.parameters())
        moved, held = (sum(parameter.numel() for parameter in parameters) for parameters in every)
        yield f"stage {name}: {stage.title}"
        yield f"  starts from    {f'stage {stage.after}' if stage.after else 'nothing'}; {stage.start}"
        yield f"  trains         {stage.trained}: {moved:,} of {held:,} parameters"
        loss = "mean of the modules' cross-entropies"
        if not stage.frozen_head:
            loss = f"the language model's cross-entropy + {loss}" if stage.modules else "cross-entropy"
        yield f"  loss           {loss}{', inputs of modules detached' if stage.frozen_head else ''}"
        for title, own, theirs in (
            ("learning rate", _rates(stage), _rates(released)),
            ("steps", stage.steps, released.steps),
            ("packs a step", stage.accumulation, released.accumulation),
            ("tokens a pack", stage.length, released.length),
            ("weight decay", stage.weight_decay, released.weight_decay),
        ):
            yield f"  {title:<14} {own}{'' if own == theirs else f' (release: {theirs})'}"
        yield f"  data           {', '.join(f'{kind} {share:g}' for kind, share in stage.shares.items() if share)}"
        yield f"  turns          {self.mode} {self.mode.numbers}; speech codes are {self.codes_are}"
        for note in stage.deviations:
            yield f"  paper          {note}"

    def _save(self, model: MtpModel, folder: Path) -> None:
        stops = [self.tokenizer.id_of(TURN_END), self.tokenizer.id_of(END_OF_TEXT)]
        config = {"model_type": "qwen2_mtp", "tie_word_embeddings": False, "use_sliding_window": False}
        write_json(folder / CONFIG, config | asdict(model.config))
        write_json(folder / GENERATION, {"mtp_inference_mode": self.mode.numbers, "eos_token_id": stops})
        self.tokenizer.save(folder)
        write_weights(folder, model.state_dict())


def _rates(stage: Stage) -> str:
    rate = f"{stage.learning_rate:g}"
    return rate if stage.module_rate == 1 else f"{rate}, modules {stage.learning_rate * stage.module_rate:g}"


def load(folder: Path) -> MtpModel:
    """A stage's model, in eval mode on the CPU. Raises CheckpointError naming the file at fault."""
    try:
        config = MtpConfig.from_json(read_json(folder / CONFIG, REMEDY))
    except ValueError as error:
        raise CheckpointError(f"{folder / CONFIG}: {error}\n{REMEDY}") from error
    with torch.device("meta"):
        model = MtpModel(config)
    files = weight_files(folder, REMEDY)
    if unknown := fill(model, folder, files, read_shapes(files, REMEDY), "cpu", torch.float32, REMEDY):
        raise CheckpointError(f"{folder}: the model has no {', '.join(unknown)}\n{REMEDY}")
    return model.eval()


def main(arguments: Iterable[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m models.training.vita_audio",
        description="Train VITA-Audio's language model at a small size in the mini world.",
    )
    parser.add_argument("--size", choices=list(SIZES), default="tiny")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--stage", choices=[*SPEECH_STAGES, *STAGES], help="one stage only (default: all, in order)")
    parser.add_argument("--steps", type=positive, help="in place of the size's own number")
    parser.add_argument("--mode", choices=list(MODES), default="boost", help="turns of text and speech in an answer")
    parser.add_argument("--out", type=Path, help="folder (default: runs/training/vita-audio-SIZE-SEED)")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--processes", type=positive, default=1, help="that share the packs of a step (default: 1)")
    parser.add_argument("--dry-run", action="store_true", help="print what would be trained, and how")
    options = parser.parse_args(None if arguments is None else list(arguments))
    out = options.out or Path("runs") / "training" / f"vita-audio-{options.size}-{options.seed}"
    mode = MODES[options.mode]
    training = Training(options.size, options.seed, out, options.device, mode, options.steps, options.processes)
    speech = SIZES[options.size].speech
    names = [options.stage] if options.stage else [*(SPEECH_STAGES if speech else ()), *STAGES]
    for stage in (training.stage(name) for name in names if name in STAGES):
        if stage.accumulation % options.processes:
            parser.error(
                f"--processes {options.processes}: stage {stage.name} has {stage.accumulation} packs a step, which as "
                "many cannot share"
            )
    if options.dry_run:
        for name in (name for name in names if name in STAGES):
            print("\n".join(training.plan(name)))
        return 0
    try:
        for name in names:
            if name in STAGES:
                training.run(name)
            elif speech is None:
                raise FileNotFoundError(f"size {options.size} has synthetic codes and no stage {name}")
            else:
                SpeechTraining(speech, options.seed, out, options.device).run(name)
    except (CheckpointError, SynthesizerError, OSError, FloatingPointError, StateError) as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
