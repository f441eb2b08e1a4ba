"""Frames out of an hour-long video: CPU and wall seconds and peak memory, beside decoding all of it and beside decord.

`python -m benchmarks.video [--minutes 60] [--frames 16] [--folder DIR] [--json]`. The file (720p, H.264 with B-frames,
25 frames a second, a key frame every 250) is made once, in minutes, and kept in the folder. Each way of reading takes
the same frames, evenly spread, in a fresh process; seconds count from opening the file to the last frame in RGB, not
the imports. Three rounds in turns, of which the median; all of it is decoded once. Frames are compared pixel by pixel.
The same is done with a short file of variable rate.
"""

from __future__ import annotations

import argparse
import json
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.machine import described
from harness.media.frames import sampled

Frame = npt.NDArray[np.uint8]
RATE, WIDTH, HEIGHT, GOP = 25, 1280, 720, 250
MARGIN = 256
"""By how many pixels the background is larger than the picture, so that the view can wander over it."""
ROUNDS = 3


def sought(path: str, wanted: Sequence[int]) -> list[Frame]:
    from harness.media import Clip
    from harness.types import Media

    return Clip.open(Media("video", path)).frames(wanted)


def decoding_all(path: str, wanted: Sequence[int]) -> list[Frame]:
    import av

    with av.open(path) as container:
        frames = enumerate(container.decode(container.streams.video[0]))
        return [frame.to_ndarray(format="rgb24") for i, frame in frames if i in set(wanted)]


def by_decord(path: str, wanted: Sequence[int]) -> list[Frame]:
    import decord

    return list(decord.VideoReader(path, num_threads=1).get_batch(list(wanted)).asnumpy())


WAYS: dict[str, Callable[[str, Sequence[int]], list[Frame]]] = {
    "Clip.frames": sought,
    "decode all": decoding_all,
    "decord": by_decord,
}
MODULES = {"Clip.frames": ("av", "harness.media"), "decode all": ("av",), "decord": ("decord",)}


