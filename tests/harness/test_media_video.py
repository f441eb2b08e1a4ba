"""Frames that are sought are those of decoding everything, in whatever way the video was written."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.ablation import blank
from harness.failures import SampleError
from harness.media import Clip, load
from harness.media import clips as clips_module
from harness.media.streams import opened
from harness.media.timeline import frames, items_at, timeline
from harness.types import Media, Picture
from tests.harness.media_files import cut, peak_bytes, write_video
from tests.harness.video_files import Form, decoded, write

X264 = {"preset": "ultrafast", "g": "10"}
B_FRAMES = Form("mp4", "libx264", {**X264, "bf": "3"})
OPEN = Form("mp4", "libx264", {**X264, "bf": "3", "x264-params": "open-gop=1"})
REFRESHED = Form("mp4", "libx264", {"preset": "ultrafast", "x264-params": "intra-refresh=1:keyint=10"})
FORMS = [
    B_FRAMES,
    OPEN,
    REFRESHED,
    Form("mkv", "libx264", {**X264, "bf": "2", "x264-params": "open-gop=1:b-pyramid=normal"}),
    Form("ts", "libx264", {**X264, "bf": "2"}),
    Form("mov", "mpeg4", {"g": "7", "bf": "2"}),
    Form("avi", "mpeg4", {"g": "7", "bf": "2"}),
    Form("mkv", "mpeg2video", {"g": "6", "bf": "2"}),
    Form("mpg", "mpeg2video", {"g": "6", "bf": "2"}),
    Form("webm", "libvpx", {"g": "9", "cpu-used": "4"}),
    Form("webm", "libvpx-vp9", {"g": "9", "auto-alt-ref": "1", "lag-in-frames": "8", "cpu-used": "8"}),
    Form("mov", "mjpeg", {}, "yuvj420p"),
    Form("gif", "gif", {}, "rgb8"),
]


def clip_of(path: Path) -> Clip:
    return Clip.open(Media("video", str(path)))


def seekable(path: Path) -> bool:
    """Whether each of its frames alone is sought in it, and not counted from the beginning."""
    line = timeline(path)
    if line is None:
        return False
    with opened(path) as container:
        return all([i for i, _ in items_at(container, line, frames, [at])] == [at] for at in range(line.n_frames))


def assert_same(path: Path, indices: list[int]) -> None:
    clip, whole = clip_of(path), decoded(path)
    assert clip.n_frames == len(whole)
    for i, frame in zip(indices, clip.frames(indices), strict=True):
        assert np.array_equal(frame, whole[i]), i


@st.composite
def videos(draw: st.DrawFn) -> tuple[Form, list[int], int]:
    """How it is written, when each frame is shown, and the rate."""
    form = draw(st.sampled_from(FORMS))
    n = draw(st.integers(1, 40))
    fixed = form.codec in ("mpeg2video", "gif")
    gaps = [1] * n if fixed or draw(st.booleans()) else draw(st.lists(st.integers(1, 4), min_size=n, max_size=n))
    first = 0 if fixed else draw(st.sampled_from([0, 0, 3]))
    times = [first + at for at in np.cumsum([0, *gaps[1:]]).tolist()]
    return form, times, 25 if fixed else draw(st.sampled_from([10, 25]))


@settings(max_examples=60)
@given(videos(), st.data())
def test_any_frames_of_any_video_are_those_of_decoding_it_all(
    video: tuple[Form, list[int], int], data: st.DataObject
) -> None:
    form, times, rate = video
    with TemporaryDirectory() as folder:
        path = write(Path(folder) / f"a.{form.ending}", form, times, rate)
        indices = data.draw(st.lists(st.integers(0, len(times) - 1), min_size=1, max_size=6))
        assert_same(path, indices)


@pytest.mark.parametrize(
    "form", [form for form in FORMS if form.ending in ("mp4", "mov", "mkv", "webm") and form != REFRESHED], ids=str
)
def test_it_is_sought_where_key_frames_and_times_are_stated(tmp_path: Path, form: Form) -> None:
    path = write(tmp_path / f"a.{form.ending}", form, range(35))
    assert seekable(path)
    assert_same(path, list(range(34, -1, -3)))


def test_little_is_decoded_for_a_late_frame(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path / "a.mp4", B_FRAMES, range(200))
    clip = clip_of(path)
    clip.frames([0])  # the beginning is looked at once
    decodes: list[int] = []

    def counted(container: av.container.InputContainer) -> object:
        for frame in frames(container):
            decodes.append(1)
            yield frame

    monkeypatch.setattr(clips_module, "decoded", counted)
    (late,) = clip.frames([195])
    assert np.array_equal(late, decoded(path)[195])
    assert len(decodes) == 6, "from the key frame 190 on"
    decodes.clear()
    clip.frames([191, 193, 195])
    assert len(decodes) == 6, "one key frame serves its neighbours"


def test_a_refreshed_picture_without_key_frames_is_decoded_from_the_beginning(tmp_path: Path) -> None:
    """x264 marks where a picture is whole again, but from there it is so only by and by."""
    path = write(tmp_path / "a.mp4", REFRESHED, range(35))
    line = timeline(path)
    assert line is not None and len(line.stamps) > 1
    assert_same(path, [34, 12, 25])


@pytest.mark.parametrize(
    "flags",
    ["frag_keyframe", "frag_keyframe+empty_moov", "frag_keyframe+skip_trailer", "faststart", "negative_cts_offsets"],
)
def test_ways_to_lay_out_an_mp4(tmp_path: Path, flags: str) -> None:
    path = write(tmp_path / "a.mp4", B_FRAMES, range(35), muxer={"movflags": flags})
    assert seekable(path)
    assert_same(path, [34, 3, 17])


@pytest.mark.parametrize("skipped", [3, 10, 14])
def test_an_edit_list_that_begins_in_the_middle(tmp_path: Path, skipped: int) -> None:
    path = write(tmp_path / "a.mp4", Form("mp4", "libx264", {**X264, "bf": "0"}), range(35))
    content = bytearray(path.read_bytes())
    edit = content.index(b"elst") + 12
    content[edit : edit + 8] = ((35 - skipped) * 40).to_bytes(4, "big") + (skipped * 512).to_bytes(4, "big")
    path.write_bytes(content)
    whole, clip = decoded(path), clip_of(path)
    assert clip.n_frames == len(whole) == 35 - skipped
    assert all(np.array_equal(a, b) for a, b in zip(clip.frames(range(len(whole))), whole, strict=True))
    (last,) = clip_of(path).frames([len(whole) - 1])
    assert np.array_equal(last, whole[-1])


@pytest.mark.parametrize("form", [B_FRAMES, Form("mp4", "mpeg4", {"g": "12", "sc_threshold": "1000000000"})], ids=str)
def test_a_wrong_mark_of_a_key_frame_is_found_out(tmp_path: Path, form: Form) -> None:
    """Every frame is said to be one: a table of key frames that is missing means that."""
    path = write(tmp_path / "a.mp4", form, range(35))
    content = bytearray(path.read_bytes())
    at = content.index(b"stss")
    content[at : at + 4] = b"free"
    path.write_bytes(content)
    assert_same(path, [34, 3, 17])


def test_a_live_matroska_file_without_an_index_is_sought_too(tmp_path: Path) -> None:
    form = Form("mkv", "libx264", {**X264, "bf": "2"})
    path = write(tmp_path / "a.mkv", form, range(60), muxer={"live": "1"})
    assert b"\x1c\x53\xbb\x6b" not in path.read_bytes(), "it has no table of key frames"
    assert seekable(path)
    assert_same(path, [59, 5, 31])


def test_vp8_frames_that_are_never_shown_are_not_counted(tmp_path: Path) -> None:
    path, hidden = write(tmp_path / "a.webm", Form("webm", "libvpx", {"g": "9"}), range(30)), tmp_path / "b.webm"
    with av.open(str(path)) as source, av.open(str(hidden), "w") as target:
        stream = target.add_stream_from_template(source.streams.video[0])
        for i, packet in enumerate(packet for packet in source.demux(video=0) if packet.size):
            content = bytearray(bytes(packet))
            content[0] &= ~0x10 if i in (4, 21) else 0xFF
            copy = av.Packet(bytes(content))
            copy.pts, copy.dts, copy.time_base = packet.pts, packet.dts, packet.time_base
            copy.is_keyframe, copy.stream = packet.is_keyframe, stream
            target.mux(copy)
    assert clip_of(hidden).n_frames == 28 and seekable(hidden)
    assert_same(hidden, [27, 4, 19, 20])


def test_frames_that_an_avi_holds_still_are_not_counted(tmp_path: Path) -> None:
    assert_same(write(tmp_path / "a.avi", Form("avi", "mpeg4"), [0, 2, 5, 6]), [3, 0, 2])
    assert_same(write(tmp_path / "b.avi", Form("avi", "mpeg4"), [3]), [0])


def test_a_video_that_begins_late_is_whole(tmp_path: Path) -> None:
    path = write(tmp_path / "a.mkv", Form("mkv", "libx264", X264), range(50, 80))
    assert_same(path, [29, 0])
    assert clip_of(path).times([0, 25]) == [0, 1]


@pytest.mark.parametrize("form", FORMS, ids=str)
def test_a_single_frame(tmp_path: Path, form: Form) -> None:
    path = write(tmp_path / f"a.{form.ending}", form, [0])
    assert_same(path, [0, 0])


@pytest.mark.parametrize("ending", ["mp4", "mkv", "avi"])
def test_a_video_without_frames_is_refused(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"a.{ending}"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=25)
        stream.width = stream.height = 64
        stream.pix_fmt = "yuv420p"
        container.start_encoding()
    with pytest.raises(
        SampleError, match=rf"(video has no frames|file has no pictures|cannot be decoded): .*a\.{ending}"
    ):
        clip_of(path)


@pytest.mark.parametrize("form", [B_FRAMES, FORMS[3], FORMS[9]], ids=str)
@pytest.mark.parametrize("share", [0.4, 0.8, 0.97])
def test_a_cut_file_is_refused(tmp_path: Path, form: Form, share: float) -> None:
    with pytest.raises(SampleError, match=r"truncated: .*; fetch it again"):
        clip_of(cut(write(tmp_path / f"a.{form.ending}", form, range(40)), share))


def test_a_slow_video_of_variable_rate_states_its_times(tmp_path: Path) -> None:
    times = [0, 1, 2, 10, 11, 30, 31, 32, 33, 60]
    for form in (B_FRAMES, Form("mkv", "libx264", {**X264, "bf": "2"})):
        path = write(tmp_path / f"a.{form.ending}", form, times, rate=10)
        clip = clip_of(path)
        assert clip.times(range(10)) == pytest.approx([at / 10 for at in times])
        assert clip.times([5, 0, 5]) == pytest.approx([3.0, 0.0, 3.0])


def test_times_that_are_not_stated_follow_from_the_rate(tmp_path: Path) -> None:
    path = write(tmp_path / "a.ts", Form("ts", "libx264", X264), range(30))
    assert clip_of(path).times([25, 5]) == [1.0, 0.2]


def test_times_are_read_without_decoding(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path / "a.mp4", OPEN, range(100))
    clip = clip_of(path)
    clip.times([0])
    with monkeypatch.context() as patched:
        patched.setattr(clips_module, "decoded", None)
        assert clip.times(range(100)) == pytest.approx([i / 25 for i in range(100)])


def test_a_rotated_video_stands_upright_wherever_it_is_entered(tmp_path: Path) -> None:
    path = write(tmp_path / "a.mp4", B_FRAMES, range(35))
    whole = decoded(path)
    content = bytearray(path.read_bytes())
    matrix = content.index(b"tkhd") + 4 + 40
    quarter_turn_right = [0, 1 << 16, 0, -(1 << 16), 0, 0, 64 << 16, 0, 1 << 30]
    content[matrix : matrix + 36] = b"".join(value.to_bytes(4, "big", signed=True) for value in quarter_turn_right)
    path.write_bytes(content)
    for i, frame in zip([2, 33], clip_of(path).frames([2, 33]), strict=True):
        assert np.array_equal(frame, np.rot90(whole[i], -1))


def test_an_animation_is_a_picture_or_a_video(tmp_path: Path) -> None:
    path = write(tmp_path / "a.gif", Form("gif", "gif", {}, "rgb8"), range(12), rate=10)
    first = load(Media("image", str(path)))
    assert isinstance(first, Picture)
    assert_same(path, [0, 11, 5])
    assert np.abs(first.pixels.astype(int) - decoded(path)[0]).mean() < 1


def test_the_sound_of_a_clip_is_that_of_its_cut(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mp4", sound="aac")
    whole = clip_of(path).sound()
    assert whole is not None and whole.rate == 16000 and whole.seconds == pytest.approx(1, abs=0.2)
    part = Clip.open(Media("video", str(path), "", 0.25, 0.75)).sound()
    assert part is not None and np.array_equal(part.samples, whole.samples[4000:12000])
    silent = blank(clip_of(path)).sound()  # type: ignore[union-attr]
    assert silent is not None and len(silent.samples) == len(whole.samples) and not silent.samples.any()
    assert clip_of(write_video(tmp_path / "b.mp4")).sound() is None


def test_the_bound_on_sound_holds_for_a_clips_track(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clip = clip_of(write_video(tmp_path / "a.mp4", sound="aac"))
    monkeypatch.setenv("HARNESS_MAX_AUDIO_S", "1")  # the encoder pads its second with some silence
    with pytest.raises(SampleError, match="HARNESS_MAX_AUDIO_S"):
        clip.sound()


def test_memory_does_not_grow_with_the_length(tmp_path: Path) -> None:
    """3 bytes a pixel of all its frames would be 24 MB."""
    short, long = (write(tmp_path / f"{n}.mp4", B_FRAMES, range(n)) for n in (20, 2000))
    call = "clip = Clip.open(reference('video', paths[0])); clip.frames([0, 10, clip.n_frames - 1])"
    assert peak_bytes(call, long) < peak_bytes(call, short) + 6e6
