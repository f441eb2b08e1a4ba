"""Pictures with captions, written and spoken, for the alignment probes.

Two things side by side or one above the other, a caption that says so, and the caption spoken by espeak-ng in the
voices of the test speakers. Captions, colours and places are drawn from one seed.
"""

from __future__ import annotations

import random
from pathlib import Path

import soundfile

from tasks.mini.drawing import COLOURS, OBJECTS, PAPER, Box, blank
from tasks.mini.partition import part_of
from tasks.mini.speech import RATE, synthesize
from tasks.mini.voices import speakers

N = 144
SEED = 15
SIDE = 88  # pixels of a thing


def pairs(out: Path) -> int:
    """Write `mini/captions.tsv`, images/ and audio/ below the folder; returns how many. Needs the extra `espeak`."""
    folder, rng = out / "mini", random.Random(SEED)
    voices = speakers("test-clean", "en")
    for part in ("images", "audio"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    lines = ["id\timage\tcaption\taudio"]
    seen: set[str] = set()
    while len(seen) < N:
        first, second = (_thing(rng) for _ in range(2))
        relation = rng.choice(("above", "left of"))
        caption = f"{' '.join(first)} {relation} {' '.join(second)}"
        if caption in seen or first[1] == second[1] or part_of(caption) != "test":
            continue
        number = len(seen)
        seen.add(caption)
        image, pen = blank(rng.choice(PAPER))
        centres = ((112, 60), (112, 164)) if relation == "above" else ((60, 112), (164, 112))
        for (colour, thing), (x, y) in zip((first, second), centres, strict=True):
            corner = (x - SIDE // 2 + rng.randint(-8, 8), y - SIDE // 2 + rng.randint(-8, 8))
            OBJECTS[thing](pen, Box(*corner, SIDE), COLOURS[colour])
        image.quantize(16).save(folder / "images" / f"{number:03}.png", optimize=True)
        wave = synthesize(caption, voices[number % len(voices)], rng)
        soundfile.write(folder / "audio" / f"{number:03}.flac", wave, RATE, format="FLAC", subtype="PCM_16")
        lines.append(f"mini-{number:03}\timages/{number:03}.png\t{caption}\taudio/{number:03}.flac")
    (folder / "captions.tsv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return N


def _thing(rng: random.Random) -> tuple[str, str]:
    return rng.choice(list(COLOURS)), rng.choice(list(OBJECTS))
