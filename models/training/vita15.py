"""Train VITA-1.5 at a small size in the mini world, stage by stage.

    python -m models.training.vita15 --size mini --seed 0 [--stage S] [--out DIR] [--from DIR] [--processes N]
    python -m models.training.vita15 --stage 3.2 [--understanding DIR] [--voice DIR] [--steps N]
    python -m models.training.vita15 --stage 4.1 [--understanding DIR]   (and 4.2, then 4.3)

Each stage leaves a folder `stage-S` in the released layout, which `harness run --model vita15 --weights` loads, with
its losses (CSV and plot), its controls and what it took in `stage.json`. A stage that is done is not done again; one
that was stopped goes on. Needs the extra `espeak`.

Stage 3.2 may take another model's words than those of stage 2.2 (`--understanding`), and go on from a voice of before
(`--voice`, a folder `vita_tts_ckpt` with codec, decoder and acoustics) in place of stage 3.1's codec and a decoder of
random weights: so it is tuned to new embeddings in fewer steps. Stages 4.1 and 4.2 may start from a model of before
(`--understanding`) in place of stage 2.2's.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import torch
from safetensors.torch import load_file, save_file

from harness.media.espeak import SynthesizerError
from models.checkpoint_error import CheckpointError
from models.released.files import SINGLE
from models.text.tokenizer import QwenTokenizer
from models.training.arguments import positive
from models.training.batches import Batches
from models.training.carried import carry_over
from models.training.controls import Controls, controls
from models.training.initial import initial, make_akin, write_cmvn
from models.training.learner import Learner
from models.training.loop import LOSSES, REPORT, STATE, StateError, done_before, optimise, read_report, write_report
from models.training.plot import plot_losses
from models.training.recipes import SIZES, STAGES, Effort, Stage
from models.training.scored import digest
from models.training.sights import digit_tokens
from models.training.speech_out.codec_run import load_acoustics, train_codec
from models.training.speech_out.decoder_run import Task, train_decoder
from models.training.speech_out.sizes import SPEECH_SIZES
from models.training.team import Team, together
from models.training.world import World, world_tokenizer
from models.vita15 import checkpoint
from models.vita15.config import Vita15Config
from models.vita15.omni import Vita15
from models.vita15.speech_checkpoint import load_codec, load_speech_decoder

CMVN = Path(checkpoint.AUDIO_FOLDER) / "global_cmvn"
CMVN_CLIPS = 1000
CTC_WEIGHTS = "ctc_head.safetensors"
CONTROL_BATCHES = 12
UNDERSTANDING = "2.2"
"""The stage in whose place weights can be given."""
VOCABULARY_STEP = 64
"""The embeddings' rows are a multiple of this, as in the release some are never used."""


class Given(NamedTuple):
    """Folders of weights: those that the first stages start from in place of random ones; for stage 3.2 a model's in
    place of stage 2.2's, and a voice's (`vita_tts_ckpt`) to go on from."""

    earlier: Path | None = None
    understanding: Path | None = None
    voice: Path | None = None


class Means(NamedTuple):
    """With what a stage is trained, and for how many steps if not for the size's own."""

    device: str = "cpu"
    processes: int = 1
    compiled: bool = False
    steps: int | None = None


NOTHING_GIVEN, ORDINARY = Given(), Means()


class Done(NamedTuple):
    """What a stage took and came to."""

    seconds: float
    parameters: int
    found: Controls
    more: Mapping[str, Any] = {}


def _sizes(config: Vita15Config) -> dict[str, int]:
    """What has to be alike in weights that a stage goes on from."""
    return {
        "the vocabulary": config.language.vocab_size,
        "the language model's width": config.language.hidden_size,
        "its number of layers": config.language.num_hidden_layers,
        "the vision tower's width": config.vision.hidden_size,
        "a picture's": config.vision.image_size,
        "the speech encoder's width": config.audio.hidden_size,
    }


def copy_understanding(source: Path, target: Path) -> None:
    """All of a model but its speech output."""
    speech = source / checkpoint.SPEECH_FOLDER
    files = [path for path in checkpoint.content_files(source) if not path.is_relative_to(speech)]
    for path in (*files, source / CMVN):
        if path.exists():
            (target / path.relative_to(source)).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target / path.relative_to(source))


