"""Train NEXUS-O at a small size, stage by stage.

    python -m models.training.nexus_o --size tiny --seed 0 [--stage 1..3] [--steps N] [--dry-run]
    python -m models.training.nexus_o --size mini --seed 0 [--stage seeing|hearing|looking|codec|1..3]
                                      [--language DIR | --base DIR] [--understanding DIR]

Each stage leaves a folder `stage-S` in the released layout, which `models.nexus_o.checkpoint` loads, with its losses
(CSV and plot) and what it took in `stage.json`. A stage that is done is not done again; one that was stopped goes on.
Needs the extra `espeak`.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import torch
from torch import nn

from harness.media.espeak import SynthesizerError
from models.checkpoint_error import CheckpointError
from models.nexus_o import checkpoint
from models.nexus_o.audio_decoder import AudioDecoder, random_decoder
from models.nexus_o.choices import Choices
from models.nexus_o.codec_folder import CODEC
from models.nexus_o.config import NexusConfig, SpeechConfig
from models.nexus_o.decoder_checkpoint import save_decoder
from models.nexus_o.decoder_config import DecoderConfig
from models.nexus_o.firefly import Firefly
from models.nexus_o.firefly_checkpoint import load_firefly, random_firefly, save_firefly
from models.nexus_o.omni import Nexus, build
from models.training.arguments import positive
from models.training.controls import Controls
from models.training.loop import LOSSES, REPORT, STATE, StateError, done_before, optimise, write_report
from models.training.nexus.base import BASE, BaseStage, take_base, take_language
from models.training.nexus.codec_run import STAGE as CODEC_STAGE
from models.training.nexus.codec_run import TITLE as CODEC_TITLE
from models.training.nexus.codec_run import CodecEffort, train_codec
from models.training.nexus.learner import NexusLearner
from models.training.nexus.reader import NexusReader
from models.training.nexus.run import CONTROL_BATCHES, Found, controls, train_base
from models.training.nexus.sizes import SIZES
from models.training.nexus.speech import (
    CODES_ARE,
    CONTROLS,
    Reply,
    SpeechBatches,
    SpeechLearner,
    replies,
    speech_controls,
)
from models.training.nexus.stages import ABSENT, SETTINGS, STAGES, Kind, Stage, Work
from models.training.nexus.voice import OneVoice
from models.training.nexus.world import NexusBatches, NexusWorld
from models.training.plot import plot_losses
from models.training.sights import digit_tokens
from models.vita15.adapter import MINI

DECODER_WIDTH = Choices().decoder_width
REPLIES = "replies.safetensors"
BASES = "Qwen2.5-VL-7B-Instruct and Qwen2-Audio-7B-Instruct"
"""The base models that the release's card names."""


class Sized(Protocol):
    """How long a stage is trained."""

    @property
    def steps(self) -> int: ...
    @property
    def batch(self) -> int: ...


class Took(NamedTuple):
    seconds: float
    parameters: int
    """That were trained."""


class Given(NamedTuple):
    """Folders of weights."""

    language: Path = MINI
    """Small ones of VITA-1.5, whose language model the first stages start with."""
    base: Path | None = None
    """Small ones of NEXUS-O, whose vision tower, speech encoder and language model the first stages go on from."""
    understanding: Path | None = None
    """Those that the last stage gives a voice to; None: of the stage before."""


SHIPPED = Given()


