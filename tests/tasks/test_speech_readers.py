"""Readers of Seed-TTS and LibriTTS as people have them, and what holds for CoVoST 2 and spoken questions too."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from harness.contracts import DataChoice
from harness.failures import UsageError
from tasks.readers.media import media_part
from tasks.speech.sources import COVOST2, LIBRITTS, SEEDTTS, SPOKEN_QA
from tests.tasks import archives_speech as made
from tests.tasks.archives import audio_bytes, parquet, write
from tests.tasks.archives_speech import faults, rows

SOURCES = {
    **{f"seedtts_{name}": source for name, source in SEEDTTS.items()},
    "libritts": LIBRITTS,
    **{f"covost2_{name}": source for name, source in COVOST2.items()},
    **SPOKEN_QA,
}


# As published


@pytest.mark.parametrize("name", SOURCES)
def test_each_archive_is_read_whole_in_a_fixed_order_and_leaves_no_stray(name: str, root: Path) -> None:
    source = SOURCES[name]
    found = rows(source, root)
    expected = {"seedtts_hard": 1, "libritts": 4, "llama_questions": 1, "trivia_qa": 1, "web_questions": 1}
    assert len(found) == expected.get(name, 2)
    assert found == rows(source, root)
    assert not any("error" in row for row in found)
    assert source.strays(DataChoice("folder", root)) == ()
    for row in found:
        for column in ("audio", "prompt_wav", "reference_wav"):
            assert row.get(column) is None or row[column].is_file()


@pytest.mark.parametrize(
    ("name", "published"),
    [
        ("seedtts_zh", 2020),
        ("seedtts_en", 1088),
        ("seedtts_hard", 400),
        ("libritts", 4837),
        ("covost2_zh_en", 4898),
        ("covost2_en_zh", 15531),
        ("llama_questions", 300),
        ("trivia_qa", 1000),
        ("web_questions", 2032),
    ],
)
def test_a_source_knows_how_many_rows_are_published(name: str, published: int) -> None:
    assert SOURCES[name].published == published


@pytest.mark.parametrize("name", SOURCES)
def test_an_empty_folder_and_a_wrong_one_say_what_is_expected(name: str, tmp_path: Path) -> None:
    write(tmp_path / "other" / "README.md", "nothing")
    for folder in (tmp_path, tmp_path / "other"):
        with pytest.raises(UsageError) as error:
            SOURCES[name].rows(DataChoice("folder", folder))
        message = str(error.value)
        assert "holds" in message and SOURCES[name].layout in message, message


@pytest.mark.parametrize("name", SOURCES)
def test_a_text_that_changes_changes_the_fingerprint(name: str, root: Path) -> None:
    source, choice = SOURCES[name], DataChoice("folder", root)
    before = source.fingerprint(choice)
    tables = {"seedtts": "*.lst", "libritts": "*.normalized.txt", "covost2": "*.test.tsv"}
    for table in root.rglob(tables.get(name.split("_")[0], "*.csv")):
        table.write_bytes(table.read_bytes().replace(b"a", b"o"))
    after = source.fingerprint(choice)
    assert (before["files"], before["bytes"]) == (after["files"], after["bytes"])
    assert before["sha256"] != after["sha256"]


# Seed-TTS


def seed_list(root: Path, *lines: str, ending: str = "\n") -> Path:
    table = root / "seedtts_testset" / "en" / "meta.lst"
    table.write_bytes(ending.join((*lines, "")).encode())
    return table


def test_a_seed_tts_row_has_its_texts_and_recordings(root: Path) -> None:
    first, second = rows(SEEDTTS["en"], root)
    place = root / "seedtts_testset" / "en"
    assert first == {
        "sample_id": "en-0",
        "utt": "en-0",
        "prompt_text": "hello",
        "prompt_wav": place / "prompt-wavs" / "p0.wav",
        "target_text": "the end",
        "reference_wav": place / "wavs" / "en-0.wav",
    }
    assert second["reference_wav"] is None, "no person's recording is there"


@pytest.mark.parametrize("folder", ["seedtts_testset", "seed-tts-eval"])
def test_the_hubs_mirror_is_read_under_its_name_and_as_a_download(folder: str, tmp_path: Path) -> None:
    made.seedtts(tmp_path, folder)
    for name, source in SEEDTTS.items():
        found = rows(source, tmp_path)
        assert [row["utt"] for row in found] == [f"{name}-{i}" for i in range(1 if name == "hard" else 2)]
        assert found == list(source.hub.folder(tmp_path / folder))


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("u1|say this", ("u1", None, None, "say this")),
        ("u1.wav|say this|prompt-wavs/p0.wav", ("u1", None, "p0.wav", "say this")),
        ("u1|hello|prompt-wavs/p0.wav|say this", ("u1", "hello", "p0.wav", "say this")),
        (" u1 | hello | prompt-wavs/p0.wav | say this |wavs/en-0.wav", ("u1", "hello", "p0.wav", "say this")),
        ("u1|hello|prompt-wavs/p0.wav|say\u2028this", ("u1", "hello", "p0.wav", "say\u2028this")),
        ("u1|hello|prompt-wavs/p0.wav|", ("u1", "hello", "p0.wav", "")),
    ],
)
@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_a_line_of_two_to_five_fields_is_read(line: str, expected: tuple[Any, ...], ending: str, root: Path) -> None:
    seed_list(root, "\ufeff" + line, "", "u2|say that", ending=ending)
    row, other = rows(SEEDTTS["en"], root)
    prompt = row["prompt_wav"] and row["prompt_wav"].name
    assert (row["utt"], row["prompt_text"], prompt, row["target_text"]) == expected
    assert (row["reference_wav"] is not None) == line.endswith("en-0.wav")
    assert other["sample_id"] == "u2"


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("alone", "1 fields where utt|prompt_text|prompt_wav|target_text[|gt_wav] has 2 to 5; correct the line"),
        ("u|a|prompt-wavs/p0.wav|b|wavs/en-0.wav|c", "6 fields where utt|prompt_text"),
        ("|a|prompt-wavs/p0.wav|b", "the utterance has no name"),
        ("u|a|../../../secret.wav|b", "outside of the data folder"),
        ("../../../../u|a|prompt-wavs/p0.wav|b", "outside of the data folder"),
        ("u|a|prompt-wavs/|b", "not a regular file"),
    ],
)
def test_a_bad_line_fails_alone_and_is_named(line: str, message: str, root: Path) -> None:
    write(root.parent / "secret.wav", audio_bytes())
    table = seed_list(root, line, "u2|say that")
    bad, good = rows(SEEDTTS["en"], root)
    assert bad["error"].startswith(f"{table}:1: ") and message in bad["error"]
    assert bad["prompt_wav"] is None and bad["reference_wav"] is None
    assert (good["utt"], "error" in good) == ("u2", False)


def test_a_line_that_is_not_utf8_fails_alone(root: Path) -> None:
    table = root / "seedtts_testset" / "en" / "meta.lst"
    table.write_bytes("u1|再见\n".encode("gb18030") + b"u2|say that\n")
    assert list(faults(SEEDTTS["en"], root)) == ["u1"]


def test_a_missing_prompt_stays_a_row_whose_recording_cannot_be_loaded(root: Path) -> None:
    """A model that clones no voice needs none."""
    (root / "seedtts_testset" / "en" / "prompt-wavs" / "p0.wav").unlink()
    row = rows(SEEDTTS["en"], root)[0]
    assert "error" not in row and row["prompt_wav"].name == "p0.wav"
    assert media_part("audio", row["prompt_wav"]).sha256 == ""


def test_recordings_may_have_another_ending(root: Path) -> None:
    for name in ("prompt-wavs/p0", "wavs/en-0"):
        file = root / "seedtts_testset" / "en" / f"{name}.wav"
        file.rename(file.with_suffix(".flac"))
    row = rows(SEEDTTS["en"], root)[0]
    assert (row["prompt_wav"].suffix, row["reference_wav"].suffix) == (".flac", ".flac")


def test_two_copies_of_the_lists_are_an_error_that_names_both(root: Path) -> None:
    made.seedtts(root, "seed-tts-eval")
    with pytest.raises(UsageError, match=r"seedtts_testset/zh.*seed-tts-eval/zh"):
        rows(SEEDTTS["hard"], root)


# LibriTTS


def test_a_libritts_row_has_both_texts_and_what_was_read(root: Path) -> None:
    row = rows(LIBRITTS, root)[1]
    assert (row["text_normalized"], row["text_original"]) == (made.ENGLISH[1], made.PRINTED[1])
    assert (row["sample_id"], row["speaker_id"], row["chapter_id"]) == ("1089_1_000000_000001", "1089", "1")
    assert row["reference_wav"].name == "1089_1_000000_000001.wav"


def test_libritts_without_some_files(root: Path) -> None:
    folder = root / "LibriTTS" / "test-clean" / "1089" / "1"
    (folder / "1089_1_000000_000000.original.txt").unlink()
    (folder / "1089_1_000000_000000.wav").unlink()
    (folder / "1089_1_000000_000001.normalized.txt").unlink()
    first, *others = rows(LIBRITTS, root)
    assert (first["text_original"], first["reference_wav"], "error" in first) == (None, None, False)
    assert len(others) == 2
    strays = LIBRITTS.strays(DataChoice("folder", root))
    assert strays == ("LibriTTS/test-clean/1089/1/1089_1_000000_000001.wav",)


def test_a_libritts_text_on_two_lines_is_one_and_a_bad_one_fails_alone(root: Path) -> None:
    folder = root / "LibriTTS" / "test-clean" / "1089" / "1"
    write(folder / "1089_1_000000_000000.normalized.txt", b"\xef\xbb\xbfthe\r\nend\xe2\x80\xa8.\r\n")
    write(folder / "1089_1_000000_000001.normalized.txt", b"caf\xe9")
    assert rows(LIBRITTS, root)[0]["text_normalized"] == "the end\u2028."
    (message,) = faults(LIBRITTS, root).values()
    assert "not UTF-8 text" in message and "000001.normalized.txt:1" in message


@pytest.mark.parametrize("place", ["libritts/data/test.clean/test.clean", "mythicinfinity/libritts/test.clean"])
def test_a_local_copy_of_libritts_is_read(place: str, tmp_path: Path) -> None:
    audio = [{"bytes": audio_bytes(seed=i), "path": f"/other/{i}.wav"} for i in range(2)]
    texts = {"text_normalized": list(made.ENGLISH), "text_original": list(made.PRINTED)}
    who = {"speaker_id": ["1", "1"], "chapter_id": ["2", "2"], "id": ["1_2_0", "1_2_1"], "path": ["/x", "/y"]}
    parquet(tmp_path / f"{place}-00000-of-00001.parquet", {"audio": audio, **texts, **who})
    first, _ = rows(LIBRITTS, tmp_path)
    assert (first["sample_id"], first["text_normalized"]) == ("1_2_0", made.ENGLISH[0])
    assert first["reference_wav"]["bytes"] == audio_bytes(seed=0)
    assert not {"audio", "path"} & first.keys()
