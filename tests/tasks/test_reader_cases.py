"""Data folders as people have them: through a Mac, half unpacked, twice there, renamed, damaged, or meaning harm."""

from __future__ import annotations

import base64
import json
import os
import shutil
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from harness.contracts import DataChoice
from harness.failures import UsageError
from harness.plan import choose, rows_of
from harness.registry import get_task
from harness.schema import PlannedRow
from tasks.image.mme import COGNITION, PERCEPTION
from tests.harness.toy import ToyModel
from tests.tasks import archives
from tests.tasks.results import rows

MME_CATEGORIES = PERCEPTION + COGNITION
CLEAN = "librispeech_test_clean"
CHAPTER = "LibriSpeech/test-clean/84/121123"


def planned(task: str, folder: Path) -> list[PlannedRow]:
    """The rows as a run plans them: each asked, or failed with its reason."""
    chosen = choose(
        get_task(task),
        DataChoice("folder", folder),
        prompt=None,
        styles=(),
        profile=None,
        limit=None,
        repeats=1,
    )
    sees_and_hears = replace(ToyModel.capabilities, inputs=frozenset({"text", "image", "video", "audio"}))
    return list(rows_of(chosen, chosen.task.rows(chosen.data), ToyModel(), sees_and_hears))


def failures(task: str, folder: Path) -> dict[str, str]:
    return {row.id: row.failure.message for row in planned(task, folder) if row.failure}


def strays(task: str, folder: Path) -> tuple[str, ...]:
    return tuple(get_task(task).source.strays(DataChoice("folder", folder)))


# What is not of the benchmark


@pytest.mark.parametrize("name", ["._84-121123.trans.txt", ".DS_Store", "._84-121123-0001.flac"])
def test_hidden_files_of_a_mac_are_passed_over(name: str, copy: Path) -> None:
    before = rows(CLEAN, copy)
    (copy / CHAPTER / name).write_bytes(b"\0\x05\x16\7 84-121123-0001 NO ROW\n")
    (copy / "MME" / "existence" / "questions_answers_YN" / "._0002.txt").write_bytes(b"\0\x05\x16\7\tYes\n")
    assert rows(CLEAN, copy) == before
    assert len(rows("mme", copy)) == 2 * 2 * len(archives.CATEGORIES)
    assert strays(CLEAN, copy) == ()


def test_recordings_that_no_line_names_are_counted_and_lines_without_a_recording_fail(copy: Path) -> None:
    transcript = copy / CHAPTER / "84-121123.trans.txt"
    first, *others = transcript.read_text().splitlines(keepends=True)
    transcript.write_text("".join(others))
    (copy / CHAPTER / "84-121123-0002.flac").unlink()
    assert strays(CLEAN, copy) == (f"{CHAPTER}/84-121123-0000.flac",)
    assert first.split()[0] not in {row.id for row in planned(CLEAN, copy)}
    lost = next(row for row in planned(CLEAN, copy) if row.id == "84-121123-0002")
    (message,) = lost.messages
    assert message.parts[0].sha256 == "", "it fails when it is loaded, with its path"


@pytest.mark.parametrize(
    ("task", "published"),
    [
        ("librispeech_test_clean", 2620),
        ("librispeech_test_other", 2939),
        ("librispeech_dev_clean", 2703),
        ("librispeech_dev_other", 2864),
        ("aishell1", 7176),
        ("aishell2_ios", 5000),
        ("wenetspeech_net", 24774),
        ("wenetspeech_meeting", 8370),
        ("fleurs_en", 647),
        ("fleurs_zh", 945),
        ("mme", 2374),
    ],
)
def test_a_task_knows_how_many_rows_are_published(task: str, published: int) -> None:
    assert get_task(task).source.published == published


# Names and endings


@pytest.mark.parametrize("ending", [".FLAC", ".Flac", ".m4a", ".webm", ".AMR", ".wav"])
def test_audio_is_found_under_other_endings(ending: str, copy: Path) -> None:
    audio = copy / CHAPTER / "84-121123-0001.flac"
    audio.rename(audio.with_suffix(ending))
    assert failures(CLEAN, copy) == {}
    assert {row["audio"].suffix for row in rows(CLEAN, copy)} == {".flac", ending}


@pytest.mark.parametrize("ending", [".JPG", ".gif", ".tif", ".avif", ".PNG"])
def test_pictures_are_found_under_other_endings(ending: str, copy: Path) -> None:
    image = copy / "MME/existence/images/0002.jpg"
    image.rename(image.with_suffix(ending))
    assert failures("mme", copy) == {}


@pytest.mark.parametrize(
    ("task", "published", "own"),
    [
        ("aishell2_ios", "AISHELL-2", "AISHELL-DEV-TEST-SET"),
        ("mme", "MME", "MME_Benchmark_release_version"),
    ],
)
def test_the_archives_own_folder_name_is_read(task: str, published: str, own: str, copy: Path) -> None:
    before = [row["sample_id"] for row in rows(task, copy)]
    (copy / published).rename(copy / own)
    assert [row["sample_id"] for row in rows(task, copy)] == before


