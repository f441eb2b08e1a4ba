"""Probe data: what is read, what is left out with a reason, and what cannot be mended row by row."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import soundfile
from PIL import Image

from alignment_probes import speak
from alignment_probes.data import load
from harness.failures import UsageError
from harness.media import espeak
from tasks.mini.build import CHECKSUMS, PROBES, checksums


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HARNESS_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two pictures and a recording."""
    root = tmp_path / "data"
    root.mkdir()
    for name, colour in (("a.png", "red"), ("b.png", "blue")):
        Image.new("RGB", (8, 8), colour).save(root / name)
    soundfile.write(root / "a.wav", np.zeros(1600, np.float32), 16_000)
    return root


def write(folder: Path, *lines: str) -> str:
    (folder / "captions.tsv").write_text("\n".join(("id\timage\tcaption\taudio", *lines)) + "\n", encoding="utf-8")
    return str(folder)


def test_the_shipped_set_is_whole_and_large_enough_for_the_paper_profile() -> None:
    found = load("mini")
    assert len(found.triples) >= 128
    assert not found.rejected
    assert found.fingerprint["speech"] == "recorded"
    assert len({triple.caption for triple in found.triples}) == len(found.triples)
    assert all(triple.image.sha256 and triple.audio.sha256 for triple in found.triples)


def test_broken_rows_are_left_out_with_their_reason(folder: Path) -> None:
    data = write(
        folder,
        "1\ta.png\ta red field\ta.wav",
        "2\tgone.png\ta field\ta.wav",
        "3\tb.png\t  \ta.wav",
        "1\tb.png\ta blue field\ta.wav",
        "4\tb.png\ta blue field\tgone.wav",
    )
    found = load(data)
    assert [triple.id for triple in found.triples] == ["1"]
    said = [row.failure.message for row in found.rejected]
    for message, expected in zip(
        said, ("image file is missing", "caption is empty", "duplicate id", "audio file"), strict=True
    ):
        assert expected in message
    assert found.fingerprint["rows"] == 5
    assert found.fingerprint["used"] == 1


