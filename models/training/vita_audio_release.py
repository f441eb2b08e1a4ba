"""From a finished training of VITA-Audio to the weights that ship: rounded, and a model card with what they do.

    python -m models.training.vita_audio_release [--training DIR] [--weights DIR] [--person FLAC WHO SAID]

Runs speech recognition, speech synthesis and spoken questions of the mini world in each decoding mode, recognition with
silence too, and writes what it found into the card and, as numbers, into `claims.json`. A run that was stopped goes on.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import torch

from harness.config import RunConfig
from harness.failures import UsageError
from models.checkpoint_error import CheckpointError
from models.generation import GenerationDefaults
from models.released.identity import write_card
from models.text.tokenizer import load_tokenizer
from models.training import person, recorded, targets
from models.training.claims import ClaimError, compare, read
from models.training.codes.judged import floors
from models.training.codes.run import STAGES as SPEECH_STAGES
from models.training.codes.run import SpeechTraining
from models.training.codes.tokenizer_run import load as load_ear
from models.training.mtp.card import HEARD, SPOKEN, Facts, card
from models.training.mtp.sizes import MINI_SPEECH
from models.training.mtp.stages import STAGES
from models.training.rounding import round_weights
from models.training.scored import digest, ran, reports, stages
from models.training.vita_audio import load
from models.vita_audio import checkpoint
from models.vita_audio.adapter import MINI
from models.vita_audio.language import MtpModel
from models.vita_audio.opening import shipped_files
from models.vita_audio.schedule import BOOST, MODES
from models.vita_audio.speech_checkpoint import parameter_counts, save_decoder, save_tokenizer
from models.vita_audio.speech_folders import DECODER, TOKENIZER

PENALTY = 1.05
"""Of repetitions, as in the release."""
NAME, NOTE = "vita-audio-mini", "trained in the mini world"
READINGS = 100
QUESTION = "What do the modules cost that predict further tokens?"
PAPER = "VITA-Audio's paper compares its decoding modes (table 6): in turbo ten of eleven tokens are the modules'."
BEFORE = "vanilla"
"""The mode that the others are held against, and that the weights state: their best."""


def convert(training: SpeechTraining, weights: Path) -> None:
    """Write the weights of all stages, rounded."""
    last = training.folder("4")
    model, tokenizer, ear = load(last), load_tokenizer(last), load_ear(training.folder("tokenizer"))
    flow, vocoder = training.flow(), training.vocoder()
    for part in (model, ear, flow, vocoder):
        round_weights(part)
    shutil.rmtree(weights, ignore_errors=True)
    generation = GenerationDefaults(checkpoint.default_generation(tokenizer).stop_ids, PENALTY)
    checkpoint.save(model, tokenizer, weights, MODES[BEFORE], generation)
    save_tokenizer(weights / TOKENIZER.name, ear, torch.bfloat16)
    save_decoder(weights / DECODER.name, flow, vocoder, torch.bfloat16)
    write_card(weights, NAME, NOTE, shipped_files(weights))


def scores(
    weights: Path, out: Path, tasks: tuple[str, ...], mode: str, ablate: Literal["audio"] | None = None
) -> Mapping[str, Any]:
    """`results.json` of mini benchmarks in a decoding mode; runs them unless `out` holds a finished run."""
    config = RunConfig(
        model="vita-audio-boost", weights=str(weights), tasks=tasks, data="mini", option={"mode": mode}, ablate=ablate
    )
    return ran(config, out)


def main() -> int:
    parser = argparse.ArgumentParser(description="Make the weights that ship, and their card, from a training.")
    parser.add_argument("--training", type=Path, default=Path("runs/training/vita-audio-mini-0"))
    parser.add_argument("--weights", type=Path, default=MINI, help="folder to write (default: the package's)")
    person.add_argument(parser)
    options = parser.parse_args()
    names = [*SPEECH_STAGES, *STAGES]
    try:
        found = reports(stages(options.training, names, "models.training.vita_audio --size mini"))
        training = SpeechTraining(MINI_SPEECH, found["1"]["seed"], options.training)
        convert(training, options.weights)
        runs = options.training / "scores" / digest(shipped_files(options.weights))
        tasks = targets.tasks(HEARD + SPOKEN)
        results = {mode: scores(options.weights, runs / mode, tasks, mode) for mode in MODES}
        silent = scores(options.weights, runs / "silence", targets.tasks(HEARD + SPOKEN, "audio"), str(BOOST), "audio")
        compared = {mode: compare(runs / BEFORE, runs / mode) for mode in MODES if mode != BEFORE}
        speaker, options_of = person.of_argument(options.person), {mode: {"mode": mode} for mode in MODES}
        heard = person.hear(speaker, "vita-audio-boost", options.weights, runs, options_of)
        changes = {mode: read(one) for mode, one in compared.items()}
    except (CheckpointError, UsageError, ClaimError, FileNotFoundError) as error:
        print(error, file=sys.stderr)
        return 2
    heard_by_judge = options.training / "judged.json"
    if not heard_by_judge.exists():
        heard_by_judge.write_text(json.dumps(floors(training, READINGS)), encoding="utf-8")
    claim = recorded.Claim(QUESTION, PAPER, "compare", compared, BEFORE)
    recorded.save(recorded.Record(NAME, (claim,), heard), options.weights)
    size = sum(path.stat().st_size for path in options.weights.rglob("*") if path.is_file())
    judge = json.loads(heard_by_judge.read_text(encoding="utf-8"))
    parts = parameters(options.weights)
    facts = Facts(found, results, silent, changes, heard, judge, parts, size)
    (options.weights / "README.md").write_text(card(facts), encoding="utf-8")
    print(options.weights / "README.md")
    return 0


def parameters(weights: Path) -> dict[str, int]:
    """Of each part."""
    config = checkpoint.outline(weights).config
    with torch.device("meta"):
        model = MtpModel(config)
    modules = sum(p.numel() for n, p in model.named_parameters() if n.startswith("mtp_"))
    layers = [sum(p.numel() for p in layer.parameters()) for layer in model.model.layers]
    whole = sum(p.numel() for p in model.parameters())
    modules += sum(layers[config.llm_layers :])
    speech = parameter_counts(MINI_SPEECH.tokenizer, MINI_SPEECH.flow, MINI_SPEECH.vocoder)
    return {
        "language model": whole - modules,
        "ten prediction modules": modules,
        "speech tokenizer": speech.tokenizer,
        "flow": speech.flow,
        "vocoder": speech.vocoder,
    }


if __name__ == "__main__":
    sys.exit(main())
