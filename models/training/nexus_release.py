"""From a finished training of NEXUS-O's mini size to the weights that ship: rounded, with a card with what they do.

    python -m models.training.nexus_release [--training DIR] [--weights DIR] [--person FLAC WHO SAID]

Runs the mini benchmarks with the final weights and with each medium blanked, those on pictures with the weights of
before any audio, and the alignment probe after each stage, and writes what it found into the card and, as numbers, into
`claims.json`. A run that was stopped goes on.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from harness.config import RunConfig
from harness.failures import UsageError
from models.checkpoint_error import CheckpointError
from models.nexus_o import checkpoint
from models.nexus_o.adapter import MINI, shipped_files
from models.released.identity import write_card
from models.training import person, recorded, targets
from models.training.claims import ClaimError, compare, read
from models.training.nexus import alignment
from models.training.nexus.card import HEARD, SEEN, Facts, card
from models.training.nexus.sizes import SIZES
from models.training.rounding import FEWER_BITS, round_weights
from models.training.scored import digest, ran, reports, stages

NAME, NOTE = "nexus-o-mini", "trained in the mini world"
UNDERSTANDING = ("1", "2")
"""The paper's stages without its last, whose voice `models.training.nexus_voice_release` puts beside these weights."""
BEFORE, LAST = "looking", "2"
"""Stages before any audio, and after all that changes what it understands."""
KEEPS = "Does training on audio alone keep what was learnt of pictures?"
KEEPS_PAPER = "NEXUS-O's paper finds so, though its second stage trains the language model on audio data only."
ALIGNS = "How does training on audio change the alignment?"
ALIGNS_PAPER = "The question of table 7 of NEXUS-O's paper, at the model's input."


def convert(understanding: Path, weights: Path) -> None:
    """Write the weights of a stage, rounded."""
    loaded = checkpoint.load(understanding)
    round_weights(loaded.model, FEWER_BITS)
    shutil.rmtree(weights, ignore_errors=True)
    checkpoint.save(loaded.model, loaded.tokenizer, weights)


def scores(
    weights: Path, out: Path, tasks: tuple[str, ...], ablate: Literal["audio", "image"] | None = None
) -> Mapping[str, Any]:
    """`results.json` of mini benchmarks with some weights; runs them unless `out` holds a finished run."""
    return ran(RunConfig(model="nexus-o", weights=str(weights), tasks=tasks, data="mini", ablate=ablate), out)


def main() -> int:
    parser = argparse.ArgumentParser(description="Make the weights that ship, and their card, from a training.")
    parser.add_argument("--training", type=Path, default=Path("runs/training/nexus-o-mini-0"))
    parser.add_argument("--weights", type=Path, default=MINI, help="folder to write (default: the package's)")
    person.add_argument(parser)
    options = parser.parse_args()
    names = [*SIZES["mini"].base, *UNDERSTANDING]
    try:
        folders = stages(options.training, names, "models.training.nexus_o --size mini")
        convert(folders[LAST], options.weights)
        write_card(options.weights, NAME, NOTE, shipped_files(options.weights))
        runs = options.training / "scores" / digest(shipped_files(options.weights))
        results = scores(options.weights, runs / "final", targets.tasks((*HEARD, *SEEN)))
        blanked: dict[str, Mapping[str, Any]] = {
            "audio": scores(options.weights, runs / "no-audio", targets.tasks(HEARD, "audio"), "audio"),
            "image": scores(options.weights, runs / "no-image", targets.tasks(SEEN, "image"), "image"),
        }
        scores(folders[BEFORE], runs / "before", targets.tasks(SEEN))
        kept = compare(runs / "before", runs / "final")
        probes = alignment.probes({name: folders[name] for name in (BEFORE, "1", LAST)}, runs)
        heard = person.hear(person.of_argument(options.person), "nexus-o", options.weights, runs)
        changes = read(kept)
    except (CheckpointError, UsageError, ClaimError, FileNotFoundError) as error:
        print(error, file=sys.stderr)
        return 2
    claims = (
        recorded.Claim(KEEPS, KEEPS_PAPER, "compare", {"as shipped": kept}, "before audio"),
        recorded.Claim(ALIGNS, ALIGNS_PAPER, "probe", probes),
    )
    recorded.save(recorded.Record(NAME, claims, heard), options.weights)
    size = sum(path.stat().st_size for path in options.weights.rglob("*") if path.is_file())
    aligned = [row for name, found in probes.items() for row in alignment.read(name, found)]
    model = checkpoint.load(options.weights).model
    facts = Facts(reports(folders), results, blanked, changes, aligned, heard, model, size)
    (options.weights / "README.md").write_text(card(facts), encoding="utf-8")
    print(options.weights / "README.md")
    return 0


if __name__ == "__main__":
    sys.exit(main())
