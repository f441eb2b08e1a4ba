"""`python -m alignment_probes.build_mini [FOLDER]`: make the probe set that ships, from the mini world's pictures.

Two things side by side or one above the other, a caption that says so, and the caption spoken by espeak-ng in
the voices of the mini world's test speakers. Captions, colours and places are drawn from one seed.
"""

from __future__ import annotations

import random
import sys
from pathlib import Path
from typing import Any

import soundfile

from harness.registry import load_address

N = 144
SEED = 15
SIDE = 88  # pixels of a thing
FOLDER = Path(__file__).parent / "data" / "mini"


def build(folder: Path) -> None:
    """Write captions.tsv, images/ and audio/ into the folder. Needs espeak-ng."""
    blank, box, paper = (load_address(f"tasks.mini.drawing:{name}") for name in ("blank", "Box", "PAPER"))
    colours, things = (load_address(f"tasks.mini.drawing:{name}") for name in ("COLOURS", "OBJECTS"))
    synthesize, rate = (load_address(f"tasks.mini.speech:{name}") for name in ("synthesize", "RATE"))
    speakers = load_address("tasks.mini.voices:speakers")("test-clean", "en")
    part_of = load_address("tasks.mini.partition:part_of")
    rng = random.Random(SEED)
    for part in ("images", "audio"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    lines = ["id\timage\tcaption\taudio"]
    seen: set[str] = set()
    while len(seen) < N:
        first, second = (_thing(rng, list(colours), list(things)) for _ in range(2))
        relation = rng.choice(("above", "left of"))
        caption = f"{' '.join(first)} {relation} {' '.join(second)}"
        if caption in seen or first[1] == second[1] or part_of(caption) != "test":
            continue
        number = len(seen)
        seen.add(caption)
        image, pen = blank(rng.choice(paper))
        centres = ((112, 60), (112, 164)) if relation == "above" else ((60, 112), (164, 112))
        for (colour, thing), (x, y) in zip((first, second), centres, strict=True):
            corner = (x - SIDE // 2 + rng.randint(-8, 8), y - SIDE // 2 + rng.randint(-8, 8))
            things[thing](pen, box(*corner, SIDE), colours[colour])
        image.quantize(16).save(folder / "images" / f"{number:03}.png", optimize=True)
        wave: Any = synthesize(caption, speakers[number % len(speakers)], rng)
        soundfile.write(folder / "audio" / f"{number:03}.flac", wave, rate, format="FLAC", subtype="PCM_16")
        lines.append(f"mini-{number:03}\timages/{number:03}.png\t{caption}\taudio/{number:03}.flac")
    (folder / "captions.tsv").write_text("\n".join(lines) + "\n", encoding="utf-8")


def _thing(rng: random.Random, colours: list[str], things: list[str]) -> tuple[str, str]:
    return rng.choice(colours), rng.choice(things)


if __name__ == "__main__":
    build(Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER)