class Training:
    """All stages of one size and seed, below one folder. `steps`: in place of the stages' own."""

    def __init__(
        self, size: str, seed: int, out: Path, device: str, steps: int | None = None, given: Given = SHIPPED
    ) -> None:
        self.size, self.seed, self.out, self.device, self.steps = SIZES[size], seed, out, device, steps
        self.given = given
        self.tokenizer = self.size.tokenizer()
        speaking = None if self.size.voice is None else OneVoice(self.size.codec)
        self.world = NexusWorld(self.size.config, self.tokenizer, seed, speaking)

    @property
    def names(self) -> list[str]:
        """All stages, in order."""
        return [*self.size.base, *([CODEC_STAGE] if self.size.voice else []), *STAGES]

    def work(self, name: str) -> Work:
        return self.size.work(name, self.steps)

    def folder(self, name: str) -> Path:
        return self.out / f"stage-{name}"

    def run(self, name: str) -> None:
        """Train one stage, unless it is done. Raises FileNotFoundError naming a stage that has to come before,
        CheckpointError on one that cannot be gone on from."""
        folder = self.folder(name)
        if done_before(name, folder, seed=self.seed, **({} if self.steps is None else {"steps": self.steps})):
            return
        if name == CODEC_STAGE:
            self._codec(folder)
        elif name in self.size.base:
            self._base(BASE[name], folder)
        else:
            self._published(name, folder)

    def _base(self, stage: BaseStage, folder: Path) -> None:
        """Train one of the models that the published stages start from."""
        effort = self.size.base[stage.name]
        if self.steps is not None:
            effort = effort._replace(steps=self.steps)
        model = self._before(stage.name, stage.after)
        folder.mkdir(parents=True, exist_ok=True)
        done = train_base(model, NexusReader(self.world.script), stage, effort, self.seed, folder)
        checkpoint.save(model, self.tokenizer, folder)
        took = Took(done.seconds, done.parameters)
        self._report(stage.name, stage.title, effort, took, {"held_out_loss": done.found._asdict()})

    def _codec(self, folder: Path) -> None:
        """Train what the audio decoder speaks through."""
        effort = self._codec_effort()
        folder.mkdir(parents=True, exist_ok=True)
        done = train_codec(self.size.codec, effort, self.seed, folder, self.device)
        more = {"readings": effort.readings, "held_out_loss": done.found._asdict(), **done.more}
        self._report(CODEC_STAGE, CODEC_TITLE, effort, Took(done.seconds, done.parameters), more)

    def _codec_effort(self) -> CodecEffort:
        assert self.size.voice is not None, "no stage of this size"
        return self.size.voice if self.steps is None else replace(self.size.voice, steps=self.steps)

    def _before(self, name: str, after: Iterable[str]) -> Nexus:
        """Random weights with those that are given, and what the stages before have trained, in order."""
        model = build(self.size.config, self.seed)
        if self.given.base is None:
            take_language(model, self.given.language)
        else:
            take_base(model, self._loaded(self.given.base))
        for one in after:
            learnt = checkpoint.load(self._require(name, one)).model.state_dict()
            model.load_state_dict({key: value for key, value in learnt.items() if BASE[one].trains(key)}, strict=False)
        return model

    def _require(self, name: str, before: str) -> Path:
        if not ((folder := self.folder(before)) / REPORT).exists():
            raise FileNotFoundError(
                f"stage {name} starts from stage {before}, which {self.out} does not hold: run --stage {before}"
            )
        return folder

    def _report(self, name: str, title: str, effort: Sized, took: Took, more: Mapping[str, Any]) -> None:
        """What a stage took and came to, with the plot of its losses; this marks it as done."""
        folder = self.folder(name)
        report = {
            "stage": name,
            "title": title,
            "seed": self.seed,
            "steps": effort.steps,
            "samples": effort.steps * effort.batch,
            "seconds": round(took.seconds, 1),
            "threads": torch.get_num_threads(),
            "trained_parameters": took.parameters,
            **more,
        }
        plot_losses(folder / LOSSES, folder / "losses.svg", f"Stage {name}: {title}")
        (folder / STATE).unlink(missing_ok=True)
        write_report(folder, report)
        print(json.dumps(report), file=sys.stderr)

    def _published(self, name: str, folder: Path) -> None:
        work = self.work(name)
        model = self.start(work).to(self.device)
        folder.mkdir(parents=True, exist_ok=True)
        learner, batches = self.speaking(model, work) if work.stage.speaks else self.understanding(model, work)
        seconds = optimise(learner, batches, work.effort.steps, folder, SETTINGS)
        checkpoint.save(model.to("cpu"), self.tokenizer, folder)
        if isinstance(learner, SpeechLearner):
            save_decoder(learner.decoder.to("cpu"), folder)
            if self.size.voice is not None:
                save_firefly(self.codec(name), folder / CODEC.name)
        more = {
            "start": self._starts_from(work.stage),
            "held_out_loss": self._controls(learner, work, model)._asdict(),
            **({"replies": self.size.replies, "codes": self._codes_are} if work.stage.speaks else {}),
        }
        parameters = sum(parameter.numel() for parameter in learner.trained().values())
        self._report(name, work.stage.title, work.effort, Took(seconds, parameters), more)

    def _controls(self, learner: NexusLearner | SpeechLearner, work: Work, model: Nexus) -> Found | Controls:
        """On samples that it did not learn from."""
        if isinstance(learner, SpeechLearner):
            return speech_controls(learner, self.replies(model, work, held_out=True)[0])
        others = NexusBatches(self.world, work, self.seed + 1)
        return controls(learner, [others(number) for number in range(CONTROL_BATCHES)])

    def understanding(self, model: Nexus, work: Work) -> tuple[NexusLearner, NexusBatches]:
        """What stages 1 and 2 train, and on what."""
        return NexusLearner(model, work, self.size.weights, digit_tokens(self.tokenizer)), NexusBatches(
            self.world, work, self.seed
        )

    def speaking(self, model: Nexus, work: Work) -> tuple[SpeechLearner, SpeechBatches]:
        """What stage 3 trains, and on what: replies' states and codes, kept in the stage's folder."""
        made, path = self.replies(model, work)
        config = DecoderConfig.of(model.config)
        decoder = random_decoder(config, self.seed).to(self.device)
        return SpeechLearner(decoder, work), SpeechBatches(made, work, self.seed, path, config.codes)

    def replies(self, model: Nexus, work: Work, held_out: bool = False) -> tuple[Mapping[Kind, list[Reply]], Path]:
        """The replies of a stage that speaks, or some others, and the file that keeps them."""
        kinds = [kind for phase in work.stage.phases for kind in phase]
        count = min(CONTROLS, self.size.replies) if held_out else self.size.replies
        path = self.folder(work.name) / (f"held-out-{REPLIES}" if held_out else REPLIES)
        return replies(model, self.codec(work.name), self.world, kinds, count, path, held_out), path

    def codec(self, name: str) -> Firefly:
        """The codec of a stage that speaks: the one that was trained, or one with random weights."""
        if self.size.voice is None:
            return random_firefly(self.size.codec, self.seed)
        return load_firefly(self._require(name, CODEC_STAGE) / CODEC.name).model

    @property
    def _codes_are(self) -> str:
        return CODES_ARE if self.size.voice is None else f"of the codec of stage {CODEC_STAGE}"

    def start(self, work: Work) -> Nexus:
        """The weights that a stage starts from, on the CPU."""
        after = work.stage.after
        if after is None and self.size.base:
            return self._before(work.name, self.size.base)
        if after is None:
            return build(self.size.config, self.seed)
        return self._loaded(self._given(work.stage) or self._require(work.name, after))

    def _loaded(self, folder: Path) -> Nexus:
        """Weights of this size. Raises CheckpointError on others."""
        model = checkpoint.load(folder).model
        if _understanding(model.config) != _understanding(self.size.config):
            raise CheckpointError(
                f"{folder / checkpoint.CONFIG}: has {model.config}, but this size {self.size.config}; "
                "take another folder or --size"
            )
        model.config = self.size.config
        return model

    def _given(self, stage: Stage) -> Path | None:
        return self.given.understanding if stage.speaks else None

    def _starts_from(self, stage: Stage) -> str:
        if stage.after is None:
            return self.size.words if self.given.base is None else f"the weights {self.given.base.name}, a new adapter"
        given = self._given(stage)
        return f"stage {stage.after}" if given is None else f"the weights {given.name}"

    def plan(self, name: str) -> Iterator[str]:
        """What a stage would do, as lines: what is published, and what is ours."""
        if name == CODEC_STAGE:
            yield from self._codec_plan()
            return
        if name in self.size.base:
            yield from self._base_plan(BASE[name])
            return
        work = self.work(name)
        stage, effort = work.stage, work.effort
        with torch.device("meta"):
            model = Nexus(self.size.config)
            decoder = AudioDecoder(DecoderConfig.of(self.size.config)) if stage.speaks else nn.Module()
        learner = SpeechLearner(decoder, work) if isinstance(decoder, AudioDecoder) else NexusLearner(model, work)
        every = (learner.trained().values(), (*model.parameters(), *decoder.parameters()))
        moved, held = (sum(parameter.numel() for parameter in some) for some in every)
        yield f"stage {name}: {stage.title}"
        release = f" (release: {BASES})" if stage.after is None else ""
        yield f"  starts from    {self._starts_from(stage)}{release}"
        yield f"  trains         {', '.join(stage.trained)}: {moved:,} of {held:,} parameters"
        loss = "mean of the streams' cross-entropies" if stage.speaks else "cross-entropy of the answer's tokens"
        yield f"  loss           {loss}"
        for place, phase in enumerate(stage.phases):
            counts = ", ".join(
                f"{kind} {count:,}{' (not in the mini world)' if kind in ABSENT else ''}"
                for kind, count in phase.items()
            )
            yield f"  {'then' if place else 'data':<14} {counts}"
        if stage.speaks:
            yield f"  codes          {self._codes_are}; {self.size.replies} replies of each kind"
        yield f"  hardware       {stage.h100} H100 in the release; here {self.device}"
        yield f"  ours           learning rate {effort.learning_rate:g}, {effort.steps} steps of {effort.batch} samples"
        for note in stage.notes:
            yield f"  note           {note}"

    def _base_plan(self, stage: BaseStage) -> Iterator[str]:
        effort = self.size.base[stage.name]
        total = sum(stage.shares.values())
        yield f"stage {stage.name}: {stage.title} (ours: the release starts from {BASES})"
        yield f"  starts from    {', '.join(f'stage {name}' for name in stage.after) or 'random weights'}"
        yield f"  trains         {', '.join(stage.trainable)}"
        shares = ", ".join(f"{kind} {share / total:.0%}" for kind, share in stage.shares.items())
        yield f"  data           {shares or 'transcript 100%'}"
        steps = effort.steps if self.steps is None else self.steps
        yield f"  ours           learning rate {stage.learning_rate:g}, {steps} steps of {effort.batch} samples"

    def _codec_plan(self) -> Iterator[str]:
        effort = self._codec_effort()
        with torch.device("meta"):
            count = sum(parameter.numel() for parameter in Firefly(self.size.codec).parameters())
        yield f"stage {CODEC_STAGE}: {CODEC_TITLE} (ours: the release takes FireFly as it is)"
        yield "  starts from    random weights"
        yield f"  trains         all of it: {count:,} parameters"
        yield "  loss           distance to axes of the spectra, then mel spectra, then discriminators too"
        yield f"  data           {effort.readings:,} readings by one voice"
        yield f"  ours           {effort.steps} steps of {effort.batch} samples"