def pictures(n: int) -> Iterator[Frame]:
    """`n` frames as planes of yuv420p, uint8 [1.5 * height, width]: a wandering view, and a box that crosses it."""
    y, x = np.mgrid[0 : HEIGHT + MARGIN, 0 : WIDTH + MARGIN]
    background = (128 + 60 * np.sin(x / 37) * np.cos(y / 23) + (7 * x + 13 * y) % 8).astype(np.uint8)
    planes = np.full((HEIGHT * 3 // 2, WIDTH), 128, np.uint8)
    for i in range(n):
        left, top = (int((MARGIN // 2 - 1) * (1 + wave)) for wave in (np.sin(i / 50), np.cos(i / 70)))
        planes[:HEIGHT] = background[top : top + HEIGHT, left : left + WIDTH]
        across = i * 4 % (WIDTH - 64)
        planes[40:104, across : across + 64] = 235
        yield planes


def write(path: Path, times: Sequence[int]) -> None:
    """A video whose frame i is shown at `times[i]`, in units of 1 / RATE seconds."""
    import av

    partial = path.with_name(f"{path.name}.part")
    with av.open(str(partial), "w", format="mp4") as container:
        options = {"preset": "ultrafast", "g": str(GOP), "bf": "2", "crf": "26"}
        stream = container.add_stream("libx264", rate=RATE, options=options)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        stream.codec_context.thread_count = 1
        stream.codec_context.time_base = Fraction(1, RATE)
        for at, planes in zip(times, pictures(len(times)), strict=True):
            frame = av.VideoFrame.from_ndarray(planes, format="yuv420p")
            frame.pts, frame.time_base = at, Fraction(1, RATE)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    partial.replace(path)


def made(folder: Path, minutes: int) -> tuple[Path, Path]:
    """The file of constant and that of variable frame rate, made where they are not there yet."""
    folder.mkdir(parents=True, exist_ok=True)
    steady = folder / f"steady-{minutes}-min.mp4"
    if not steady.exists():
        print(f"making {minutes} minutes of video, which takes about a tenth of that", file=sys.stderr)
        write(steady, range(minutes * 60 * RATE))
    varying = folder / "varying-1-min.mp4"
    if not varying.exists():
        gaps = np.random.default_rng(0).integers(1, 4, 30 * RATE)  # 1, 2 or 3 units: 2 on the average
        write(varying, np.cumsum(gaps).tolist())
    return steady, varying


def child(way: str, path: str, wanted: Sequence[int], into: str) -> None:
    """Take the frames in this process, save them, and print what it took."""
    for module in MODULES[way]:
        __import__(module)
    wall, cpu = time.perf_counter(), time.process_time()
    frames = WAYS[way](path, wanted)
    row = {"cpu_s": time.process_time() - cpu, "wall_s": time.perf_counter() - wall, "peak_mb": peak_mb()}
    np.save(into, np.stack(frames))
    print(json.dumps(row))


def peak_mb() -> float:
    status = Path("/proc/self/status").read_text()
    return int(re.findall(r"VmHWM:\s*(\d+)", status)[0]) / 1024


def measure(way: str, path: Path, wanted: Sequence[int]) -> tuple[dict[str, float], Frame]:
    """What it took in a fresh process, and the frames uint8 [n, height, width, 3]."""
    with tempfile.TemporaryDirectory() as folder:
        into = Path(folder) / "frames.npy"
        numbers = ",".join(map(str, wanted))
        command = [sys.executable, "-m", "benchmarks.video", "--child", way, str(path), numbers, str(into)]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        return json.loads(done.stdout.splitlines()[-1]), np.load(into)


def compare(path: Path, n: int) -> dict[str, Any]:
    """Every way with the same frames of one file."""
    import av

    with av.open(str(path)) as container:
        total = container.streams.video[0].frames
    wanted = sampled("uniform", total, RATE, n)
    ways = [way for way in WAYS if way != "decord" or find_spec("decord")]
    rows: dict[str, list[dict[str, float]]] = {way: [] for way in ways}
    frames: dict[str, Frame] = {}
    for turn in range(ROUNDS):
        for way in ways:
            if turn == 0 or way != "decode all":
                row, frames[way] = measure(way, path, wanted)
                rows[way].append(row)
    truth = frames["decode all"].astype(np.int16)
    found: dict[str, Any] = {"frames": total, "taken": wanted, "megabytes": path.stat().st_size / 1e6, "ways": {}}
    for way in ways:
        apart = np.abs(frames[way] - truth)
        medians = {name: statistics.median(row[name] for row in rows[way]) for name in rows[way][0]}
        differs = {"mean_difference": float(apart.mean()), "largest_difference": int(apart.max())}
        found["ways"][way] = medians | {"rounds": len(rows[way]), "same_pixels": not apart.any()} | differs
    ours = found["ways"]["Clip.frames"]["cpu_s"]
    found["cpu_ratio"] = {way: row["cpu_s"] / ours for way, row in found["ways"].items()}
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=int, default=60)
    parser.add_argument("--frames", type=int, default=16)
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "omni-harness-video")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--child", nargs=4, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.child:
        way, path, numbers, into = args.child
        child(way, path, [int(number) for number in numbers.split(",")], into)
        return
    steady, varying = made(args.folder, args.minutes)
    found = {
        "machine": described(),
        "steady": compare(steady, args.frames),
        "varying": compare(varying, args.frames),
    }
    if args.json:
        print(json.dumps(found, indent=1))
        return
    for name in ("steady", "varying"):
        file = found[name]
        print(f"{name} rate: {len(file['taken'])} of {file['frames']} frames, {file['megabytes']:.0f} MB")
        for way, row in file["ways"].items():
            same = "same pixels" if row["same_pixels"] else f"mean difference {row['mean_difference']:.3f} of 255"
            print(
                f"  {way:12} {row['cpu_s']:8.2f} CPU s {row['wall_s']:8.2f} s {row['peak_mb']:6.0f} MB  "
                f"{file['cpu_ratio'][way]:6.2f} x our CPU  {same}"
            )


if __name__ == "__main__":
    main()
