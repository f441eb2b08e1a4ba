"""New speech decoders for weights of VITA-1.5 that ship: put into their folder, and their figures into its card.

    python -m models.training.revoice --training DIR [--weights DIR]

DIR holds a finished stage 3.2 that learnt to say the words of these weights (`models.training.vita15 --stage 3.2
--understanding ... --voice ...`). What is answered in speech is run, and with silence in place of questions; the card's
rows of these benchmarks and of the stage are replaced, all others stay. A run that was stopped goes on.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import torch

from harness.failures import UsageError
from models.checkpoint_error import CheckpointError
from models.released.identity import write_card
from models.training import targets
from models.training.card import BLANKS, stage_line
from models.training.card_edits import replaced
from models.training.release import NAME, NOTE, scores
from models.training.rounding import round_weights
from models.training.scored import digest, reports, stages
from models.vita15 import checkpoint
from models.vita15.adapter import MINI
from models.vita15.speech_checkpoint import load_speech_decoder, save_speech_decoder

STAGE = "3.2"
READ = tuple(target for target in targets.TARGETS if target.task.startswith("seedtts"))
ANSWERED = tuple(target for target in targets.TARGETS if target.channel)
"""Spoken questions, in writing and in speech: the words that are spoken are written too."""


def put(stage: Path, weights: Path) -> None:
    """Put the decoders of a stage 3.2 into a folder of weights, rounded to 8 bits a row.

    Raises CheckpointError where they learnt to say other embeddings than those of the weights.
    """
    says, has = (checkpoint.load(folder, dtype=torch.float16).model.model.embed_tokens for folder in (stage, weights))
    if not torch.equal(says.weight, has.weight):
        raise CheckpointError(f"{stage}: speaks the words of another model than {weights}; give it as --understanding")
    decoder = load_speech_decoder(stage / checkpoint.SPEECH_FOLDER / "decoder")
    round_weights(decoder)
    save_speech_decoder(weights / checkpoint.SPEECH_FOLDER / "decoder", decoder, torch.bfloat16)
    write_card(weights, NAME, NOTE, checkpoint.content_files(weights))


def main() -> int:
    parser = argparse.ArgumentParser(description="Give weights that ship new speech decoders.")
    parser.add_argument("--training", type=Path, required=True, help="folder of the training of stage 3.2")
    parser.add_argument("--weights", type=Path, default=MINI, help="folder to write into (default: the package's)")
    options = parser.parse_args()
    try:
        folder = stages(options.training, [STAGE], f"models.training.vita15 --stage {STAGE}")[STAGE]
        cells = stage_line(STAGE, reports({STAGE: folder})[STAGE])
        stage = f"{cells.pop('name')} {cells.pop('title')}"
        path = options.weights / "README.md"
        card = path.read_text(encoding="utf-8")
        rows = [*(target.title for target in (*READ, *ANSWERED)), stage]
        replaced(card, dict.fromkeys(rows, ""))  # told before anything is written
        put(folder, options.weights)
        runs = options.training / "scores" / digest(checkpoint.content_files(options.weights))
        results = scores(options.weights, runs / "spoken", targets.tasks((*READ, *ANSWERED)))
        silent = scores(options.weights, runs / "silence", targets.tasks(ANSWERED), "audio")
        found = [targets.row(target, results, {"audio": silent}, BLANKS) for target in (*READ, *ANSWERED)]
        lines = {cells["title"]: f"| {' | '.join(cells.values())} |" for cells in found}
        text = replaced(card, {**lines, stage: f"| {stage} | {' | '.join(cells.values())} |"})
    except (CheckpointError, UsageError, FileNotFoundError, ValueError) as error:
        print(error, file=sys.stderr)
        return 2
    path.write_text(text, encoding="utf-8")
    print(path)
    return 0


if __name__ == "__main__":
    sys.exit(main())
