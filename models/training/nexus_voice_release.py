"""From a finished last stage of NEXUS-O's mini size to the voice of the weights that ship, with a card of its own.

    python -m models.training.nexus_voice_release [--training DIR] [--weights DIR]

Comes after `models.training.nexus_release`. Runs what is answered in speech with the voice, and with silence in place
of the questions; what was found is written into the card, `audio_decoder/README.md`. A run that was stopped goes on.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from harness.failures import UsageError
from models.checkpoint_error import CheckpointError
from models.nexus_o.adapter import MINI, shipped_files
from models.nexus_o.decoder_checkpoint import FOLDER
from models.released.identity import write_card
from models.training import targets
from models.training.nexus.codec_run import STAGE as CODEC
from models.training.nexus.speaking import heard, save_voice
from models.training.nexus.stages import STAGES
from models.training.nexus.voice_card import ANSWERED, READ, Facts, card
from models.training.nexus_release import NAME, NOTE, scores
from models.training.scored import digest, reports, stages

READINGS = 50


def main() -> int:
    parser = argparse.ArgumentParser(description="Give the weights that ship their voice, and this its card.")
    parser.add_argument("--training", type=Path, default=Path("runs/training/nexus-o-mini-0"))
    parser.add_argument("--weights", type=Path, default=MINI, help="folder to write into (default: the package's)")
    options = parser.parse_args()
    try:
        folders = stages(options.training, [CODEC, *list(STAGES)[-1:]], "models.training.nexus_o --size mini")
        found = reports(folders)
        save_voice(options.training, options.weights)
        write_card(options.weights, NAME, NOTE, shipped_files(options.weights))
        runs = options.training / "scores" / digest(shipped_files(options.weights))
        results = scores(options.weights, runs / "spoken", targets.tasks((*READ, *ANSWERED)))
        silent = scores(options.weights, runs / "spoken-silence", targets.tasks(ANSWERED, "audio"), "audio")
    except (CheckpointError, UsageError, FileNotFoundError) as error:
        print(error, file=sys.stderr)
        return 2
    judged = _once(runs / "judged.json", options.training, found[CODEC]["seed"])
    files = [*(options.weights / FOLDER).glob("*.safetensors"), *shipped_files(options.weights)]
    size = sum(path.stat().st_size for path in set(files) if path.parent != options.weights)
    path = options.weights / FOLDER / "README.md"
    path.write_text(card(Facts(found, results, silent, judged, size)), encoding="utf-8")
    print(path)
    return 0


def _once(path: Path, training: Path, seed: int) -> Mapping[str, Any]:
    """What the judge hears; asked once."""
    if not path.exists():
        path.write_text(json.dumps(heard(training, seed, READINGS)), encoding="utf-8")
    found: Mapping[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


if __name__ == "__main__":
    sys.exit(main())