def _understanding(config: NexusConfig) -> NexusConfig:
    """Without the sizes of the speech decoder, which no stage but the last has."""
    return replace(config, speech=SpeechConfig(), choices=replace(config.choices, decoder_width=DECODER_WIDTH))


def main(arguments: Iterable[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m models.training.nexus_o", description="Train NEXUS-O at a small size in the mini world."
    )
    parser.add_argument("--size", choices=list(SIZES), default="tiny")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--stage", choices=[*BASE, CODEC_STAGE, *STAGES], help="one stage only (default: all, in order)"
    )
    parser.add_argument("--steps", type=positive, help="in place of the size's own number")
    parser.add_argument("--out", type=Path, help="folder (default: runs/training/nexus-o-SIZE-SEED)")
    parser.add_argument(
        "--understanding", type=Path, help="stage 3: folder of the weights that get a voice (default: those of stage 2)"
    )
    first = parser.add_mutually_exclusive_group()
    first.add_argument(
        "--language",
        type=Path,
        help="vita15-mini's folder whose language model stages start with (default: as it ships)",
    )
    first.add_argument(
        "--base", type=Path, help="nexus-o-mini's folder whose tower, encoder and language model stages go on from"
    )
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--dry-run", action="store_true", help="print what would be trained, and how")
    options = parser.parse_args(None if arguments is None else list(arguments))
    out = options.out or Path("runs") / "training" / f"nexus-o-{options.size}-{options.seed}"
    for option, folder in (("--language", options.language), ("--base", options.base)):
        if folder is not None and not SIZES[options.size].base:
            parser.error(f"{option} {folder}: size {options.size} starts from random weights; leave it out")
        if folder is not None and not folder.is_dir():
            parser.error(f"{option} {folder}: no such folder")
    given = Given(options.language or MINI, options.base, options.understanding)
    training = Training(options.size, options.seed, out, options.device, options.steps, given)
    names = [options.stage] if options.stage else training.names
    if absent := [name for name in names if name not in training.names]:
        parser.error(f"--size {options.size} has no stage {absent[0]}: it has {', '.join(training.names)}")
    if options.dry_run:
        for name in names:
            print("\n".join(training.plan(name)))
        return 0
    try:
        for name in names:
            training.run(name)
    except (CheckpointError, OSError, FloatingPointError, StateError, SynthesizerError) as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
