"""Sound: every format whole or refused, the channels that a model hears, and how much memory it may take."""

from __future__ import annotations

import io
import math
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.failures import SampleError, UsageError
from harness.media import load, load_audio
from harness.media.containers import fault
from harness.types import Channels, Media, Waveform
from tests.harness.media_files import TONE, cut, peak_bytes, write_sound, write_video

SOUNDFILE = {"WAV": "wav", "RF64": "rf64", "AIFF": "aiff", "W64": "w64", "AU": "au", "CAF": "caf", "NIST": "sph"}
SOUNDFILE |= {"OGG": "ogg", "FLAC": "flac"}
FFMPEG = [("a.m4a", "aac"), ("a.mp4", "aac"), ("a.aac", "aac"), ("a.mkv", "aac"), ("a.mp3", "libmp3lame")]


def heard(path: Path, channels: Channels = "mean") -> Waveform:
    found = load(Media("audio", str(path)), channels)
    assert isinstance(found, Waveform)
    return found


def correlation(found: npt.NDArray[np.float32], wanted: npt.NDArray[np.float32]) -> float:
    """Of the middle of two signals at the best of the delays that encoders add."""
    window = wanted[4000:8000]
    return max(float(np.corrcoef(found[4000 + lag : 8000 + lag], window)[0, 1]) for lag in range(1600))


@pytest.mark.parametrize(("form", "ending"), SOUNDFILE.items())
def test_a_whole_file_has_all_its_samples_and_a_cut_one_is_refused(tmp_path: Path, form: str, ending: str) -> None:
    path = tmp_path / f"a.{ending}"
    soundfile.write(path, TONE, 16000, format=form)
    assert len(heard(path).samples) == len(TONE)
    for share in (0.3, 0.5, 0.9, 0.99):
        with pytest.raises(SampleError, match=r"truncated|cannot be decoded"):
            heard(cut(path, share))


@given(st.integers(60, 1043))
@settings(max_examples=30)
def test_a_wav_that_lacks_any_byte_is_truncated(tmp_path_factory: pytest.TempPathFactory, kept: int) -> None:
    path = tmp_path_factory.mktemp("wav") / "a.wav"
    soundfile.write(path, TONE[:500], 16000)
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(SampleError, match=f"truncated: .*it has {kept} of 1044 bytes"):
        heard(path)


@pytest.mark.parametrize("size", [0xFFFFFFFF, 0x7FFFFFFF])
def test_a_streamed_wav_whose_size_was_never_written_is_whole(tmp_path: Path, size: int) -> None:
    soundfile.write(tmp_path / "a.wav", TONE, 16000)
    content = bytearray((tmp_path / "a.wav").read_bytes())
    content[40:44] = size.to_bytes(4, "little")
    (tmp_path / "a.wav").write_bytes(content)
    assert len(heard(tmp_path / "a.wav").samples) == len(TONE)


def test_a_live_ogg_without_the_mark_of_its_end_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "a.ogg"
    soundfile.write(path, np.tile(TONE, 20), 16000)
    content = path.read_bytes()
    path.write_bytes(content[: content.rindex(b"OggS")])
    assert 0 < len(heard(path).samples) < 20 * len(TONE)
    path.write_bytes(content + b"TAG" + bytes(125))
    assert len(heard(path).samples) == 20 * len(TONE)


