"""Train VITA-1.5 at a small size in the mini world, stage by stage.

    python -m models.training.vita15 --size mini --seed 0 [--stage S] [--out DIR] [--device cuda]

Each stage leaves a folder `stage-S` in the released layout, which `harness run --model vita15 --weights` loads, with
its losses (CSV and plot), its controls and what it took in `stage.json`. A stage that is done is not done again; one
that was stopped goes on. Needs the extra `espeak`.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

from harness.media.espeak import SynthesizerError
from models.released.files import SINGLE
from models.text.tokenizer import QwenTokenizer
from models.training.batches import Batches
from models.training.carried import carry_over
from models.training.controls import controls
from models.training.initial import initial, write_cmvn
from models.training.learner import Learner
from models.training.loop import LOSSES, STATE, StateError, optimise
from models.training.plot import plot_losses
from models.training.recipes import SIZES, STAGES, Stage
from models.training.world import World, world_tokenizer
from models.vita15 import checkpoint
from models.vita15.omni import Vita15

CMVN = Path(checkpoint.AUDIO_FOLDER) / "global_cmvn"
CMVN_CLIPS = 1000
REPORT, CTC_WEIGHTS = "stage.json", "ctc_head.safetensors"
CONTROL_BATCHES = 12
VOCABULARY_STEP = 64
"""The embeddings' rows are a multiple of this, as in the release some are never used."""


class Training:
    """All stages of one size and seed, below one folder."""

    def __init__(
        self, size: str, seed: int, out: Path, device: str, earlier: Path | None = None, compiled: bool = False
    ) -> None:
        self.size, self.seed, self.out, self.device = SIZES[size], seed, out, device
        self.earlier, self.compiled = earlier, compiled
        self.team = ALONE
        self.tokenizer: QwenTokenizer = world_tokenizer()
        rows = -(-len(self.tokenizer) // VOCABULARY_STEP) * VOCABULARY_STEP
        language = replace(self.size.config.language, vocab_size=rows)
        self.config = replace(self.size.config, language=language)
        self.world = self._world(held_out=False)

    def run(self, stage: Stage) -> None:
        """Train one stage, unless it is done. Raises FileNotFoundError naming a stage that has to come before."""
        folder = self.folder(stage.name)
        if (folder / REPORT).exists():
            print(f"stage {stage.name}: done before, see {folder}", file=sys.stderr)
            return
        folder.mkdir(parents=True, exist_ok=True)
        effort = self.size.efforts[stage.name]
        vita = self._start(stage).to(self.device)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.seed)
            learner = Learner(vita, stage).to(self.device)
        if self.compiled:
            learner.compile_layers()
        seconds = optimise(learner, Batches(self.world, stage, effort.batch, self.seed), effort.steps, folder)
        held_out = Batches(self._world(held_out=True), stage, effort.batch, self.seed)
        found = controls(learner, [held_out(step) for step in range(CONTROL_BATCHES)])
        self._save(learner, folder)
        report = {
            "stage": stage.name,
            "title": stage.title,
            "seed": self.seed,
            "steps": effort.steps,
            "examples": effort.steps * effort.batch,
            "seconds": round(seconds, 1),
            "threads": torch.get_num_threads(),
            "trained_parameters": sum(parameter.numel() for parameter in learner.trained().values()),
            "held_out_loss": found._asdict(),
        }
        plot_losses(folder / LOSSES, folder / "losses.svg", f"Stage {stage.name}: {stage.title}")
        (folder / STATE).unlink(missing_ok=True)
        (folder / REPORT).write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
        print(json.dumps(report), file=sys.stderr)

    def folder(self, stage: str) -> Path:
        return self.out / f"stage-{stage}"

    def _world(self, held_out: bool) -> World:
        return World(self.config, self.tokenizer, self.seed, self.size.utterances, self.out / "speech", held_out)

    def _start(self, stage: Stage) -> Vita15:
        """The weights that a stage starts from."""
        for name in stage.after:
            if not (self.folder(name) / REPORT).exists():
                raise FileNotFoundError(
                    f"stage {stage.name} starts from stage {name}, which {self.out} does not hold: run --stage {name}"
                )
        vita = checkpoint.load(self.folder(stage.after[0]) if stage.after else self._initial()).model
        for name in stage.after[1:]:
            learnt = load_file(self.folder(name) / SINGLE)
            prefixes = STAGES[name].trainable
            found = {key: value for key, value in learnt.items() if key.startswith(prefixes)}
            vita.load_state_dict(found, strict=False)
        return vita

    def _initial(self) -> Path:
        """The folder of the random weights with the feature statistics of the training speech, made if need be."""
        folder = self.out / "initial"
        if not (folder / SINGLE).exists():
            self._statistics(folder / CMVN)
            model = initial(self.config, self.seed, folder / CMVN)
            if self.earlier is not None:
                carry_over(model, self.tokenizer, self.earlier)
            checkpoint.save(model, self.tokenizer, folder)
        return folder

    def _statistics(self, path: Path) -> None:
        """Of the features: those of the weights that are started from, else of the training speech."""
        if self.earlier is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(self.earlier / CMVN, path)
            return
        clips = self.world.speech
        write_cmvn(path, (clip.features for clip in clips[:: max(1, len(clips) // CMVN_CLIPS)]))

    def _save(self, learner: Learner, folder: Path) -> None:
        checkpoint.save(learner.vita.to("cpu"), self.tokenizer, folder)
        shutil.copyfile(self.out / "initial" / CMVN, folder / CMVN)
        if learner.stage.loss == "ctc":
            save_file(learner.ctc_head.state_dict(), folder / CTC_WEIGHTS)


def main(arguments: Iterable[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Train VITA-1.5 at a small size in the mini world.")
    parser.add_argument("--size", choices=list(SIZES), default="mini")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--stage", choices=list(STAGES), help="one stage only (default: all, in order)")
    parser.add_argument("--out", type=Path, help="folder (default: runs/training/SIZE-SEED)")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--from", dest="earlier", type=Path, help="weights to start from (default: random ones)")
    parser.add_argument("--compile", action="store_true", help="a quarter faster where there is a C++ compiler")
    options = parser.parse_args(None if arguments is None else list(arguments))
    out = options.out or Path("runs") / "training" / f"{options.size}-{options.seed}"
    try:
        training = Training(options.size, options.seed, out, options.device, options.earlier, options.compile)
        for stage in [STAGES[options.stage]] if options.stage else STAGES.values():
            training.run(stage)
    except (SynthesizerError, FileNotFoundError, FloatingPointError, StateError) as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
