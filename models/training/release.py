"""From a finished training to the weights that ship: half precision, a model card with scores, controls and claims.

    python -m models.training.release [--training DIR] [--weights DIR] [--person FLAC WHO SAID]

Runs the mini benchmarks with the final weights, with each medium blanked, and the benchmarks on pictures and clips
with the weights of stages 1.3 and 2.2, and writes what it found into the card and, as numbers, into `claims.json`. A
run that was stopped goes on.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor

from harness.config import RunConfig
from harness.failures import UsageError
from models.checkpoint_error import CheckpointError
from models.released.identity import write_card
from models.training import person, recorded, targets
from models.training.card import Changes, Facts, card
from models.training.claims import ClaimError, compare, read, verdict
from models.training.corpus import LANGUAGES, corpus
from models.training.recipes import LANGUAGE_LAYERS, MINI_UTTERANCES, STAGES, TOWER_LAYERS
from models.training.rounding import round_weights, rounded
from models.training.scored import digest, ran, reports, stages
from models.training.speech_out.codec_run import ACOUSTICS, CODEC
from models.training.vita15 import CMVN
from models.vita15 import checkpoint
from models.vita15.adapter import MINI
from models.vita15.speech_checkpoint import load_speech, save_codec, save_speech_decoder

Ablation = Literal["image", "audio", "video"]
MEDIA: tuple[Ablation, ...] = ("audio", "image", "video")
NAME, NOTE = "vita15-mini", "trained in the mini world"
QUESTION = "Does training for speech keep what was learnt of pictures?"
PAPER = "VITA-1.5's paper says so of its stages (section 3.3)."
BEFORE, SPEAKING, AFTER = "after 1.3", "after 2.2", "as shipped"
GAIN = "What does practice after the paper's stages bring?"
OURS = "No paper's claim: stages 4.1 to 4.3 are our own (model card)."
PRACTISED = (TOWER_LAYERS, LANGUAGE_LAYERS)
"""What the last stages moved."""
BITS, FEWER_BITS, COARSE = 5, 4, "mlp."
"""Kept of each of a row's numbers, the fewer in the language model's feed-forward layers: both together cost 0.005 of
a held-out loss of 1.11."""


def shipped(name: str, value: Tensor) -> Tensor:
    """A parameter in half precision; a practised matrix is rounded."""
    if value.ndim > 1 and name.startswith(PRACTISED):
        coarse = name.startswith(LANGUAGE_LAYERS) and COARSE in name
        value = rounded(value, FEWER_BITS if coarse else BITS)
    return value.half().contiguous()


def convert(understanding: Path, voice: Path, weights: Path) -> None:
    """Write the weights of two stages in half precision, the speech decoders rounded, without what only training needs.

    Raises CheckpointError if the voice learnt to say other embeddings than those of the model that understands.
    """
    loaded = checkpoint.load(understanding)
    for name, parameter in loaded.model.named_parameters():
        parameter.data = shipped(name, parameter.data)
    loaded.model.half()
    said = checkpoint.load(voice, dtype=torch.float16).model.model.embed_tokens.weight
    if not torch.equal(loaded.model.model.embed_tokens.weight, said):
        raise CheckpointError(f"{voice}: speaks the words of another model than {understanding}; train stage 3.2 again")
    shutil.rmtree(weights, ignore_errors=True)
    checkpoint.save(loaded.model, loaded.tokenizer, weights, generation=loaded.generation)
    shutil.copyfile(understanding / CMVN, weights / CMVN)
    spoken = weights / checkpoint.SPEECH_FOLDER
    speech = load_speech(voice / checkpoint.SPEECH_FOLDER)
    round_weights(speech.decoder)
    save_speech_decoder(spoken / "decoder", speech.decoder, torch.bfloat16)
    save_codec(spoken / CODEC, speech.codec, torch.float16)
    acoustics = Path(checkpoint.SPEECH_FOLDER) / CODEC / ACOUSTICS
    shutil.copyfile(voice / acoustics, weights / acoustics)
    write_card(weights, NAME, NOTE, checkpoint.content_files(weights))


def scores(weights: Path, out: Path, tasks: tuple[str, ...], ablate: Ablation | None = None) -> Mapping[str, Any]:
    """`results.json` of the mini benchmarks with some weights; runs them unless `out` holds a finished run."""
    return ran(RunConfig(model="vita15", weights=str(weights), tasks=tasks, data="mini", ablate=ablate), out)


def blanked(weights: Path, runs: Path) -> Mapping[str, Mapping[str, Any]]:
    """`results.json` by the medium that is blanked."""
    return {medium: scores(weights, runs / f"no-{medium}", targets.tasks(blank=medium), medium) for medium in MEDIA}


def kept_claim(compared: Mapping[str, Any]) -> recorded.Claim:
    return recorded.Claim(QUESTION, PAPER, "compare", {SPEAKING: compared}, BEFORE)


def gain_claim(compared: Mapping[str, Any]) -> recorded.Claim:
    return recorded.Claim(GAIN, OURS, "compare", {AFTER: compared}, SPEAKING)


def main() -> int:
    parser = argparse.ArgumentParser(description="Make the weights that ship, and their card, from a training.")
    parser.add_argument("--training", type=Path, default=Path("runs/training/mini-0"), help="folder of the training")
    parser.add_argument("--weights", type=Path, default=MINI, help="folder to write (default: the package's)")
    person.add_argument(parser)
    parser.add_argument("--started-from", default="random weights", help="what the training started from, for the card")
    options = parser.parse_args()
    try:
        folders = stages(options.training, STAGES, "models.training.vita15")
        found = reports(folders)
        convert(folders["4.3"], folders["3.2"], options.weights)
        runs = options.training / "scores" / digest(checkpoint.content_files(options.weights))
        results = scores(options.weights, runs / "final", targets.tasks())
        blank = blanked(options.weights, runs)
        scores(folders["1.3"], runs / "1.3", targets.KEPT)
        scores(folders["2.2"], runs / "2.2", targets.SEEN)
        kept, gained = compare(runs / "1.3", runs / "2.2"), compare(runs / "2.2", runs / "final")
        heard = person.hear(person.of_argument(options.person), "vita15", options.weights, runs)
        changes = Changes(read(kept), read(gained), verdict(gained))
    except (CheckpointError, UsageError, ClaimError, FileNotFoundError) as error:
        print(error, file=sys.stderr)
        return 2
    model = checkpoint.load(options.weights).model
    hours = {
        language: sum(len(clip.features) for clip in clips) / 360_000
        for language in LANGUAGES
        for clips in [corpus(language, found["0"]["seed"], MINI_UTTERANCES, options.training / "speech")]
    }
    recorded.save(recorded.Record(NAME, (kept_claim(kept), gain_claim(gained)), heard), options.weights)
    size = sum(path.stat().st_size for path in options.weights.rglob("*") if path.is_file())
    start_words = options.started_from
    facts = Facts(found, results, blank, changes, heard, model, hours, MINI_UTTERANCES, size, start_words)
    (options.weights / "README.md").write_text(card(facts), encoding="utf-8")
    print(options.weights / "README.md")
    return 0


if __name__ == "__main__":
    sys.exit(main())
