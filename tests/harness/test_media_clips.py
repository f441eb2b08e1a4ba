"""Videos: frames by index, whole or refused."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np
import pytest

from harness.failures import SampleError
from harness.media import Clip, load, probe
from harness.types import Media
from tests.harness.media_files import cut
from tests.harness.media_files import write_video as write

write_video = partial(write, size=64)

ENDINGS = ["mp4", "mov", "mkv", "webm", "avi", "mpg"]


def opened(path: Path) -> Clip:
    found = load(Media("video", str(path)))
    assert isinstance(found, Clip)
    return found


@pytest.mark.parametrize("ending", ENDINGS)
def test_frames_come_by_index_in_the_order_asked_for(tmp_path: Path, ending: str) -> None:
    clip = opened(write_video(tmp_path / f"a.{ending}"))
    assert (clip.fps, clip.n_frames) == (25, 50)
    frames = clip.frames([40, 3, 3, 49, 0])
    assert [round(float(frame[16:].mean()) / 4) for frame in frames] == [40, 3, 3, 49, 0]
    assert clip.frames([]) == []


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("share", [0.3, 0.55, 0.73, 0.96])
def test_a_cut_video_is_refused(tmp_path: Path, ending: str, share: float) -> None:
    with pytest.raises(SampleError, match=rf"truncated: .*cut-a\.{ending}"):
        opened(cut(write_video(tmp_path / f"a.{ending}"), share))


def test_a_live_recording_that_is_shorter_than_it_says_is_refused(tmp_path: Path) -> None:
    """The container leaves its size open, so only its length tells."""
    path = write_video(tmp_path / "a.mkv", frames=60)
    content = bytearray(path.read_bytes())
    segment = content.index(b"\x18\x53\x80\x67")
    content[segment + 4 : segment + 12] = b"\x01" + b"\xff" * 7
    path.write_bytes(content)
    assert opened(path).n_frames == 60
    with pytest.raises(SampleError, match=r"holds .* of 2\.40 s"):
        opened(cut(path, 0.5))


@pytest.mark.parametrize("ending", ENDINGS)
def test_the_extent_comes_from_the_header(tmp_path: Path, ending: str) -> None:
    path = write_video(tmp_path / f"a.{ending}")
    extent = probe(Media("video", str(path)))
    assert extent.seconds == pytest.approx(2.0, abs=0.05)
    assert (extent.width, extent.height, extent.fps) == (64, 64, 25)
    assert abs(extent.frames - 50) <= 1
    assert probe(Media("video", str(path), "", 0.5, 1.0)).seconds == 0.5


def test_a_cut_in_seconds_is_kept(tmp_path: Path) -> None:
    found = load(Media("video", str(write_video(tmp_path / "a.mp4")), "", 0.5, 1.5))
    assert isinstance(found, Clip)
    assert (found.start_s, found.end_s) == (0.5, 1.5)


def test_a_video_filmed_on_its_side_stands_upright(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mp4")
    as_stored = opened(path).frames([5])[0]
    content = bytearray(path.read_bytes())
    matrix = content.index(b"tkhd") + 4 + 40
    quarter_turn_right = [0, 1 << 16, 0, -(1 << 16), 0, 0, 64 << 16, 0, 1 << 30]
    content[matrix : matrix + 36] = b"".join(value.to_bytes(4, "big", signed=True) for value in quarter_turn_right)
    path.write_bytes(content)
    upright = opened(path).frames([5])[0]
    assert np.array_equal(upright, np.rot90(as_stored, -1))
    assert upright.flags.c_contiguous


def test_frames_that_an_edit_list_takes_out_are_not_counted(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mp4")
    content = bytearray(path.read_bytes())
    edit = content.index(b"elst") + 12
    content[edit : edit + 8] = (1800).to_bytes(4, "big") + (5 * 512).to_bytes(4, "big")  # 1.8 s from 0.2 s on
    path.write_bytes(content)
    clip = opened(path)
    assert clip.n_frames == 45
    assert [round(float(frame[16:].mean()) / 4) for frame in clip.frames([0, 44])] == [5, 49]


def test_what_is_no_video_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").write_bytes(b"no video")
    with pytest.raises(SampleError, match=r"cannot be decoded: .*a\.mp4: Invalid data"):
        opened(tmp_path / "a.mp4")
    (tmp_path / "b.mp4").write_text("#EXTM3U\n#EXTINF:1,\nfile:///etc/hostname\n")
    with pytest.raises(SampleError, match="cannot be decoded"):
        opened(tmp_path / "b.mp4")


def test_an_index_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(SampleError, match="ends before frame 50"):
        opened(write_video(tmp_path / "a.mp4")).frames([1, 50, 51])


def test_bounds_on_frames_are_told_and_can_be_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clip = opened(write_video(tmp_path / "a.mp4"))
    monkeypatch.setenv("HARNESS_MAX_CLIP_PIXELS", str(3 * 64 * 64))
    assert len(clip.frames([1, 2, 3])) == 3
    with pytest.raises(SampleError, match=r"4 frames of 16384 pixels: .*HARNESS_MAX_CLIP_PIXELS") as caught:
        clip.frames([1, 2, 3, 4])
    assert caught.value.kind == "limit"
    monkeypatch.setenv("HARNESS_MAX_PIXELS", "4000")
    with pytest.raises(SampleError, match=r"64 x 64: .*more than 4000 pixels; HARNESS_MAX_PIXELS"):
        opened(write_video(tmp_path / "b.mp4"))