class Training:
    """All stages of one size and seed, below one folder."""

    def __init__(self, size: str, seed: int, out: Path, given: Given = NOTHING_GIVEN, means: Means = ORDINARY) -> None:
        self.size, self.seed, self.out = SIZES[size], seed, out
        self.speech, self.given, self.means = SPEECH_SIZES[size], given, means
        self.tokenizer: QwenTokenizer = world_tokenizer()
        rows = -(-len(self.tokenizer) // VOCABULARY_STEP) * VOCABULARY_STEP
        language = replace(self.size.config.language, vocab_size=rows)
        self.config = replace(self.size.config, language=language)
        self.world = self._world(held_out=False)

    def run(self, stage: Stage) -> None:
        """Train one stage, unless it is done. Raises FileNotFoundError naming a stage that has to come before."""
        folder, effort = self.folder(stage.name), self.effort(stage)
        if (folder / REPORT).exists():
            done_before(stage.name, folder, seed=self.seed, steps=effort.steps, **self._given_words(stage))
            return
        self._check_given(stage)
        folder.mkdir(parents=True, exist_ok=True)
        match stage.loss:
            case "spectra":
                self._report(stage, self._codec(effort))
                return
            case "codes":
                self._report(stage, self._decoder(stage, effort))
                return
        together(self.means.processes, partial(self._learn, stage, effort))

    def _learn(self, stage: Stage, effort: Effort, team: Team) -> None:
        """Understanding; in a team, the first member saves and reports."""
        folder = self.folder(stage.name)
        vita = self._start(stage).to(self.means.device)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.seed)
            learner = Learner(vita, stage, digit_tokens(self.tokenizer)).to(self.means.device)
        if self.means.compiled:
            learner.compile_layers()
        batches = Batches(self.world, stage, effort.batch, self.seed, team)
        seconds = optimise(learner, batches, effort.steps, folder, team=team)
        if team.rank:
            return
        held_out = Batches(self._world(held_out=True), stage, effort.batch, self.seed)
        found = controls(learner, [held_out(step) for step in range(CONTROL_BATCHES)])
        self._save(learner, folder)
        moved = sum(parameter.numel() for parameter in learner.trained().values())
        self._report(stage, Done(seconds, moved, found))

    def effort(self, stage: Stage) -> Effort:
        effort = self.size.efforts[stage.name]
        return effort if self.means.steps is None else effort._replace(steps=self.means.steps)

    def _report(self, stage: Stage, done: Done) -> None:
        """What a stage took and came to, with the plot of its losses; this marks it as done."""
        folder, effort = self.folder(stage.name), self.effort(stage)
        report = {
            "stage": stage.name,
            "title": stage.title,
            "seed": self.seed,
            "steps": effort.steps,
            "examples": effort.steps * effort.batch,
            "seconds": round(done.seconds, 1),
            "threads": torch.get_num_threads() * self.means.processes,
            "trained_parameters": done.parameters,
            "held_out_loss": done.found._asdict(),
            **self._given_words(stage),
            **done.more,
        }
        plot_losses(folder / LOSSES, folder / "losses.svg", f"Stage {stage.name}: {stage.title}")
        (folder / STATE).unlink(missing_ok=True)
        write_report(folder, report)
        print(json.dumps(report), file=sys.stderr)

    def _codec(self, effort: Effort) -> Done:
        folder = self.folder("3.1")
        done = train_codec(self.speech, effort, self.seed, folder, self.out / "speech", self.means.device)
        return Done(done.seconds, sum(value.numel() for value in done.codec.parameters()), done.found, done.more)

    def _decoder(self, stage: Stage, effort: Effort) -> Done:
        """Beside the understanding weights, which are copied, so that its folder is a whole model's."""
        folder, voice = self.folder(stage.name), self.given.voice or self.folder("3.1")
        before = self._understanding()
        begin = None if self.given.voice is None else load_speech_decoder(voice / "decoder")
        loaded = checkpoint.load(before)
        codec, acoustics = load_codec(voice / "codec"), load_acoustics(self.speech.codec, voice / "codec")
        task = Task(self.speech, effort, stage, self.seed, folder, self.means.device)
        done = train_decoder(task, loaded, codec, acoustics, begin)
        copy_understanding(before, folder)
        parameters = sum(value.numel() for value in done.decoder.parameters())
        more = {"start": "random weights" if begin is None else "a decoder"}
        return Done(done.seconds, parameters, done.found, more)

    def folder(self, stage: str) -> Path:
        return self.out / f"stage-{stage}"

    def _world(self, held_out: bool) -> World:
        return World(self.config, self.tokenizer, self.seed, self.size.utterances, self.out / "speech", held_out)

    def _require(self, stage: Stage, before: Iterable[str]) -> None:
        for name in before:
            if not (self.folder(name) / REPORT).exists():
                raise FileNotFoundError(
                    f"stage {stage.name} starts from stage {name}, which {self.out} does not hold: run --stage {name}"
                )

    def _understanding(self) -> Path:
        """The folder of stage 2.2, or what was given in its place."""
        return self.given.understanding or self.folder(UNDERSTANDING)

    def _given_words(self, stage: Stage) -> dict[str, str]:
        """For the report of a stage that starts with weights which were given: their digest."""
        if self.given.understanding is None or stage.after[:1] != (UNDERSTANDING,):
            return {}
        return {"understanding": digest(checkpoint.content_files(self.given.understanding))}

    def _check_given(self, stage: Stage) -> None:
        """Raises FileNotFoundError naming a stage that has to come before, CheckpointError on given weights of other
        sizes, StateError where the stages before started from different ones."""
        given = {UNDERSTANDING: self.given.understanding, "3.1": self.given.voice if stage.loss == "codes" else None}
        self._require(stage, [name for name in stage.after if given.get(name) is None])
        for folder in (given.get(name) or self.folder(name) for name in stage.after):
            if (folder / "config.json").exists():  # the codec has none
                self._check_size(folder)
        done = [folder for folder in map(self.folder, stage.after) if (folder / REPORT).exists()]
        starts = {read_report(folder).get("understanding") for folder in done}
        if stage.after and stage.after[0] != UNDERSTANDING and len(starts) > 1:
            raise StateError(
                f"{self.out}: stages {' and '.join(stage.after)} started from different weights; delete one's folder "
                "and train it again with the other's --understanding"
            )

    def _check_size(self, folder: Path) -> None:
        """Raises CheckpointError on weights of other sizes."""
        own, found = _sizes(self.config), _sizes(checkpoint.outline(folder))
        if other := [f"{what} is {has} and not {own[what]}" for what, has in found.items() if has != own[what]]:
            raise CheckpointError(f"{folder}: of another size than --size says: {', '.join(other)}")
        if not (folder / CMVN).is_file():
            raise CheckpointError(f"{folder / CMVN}: is not there\nTake a folder with the speech encoder's statistics.")

    def _before(self, stage: Stage) -> Path:
        """The folder of the weights that a stage starts from."""
        if stage.after[:1] == (UNDERSTANDING,):
            return self._understanding()
        return self.folder(stage.after[0]) if stage.after else self._initial()

    def _start(self, stage: Stage) -> Vita15:
        """The weights that a stage starts from."""
        vita = checkpoint.load(self._before(stage)).model
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
            if self.given.earlier is not None:
                carry_over(model, self.tokenizer, self.given.earlier)
            make_akin(model.model.embed_tokens.weight, self.tokenizer)
            checkpoint.save(model, self.tokenizer, folder)
        return folder

    def _statistics(self, path: Path) -> None:
        """Of the features: those of the weights that are started from, else of the training speech."""
        if self.given.earlier is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(self.given.earlier / CMVN, path)
            return
        clips = self.world.speech
        write_cmvn(path, (clip.features for clip in clips[:: max(1, len(clips) // CMVN_CLIPS)]))

    def _save(self, learner: Learner, folder: Path) -> None:
        checkpoint.save(learner.vita.to("cpu"), self.tokenizer, folder)
        shutil.copyfile(self._before(learner.stage) / CMVN, folder / CMVN)
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
    parser.add_argument("--understanding", type=Path, help="what stages 3.2, 4.1, 4.2 start from (default: 2.2)")
    parser.add_argument("--voice", type=Path, help="stage 3.2: folder `vita_tts_ckpt` to go on from")
    parser.add_argument("--steps", type=positive, help="of each stage, in place of the size's own")
    parser.add_argument("--processes", type=positive, default=1, help="that share each batch (default: 1)")
    parser.add_argument("--compile", action="store_true", help="a quarter faster where there is a C++ compiler")
    options = parser.parse_args(None if arguments is None else list(arguments))
    out = options.out or Path("runs") / "training" / f"{options.size}-{options.seed}"
    try:
        given = Given(options.earlier, options.understanding, options.voice)
        means = Means(options.device, options.processes, options.compile, options.steps)
        training = Training(options.size, options.seed, out, given, means)
        for stage in [STAGES[options.stage]] if options.stage else STAGES.values():
            training.run(stage)
    except (CheckpointError, SynthesizerError, OSError, FloatingPointError, StateError) as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
