"""Tables and clips of image and video benchmarks as people have them: odd cells, missing media, zips, damaged files."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path

import pytest
from PIL import Image

from harness.failures import UsageError
from harness.media import load_image
from harness.types import Media
from tasks.readers.framed import frames_as_video
from tasks.readers.layout import LayoutError, RowError
from tasks.readers.tsv import Pictureless, read_table
from tasks.readers.zips import Zips
from tests.tasks import archives_vision as archives
from tests.tasks.archives import image_bytes, write
from tests.tasks.results import rows, sampled

COLUMNS = ["index", "question", "A", "B", "answer", "image"]
GOOD = archives.encoded(1)


def table(folder: Path, *cells: str, columns: list[str] = COLUMNS) -> Path:
    """Rows 0, 1, ... with these image cells."""
    given = [[number, "Which?", "x", "nan", "A", cell] for number, cell in enumerate(cells)]
    return archives.table(folder / "T.tsv", columns, given)


def gif(frames: int = 3) -> bytes:
    pictures = [Image.new("P", (20, 10), color) for color in range(frames)]
    file = io.BytesIO()
    pictures[0].save(file, "GIF", save_all=True, append_images=pictures[1:])
    return file.getvalue()


@pytest.mark.parametrize(
    "cell",
    [GOOD, f"data:image/png;base64,{GOOD}", "\n".join((GOOD[:40], GOOD[40:])), f"['{GOOD}']", json.dumps([GOOD])],
)
def test_a_picture_in_every_spelling(cell: str, tmp_path: Path) -> None:
    (row,) = read_table(table(tmp_path, cell), ("question",))
    assert row["image"] == image_bytes(1) and "error" not in row
    assert "B" not in row, "an option that is nan is absent"


def test_rows_that_refer_to_another_share_its_picture(tmp_path: Path) -> None:
    first, second, third = read_table(table(tmp_path, "2", f"['2', '{archives.encoded(5)}']", GOOD), ("question",))
    assert first["image"] == third["image"] and first["image_row"] == "2"
    assert second["images"] == [image_bytes(1), image_bytes(5)]


def test_a_row_that_refers_to_a_list_shows_all_of_it(tmp_path: Path) -> None:
    several = f"['{GOOD}', '{archives.encoded(5)}']"
    for cells in (("1", several), (several, "0")):
        one, other = read_table(table(tmp_path, *cells), ("question",))
        assert one["images"] == other["images"] == [image_bytes(1), image_bytes(5)]
        assert "error" not in one and "error" not in other


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 0, 2)])
def test_a_picture_may_be_in_a_row_of_another_split(order: tuple[int, ...], tmp_path: Path) -> None:
    lines = [[0, "Which?", GOOD, "dev"], [1, "Which?", "0", "validation"], [2, "Which?", "0", "test"]]
    path = archives.table(tmp_path / "T.tsv", ["index", "question", "image", "split"], [lines[i] for i in order])
    (row,) = read_table(path, ("question",), split="validation")
    assert row["image"] == image_bytes(1) and row["image_row"] == "0" and "error" not in row


@pytest.mark.parametrize("pictureless", ["fails", "kept", "dropped"])
def test_a_line_with_fewer_cells_fails_alone(pictureless: Pictureless, tmp_path: Path) -> None:
    path = tmp_path / "T.tsv"
    path.write_text(f"index\tquestion\timage\tsplit\n0\tWhich?\t{GOOD}\tdev\n1\tWhich?\n")
    for split in ("dev", None):
        good, bad = read_table(path, ("question",), pictureless=pictureless, split=split)
        assert "error" not in good
        assert bad["sample_id"] == "1" and "T.tsv:3: 2 cells where the header names 4" in bad["error"]


@pytest.mark.parametrize(
    ("cell", "told"),
    [
        ("9", "refers to the image of row '9', which has none"),
        ("", "the image cell is empty"),
        ("!" * 99, "not base64"),
    ],
)
def test_a_row_without_its_picture_fails_alone(cell: str, told: str, tmp_path: Path) -> None:
    good, bad = read_table(table(tmp_path, GOOD, cell), ("question",))
    assert "error" not in good
    assert told in bad["error"] and "T.tsv" in bad["error"] and bad["image"] is None


def test_an_empty_cell_may_be_kept_or_dropped(tmp_path: Path) -> None:
    path = table(tmp_path, GOOD, "")
    kept = list(read_table(path, ("question",), pictureless="kept"))
    assert [row["image"] for row in kept] == [image_bytes(1), None] and "error" not in kept[1]
    assert len(list(read_table(path, ("question",), pictureless="dropped"))) == 1


def test_a_table_of_paths(tmp_path: Path) -> None:
    write(tmp_path / "images" / "0.png", image_bytes(3))
    columns = [*COLUMNS[:-1], "image_path"]
    first, second = read_table(table(tmp_path, "images/0.png", "../outside.png", columns=columns), ("question",))
    assert first["image"] == tmp_path / "images" / "0.png"
    assert "outside" in second["error"]


def test_line_ends_and_byte_order_mark(tmp_path: Path) -> None:
    path = table(tmp_path, GOOD, GOOD)
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n"))
    assert [row["sample_id"] for row in read_table(path, ("question",))] == ["0", "1"]


def test_a_table_without_a_column_is_refused(tmp_path: Path) -> None:
    with pytest.raises(LayoutError, match="no column category"):
        list(read_table(table(tmp_path, GOOD), ("category",)))


def test_an_animated_picture_is_its_first(tmp_path: Path) -> None:
    write(tmp_path / "a.gif", gif())
    assert load_image(tmp_path / "a.gif").pixels.shape == (10, 20, 3)


def test_seven_pictures_stand_where_the_question_names_them(tmp_path: Path) -> None:
    archives.mmmu(tmp_path)
    found = rows("mmmu", tmp_path)
    assert len(found) == 4, "rows of other splits are left out"
    assert [len(row.get("images", [0])) for row in found] == [1, 7, 1, 1]
    sample = sampled("mmmu", found[1])
    parts = sample.messages[0].parts
    assert len(sample.media) == 7
    assert isinstance(parts[-2], Media) and parts[-2] == sample.media[-1], "<image 7> stands in the question"


def test_two_tables_of_one_benchmark_are_refused(tmp_path: Path) -> None:
    archives.mmstar(tmp_path)
    write(tmp_path / "LMUData" / "MMStar.tsv", (tmp_path / "MMStar.tsv").read_text())
    with pytest.raises(UsageError, match="two sources"):
        rows("mmstar", tmp_path)


# Videos


def test_subtitles_are_optional_and_found(tmp_path: Path) -> None:
    archives.videomme(tmp_path)
    found = rows("videomme", tmp_path)
    assert [row["subtitles"].name if "subtitles" in row else None for row in found] == ["aa.srt", "aa.srt", None, None]
    texts = [sampled("videomme_subtitles", row).messages[-1].parts[-1].text for row in found]
    assert "Good morning" in texts[0] and "subtitles are listed" not in texts[2]


def test_a_missing_video_fails_its_rows_alone_with_the_place(tmp_path: Path) -> None:
    archives.videomme(tmp_path)
    (tmp_path / "Video-MME" / "data" / "aa.mp4").unlink()
    found = rows("videomme", tmp_path)
    assert [bool(row.get("error")) for row in found] == [True, True, False, False]
    assert "data/aa.mp4" in found[0]["error"] and found[0]["duration"] == "short"


def zipped(root: Path, *names: str) -> None:
    """Moves videos into a zip beside the tables, as the hub has them."""
    with zipfile.ZipFile(root / "videos_chunked_01.zip", "w") as archive:
        for name in names:
            archive.write(root / name, name)
            (root / name).unlink()


def test_videos_and_subtitles_are_read_out_of_zips(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HARNESS_CACHE", str(tmp_path / "cache"))
    archives.videomme(tmp_path)
    zipped(tmp_path / "Video-MME", "data/aa.mp4", "data/bb.mp4", "subtitle/aa.srt")
    found = rows("videomme", tmp_path)
    assert all(row["video"].is_file() for row in found) and "subtitles" in found[0]
    assert rows("videomme", tmp_path) == found, "unpacked once"


def test_a_zip_that_leads_out_unpacks_into_the_cache_and_a_cut_one_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HARNESS_CACHE", str(tmp_path / "cache"))
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("../../evil.mp4", b"x")
    unpacked = Zips(tmp_path).find("evil.mp4")
    assert unpacked is not None and (tmp_path / "cache") in unpacked.parents
    (tmp_path / "b.zip").write_bytes((tmp_path / "a.zip").read_bytes()[:-10])
    assert any("b.zip is no readable zip" in fault for fault in Zips(tmp_path).faults)


def test_frames_become_the_video_that_they_stand_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from harness import media

    monkeypatch.setenv("HARNESS_CACHE", str(tmp_path / "cache"))
    for number in range(6):
        write(tmp_path / "scene" / f"{number:05d}.jpg", archives.jpeg(number))
    video = frames_as_video(tmp_path / "scene", 3.0)
    clip = media.load(media.reference("video", video))
    assert (clip.n_frames, clip.fps) == (6, 3.0)
    reds = [int(frame[0, 0, 0]) for frame in clip.frames(range(6))]
    assert reds == sorted(reds) and reds[0] < 20 < 180 < reds[-1]
    assert frames_as_video(tmp_path / "scene", 3.0) == video
    with pytest.raises(RowError, match="no frames"):
        frames_as_video(tmp_path / "none", 3.0)
    write(tmp_path / "text" / "0.jpg", "no picture")
    with pytest.raises(RowError, match="no JPEG"):
        frames_as_video(tmp_path / "text", 3.0)


@pytest.mark.parametrize("content", ["{", '{"video": 1}', "[1]"])
def test_a_damaged_file_of_questions(content: str, tmp_path: Path) -> None:
    archives.mvbench(tmp_path)
    write(tmp_path / "MVBench" / "json" / "action_count.json", content)
    if content == "[1]":
        (bad,) = [row for row in rows("mvbench", tmp_path) if row.get("error")]
        assert "action_count.json: item 0" in bad["error"]
    else:
        with pytest.raises(UsageError, match=r"action_count\.json"):
            rows("mvbench", tmp_path)


def test_a_part_of_a_clip_is_asked_about(tmp_path: Path) -> None:
    archives.mvbench(tmp_path)
    cut = sampled("mvbench", rows("mvbench", tmp_path)[0]).media[0]
    assert (cut.start_s, cut.end_s) == (0.5, 2.0)


def test_of_two_videos_with_one_name_a_task_gets_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HARNESS_CACHE", str(tmp_path / "cache"))
    for archive, folder, content in (("clevrer", "video_validation", b"one"), ("perception", "videos", b"other")):
        with zipfile.ZipFile(tmp_path / f"{archive}.zip", "w") as file:
            file.writestr(f"{folder}/video_1.mp4", content)
    zips = Zips(tmp_path)
    for within, content in ((("clevrer", "video_validation"), b"one"), (("perception", "videos"), b"other")):
        found = zips.find("video_1.mp4", within)
        assert found is not None and found.read_bytes() == content
    assert zips.find("video_1.mp4", ("star", "Charades_v1_480")) is None, "another task's video is none of it"
    with pytest.raises(RowError, match="two files answer to"):
        zips.find("video_1.mp4")


def test_a_damaged_member_fails_its_row_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HARNESS_CACHE", str(tmp_path / "cache"))
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("x.mp4", bytes(range(256)) * 50)
    content = bytearray((tmp_path / "a.zip").read_bytes())
    content[40:60] = b"\xff" * 20
    (tmp_path / "a.zip").write_bytes(content)
    with pytest.raises(RowError, match="cannot be unpacked"):
        Zips(tmp_path).find("x.mp4")


def test_frames_are_read_out_of_a_zip(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HARNESS_CACHE", str(tmp_path / "cache"))
    archives.mvbench(tmp_path)
    home = tmp_path / "MVBench" / "video"
    with zipfile.ZipFile(home / "tvqa.zip", "w") as file:
        for frame in sorted((home / "tvqa" / "frames_fps3_hq" / "scene").iterdir()):
            file.write(frame, f"frames_fps3_hq/scene/{frame.name}")
            frame.unlink()
    (home / "tvqa" / "frames_fps3_hq" / "scene").rmdir()
    (row,) = [row for row in rows("mvbench", tmp_path) if row["task_type"] == "Episodic Reasoning"]
    assert "error" not in row and row["video"].is_file()


def test_a_changed_table_in_lmu_data_has_another_fingerprint(tmp_path: Path) -> None:
    from harness.contracts import DataChoice
    from harness.registry import get_task

    archives.mmstar(tmp_path)
    (tmp_path / "LMUData").mkdir()
    table = (tmp_path / "MMStar.tsv").rename(tmp_path / "LMUData" / "MMStar.tsv")
    source, data = get_task("mmstar").source, DataChoice("folder", tmp_path)
    before = source.fingerprint(data)
    table.write_text(table.read_text().replace("Which?", "What?"))
    assert before["files"] == 1 and source.fingerprint(data) != before