def test_flac_of_no_stated_length_is_read_to_its_end(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.flac", TONE, 16000)
    content = bytearray((tmp_path / "a.flac").read_bytes())
    content[21] &= 0xF0
    content[22:26] = bytes(4)
    (tmp_path / "a.flac").write_bytes(content)
    assert np.allclose(heard(tmp_path / "a.flac").samples, TONE, atol=1 / 32768)


@pytest.mark.parametrize(("name", "codec"), FFMPEG)
def test_what_soundfile_cannot_read_goes_through_ffmpeg(tmp_path: Path, name: str, codec: str) -> None:
    path = write_sound(tmp_path / name, codec)
    found = heard(path)
    assert found.rate == 16000
    assert 0 <= len(found.samples) - len(TONE) < 3000
    assert correlation(found.samples, TONE) > 0.98
    for share in (0.3, 0.5, 0.9):
        with pytest.raises(SampleError, match="truncated"):
            heard(cut(path, share))


def test_opus_in_webm_and_amr_are_read(tmp_path: Path) -> None:
    long = np.tile(TONE, 3)
    assert len(heard(write_sound(tmp_path / "a.webm", "libopus", long, 48000)).samples) == 48000
    amr = heard(write_sound(tmp_path / "a.amr", "libopencore_amrnb", TONE[:8000], 8000))
    assert amr.rate == 8000
    assert 8000 <= len(amr.samples) < 8400


def test_the_sound_of_a_video_is_its_sound_track(tmp_path: Path) -> None:
    found = heard(write_video(tmp_path / "a.mp4", sound="aac"))
    assert found.rate == 16000
    assert correlation(found.samples, TONE) > 0.98
    with pytest.raises(SampleError, match=r"no sound: .*b\.mp4"):
        heard(write_video(tmp_path / "b.mp4"))


def without_xing(path: Path, samples: npt.NDArray[np.float32] = TONE) -> Path:
    return write_sound(path, "libmp3lame", samples, muxer={"write_xing": "0"}, encoder={"compression_level": "2"})


def test_an_mp3_that_begins_loud_keeps_all_samples(tmp_path: Path) -> None:
    """Variable bit rate without a Xing header: the header of the first frame tells nothing of the length."""
    noise = np.random.default_rng(0).uniform(-0.9, 0.9, 16000).astype(np.float32)
    path = tmp_path / "a.mp3"
    loud_first = np.concatenate([noise, np.zeros(9 * 16000, np.float32)])
    write_sound(path, "libmp3lame", loud_first, muxer={"write_xing": "0"}, encoder={"qscale": "0", "abr": "0"})
    assert 0 <= len(heard(path).samples) - len(loud_first) < 3000


@pytest.mark.parametrize("tail", [b"TAG" + b"x" * 125, b"APETAGEX" + bytes(300), bytes(3000), b"words " * 300])
def test_an_mp3_with_tags_or_padding_is_whole(tmp_path: Path, tail: bytes) -> None:
    whole = without_xing(tmp_path / "a.mp3")
    n = len(heard(whole).samples)
    tag = b"ID3\x04\x00\x00" + bytes([0, 0, 0x10, 0]) + bytes(0x800)
    (tmp_path / "b.mp3").write_bytes(tag + whole.read_bytes() + tail)
    assert len(heard(tmp_path / "b.mp3").samples) == n


@pytest.mark.parametrize("share", [0.2, 0.5, 0.7, 0.95])
def test_a_cut_mp3_is_refused_with_and_without_a_header(tmp_path: Path, share: float) -> None:
    for path in (without_xing(tmp_path / "a.mp3"), write_sound(tmp_path / "b.mp3", "libmp3lame")):
        with pytest.raises(SampleError, match="truncated"):
            heard(cut(path, share))


def test_an_mp3_with_a_hole_is_damaged(tmp_path: Path) -> None:
    path = without_xing(tmp_path / "a.mp3")
    content = bytearray(path.read_bytes())
    content[1500:2500] = bytes(1000)
    path.write_bytes(content)
    with pytest.raises(SampleError, match="damaged"):
        heard(path)


@pytest.mark.parametrize("name", ["a.wav", "a.mp3"])
def test_a_cut_is_the_same_as_the_whole_cut_afterwards(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    soundfile.write(path, np.tile(TONE, 10), 16000)
    whole = heard(path).samples
    assert np.array_equal(load_audio(path, 1.25, 7.5).samples, whole[20000:120000])
    assert np.array_equal(load_audio(path, 9.5, 99.0).samples, whole[152000:])
    for start, end in [(11.0, 12.0), (2.0, 1.0), (math.nan, 1.0), (math.inf, None)]:
        with pytest.raises(SampleError, match=f"no samples between {start} and {end or math.inf} s: .*{name}"):
            load_audio(path, start, end)


@pytest.mark.parametrize("ending", ["wav", "flac", "ogg"])
def test_of_two_channels_a_model_hears_the_first_or_the_mean(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"a.{ending}"
    soundfile.write(path, np.column_stack([np.zeros_like(TONE), TONE]), 16000)
    whole, _ = soundfile.read(path, dtype="float32")
    assert np.allclose(heard(path).samples, whole.mean(axis=1), atol=1e-6)
    with pytest.raises(SampleError, match=rf"first channel, .* is silent while channel 2 is not: .*a\.{ending}"):
        heard(path, "first")


def test_channels_that_cancel_out_are_told(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", np.column_stack([TONE, -TONE]), 16000)
    assert np.allclose(heard(tmp_path / "a.wav", "first").samples, TONE, atol=1 / 32768)
    with pytest.raises(SampleError, match="mean of the channels, which the model hears, is silent"):
        heard(tmp_path / "a.wav")


def test_a_recording_of_silence_is_no_failure(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", np.zeros((800, 2)), 16000)
    assert not heard(tmp_path / "a.wav").samples.any()


def test_bounds_on_sound_are_told_and_can_be_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    soundfile.write(tmp_path / "a.flac", np.tile(TONE, 3), 16000)
    soundfile.write(tmp_path / "fast.wav", np.tile(TONE, 12), 96000)
    without_xing(tmp_path / "a.mp3", np.tile(TONE, 3))
    monkeypatch.setenv("HARNESS_MAX_AUDIO_S", "2")
    for name in ("a.flac", "a.mp3", "fast.wav"):
        with pytest.raises(SampleError, match=r"more than 2 seconds; HARNESS_MAX_AUDIO_S") as caught:
            heard(tmp_path / name)
        assert caught.value.kind == "limit"
    assert load_audio(tmp_path / "a.flac", 1.0, 2.0).seconds == 1.0
    monkeypatch.setenv("HARNESS_MAX_CHANNELS", "2")
    soundfile.write(tmp_path / "b.wav", np.zeros((100, 3)), 16000)
    with pytest.raises(SampleError, match=r"3 channels: .* more than 2 channels; HARNESS_MAX_CHANNELS"):
        heard(tmp_path / "b.wav")
    monkeypatch.setenv("HARNESS_MAX_AUDIO_S", "much")
    with pytest.raises(UsageError, match="HARNESS_MAX_AUDIO_S is 'much'"):
        heard(tmp_path / "a.flac")


def test_sound_takes_five_bytes_a_kept_sample(tmp_path: Path) -> None:
    """Eight channels of silence: 0.5 MB of FLAC for 460 MB decoded."""
    path, n = tmp_path / "a.flac", 300 * 48000
    with soundfile.SoundFile(path, "w", 48000, 8) as file:
        for _ in range(300):
            file.write(np.zeros((48000, 8), np.float32))
    assert 4 * n < peak_bytes("load_audio(paths[0])", path) < 5 * n + (40 << 20)
    assert peak_bytes("load_audio(paths[0], 290.0, 291.0)", path) < 40 << 20


def test_sound_over_the_bound_takes_no_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HARNESS_MAX_AUDIO_S", "10")
    path = write_sound(tmp_path / "a.mp3", "libmp3lame", np.zeros(600 * 16000, np.float32))
    assert peak_bytes("load_audio(paths[0])", path) < 40 << 20


def test_a_codec_that_nothing_knows_is_told(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", TONE, 16000)
    content = bytearray((tmp_path / "a.wav").read_bytes())
    content[20:22] = b"\x77\x77"
    (tmp_path / "a.wav").write_bytes(content)
    with pytest.raises(SampleError, match=r"codec that FFmpeg does not know: .*a\.wav"):
        heard(tmp_path / "a.wav")


def test_sound_that_becomes_stereo_on_the_way_is_refused(tmp_path: Path) -> None:
    write_sound(tmp_path / "a.mp3", "libmp3lame", muxer={"write_xing": "0", "id3v2_version": "0"})
    soundfile.write(tmp_path / "b.mp3", np.column_stack([TONE, TONE / 2]), 16000)
    joined = (tmp_path / "a.mp3").read_bytes() + (tmp_path / "b.mp3").read_bytes()
    (tmp_path / "c.mp3").write_bytes(joined)
    with pytest.raises(SampleError, match="changes its rate or channels"):
        heard(tmp_path / "c.mp3")


def test_words_named_wav_are_no_sound(tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_text("this is no sound " * 100)
    with pytest.raises(SampleError, match=r"cannot be decoded: .*a\.wav"):
        heard(tmp_path / "a.wav")


@pytest.mark.parametrize("kind", ["W64", "CAF"])
def test_a_length_beyond_every_file_is_no_crash(tmp_path: Path, kind: str) -> None:
    path = tmp_path / f"a.{kind.lower()}"
    soundfile.write(path, np.zeros(100, np.float32), 16_000, format=kind)
    content = bytearray(path.read_bytes())
    places = {"W64": (40 + 16, "little"), "CAF": (8 + 4, "big")}
    place, order = places[kind]
    content[place : place + 8] = ((1 << 63) - 8).to_bytes(8, order)  # type: ignore[arg-type]
    with io.BytesIO(bytes(content)) as file:
        assert isinstance(fault(file), str)
