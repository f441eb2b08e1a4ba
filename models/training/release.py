"""From a finished training to the weights that ship: half precision, scores after each part of it, a model card.

    python -m models.training.release [--training DIR] [--weights DIR]

Runs the mini benchmarks with the weights of stages 1.3, 2.1b and 2.2, those of 2.2 with blank pictures and with
silence, and those of speech output with what ships, and writes what it found into the card.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from harness.config import RunConfig
from harness.failures import UsageError
from harness.run import start
from models.released.identity import write_card
from models.training.card import SPOKEN, Facts, card
from models.training.corpus import LANGUAGES, corpus
from models.training.recipes import MINI_UTTERANCES, STAGES
from models.training.vita15 import CMVN, REPORT
from models.vita15 import checkpoint
from models.vita15.adapter import MINI
from models.vita15.speech_checkpoint import load_speech, save_speech

TASKS = ("librispeech_test_clean", "librispeech_test_other", "aishell1", "mme")
MEASURED = ("1.3", "2.1b", "2.2")
"""Stages after which the benchmarks are run: vision is learnt, speech is aligned, both are tuned together."""
BLANKED: Mapping[str, str] = {"audio": "silence", "image": "grey pictures"}


def convert(stage: Path, weights: Path) -> None:
    """Write a stage's weights, of its speech output too, in half precision, without what only training needs."""
    loaded = checkpoint.load(stage, dtype=torch.float16)
    shutil.rmtree(weights, ignore_errors=True)
    checkpoint.save(loaded.model, loaded.tokenizer, weights, generation=loaded.generation)
    shutil.copyfile(stage / CMVN, weights / CMVN)
    speech = load_speech(stage / checkpoint.SPEECH_FOLDER)
    save_speech(weights / checkpoint.SPEECH_FOLDER, speech.decoder, speech.codec, torch.float16)
    write_card(weights, "vita15-mini", "trained in the mini world", checkpoint.content_files(weights))


def scores(weights: Path, out: Path, ablate: Any = None, tasks: tuple[str, ...] = TASKS) -> Mapping[str, Any]:
    """`results.json` of the mini benchmarks with some weights; runs them unless `out` holds a finished run."""
    if not (out / "finished.json").exists():
        shutil.rmtree(out, ignore_errors=True)
        config = RunConfig(model="vita15", weights=str(weights), tasks=tasks, data="mini", ablate=ablate)
        start(config, out)
    results: Mapping[str, Any] = json.loads((out / "results.json").read_text(encoding="utf-8"))
    return results


def main() -> int:
    parser = argparse.ArgumentParser(description="Make the weights that ship, and their card, from a training.")
    parser.add_argument("--training", type=Path, default=Path("runs/training/mini-0"), help="folder of the training")
    parser.add_argument("--weights", type=Path, default=MINI, help="folder to write (default: the package's)")
    options = parser.parse_args()
    folders = {name: options.training / f"stage-{name}" for name in STAGES}
    if absent := [name for name, folder in folders.items() if not (folder / REPORT).exists()]:
        print(f"{options.training}: stage {', '.join(absent)} is not done; run models.training.vita15", file=sys.stderr)
        return 2
    reports = {name: json.loads((folder / REPORT).read_text(encoding="utf-8")) for name, folder in folders.items()}
    convert(folders["3.2"], options.weights)
    runs = options.training / "scores"
    shutil.rmtree(runs, ignore_errors=True)
    try:
        by_stage = {name: scores(options.weights if name == "2.2" else folders[name], runs / name) for name in MEASURED}
        blanked = {BLANKED[kind]: scores(options.weights, runs / f"no-{kind}", kind) for kind in BLANKED}
        spoken = scores(options.weights, runs / "spoken", tasks=tuple(target.task for target in SPOKEN))
    except UsageError as error:
        print(error, file=sys.stderr)
        return 2
    model = checkpoint.load(options.weights).model
    hours = {
        language: sum(len(clip.features) for clip in clips) / 360_000
        for language in LANGUAGES
        for clips in [corpus(language, reports["0"]["seed"], MINI_UTTERANCES, options.training / "speech")]
    }
    size = sum(path.stat().st_size for path in options.weights.rglob("*") if path.is_file())
    facts = Facts(reports, by_stage, blanked, model, hours, MINI_UTTERANCES, size, spoken)
    (options.weights / "README.md").write_text(card(facts), encoding="utf-8")
    print(options.weights / "README.md")
    return 0


if __name__ == "__main__":
    sys.exit(main())
