"""Make the test data of the mini world, or prove that what ships is what the generator makes.

    python -m tasks.mini.build [--out DIR] [--only NAME,...] [--check]

Needs the extra `espeak`. The same versions give the same bytes; `checksums.json` names those that were used.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import shutil
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from PIL import Image
from PIL import __version__ as pillow_version

from harness.media import espeak
from tasks.mini.archives import ARCHIVES
from tasks.mini.encoding import codec_version, decoded
from tasks.mini.pairs import pairs
from tasks.mini.recording import SEED
from tasks.mini.tables import pixels_of

VERSION = 5
"""Raised with any change of the generator that changes the data."""
DATA = Path(__file__).parent / "data"
PROBES = Path(__file__).parents[2] / "alignment_probes" / "data"
"""Where the alignment probes look for their pictures."""
CHECKSUMS = "checksums.json"
README = """\
# Mini world, not a benchmark number

Small synthetic test data in the layouts of LibriSpeech, AISHELL-1, AISHELL-2, WenetSpeech, FLEURS, Seed-TTS-eval,
LibriTTS, CoVoST 2, OpenAudioBench (LLaMA questions, TriviaQA, web questions), MME, MMBench, MMStar, MMMU, MathVista,
HallusionBench, AI2D, OCRBench, MM-Vet, Video-MME, MVBench and TempCompass.
No file comes from those benchmarks: the sentences follow a small grammar, the speech is made by espeak-ng, the
pictures are drawn by a program, and the people, painters and films in them are invented.
Scores on it show that a model and the harness work; they say nothing about the benchmarks it is laid out like.

Sentences, voices and pictures are disjoint from the training data of the same generator. The spoken questions are
about a few general facts, which a model may have been told; their voices are new to it.
Recordings are FLAC where the layouts have WAV or MP3: readers take a file of the same name with another ending.
`checksums.json` holds the SHA-256 of each file, the seed and the versions used.
`python -m tasks.mini.build` makes the folder again, `--check` compares it with a fresh build.

Dedicated to the public domain (CC0 1.0): use it for anything.
"""


def build(out: Path, archives: Iterable[str] = tuple(ARCHIVES)) -> dict[str, int]:
    """Write archives below `out` in place of what is there; returns how much each holds."""
    counts = {}
    for name in archives:
        print(f"making {name} ...", file=sys.stderr)
        shutil.rmtree(out / name, ignore_errors=True)
        counts[name] = (ARCHIVES | {"mini": pairs})[name](out)
    return counts


def checksums(folder: Path) -> dict[str, str]:
    """SHA-256 of each file below a folder, by relative path, without the list itself."""
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != CHECKSUMS)
    return {path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def differences(shipped: Path, fresh: Path, archives: Iterable[str] = tuple(ARCHIVES)) -> list[str]:
    """What differs between two builds, a line each; empty when all files are equal byte by byte."""
    lines = []
    for name in archives:
        old, new = checksums(shipped / name), checksums(fresh / name)
        for path in sorted(old.keys() | new.keys()):
            if path not in new:
                lines.append(f"{name}/{path}: no longer made")
            elif path not in old:
                lines.append(f"{name}/{path}: not in {shipped}")
            elif old[path] != new[path]:
                same = _content(shipped / name / path) == _content(fresh / name / path)
                lines.append(f"{name}/{path}: {'same content, encoded differently' if same else 'content differs'}")
    return lines


def _content(path: Path) -> tuple[tuple[int, ...], bytes]:
    """Pixels or samples, whatever version of the encoder wrote the file."""
    if path.suffix == ".png":
        with Image.open(path) as image:
            pixels = np.asarray(image.convert("RGB"))
        return pixels.shape, pixels.tobytes()
    if path.suffix == ".flac":
        samples, rate = soundfile.read(path, dtype="int16")
        return (rate, *samples.shape), samples.tobytes()
    if path.suffix == ".mp4":
        return decoded(path)
    if path.suffix == ".tsv":
        return (), pixels_of(path)
    return (), path.read_bytes()


def _versions() -> dict[str, str]:
    return {
        "speech": espeak.version(),
        "pillow": pillow_version,
        "numpy": np.__version__,
        "libsndfile": soundfile.__libsndfile_version__,
        "libavcodec": codec_version(),
    }


def write(out: Path, archives: Iterable[str] = tuple(ARCHIVES)) -> None:
    """The archives, the note and the list of checksums; archives that are not made again stay as they are listed."""
    counts = _listed(out).get("counts", {}) | build(out, archives)
    (out / "README.md").write_bytes(README.encode())
    content: dict[str, Any] = {
        "note": "mini world, not a benchmark number",
        "version": VERSION,
        "seed": SEED,
        "made_with": _versions(),
        "counts": {name: counts[name] for name in ARCHIVES if name in counts},
        "files": checksums(out),
    }
    (out / CHECKSUMS).write_bytes((json.dumps(content, indent=1) + "\n").encode())


def _listed(out: Path) -> dict[str, Any]:
    path = out / CHECKSUMS
    listed: dict[str, Any] = json.loads(path.read_text("utf-8")) if path.is_file() else {}
    return listed


def write_pairs(out: Path) -> None:
    """The probes' pictures below `out`, with their checksums."""
    build(out, ["mini"])
    content = {"note": "mini world, not a benchmark number", "made_with": _versions(), "files": checksums(out / "mini")}
    (out / "mini" / CHECKSUMS).write_bytes((json.dumps(content, indent=1) + "\n").encode())


def check(shipped: Path, archives: Iterable[str] = tuple(ARCHIVES)) -> list[str]:
    """Build again in a temporary folder and compare with the shipped folder."""
    with tempfile.TemporaryDirectory() as folder:
        build(Path(folder), archives)
        return differences(shipped, Path(folder), archives)


def main() -> int:
    parser = argparse.ArgumentParser(description="Make the test data of the mini world.")
    parser.add_argument("--out", type=Path, default=DATA, help="folder to write, or to check (default: the package)")
    parser.add_argument("--check", action="store_true", help="compare the folder with a fresh build, write nothing")
    parser.add_argument("--only", help="comma-separated archives (default: all)")
    options = parser.parse_args()
    archives = tuple(options.only.split(",")) if options.only else tuple(ARCHIVES)
    if unknown := set(archives) - set(ARCHIVES):
        parser.error(f"no archive {', '.join(sorted(unknown))}; there are {', '.join(ARCHIVES)}")
    every = archives == tuple(ARCHIVES)
    try:
        if not options.check:
            write(options.out, archives)
            if options.out == DATA and every:
                write_pairs(PROBES)
            return 0
        lines = check(options.out, archives)
        if options.out == DATA and every:
            lines += check(PROBES, ["mini"])
    except espeak.SynthesizerError as error:
        print(error, file=sys.stderr)
        return 2
    for line in lines:
        print(line)
    print(f"{len(lines)} differences; fresh build with {_versions()}", file=sys.stderr)
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main())