def test_equal_names_in_two_folders_are_two_utterances(tmp_path: Path) -> None:
    folder = tmp_path / "WenetSpeech" / "test_net"
    lines = []
    for speaker in ("spk0", "spk1"):
        archives.write(folder / speaker / "0001.wav", archives.audio_bytes())
        lines.append(json.dumps({"file_name": f"{speaker}/0001.wav", "text": "再见"}))
    (folder / "metadata.jsonl").write_text("\n".join(lines))
    assert failures("wenetspeech_net", tmp_path) == {}
    assert len({row.id for row in planned("wenetspeech_net", tmp_path)}) == 2


# Two sources


def test_a_second_transcript_is_an_error_that_names_both(copy: Path) -> None:
    folder = copy / "data_aishell" / "transcript"
    (folder / "a_transcript_old.txt").write_text("BAC009S0764W0121 wrong\n")
    with pytest.raises(UsageError) as caught:
        rows("aishell1", copy)
    assert "a_transcript_old.txt" in str(caught.value) and "aishell_transcript_v0.8.txt" in str(caught.value)


def test_a_table_beside_the_category_folders_is_an_error_that_names_both(copy: Path) -> None:
    archives.mme_tsv(copy / "MME.tsv")
    with pytest.raises(UsageError) as caught:
        rows("mme", copy)
    assert str(copy / "MME.tsv") in str(caught.value) and str(copy / "MME") in str(caught.value)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("0000.parquet", "0000 (1).parquet"),
        ("test-00000-of-00001-aaaa0000.parquet", "test-00000-of-00001-bbbb1111.parquet"),
    ],
)
def test_a_shard_that_is_there_twice_is_an_error_that_names_both(first: str, second: str, tmp_path: Path) -> None:
    place = tmp_path / "MME" / "test" if first.startswith("0") else tmp_path / "MME" / "data"
    archives.mme_parquet(place / first)
    shutil.copy(place / first, place / second)
    with pytest.raises(UsageError) as caught:
        rows("mme", tmp_path)
    assert first in str(caught.value) and second in str(caught.value)


def test_a_repeated_id_is_a_failed_row_and_no_renamed_one(copy: Path) -> None:
    transcript = copy / CHAPTER / "84-121123.trans.txt"
    transcript.write_text(transcript.read_text() + "84-121123-0000 AGAIN\n")
    assert failures(CLEAN, copy) == {
        "84-121123-0000#2": next(iter(failures(CLEAN, copy).values())),
    }
    assert "duplicate id '84-121123-0000'" in next(iter(failures(CLEAN, copy).values()))


# Texts


def test_a_transcript_with_carriage_returns_alone_has_all_its_lines(copy: Path) -> None:
    transcript = copy / CHAPTER / "84-121123.trans.txt"
    before = [row["text"] for row in rows(CLEAN, copy)]
    transcript.write_bytes(transcript.read_bytes().replace(b"\n", b"\r"))
    assert [row["text"] for row in rows(CLEAN, copy)] == before


def test_questions_with_carriage_returns_alone_stay_two(copy: Path) -> None:
    """Merged, the first question's answer was in the second one's prompt."""
    text = copy / "MME/existence/questions_answers_YN/0002.txt"
    text.write_bytes(text.read_bytes().replace(b"\n", b"\r"))
    found = [row for row in rows("mme", copy) if "existence/0002" in row["sample_id"]]
    assert [(row["question"], row["answer"]) for row in found] == list(archives.QUESTIONS)


def test_a_table_with_a_byte_order_mark_is_read(tmp_path: Path) -> None:
    archives.mme_tsv(tmp_path / "MME.tsv")
    (tmp_path / "MME.tsv").write_bytes(b"\xef\xbb\xbf" + (tmp_path / "MME.tsv").read_bytes())
    assert failures("mme", tmp_path) == {}


def test_what_cannot_be_written_as_text_fails_alone(copy: Path) -> None:
    transcript = copy / CHAPTER / "84-121123.trans.txt"
    transcript.write_bytes(transcript.read_bytes().replace(b"MISTER", b"MI\xffSTER"))
    table = copy / "WenetSpeech/test_net/metadata.jsonl"
    first, *others = table.read_text(encoding="utf-8").splitlines()
    table.write_text("\n".join([first.replace("今天", "\\ud800"), *others]), encoding="utf-8")
    assert list(failures(CLEAN, copy)) == ["84-121123-0000"]
    assert len(failures("wenetspeech_net", copy)) == 1


# Cells


