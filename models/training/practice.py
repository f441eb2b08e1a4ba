"""What stages 4.1 to 4.3 learnt, put into weights of VITA-1.5 that ship, and its figures into their card.

    python -m models.training.practice --training DIR --before DIR [--weights DIR] [--person FLAC WHO SAID]

The first DIR holds a finished stage 4.3 that started from the second (`models.training.vita15 --understanding`), a
copy of the weights as they shipped. Only the layers of the vision tower and of the language model are written, rounded;
all else stays byte for byte, so that a repository which keeps both takes little more for the second. All of the card's
benchmarks are run, with and without their inputs; the lines of the card that have their figures, and those of stages
and tables that it has already, are replaced. A run that was stopped goes on.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from safetensors import safe_open
from torch import Tensor

from harness.failures import UsageError
from models.checkpoint_error import CheckpointError
from models.released.files import SINGLE
from models.released.identity import write_card
from models.training import card_edits, person, recorded, release, targets
from models.training.card import BLANKS, BLIND, CATEGORIES, GUESSED, Said, practice, said, stage_line, table_row
from models.training.claims import Change, ClaimError, compare, read, verdict
from models.training.release import NAME, NOTE, PRACTISED, shipped
from models.training.scored import digest, reports, stages
from models.training.whole import save_whole
from models.vita15 import checkpoint
from models.vita15.adapter import MINI

STAGES = ("4.1", "4.2", "4.3")
TRAIN = "python -m models.training.vita15 --stage STAGE --understanding BEFORE --out TRAINING for each"
LAST_STAGE = "3.2 speech decoders"
"""Of the card's table, before those."""

LEFT = "model.layers.0.self_attn.o_proj.weight"
"""Of what was practised, the matrix that stays as it was: git stores a file as its difference from an earlier one only
where less than half of it is new, and without this one it is. It costs 0.001 of a held-out loss of 1.115."""


def put(stage: Path, weights: Path) -> None:
    """Put what a stage 4.3 practised into a folder of weights, rounded.

    Raises CheckpointError where it started from others than these weights.
    """
    path = weights / SINGLE
    with safe_open(path, "pt") as file:
        held, about = {name: file.get_tensor(name) for name in file.keys()}, file.metadata()  # noqa: SIM118
    learnt = checkpoint.load(stage).model.state_dict()
    _check_follows(stage, learnt, weights, held)
    for name in held:
        if name.startswith(PRACTISED) and name != LEFT:
            held[name] = shipped(name, learnt[name])
    save_whole(held, path, about)
    write_card(weights, NAME, NOTE, checkpoint.content_files(weights))


def _check_follows(one: Path, learnt: Mapping[str, Tensor], other: Path, held: Mapping[str, Tensor]) -> None:
    """Raises CheckpointError unless two models are the same but for what was practised."""
    if learnt.keys() != held.keys() or any(learnt[name].shape != value.shape for name, value in held.items()):
        raise CheckpointError(f"{one}: is of another size than {other}")
    plain = (name for name in held if not name.startswith(PRACTISED))
    if differs := next((name for name in plain if not learnt[name].to(held[name].dtype).equal(held[name])), ""):
        raise CheckpointError(f"{one}: started from other weights than {other}: {differs} differs")


class Figures(NamedTuple):
    """What a card says anew: rows of its scores and of its stages by their first cells, lines, and a table."""

    scores: Mapping[str, str]
    stages: Mapping[str, str]
    said: Said
    changes: Sequence[Change]
    found: str


EMPTY = Figures(dict.fromkeys((target.title for target in targets.TARGETS), ""), {}, Said("", "", ""), (), "")


def edited(card: str, figures: Figures) -> str:
    """A card with other figures. Raises ValueError naming what it lacks."""
    card = card_edits.after(card_edits.replaced(card, figures.scores), LAST_STAGE, figures.stages)
    for start, line in zip((CATEGORIES, GUESSED, BLIND), figures.said, strict=True):
        card = card_edits.begun(card, start, line)
    return card_edits.section(card, practice(figures.changes, figures.found), "## Recipe")


def main() -> int:
    parser = argparse.ArgumentParser(description="Put what was practised into weights that ship.")
    parser.add_argument("--training", type=Path, required=True, help="folder of the training of stages 4.1 to 4.3")
    parser.add_argument("--before", type=Path, required=True, help="folder of the weights that these started from")
    parser.add_argument("--weights", type=Path, default=MINI, help="folder to write into (default: the package's)")
    person.add_argument(parser)
    options = parser.parse_args()
    weights: Path = options.weights
    try:
        folders = stages(options.training, STAGES, TRAIN)
        checkpoint.outline(weights)
        was, is_now = (checkpoint.load(folder).model.state_dict() for folder in (options.before, weights))
        _check_follows(options.before, was, weights, is_now)
        before = recorded.load(weights)
        path = weights / "README.md"
        text = path.read_text(encoding="utf-8")
        edited(text, EMPTY)  # a card that cannot take the figures is told before anything is written
        put(folders["4.3"], weights)
        runs = options.training / "scores" / digest(checkpoint.content_files(weights))
        results = release.scores(weights, runs / "final", targets.tasks())
        blank = release.blanked(weights, runs)
        earlier = options.training / "scores" / digest(checkpoint.content_files(options.before)) / "before"
        release.scores(options.before, earlier, targets.SEEN)
        gained = compare(earlier, runs / "final")
        heard = person.hear(person.of_argument(options.person), "vita15", weights, runs)
        changes = read(gained)
    except (CheckpointError, UsageError, ClaimError, FileNotFoundError, ValueError) as error:
        print(error, file=sys.stderr)
        return 2
    claims = [one for one in before.claims if one.question != release.GAIN]
    now = recorded.Record(NAME, (*claims, release.gain_claim(gained)), heard or before.heard)
    recorded.save(now, weights)
    rows = [targets.row(target, results, blank, BLANKS) for target in targets.TARGETS]
    told = [stage_line(name, report) for name, report in reports(folders).items()]
    lines = {f"{cells.pop('name')} {cells.pop('title')}": cells.values() for cells in told}
    figures = Figures(
        {cells["title"]: table_row(*cells.values()) for cells in rows},
        {name: table_row(name, *cells) for name, cells in lines.items()},
        said(results, blank),
        changes,
        verdict(gained),
    )
    text = text.replace(person.told(before.heard), person.told(now.heard))
    path.write_text(edited(text, figures), encoding="utf-8")
    print(path)
    return 0


if __name__ == "__main__":
    sys.exit(main())
