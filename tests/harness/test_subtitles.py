"""Subtitles as they are found, and what of them is on the screen."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.failures import SampleError
from harness.media.subtitles import Cue, lines_at, read_subtitles

PLAIN = """1
00:00:01,000 --> 00:00:02,500
Hello.

2
00:00:03,000 --> 00:00:04,000
How are
you?
"""
CUES = (Cue(1.0, 2.5, "Hello."), Cue(3.0, 4.0, "How are\nyou?"))


def read(folder: Path, content: bytes | str) -> tuple[Cue, ...]:
    path = folder / "a.srt"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_subtitles(path)


@pytest.mark.parametrize(
    "content",
    [
        PLAIN,
        PLAIN.replace("\n", "\r\n"),
        PLAIN.replace("\n", "\r"),
        b"\xef\xbb\xbf" + PLAIN.encode(),
        PLAIN.encode("utf-16"),
        PLAIN.replace(",", "."),
        PLAIN.rstrip("\n"),
        "\n\n" + PLAIN.replace("\n\n", "\n\n\n\n"),
        PLAIN.replace("\n\n", "\n"),
        PLAIN.replace("1\n", "", 1).replace("2\n0", "0"),
        PLAIN.replace("2\n0", "0"),
        PLAIN.replace("Hello.", "<i>Hello.</i>").replace("you?", '<font color="#fff">you?</FONT>{\\an8}'),
        PLAIN.replace("02,500", "02,500  X1:40 X2:600 Y1:20 Y2:50"),
        PLAIN.replace("Hello.", "  Hello. \t"),
        PLAIN + "\n3\n00:00:05,000 --> 00:00:06,000\n\n",
        "\n".join(PLAIN.split("\n")[4:]) + "\n\n" + "\n".join(PLAIN.split("\n")[:4]),
    ],
)
def test_every_way_of_writing_it_is_read(tmp_path: Path, content: bytes | str) -> None:
    assert read(tmp_path, content) == CUES


def test_times_are_whole_and_long(tmp_path: Path) -> None:
    (cue,) = read(tmp_path, "1\n123:04:05,006 --> 123:04:06.5\nLate.\n")
    assert (cue.start_s, cue.end_s) == pytest.approx((123 * 3600 + 4 * 60 + 5.006, 123 * 3600 + 4 * 60 + 6.5))


def test_a_text_of_digits_is_no_number(tmp_path: Path) -> None:
    assert [cue.text for cue in read(tmp_path, PLAIN.replace("Hello.", "1984"))] == ["1984", "How are\nyou?"]
    assert [
        cue.text for cue in read(tmp_path, "00:00:01,000 --> 00:00:02,000\n42\n\n00:00:03,000 --> 00:00:04,000\na")
    ] == [
        "42",
        "a",
    ]
    assert [cue.text for cue in read(tmp_path, "1\n00:00:01,000 --> 00:00:02,000\n7")] == ["7"]


def test_broken_bytes_are_replaced_and_other_signs_kept(tmp_path: Path) -> None:
    (cue,) = read(tmp_path, b"1\n00:00:01,000 --> 00:00:02,000\ncaf\xe9 < 3 > 2 <3\n")
    assert cue.text == "caf\ufffd < 3 > 2 <3"


@pytest.mark.parametrize("content", ["", "\n \n", b"\xef\xbb\xbf"])
def test_a_file_without_text_has_no_cues(tmp_path: Path, content: bytes | str) -> None:
    assert read(tmp_path, content) == ()


@pytest.mark.parametrize(
    ("content", "line"),
    [
        ("no subtitles", 1),
        ("\n\n<html>", 3),
        ("WEBVTT\n\n00:00:01.000 --> 00:00:02.000\nHello.", 1),
        ("1\n00:01 --> 00:02\nHello.", 1),
        (bytes(range(128, 256)), 1),
    ],
)
def test_what_is_no_srt_is_told_with_its_line(tmp_path: Path, content: bytes | str, line: int) -> None:
    with pytest.raises(SampleError, match=rf"no \.srt: .*a\.srt, line {line}: expected"):
        read(tmp_path, content)


def test_a_file_that_is_not_there_or_not_one_is_told(tmp_path: Path) -> None:
    with pytest.raises(SampleError, match=r"missing: .*b\.srt"):
        read_subtitles(tmp_path / "b.srt")
    with pytest.raises(SampleError, match="cannot be read"):
        read_subtitles(tmp_path)


def test_what_is_on_the_screen_comes_once_and_in_order() -> None:
    cues = (Cue(0, 3, "a"), Cue(2, 4, "b"), Cue(5, 6, "c"), Cue(7, 7, "never"))
    assert lines_at(cues, [0, 1, 2.5]) == ["a", "b"]
    assert lines_at(cues, [3, 4, 5, 6, 7]) == ["b", "c"]
    assert lines_at(cues, []) == lines_at((), [1.0]) == []


cues = st.builds(
    lambda start, length, text: Cue(start, start + length, text), st.floats(0, 9), st.floats(0, 3), st.text()
)


@given(st.lists(cues, max_size=6), st.lists(st.floats(0, 12), max_size=6).map(sorted))
def test_every_text_shown_at_a_time_is_there_and_no_other(given_cues: list[Cue], seconds: list[float]) -> None:
    shown = [cue.text for cue in given_cues if any(cue.start_s <= at < cue.end_s for at in seconds)]
    assert sorted(lines_at(given_cues, seconds)) == sorted(shown)


@given(
    st.lists(st.tuples(st.integers(0, 10**6), st.integers(1, 10**4), st.sampled_from(["a", "b\nc", "7", "<i>x</i>"])))
)
def test_what_is_written_is_read(written: list[tuple[int, int, str]]) -> None:
    def stamp(ms: int) -> str:
        return f"{ms // 3600000:02}:{ms // 60000 % 60:02}:{ms // 1000 % 60:02},{ms % 1000:03}"

    text = "".join(
        f"{i + 1}\n{stamp(at)} --> {stamp(at + length)}\n{line}\n\n" for i, (at, length, line) in enumerate(written)
    )
    with TemporaryDirectory() as folder:
        found = read(Path(folder), text)
    wanted = sorted(((at / 1000, line) for at, _, line in written), key=lambda pair: pair[0])
    assert [(cue.start_s, cue.text) for cue in found] == [
        (pytest.approx(at), line.replace("<i>", "").replace("</i>", "")) for at, line in wanted
    ]
