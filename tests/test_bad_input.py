"""Broken files and rows in a real run: the run goes on, every sample is accounted for, the exit code says so."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
from PIL import Image

from harness.config import RunConfig
from harness.run import start
from harness.store import RunDir
from harness.types import Failure, Status

RATE = 16_000
TONE = (0.3 * np.sin(np.arange(RATE) / 20)).astype(np.float32)


def run(task: str, data: Path, out: Path) -> tuple[RunDir, dict[str, Status], dict[str, Failure]]:
    """The run, each sample's status under the headline profile, and the failures."""
    finished = start(RunConfig(model="vita15-tiny", tasks=(task,), data=str(data)), out)
    profile = finished.results().tasks[task].profile
    pairs = list(finished.pairs(task))
    status = {record.id: scored.scores[profile][""].status for record, scored in pairs}
    return finished, status, {record.id: record.failure for record, _ in pairs if record.failure}


@pytest.fixture
def audio_folder(tmp_path: Path) -> Path:
    """LibriSpeech test-clean as it unpacks; one utterance for each thing that can be wrong or odd."""
    chapter = tmp_path / "LibriSpeech" / "test-clean" / "1" / "2"
    chapter.mkdir(parents=True)

    def flac(name: str, samples: np.ndarray, rate: int = RATE, subtype: str = "PCM_16") -> Path:
        path = chapter / f"1-2-{name}.flac"
        soundfile.write(path, samples, rate, subtype=subtype)
        return path

    flac("good", TONE)
    flac("stereo", np.column_stack([np.tile(TONE, 3)] * 2), 44_100)
    flac("24bit", TONE, subtype="PCM_24")
    flac("silent", np.zeros(RATE, np.float32))
    flac("20ms", TONE[: RATE // 50])
    whole = flac("cut", TONE).read_bytes()
    (chapter / "1-2-cut.flac").write_bytes(whole[: len(whole) // 2])
    (chapter / "1-2-zero.flac").write_bytes(b"")
    flac("unscorable", TONE)
    lines = [
        f"1-2-{name} A B C" for name in ("good", "stereo", "24bit", "silent", "20ms", "cut", "zero", "absent", "good")
    ]
    (chapter / "1-2.trans.txt").write_text("\n".join([*lines, "1-2-unscorable (NOISE)"]) + "\n")
    return tmp_path


def test_bad_audio(audio_folder: Path, tmp_path: Path) -> None:
    finished, status, failures = run("librispeech_test_clean", audio_folder, tmp_path / "run")
    for name in ("good", "stereo", "24bit", "silent"):
        assert status[f"1-2-{name}"] == "ok", name
    said = {
        "1-2-20ms": "20 ms",
        "1-2-cut": "cut.flac",
        "1-2-zero": "0 bytes",
        "1-2-absent": "is missing",
        "1-2-good#2": "duplicate id '1-2-good'",
    }
    for identity, words in said.items():
        failure = failures[identity]
        assert (failure.stage, failure.kind) == ("load", "permanent"), identity
        assert words in failure.message
    assert status["1-2-unscorable"] == "unscored"

    result = finished.results().tasks["librispeech_test_clean"]
    assert (result.n_expected, result.n_scored, result.n_failed, result.n_unscored) == (10, 4, 5, 1)
    assert result.failures == {"load/permanent": 5}
    assert "10 of 2,620 published rows" in result.problems
    assert not finished.results().valid


def test_bad_images(tmp_path: Path) -> None:
    folder = tmp_path / "MME" / "count"
    folder.mkdir(parents=True)
    ask = "Is there one? Please answer yes or no.\tYes\nAre there two? Please answer yes or no.\tNo\n"

    def picture(name: str, save: Callable[[Path], object] | None) -> None:
        (folder / f"{name}.txt").write_text(ask)
        if save is not None:
            save(folder / f"{name}.png")

    plain = Image.effect_noise((64, 48), 60)
    picture("grey", plain.save)
    picture("palette", plain.convert("P").save)
    picture("dot", Image.new("RGB", (1, 1)).save)
    picture("strip", Image.new("RGB", (20_000, 50)).save)
    picture("cmyk", lambda path: plain.convert("CMYK").save(path, format="JPEG"))
    picture("corrupt", lambda path: path.write_bytes(b"\x89PNG\r\n\x1a\n no picture"))
    finished, status, failures = run("mme", tmp_path, tmp_path / "run")
    assert len(status) == 12
    for identity, found in status.items():
        assert found == ("failed" if "corrupt" in identity else "ok"), (identity, failures.get(identity))
    failure = next(failure for identity, failure in failures.items() if "corrupt" in identity)
    assert "cannot be decoded" in failure.message and "corrupt.png" in failure.message
    result = finished.results().tasks["mme"]
    assert (result.n_expected, result.n_scored, result.n_failed) == (12, 10, 2)
    assert result.headline.n_incomplete_groups == 0, "a broken picture's questions stay a pair"
    assert not finished.results().valid
