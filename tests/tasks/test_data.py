"""Readers, sources and fingerprints on small archives in the published layouts."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

import pytest

from harness import media
from harness.contracts import DataChoice
from harness.failures import UsageError
from harness.registry import ASR, get_task
from tasks.readers.layout import LayoutError
from tasks.readers.media import media_part
from tasks.readers.speech import aishell_speaker
from tests.tasks import archives
from tests.tasks.results import rows, sampled


@pytest.mark.parametrize("task", ASR)
def test_archives_give_every_utterance_in_a_fixed_order(task: str, data: Path) -> None:
    found = rows(task, data)
    assert len(found) == {"librispeech": 6, "aishell1": 6}.get(task.split("_")[0], 3)
    assert all(row["audio"].is_file() for row in found)
    assert found == rows(task, data)


def test_librispeech_columns_are_those_of_the_corpus(data: Path) -> None:
    first = rows("librispeech_dev_clean", data)[0]
    assert {"id", "file", "text", "speaker_id", "chapter_id"} <= first.keys()
    assert (first["id"], first["speaker_id"]) == ("1272-128104-0000", "1272")
    assert first["text"] == archives.ENGLISH[0]


def test_aishell1_leaves_out_the_lines_of_other_splits(data: Path) -> None:
    assert {row["speaker_id"] for row in rows("aishell1", data)} == {"S0764", "S0765"}


@pytest.mark.parametrize(
    ("name", "speaker"),
    [("BAC009S0764W0121", "S0764"), ("IT0011W0001", "T0011"), ("1272-128104-0000", None)],
)
def test_speakers_are_read_from_aishell_names(name: str, speaker: str | None) -> None:
    assert aishell_speaker(name) == speaker


@pytest.mark.parametrize(
    ("task", "lost"),
    [
        ("librispeech_test_other", "LibriSpeech/test-other/84/121123/84-121123-0001.flac"),
        ("aishell1", "data_aishell/wav/test/S0765/BAC009S0765W0122.wav"),
        ("aishell2_mic", "AISHELL-2/Mic/test/wav/T0011/MT0011W0001.wav"),
        ("wenetspeech_net", "WenetSpeech/test_net/audio/utt1.wav"),
        ("mme", "MME/existence/images/0002.jpg"),
    ],
)
def test_a_row_without_its_media_stays_and_names_where_it_should_be(task: str, lost: str, copy: Path) -> None:
    before = len(rows(task, copy))
    (copy / lost).unlink()
    found = rows(task, copy)
    absent = [row for row in found if not row.get("audio", row.get("image")).exists()]
    assert len(found) == before
    assert {str(row.get("audio", row.get("image"))) for row in absent} == {str(copy / lost)}
    sample = sampled(task, absent[0])
    assert sample.media[0].sha256 == ""


@pytest.mark.parametrize(
    ("task", "removed", "expected"),
    [
        ("librispeech_dev_clean", "LibriSpeech/dev-clean", ["LibriSpeech/dev-clean", "dev-other", "trans.txt"]),
        ("aishell1", "data_aishell/transcript", ["data_aishell/transcript", "wav/"]),
        ("aishell2_ios", "AISHELL-2/iOS/test/wav.scp", ["wav.scp", "trans.txt"]),
        ("wenetspeech_meeting", "WenetSpeech/test_meeting/metadata.jsonl", ["metadata.jsonl", "audio/"]),
        ("fleurs_zh", "FLEURS/cmn_hans_cn", ["cmn_hans_cn", "en_us/"]),
        ("mme", "MME", ["MME", "LibriSpeech/", "questions_answers_YN"]),
    ],
)
def test_a_wrong_layout_says_what_is_missing_found_and_expected(
    task: str, removed: str, expected: list[str], copy: Path
) -> None:
    place = copy / removed
    shutil.rmtree(place) if place.is_dir() else place.unlink()
    with pytest.raises(UsageError) as error:
        rows(task, copy)
    assert str(place) in str(error.value)
    assert all(text in str(error.value) for text in [*expected, "Expected in", "holds"])


def test_a_missing_data_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="nowhere"):
        rows("mme", tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{not json", "not JSON"),
        ('["a"]', "object"),
        ('{"file_name": "a.wav", "sentence": "x"}', "no column text; its columns are file_name, sentence"),
        ('{"file_name": 5, "text": "a"}', "file_name is '5'"),
        ('{"file_name": "", "text": "a"}', "file_name is ''"),
        ('{"file_name": "a.wav", "text": 5}', "text is '5'"),
        ("[" * 200_000, "not JSON"),
    ],
)
def test_a_malformed_metadata_line_fails_alone_and_is_named(line: str, message: str, copy: Path) -> None:
    table = copy / "WenetSpeech/test_net/metadata.jsonl"
    good = table.read_text(encoding="utf-8")
    table.write_text(f"{line}\n{good}", encoding="utf-8")
    bad, *others = rows("wenetspeech_net", copy)
    assert bad["error"].startswith(f"{table}:1: ") and message in bad["error"]
    assert (bad["sample_id"], bad["audio"]) == ("line-1", None)
    assert [row["sample_id"] for row in others] == ["utt0", "utt1", "utt2"]
    assert not any("error" in row for row in others)


def test_metadata_without_a_file_name_is_a_row_without_audio(copy: Path) -> None:
    table = copy / "WenetSpeech/test_net/metadata.jsonl"
    table.write_text('{"file_name": null, "text": "再见"}\n', encoding="utf-8")
    with pytest.raises(ValueError, match="no audio"):
        sampled("wenetspeech_net", rows("wenetspeech_net", copy)[0])


def test_a_transcript_line_that_is_not_utf8_fails_alone(copy: Path) -> None:
    transcript = copy / "data_aishell/transcript/aishell_transcript_v0.8.txt"
    transcript.write_bytes("BAC009S0764W0121 今天\n".encode("gb18030") + "BAC009S0764W0122 今天\n".encode())
    bad, good = rows("aishell1", copy)
    assert bad["error"].startswith(f"{transcript}:1: not UTF-8 text")
    assert (bad["sample_id"], bad["speaker_id"], bad["audio"]) == ("BAC009S0764W0121", "S0764", None)
    assert bad["media_path"] == str(copy / "data_aishell/wav/test/S0764/BAC009S0764W0121.wav")
    assert (good["text"], "error" in good) == ("今天", False)


def test_unusual_line_separators_stay_inside_a_transcript(copy: Path) -> None:
    transcript = copy / "AISHELL-2/iOS/test/trans.txt"
    transcript.write_text("IT0011W0000\t今\u2028天\x85好\n", encoding="utf-8")
    assert [row["text"] for row in rows("aishell2_ios", copy)] == ["今\u2028天\x85好"]


def test_fleurs_is_read_as_it_unpacks(tmp_path: Path) -> None:
    base = tmp_path / "FLEURS" / "en_us"
    archives.write(base / "test" / "10.wav", archives.audio_bytes())
    archives.write(base / "test.tsv", "7\t10.wav\tA Cat.\ta cat\ta | c a t\t800\tMALE\n")
    (row,) = rows("fleurs_en", tmp_path)
    assert (row["transcription"], row["raw_transcription"], row["sample_id"]) == ("a cat", "A Cat.", "10")
    assert row["audio"].is_file()


def test_mme_reads_both_layouts_of_its_archive(data: Path) -> None:
    found = rows("mme", data)
    assert [row["sample_id"] for row in found][:4] == ["OCR/0001/0", "OCR/0001/1", "OCR/0002/0", "OCR/0002/1"]
    assert len(found) == 12
    assert {row["image"].suffix for row in found} == {".jpg", ".png"}
    assert {row["answer"] for row in found} == {"Yes", "No"}


@pytest.mark.parametrize("line", ["Is it red? Yes", "Is it red?\tMaybe", "\tYes", "Yes"])
def test_a_malformed_mme_line_fails_alone_in_its_pictures_cluster(line: str, copy: Path) -> None:
    text = copy / "MME/OCR/0001.txt"
    text.write_text(f"{line}\nIs it blue?\tNo\n", encoding="utf-8")
    bad, good, *_ = rows("mme", copy)
    assert bad["error"].startswith(f"{text}:1: expected a question, a tab and Yes or No")
    assert (bad["sample_id"], bad["category"], bad["image_path"]) == ("OCR/0001/0", "OCR", "OCR/0001.png")
    assert (good["sample_id"], good["question"], good["answer"]) == ("OCR/0001/1", "Is it blue?", "No")
    assert bad["image_key"] == good["image_key"] == hashlib.sha256(good["image"].read_bytes()).hexdigest()


@pytest.mark.parametrize("by_reference", [False, True])
def test_mme_reads_a_table_with_base64_images(
    by_reference: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HARNESS_CACHE", str(tmp_path / "cache"))
    archives.mme_tsv(tmp_path / "MME.tsv", by_reference)
    found = rows("mme", tmp_path)
    assert [row["image"] for row in found] == [archives.image_bytes(n // 2) for n in range(6)]
    sample = sampled("mme", found[1])
    assert media.load(sample.media[0]).pixels.shape == (12, 16, 3)


def test_mme_table_rows_may_refer_to_later_rows(tmp_path: Path) -> None:
    archives.mme_tsv(tmp_path / "MME" / "MME.tsv")
    header, first, second, *_ = (tmp_path / "MME" / "MME.tsv").read_text().splitlines()
    archives.write(tmp_path / "MME" / "MME.tsv", "\n".join((header, second, first)) + "\n")
    assert [row["image"] for row in rows("mme", tmp_path)] == [archives.image_bytes(0)] * 2


def test_mme_table_faults_are_named(tmp_path: Path) -> None:
    archives.write(tmp_path / "MME.tsv", "index\tquestion\tanswer\tcategory\n0\tq\tYes\tOCR\n")
    with pytest.raises(UsageError, match=r"no column image; its columns are index, question"):
        rows("mme", tmp_path)


def test_media_part_takes_paths_bytes_and_structs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HARNESS_CACHE", str(tmp_path / "cache"))
    content = archives.audio_bytes()
    archives.write(tmp_path / "a.wav", content)
    by_path = media_part("audio", tmp_path / "a.wav")
    assert by_path.sha256 == media_part("audio", content).sha256
    assert by_path.sha256 == media_part("audio", {"bytes": content, "path": "b.wav"}).sha256
    with pytest.raises(ValueError, match="its reader did not look up"):  # a table's word could name any file
        media_part("audio", {"bytes": None, "path": str(tmp_path / "a.wav")})
    with pytest.raises(ValueError, match="no audio"):
        media_part("audio", {"bytes": None, "path": None})


def test_a_folder_fingerprint_follows_the_tasks_files_only(copy: Path) -> None:
    task, choice = get_task("librispeech_dev_clean"), DataChoice("folder", copy)
    before = task.source.fingerprint(choice)
    assert (before["source"], before["files"]) == ("folder", 8)
    (copy / "LibriSpeech/dev-other/84/121123/84-121123-0000.flac").unlink()
    assert task.source.fingerprint(choice) == before
    (copy / "LibriSpeech/dev-clean/84/121123/84-121123-0000.flac").unlink()
    after = task.source.fingerprint(choice)
    assert after["files"] == 7
    assert after["sha256"] != before["sha256"]
    json.dumps(after)


def test_a_folder_fingerprint_does_not_depend_on_where_the_folder_is(data: Path, copy: Path) -> None:
    for task in ("mme", "aishell1"):
        here, there = (get_task(task).source.fingerprint(DataChoice("folder", folder)) for folder in (data, copy))
        assert here == there


def test_layout_errors_are_usage_errors() -> None:
    assert issubclass(LayoutError, UsageError)


def test_a_table_that_is_no_text_names_the_file(tmp_path: Path) -> None:
    (tmp_path / "MME.tsv").write_bytes(b"\xcb\xff\x00\t")
    with pytest.raises(UsageError, match=r"MME\.tsv: not a table of UTF-8 text"):
        rows("mme", tmp_path)
