"""Broken files and rows in a real run: the run goes on, every sample is accounted for, the exit code says so."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
from PIL import Image

from harness.config import RunConfig
from harness.failures import Exit
from harness.run import exit_code, start
from harness.store import RunDir

RATE = 16_000
TONE = (0.3 * np.sin(np.arange(RATE) / 20)).astype(np.float32)


def run(task: str, data: Path, out: Path) -> tuple[RunDir, dict[str, dict]]:
    finished = start(RunConfig(model="vita15-tiny", tasks=(task,), data=str(data)), out)
    return finished, {record["id"]: record for record in finished.records(task)}


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
    finished, records = run("librispeech_test_clean", audio_folder, tmp_path / "run")
    for name in ("good", "stereo", "24bit", "silent"):
        assert records[f"1-2-{name}"]["score"]["status"] == "ok", name
    said = {
        "1-2-20ms": "20 ms",
        "1-2-cut": "cut.flac",
        "1-2-zero": "0 bytes",
        "1-2-absent": "is missing",
        "1-2-good#2": "duplicate id '1-2-good'",
    }
    for identity, words in said.items():
        failure = records[identity]["failure"]
        assert (failure["stage"], failure["kind"]) == ("load", "permanent"), identity
        assert words in failure["message"]
    assert records["1-2-unscorable"]["score"]["status"] == "unscored"

    result = finished.results()["tasks"]["librispeech_test_clean"]
    counts = [result[f"n_{name}"] for name in ("expected", "scored", "failed", "unscored")]
    assert counts == [10, 4, 5, 1]
    assert result["failures"] == {"load/permanent": 5}
    assert exit_code(finished) is Exit.INCOMPLETE


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
    finished, records = run("mme", tmp_path, tmp_path / "run")
    status = {identity: record["score"]["status"] for identity, record in records.items()}
    assert len(status) == 12
    for identity, found in status.items():
        assert found == ("failed" if "corrupt" in identity else "ok"), (identity, records[identity].get("failure"))
    failed = next(record for identity, record in records.items() if "corrupt" in identity)
    assert "cannot be decoded" in failed["failure"]["message"]
    assert "corrupt.png" in failed["failure"]["message"]
    result = finished.results()["tasks"]["mme"]
    assert [result[f"n_{name}"] for name in ("expected", "scored", "failed")] == [12, 10, 2]
    assert exit_code(finished) is Exit.INCOMPLETE