def test_every_kind_of_table_gives_the_same_triples(folder: Path) -> None:
    rows = [{"id": "1", "image": "a.png", "caption": "red", "audio": "a.wav"}]
    first = load(write(folder, "1\ta.png\tred\ta.wav")).triples
    (folder / "captions.tsv").unlink()
    (folder / "captions.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    assert load(str(folder)).triples == first
    (folder / "captions.jsonl").unlink()
    pq.write_table(pa.Table.from_pylist(rows), folder / "captions.parquet")
    assert load(str(folder)).triples == first


def test_a_table_may_hold_the_pictures_themselves(folder: Path) -> None:
    row = {
        "image": {"bytes": (folder / "a.png").read_bytes(), "path": "inside.png"},
        "caption": "red",
        "audio": "a.wav",
    }
    pq.write_table(pa.Table.from_pylist([row]), folder / "captions.parquet")
    (triple,) = load(str(folder)).triples
    assert triple.id == "inside.png"
    assert Path(triple.image.path).read_bytes() == row["image"]["bytes"]


def test_a_concept_list_needs_no_header(folder: Path) -> None:
    (folder / "concepts.tsv").write_text("a.png\tred field\ta.wav\nb.png\tblue field\ta.wav\n", encoding="utf-8")
    assert [(triple.id, triple.caption) for triple in load(str(folder)).triples] == [
        ("a.png", "red field"),
        ("b.png", "blue field"),
    ]


def test_a_byte_order_mark_belongs_to_no_column_and_no_picture(folder: Path) -> None:
    for name, content in (
        ("concepts.tsv", "a.png\tone\nb.png\ttwo\n"),
        ("captions.tsv", "image\tcaption\na.png\tone\n"),
    ):
        (folder / name).write_text(content, encoding="utf-8-sig")
        found = load(str(folder), audio=False)
        assert found.triples[0].caption == "one" and not found.rejected


def test_bytes_that_are_text_are_told_of_their_row_alone(folder: Path) -> None:
    rows = [{"image": {"bytes": "abc"}, "caption": "x"}, {"image": "a.png", "caption": "one"}]
    (folder / "captions.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    found = load(str(folder), audio=False)
    assert len(found.triples) == 1 and "field image has bytes that are text" in found.rejected[0].failure.message


@pytest.mark.parametrize("line", ["oops", '{"caption": "\\ud800"}', "[" * 100_000, '{"id": ' + "9" * 5000 + "}"])
def test_a_line_that_is_no_json_is_told_by_its_number(folder: Path, line: str) -> None:
    (folder / "captions.jsonl").write_text('{"image": "a.png", "caption": "one"}\n\n' + line, encoding="utf-8")
    with pytest.raises(UsageError, match=r"captions\.jsonl, line 3: not JSON"):
        load(str(folder), audio=False)


def test_the_fingerprint_follows_the_content(folder: Path) -> None:
    data = write(folder, "1\ta.png\tred\ta.wav")
    before = load(data).fingerprint["sha256"]
    assert load(data).fingerprint["sha256"] == before
    Image.new("RGB", (8, 8), "green").save(folder / "a.png")
    assert load(data).fingerprint["sha256"] != before


def test_a_caption_that_cannot_be_spoken_is_left_out(folder: Path) -> None:
    found = load(write(folder, "1\ta.png\t...\t", "2\tb.png\tblue\t"))
    assert [triple.id for triple in found.triples] == ["2"]
    assert "cannot speak the caption '...'" in found.rejected[0].failure.message


def test_captions_without_a_recording_are_spoken_once(folder: Path) -> None:
    data = write(folder, "1\ta.png\ta red field\t", "2\tb.png\t红色\t")
    first = load(data)
    assert first.fingerprint["speech"] == espeak.version()
    times = [Path(triple.audio.path).stat().st_mtime_ns for triple in first.triples]
    second = load(data)
    assert second == first
    assert [Path(triple.audio.path).stat().st_mtime_ns for triple in second.triples] == times
    for triple in first.triples:
        samples, rate = soundfile.read(triple.audio.path)
        assert rate == speak.RATE
        assert len(samples) > rate / 5


def test_the_voice_follows_the_script() -> None:
    assert speak.voice_for("a red field") == speak.ENGLISH
    assert speak.voice_for("红色 field") == speak.MANDARIN


def test_without_espeak_the_remedy_is_told(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "espeakng_loader", None)  # as if it were not installed
    espeak.version.cache_clear()
    espeak._installed.cache_clear()
    with pytest.raises(UsageError, match=r"omni-harness\[espeak\].*column named audio"):
        load(write(folder, "1\ta.png\tred\t"))


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("captions.tsv", "picture\ttext\n", "no column image, caption"),
        ("captions.tsv", "id\timage\tcaption\n", "no rows"),
        ("captions.jsonl", "{not json", "line 1: not JSON"),
        ("captions.jsonl", "[1]", "not a JSON object"),
        ("captions.parquet", "not parquet", "cannot be read as Parquet"),
        ("other.csv", "x", "no table of pictures"),
    ],
)
def test_a_table_that_cannot_be_read_is_named(tmp_path: Path, name: str, content: str, said: str) -> None:
    (tmp_path / name).write_text(content, encoding="utf-8")
    with pytest.raises(UsageError, match=said):
        load(str(tmp_path))


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"does not exist: .*nowhere"):
        load(str(tmp_path / "nowhere"))


def test_an_unreachable_hub_says_what_else_to_use(monkeypatch: pytest.MonkeyPatch) -> None:
    import datasets

    def unreachable(*args: object, **kwargs: object) -> None:
        raise ConnectionError("no route")

    monkeypatch.setattr(datasets, "load_dataset", unreachable)
    with pytest.raises(UsageError, match=r"no route.*--data mini"):
        load("hub")


def test_hub_rows_take_the_first_caption(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import datasets

    table = datasets.Dataset.from_dict(
        {"image": [str(folder / "a.png")], "text": [["red", "not this one"]]},
        features=datasets.Features({"image": datasets.Image(), "text": datasets.Sequence(datasets.Value("string"))}),
    )
    monkeypatch.setattr(datasets, "load_dataset", lambda *args, **kwargs: table)
    monkeypatch.setattr("alignment_probes.data.spoken", lambda text: folder / "a.wav")
    monkeypatch.setattr("alignment_probes.data.synthesizer", lambda: "a voice")
    (triple,) = load("hub").triples
    assert (triple.id, triple.caption) == ("wit-0", "red")


def test_a_row_may_not_name_a_file_outside_of_its_folder(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder.parent / "secret.png").write_bytes((folder / "a.png").read_bytes())
    (folder / "link.png").symlink_to(folder.parent / "secret.png")
    data = write(folder, "1\ta.png\ta red field\ta.wav", "2\t../secret.png\tb\ta.wav", "3\tlink.png\tc\ta.wav")
    found = load(data)
    assert [row.id for row in found.rejected] == ["2", "3"]
    assert all("outside of the data folder" in row.failure.message for row in found.rejected)
    monkeypatch.setenv("HARNESS_MEDIA_ROOTS", str(folder.parent))
    assert not load(data).rejected


def test_the_shipped_files_are_those_of_their_checksums() -> None:
    listed = json.loads((PROBES / "mini" / CHECKSUMS).read_bytes())["files"]
    assert checksums(PROBES / "mini") == listed and len(listed) == 289
