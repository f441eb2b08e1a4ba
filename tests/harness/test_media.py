"""Decoding of good and bad files."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest
import soundfile
from PIL import Image

from harness import media
from harness.failures import SampleError
from harness.types import Media, Picture, Waveform

TONE = (0.5 * np.sin(np.arange(8000) / 10)).astype(np.float32)


def load_audio(path: Path) -> Waveform:
    found = media.load(Media("audio", str(path)))
    assert isinstance(found, Waveform)
    return found


@pytest.mark.parametrize("subtype", ["PCM_16", "PCM_24", "FLOAT"])
def test_sample_formats(tmp_path: Path, subtype: str) -> None:
    soundfile.write(tmp_path / "a.wav", TONE, 16000, subtype=subtype)
    assert np.allclose(load_audio(tmp_path / "a.wav").samples, TONE, atol=1 / 32768)


def test_of_a_stereo_file_the_channels_that_the_model_hears(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.flac", np.column_stack([TONE, TONE / 2]), 44100)
    path = Media("audio", str(tmp_path / "a.flac"))
    first, mean = media.load(path, channels="first"), media.load(path)
    assert isinstance(first, Waveform) and isinstance(mean, Waveform)
    assert first.rate == mean.rate == 44100
    assert np.allclose(first.samples, TONE, atol=1e-4)
    assert np.allclose(mean.samples, 0.75 * TONE, atol=1e-4)


def test_a_cut_is_in_seconds(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", TONE, 8000)
    found = media.load(Media("audio", str(tmp_path / "a.wav"), start_s=0.25, end_s=0.5))
    assert isinstance(found, Waveform)
    assert found.seconds == 0.25


def test_bad_audio_is_told(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.flac", TONE, 16000)
    whole = (tmp_path / "a.flac").read_bytes()
    (tmp_path / "cut.flac").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "zero.wav").write_bytes(b"")
    soundfile.write(tmp_path / "none.wav", np.zeros(0, np.float32), 16000)
    soundfile.write(tmp_path / "nan.wav", np.full(100, np.nan, np.float32), 16000, subtype="FLOAT")
    for name, said in [
        ("cut.flac", r"truncated|cannot be decoded"),
        ("zero.wav", "0 bytes"),
        ("none.wav", "no samples"),
        ("nan.wav", "not finite"),
        ("absent.wav", "is missing"),
    ]:
        with pytest.raises(SampleError, match=said) as caught:
            load_audio(tmp_path / name)
        assert name in str(caught.value)


def write_video(path: Path, frames: int = 20) -> None:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=10)
        stream.width = stream.height = 32
        for i in range(frames):
            frame = av.VideoFrame.from_ndarray(np.full((32, 32, 3), 10 * i, np.uint8))
            container.mux(stream.encode(frame))
        container.mux(stream.encode())


def test_video_frames_by_index(tmp_path: Path) -> None:
    write_video(tmp_path / "a.mp4")
    with media.Clip.open(Media("video", str(tmp_path / "a.mp4"))) as clip:
        assert (clip.fps, clip.n_frames) == (10, 20)
        frames = clip.frames([15, 3, 3])
    assert [round(float(f.mean()) / 10) for f in frames] == [15, 3, 3]
    assert media.probe(Media("video", str(tmp_path / "a.mp4"))).seconds == 2.0


def test_bad_video_is_told(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").write_bytes(b"no video")
    with pytest.raises(SampleError, match="cannot be decoded"):
        media.load(Media("video", str(tmp_path / "a.mp4")))


def test_bytes_are_kept_once_by_content(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HARNESS_CACHE", str(tmp_path))
    soundfile.write(tmp_path / "a.flac", TONE, 16000)
    content = (tmp_path / "a.flac").read_bytes()
    first, second = media.intern("audio", content), media.intern("audio", content)
    assert first == second
    assert first.path.endswith(".flac")
    assert load_audio(Path(first.path)).rate == 16000


def test_probing_a_broken_file_says_nothing(tmp_path: Path) -> None:
    (tmp_path / "a.flac").write_bytes(b"broken")
    assert media.probe(Media("audio", str(tmp_path / "a.flac"))) == media.Extent()