def table_with(folder: Path, cell: str) -> Path:
    """An MME.tsv whose third row has another image cell."""
    archives.mme_tsv(folder / "MME.tsv", by_reference=False)
    lines = (folder / "MME.tsv").read_text(encoding="utf-8").splitlines()
    cells = lines[3].split("\t")
    lines[3] = "\t".join([cells[0], cell, *cells[2:]])
    (folder / "MME.tsv").write_text("\n".join(lines), encoding="utf-8")
    return folder


@pytest.mark.parametrize("cell", ["", "图片", "a/b.png", "////", "!!!"])
def test_one_bad_image_cell_fails_alone_in_its_pictures_cluster(cell: str, tmp_path: Path) -> None:
    folder = table_with(tmp_path, cell)
    found = planned("mme", folder)
    broken = [row for row in found if row.failure or row.messages[0].parts[0].sha256 == ""]
    assert len(found) == 6 and len(broken) <= 1
    assert found[2].cluster == found[3].cluster, "the other question on its picture"


@pytest.mark.parametrize("dress", ["data:image/png;base64,{}", " {} "])
def test_base64_with_a_prefix_or_blanks_is_a_good_picture(dress: str, tmp_path: Path) -> None:
    content = base64.b64encode(archives.image_bytes(1)).decode()
    folder = table_with(tmp_path, dress.format(content))
    assert failures("mme", folder) == {}
    assert rows("mme", folder)[2]["image"] == archives.image_bytes(1)


def test_base64_in_lines_is_a_good_picture(tmp_path: Path) -> None:
    content = base64.b64encode(archives.image_bytes(1)).decode()
    quoted = '"' + "\n".join(content[i : i + 40] for i in range(0, len(content), 40)) + '"'
    folder = table_with(tmp_path, quoted)
    assert rows("mme", folder)[2]["image"] == archives.image_bytes(1)


# Doors


@pytest.mark.parametrize("name", ["../../../secret.wav", "/etc/hostname", "link.wav"])
def test_a_path_that_leads_out_is_refused_and_other_roots_can_be_allowed(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tmp_path / "data"
    folder = root / "WenetSpeech" / "test_net"
    archives.metadata(folder, "text", archives.MANDARIN)
    archives.write(tmp_path / "secret.wav", archives.audio_bytes())
    (folder / "link.wav").symlink_to(tmp_path / "secret.wav")
    with (folder / "metadata.jsonl").open("a") as table:
        table.write(json.dumps({"file_name": name, "text": "x"}) + "\n")
    (message,) = failures("wenetspeech_net", root).values()
    assert "outside of the data folder" in message
    if not name.startswith("/etc"):
        monkeypatch.setenv("HARNESS_MEDIA_ROOTS", str(tmp_path))
        assert failures("wenetspeech_net", root) == {}


def test_a_relative_path_in_parquet_counts_from_its_folder_and_not_from_the_current_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / "data" / "AISHELL-1" / "data"
    archives.write(place / "a.wav", archives.audio_bytes())
    columns = {"audio": [{"bytes": None, "path": "a.wav"}], "text": ["再见"]}
    kind = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    table = pa.table({"audio": pa.array(columns["audio"], kind), "text": columns["text"]})
    pq.write_table(table, place / "test-00000-of-00001.parquet")
    for current in (tmp_path, place):
        monkeypatch.chdir(current)
        (row,) = planned("aishell1", tmp_path / "data")
        assert row.failure is None and row.messages[0].parts[0].sha256


@pytest.mark.skipif(os.name == "nt", reason="names are text there")
def test_a_file_name_that_is_no_text_ends_nothing(copy: Path) -> None:
    Path(os.fsdecode(os.fsencode(copy / CHAPTER) + b"/\xff.flac")).write_bytes(archives.audio_bytes("FLAC"))
    assert len(planned(CLEAN, copy)) == 6 and failures(CLEAN, copy) == {}
    assert len(strays(CLEAN, copy)) == 1


@pytest.mark.parametrize("place", [0, 1])
def test_a_picture_that_cannot_be_decoded_stays_with_its_partner(place: int, tmp_path: Path) -> None:
    """All 84 answers are right but those of three broken pictures: a pair that fell apart gave the full points."""
    lines = ["index\timage\timage_path\tquestion\tanswer\tcategory"]
    for number, category in enumerate(MME_CATEGORIES):
        for picture in range(3):
            for which, (question, answer) in enumerate(archives.QUESTIONS):
                content = archives.image_bytes(3 * number + picture)
                if category == "existence" and which == place:
                    content = b"no picture %d" % picture
                cell = base64.b64encode(content).decode()
                lines.append(f"{len(lines)}\t{cell}\t{category}/{picture}.png\t{question}\t{answer}\t{category}")
    (tmp_path / "MME.tsv").write_text("\n".join(lines))
    found = planned("mme", tmp_path)
    assert [len({row.cluster for row in found[i : i + 2]}) for i in range(0, 84, 2)] == [1] * 42
