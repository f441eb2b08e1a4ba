"""References to media files, the cache, and what is no file."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from harness import media
from harness.failures import SampleError, UsageError
from harness.media import load_audio, load_image
from harness.types import Media, MediaKind, Picture, Waveform
from tests.harness.media_files import write_sound, write_video

TONE = (0.5 * np.sin(np.arange(8000) / 10)).astype(np.float32)


@pytest.mark.parametrize("subtype", ["PCM_16", "PCM_24", "FLOAT"])
def test_sample_formats(tmp_path: Path, subtype: str) -> None:
    soundfile.write(tmp_path / "a.wav", TONE, 16000, subtype=subtype)
    assert np.allclose(load_audio(tmp_path / "a.wav").samples, TONE, atol=1 / 32768)


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
            media.load(Media("audio", str(tmp_path / name)))
        assert name in str(caught.value)


KINDS: list[MediaKind] = ["audio", "image", "video"]


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_no_file_is_refused_without_waiting(tmp_path: Path, kind: MediaKind) -> None:
    os.mkfifo(tmp_path / "pipe.wav")
    (tmp_path / "folder.wav").mkdir()
    (tmp_path / "empty.wav").touch()
    (tmp_path / "loop.wav").symlink_to(tmp_path / "loop.wav")
    for path, said in [
        (str(tmp_path / "pipe.wav"), f"{kind} is no file but a pipe: .*pipe.wav"),
        (str(tmp_path / "folder.wav"), f"{kind} is no file but a folder: .*folder.wav"),
        ("/dev/zero", f"{kind} is no file but a device: /dev/zero"),
        (str(tmp_path / "empty.wav"), r"empty \(0 bytes\): .*empty.wav"),
        (str(tmp_path / "loop.wav"), r"cannot be opened: .*loop.wav: .*symbolic links"),
        (str(tmp_path / "absent.wav"), f"{kind} file is missing: .*absent.wav"),
        (str(tmp_path / "empty.wav" / "below.wav"), "is missing: .*below.wav"),
        (f"{tmp_path}/nul\0.wav", "cannot be opened: .*nul\ufffd.wav: .*null"),
        (f"{tmp_path}/lone\ud800.wav", "cannot be opened: .*lone\ufffd.wav"),
        (str(tmp_path / ("long" * 100)), "cannot be opened: .*too long"),
    ]:
        file = Media(kind, path)
        with pytest.raises(SampleError, match=said) as caught:
            media.load(file)
        with pytest.raises(SampleError, match=said):
            {"audio": load_audio, "image": load_image, "video": lambda p: media.Clip.open(Media("video", str(p)))}[
                kind
            ](Path(path))
        str(caught.value).encode()
        assert media.probe(file) == media.Extent()
        assert media.reference(kind, Path(path)).sha256 == (EMPTY if path.endswith("empty.wav") else "")


EMPTY = hashlib.sha256().hexdigest()


def test_a_file_whose_name_is_no_utf8_is_read(tmp_path: Path) -> None:
    name = os.fsdecode(b"\xff\xfe\xe9")
    soundfile.write(tmp_path / "a.wav", TONE, 16000)
    Image.new("RGB", (4, 3)).save(tmp_path / "a.png")
    write_sound(tmp_path / "a.m4a", "aac")
    write_video(tmp_path / "a.mp4")
    for ending in ("wav", "png", "m4a", "mp4"):
        (tmp_path / f"a.{ending}").rename(tmp_path / f"{name}.{ending}")
    assert load_audio(tmp_path / f"{name}.wav").rate == 16000
    assert load_audio(tmp_path / f"{name}.m4a").rate == 16000
    picture = media.load(media.reference("image", tmp_path / f"{name}.png"))
    assert isinstance(picture, Picture) and picture.pixels.shape == (3, 4, 3)
    clip = media.load(media.reference("video", tmp_path / f"{name}.mp4"))
    assert isinstance(clip, media.Clip) and clip.n_frames == 50
    assert media.probe(Media("audio", str(tmp_path / f"{name}.m4a"))).seconds == pytest.approx(1, abs=0.1)
    (tmp_path / f"{name}.wav").write_text("broken")
    with pytest.raises(SampleError, match="\ufffd" * 3):
        load_audio(tmp_path / f"{name}.wav")


def test_a_name_that_looks_like_an_address_is_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write_sound(tmp_path / "a.m4a", "aac").rename(tmp_path / "concat:a|b.m4a")
    assert load_audio(Path("concat:a|b.m4a")).rate == 16000


def test_a_file_that_changed_since_it_was_planned_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    soundfile.write(path, TONE, 16000)
    planned = media.reference("audio", path)
    assert isinstance(media.load(planned), Waveform)
    before = path.stat()
    soundfile.write(path, TONE / 2, 16000)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))  # as a copying program leaves it
    assert path.stat().st_size == before.st_size
    with pytest.raises(SampleError, match=r"the file changed since it was planned: .*a\.wav"):
        media.load(planned)
    assert isinstance(media.load(Media("audio", str(path))), Waveform)


def test_a_file_of_many_questions_is_read_once_for_its_hash(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, digest, read = tmp_path / "a.mp4", hashlib.file_digest, []
    write_video(path)
    monkeypatch.setattr(hashlib, "file_digest", lambda file, name: read.append(file.name) or digest(file, name))
    planned = [media.reference("video", path) for _ in range(3)]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(media.load, planned))
    assert read == [str(path)]
    assert planned[0].sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


def test_bytes_are_kept_once_by_content(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HARNESS_CACHE", str(tmp_path / "cache"))
    soundfile.write(tmp_path / "a.flac", TONE, 16000)
    content = (tmp_path / "a.flac").read_bytes()
    with ThreadPoolExecutor(8) as pool:
        found = set(pool.map(lambda _: media.intern("audio", content), range(32)))
    assert len(found) == 1
    assert [path.name for path in (tmp_path / "cache").rglob("*.*")] == [f"{found.pop().sha256}.flac"]


@pytest.mark.parametrize("grown", [0, 5])
def test_a_changed_file_in_the_cache_is_written_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, grown: int
) -> None:
    monkeypatch.setenv("HARNESS_CACHE", str(tmp_path / "cache"))
    soundfile.write(tmp_path / "a.flac", TONE, 16000)
    content = (tmp_path / "a.flac").read_bytes()
    kept = media.intern("audio", content)
    Path(kept.path).write_bytes(content[::-1] + bytes(grown))
    with pytest.raises(SampleError, match="changed"):
        media.load(kept)
    assert media.intern("audio", content) == kept
    assert Path(kept.path).read_bytes() == content
    assert isinstance(media.load(kept), Waveform)


def test_a_cache_that_cannot_be_written_is_one_message(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("HARNESS_CACHE", str(tmp_path / "file" / "cache"))
    with pytest.raises(UsageError, match=r"cache folder .*file/cache cannot be written: .*; set HARNESS_CACHE to"):
        media.intern("image", b"bytes")


@pytest.mark.parametrize(
    ("content", "ending"),
    [
        (b"RIFF\0\0\0\0WAVEfmt ", ".wav"),
        (b"RIFF\0\0\0\0WEBPVP8 ", ".webp"),
        (b"\0\0\0\x1cftypavif", ".avif"),
        (b"\0\0\0\x1cftypisom", ".mp4"),
        (b"\xff\xf3\x38\xc4", ".mp3"),
        (b"\xff\xf1\x50\x80", ".aac"),
        (b"\xff\xd8\xff\xe0", ".jpg"),
        (b"II*\0", ".tif"),
        (b"words", ".bin"),
    ],
)
def test_bytes_get_the_ending_of_their_format(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes, ending: str
) -> None:
    monkeypatch.setenv("HARNESS_CACHE", str(tmp_path))
    assert Path(media.intern("image", content).path).suffix == ending


@pytest.mark.parametrize("ending", ["flac", "ogg", "mp3"])
def test_seconds_of_sound_are_probed(tmp_path: Path, ending: str) -> None:
    soundfile.write(tmp_path / f"a.{ending}", np.tile(TONE, 6), 16000)
    assert media.probe(Media("audio", str(tmp_path / f"a.{ending}"))).seconds == pytest.approx(3, abs=0.1)
    assert media.probe(Media("audio", str(tmp_path / f"a.{ending}"), "", 1.0, 1.5)).seconds == 0.5


def test_seconds_of_compressed_sound_and_of_a_sound_track_are_probed(tmp_path: Path) -> None:
    for path in (write_sound(tmp_path / "a.m4a", "aac"), write_video(tmp_path / "b.mp4", frames=25, sound="aac")):
        assert media.probe(Media("audio", str(path))).seconds == pytest.approx(1, abs=0.1)
    assert media.probe(Media("audio", str(write_video(tmp_path / "mute.mp4")))) == media.Extent()


@pytest.mark.parametrize("kind", KINDS)
def test_probing_a_broken_file_says_nothing(tmp_path: Path, kind: MediaKind) -> None:
    (tmp_path / "a.flac").write_bytes(b"broken")
    assert media.probe(Media(kind, str(tmp_path / "a.flac"))) == media.Extent()


def test_files_opened_side_by_side_are_what_they_are_alone(good: dict[str, bytes], tmp_path: Path) -> None:
    files = []
    for ending, content in good.items():
        (tmp_path / f"a.{ending}").write_bytes(content)
        files.append(media.reference(KIND_OF.get(ending, "audio"), tmp_path / f"a.{ending}"))

    def content(file: Media) -> bytes:
        found = media.load(file)
        if isinstance(found, Waveform):
            return found.samples.tobytes()
        return found.pixels.tobytes() if isinstance(found, Picture) else found.frames([0, 7])[1].tobytes()

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(content, files * 8)) == [content(file) for file in files] * 8


def test_importing_the_media_brings_in_no_decoder() -> None:
    code = "import sys, harness.media; print({'numpy', 'av', 'PIL', 'soundfile', 'torch'} & set(sys.modules))"
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "set()"


KIND_OF: dict[str, MediaKind] = {"png": "image", "jpg": "image", "mp4": "video", "mpg": "video"}


@given(st.sampled_from(["wav", "flac", "ogg", "mp3", "m4a", "png", "jpg", "mp4", "mpg"]), st.data())
@settings(max_examples=80)
def test_a_file_with_any_byte_changed_loads_or_is_a_sample_error(
    good: dict[str, bytes], tmp_path_factory: pytest.TempPathFactory, ending: str, data: st.DataObject
) -> None:
    content = bytearray(good[ending])
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, min(len(content), 400) - 1) | st.integers(0, len(content) - 1))
        content[at] = data.draw(st.integers(0, 255))
    path = tmp_path_factory.mktemp("mutated") / f"a.{ending}"
    path.write_bytes(content)
    kind = KIND_OF.get(ending, "audio")
    media.probe(Media(kind, str(path)))
    try:
        found = media.load(Media(kind, str(path)))
        if isinstance(found, media.Clip):
            found.frames([0, found.n_frames - 1])
    except SampleError as error:
        assert str(path) in str(error)


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    folder = tmp_path_factory.mktemp("good")
    for ending in ("wav", "flac", "ogg", "mp3"):
        soundfile.write(folder / f"a.{ending}", TONE, 16000)
    for ending in ("png", "jpg"):
        Image.effect_noise((32, 32), 50).save(folder / f"a.{ending}")
    write_sound(folder / "a.m4a", "aac")
    for ending in ("mp4", "mpg"):
        write_video(folder / f"a.{ending}", frames=10)
    return {path.suffix[1:]: path.read_bytes() for path in folder.iterdir()}
