"""Readers of Seed-TTS, LibriTTS, CoVoST 2 and spoken questions: as published, and as people have them."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness import media
from harness.contracts import DataChoice
from harness.failures import UsageError
from tasks.data import Source
from tasks.readers.answers import answers_of
from tasks.readers.media import media_part
from tasks.speech.sources import COVOST2, LIBRITTS, SEEDTTS, SPOKEN_QA
from tests.tasks import archives_speech as made
from tests.tasks.archives import audio_bytes, parquet, write

SOURCES = {
    **{f"seedtts_{name}": source for name, source in SEEDTTS.items()},
    "libritts": LIBRITTS,
    **{f"covost2_{name}": source for name, source in COVOST2.items()},
    **SPOKEN_QA,
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return made.every_speech_archive(tmp_path / "data")


def rows(source: Source, folder: Path) -> list[dict[str, Any]]:
    return list(source.rows(DataChoice("folder", folder)))


def faults(source: Source, folder: Path) -> dict[str, str]:
    return {row["sample_id"]: row["error"] for row in rows(source, folder) if "error" in row}


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


# CoVoST 2


def covost_table(root: Path, *lines: str, name: str = "covost_v2.zh-CN_en.test.tsv") -> Path:
    table = root / "CoVoST2" / "zh-CN" / name
    write(table, "\n".join(lines) + "\n")
    return table


def test_a_covost_row_has_its_text_and_the_translation(root: Path) -> None:
    row = rows(COVOST2["zh_en"], root)[1]
    assert (row["sample_id"], row["sentence"], row["translation"], row["client_id"]) == (
        "common_voice_zh-CN_1",
        made.MANDARIN[1],
        made.ENGLISH[1],
        "speaker1",
    )
    assert media.load(media_part("audio", row["audio"])).rate > 0


def test_the_publishers_table_of_all_splits_gives_its_test_rows_without_sentences(root: Path) -> None:
    (root / "CoVoST2" / "zh-CN" / "covost_v2.zh-CN_en.test.tsv").unlink()
    lines = ["path\ttranslation\tsplit", "a.mp3\tno\ttrain", "common_voice_zh-CN_0.mp3\tBye.\ttest"]
    covost_table(root, *lines, name="covost_v2.zh-CN_en.tsv")
    (row,) = rows(COVOST2["zh_en"], root)
    assert (row["sentence"], row["translation"], row["audio"].is_file()) == (None, "Bye.", True)


def test_the_table_of_the_test_rows_comes_before_the_download_that_it_was_made_of(root: Path) -> None:
    covost_table(root, "path\ttranslation\tsplit", "a.mp3\tno\ttest", name="covost_v2.zh-CN_en.tsv")
    assert len(rows(COVOST2["zh_en"], root)) == 2


def test_recordings_of_other_splits_are_no_strays_and_change_no_fingerprint(root: Path) -> None:
    source, choice = COVOST2["zh_en"], DataChoice("folder", root)
    before = source.fingerprint(choice)
    write(root / "CoVoST2" / "zh-CN" / "clips" / "of-train.mp3", audio_bytes("MP3"))
    write(root / "CoVoST2" / "zh-CN" / "validated.tsv", "of Common Voice")
    assert (source.strays(choice), source.fingerprint(choice)) == ((), before)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("a.mp3\t再见", "2 cells where the header names 4"),
        ("a.mp3\t再见\tbye\tx\ty", "5 cells where the header names 4"),
        ("\t再见\tbye\tx", "column path is empty"),
        ("../../../../secret.mp3\t再见\tbye\tx", "outside of the data folder"),
    ],
)
def test_a_bad_covost_row_fails_alone_and_is_named(line: str, message: str, root: Path) -> None:
    good = "common_voice_zh-CN_0.mp3\t再见\tbye\tx"
    table = covost_table(root, "path\tsentence\ttranslation\tclient_id", line, good)
    bad, other = rows(COVOST2["zh_en"], root)
    assert bad["error"].startswith(f"{table}:2: ") and message in bad["error"] and bad["audio"] is None
    assert (other["translation"], "error" in other) == ("bye", False)


def test_unusual_texts_of_covost_stay_whole(root: Path) -> None:
    table = covost_table(root, "")
    table.write_bytes(
        "\ufeffpath\tsentence\ttranslation\tclient_id\r\n"
        'a.mp3\t"再\u2028见\tsay "bye"\tx\r\n'
        "b.mp3\t一\\\t二\tone\\\ntwo\tx\r\n".encode()
    )
    first, second = rows(COVOST2["zh_en"], root)
    assert (first["sentence"], first["translation"]) == ('"再\u2028见', 'say "bye"')
    assert (second["sentence"], second["translation"]) == ("一\t二", "one\ntwo")


def test_a_covost_table_without_a_column_is_an_error_that_names_it(root: Path) -> None:
    covost_table(root, "path\tsentence", "a.mp3\t再见")
    with pytest.raises(UsageError, match="no column translation; its columns are path, sentence"):
        rows(COVOST2["zh_en"], root)


@pytest.mark.parametrize(
    ("pair", "place", "column"),
    [
        ("zh_en", "covost2/zh_en/test-00000-of-00001", "gt"),
        ("en_zh", "covost2_en-zh/data/test-00000-of-00001", "translation"),
        ("en_zh", "covost2/data/en_zh-00000-of-00001", "text"),
        ("zh_en", "TwinkStart/covost2/data/zh_en-00000-of-00001", "text"),
    ],
)
def test_the_hubs_copies_of_covost_are_read(pair: str, place: str, column: str, tmp_path: Path) -> None:
    audio = [{"bytes": audio_bytes(seed=i), "path": f"common_voice_{i}.mp3"} for i in range(2)]
    parquet(tmp_path / f"{place}.parquet", {"audio": audio, column: ["one", "two"]})
    if "test" in place:
        parquet(tmp_path / f"{place.replace('test', 'dev')}.parquet", {"audio": audio, column: ["three", "four"]})
    found = rows(COVOST2[pair], tmp_path)
    assert [row["translation"] for row in found] == ["one", "two"]
    assert [row["sample_id"] for row in found] == ["common_voice_0", "common_voice_1"]
    assert found[0]["audio"]["bytes"] == audio_bytes(seed=0) and found[0]["sentence"] is None
    assert COVOST2[pair].fingerprint(DataChoice("folder", tmp_path))["files"] == 1


def test_a_hub_table_that_translates_nothing_is_an_error(tmp_path: Path) -> None:
    audio = [{"bytes": audio_bytes(), "path": "a.wav"}]
    parquet(tmp_path / "covost2/zh_en/test-00000-of-00001.parquet", {"audio": audio, "label": ["x"]})
    with pytest.raises(UsageError, match="no column translation, gt, text; the columns are audio, label"):
        rows(COVOST2["zh_en"], tmp_path)


# Spoken questions


@pytest.mark.parametrize(
    ("name", "question", "answers"),
    [
        ("llama_questions", "Capital of France, please?", ["Paris"]),
        ("trivia_qa", "Who?", ["Paris", "Paree"]),
        ("web_questions", "Where?", ["Paris", "Paree"]),
    ],
)
def test_openaudiobench_folders_are_read(name: str, question: str, answers: list[str], root: Path) -> None:
    (row,) = rows(SPOKEN_QA[name], root)
    assert (row["sample_id"], row["question"], row["answers"]) == ("q0", question, answers)
    shutil.move(root / "OpenAudioBench" / "eval_datas", root / "eval_datas")
    assert [row["question"] for row in rows(SPOKEN_QA[name], root)] == [question]


def questions_table(root: Path, *lines: str) -> Path:
    table = root / "OpenAudioBench/eval_datas/web_questions/web_questions.csv"
    write(table, "\r\n".join(lines))
    return table


def test_a_bad_question_fails_alone_and_an_empty_answer_list_is_kept(root: Path) -> None:
    lines = ["\ufeffquestion,answers,audio_filename", "a,b", '"new\nline\u2028?",[],q0.wav', "who,x,", "who,,gone.wav"]
    table = questions_table(root, *lines)
    short, empty, unnamed, gone = rows(SPOKEN_QA["web_questions"], root)
    assert short["error"].startswith(f"{table}:2: 2 cells where the header names 3")
    assert (empty["answers"], empty["question"], empty["audio"].is_file()) == ([], "new\nline\u2028?", True)
    assert "column audio_filename is empty" in unnamed["error"]
    assert (gone["answers"], "error" in gone, gone["audio"].exists()) == ([], False, False)


def test_a_table_without_answers_is_an_error_that_names_the_columns(root: Path) -> None:
    questions_table(root, "question,audio_filename", "who,q0.wav")
    with pytest.raises(UsageError, match="no column answers or answer; its columns are question, audio_filename"):
        rows(SPOKEN_QA["web_questions"], root)


def test_a_set_in_two_places_is_an_error_that_names_both(root: Path) -> None:
    shutil.copytree(root / "OpenAudioBench" / "eval_datas", root / "eval_datas")
    with pytest.raises(UsageError, match=r"OpenAudioBench/eval_datas/trivia_qa and .*eval_datas/trivia_qa"):
        rows(SPOKEN_QA["trivia_qa"], root)


@pytest.mark.parametrize(
    ("name", "place", "columns", "answers"),
    [
        ("llama_questions", "llama-questions/data/test", {"question": "q", "answer": "Paris"}, ["Paris"]),
        ("llama_questions", "llama-questions/data/test", {"Questions": "q", "Answer": "Paris"}, ["Paris"]),
        ("llama_questions", "data/test", {"question": "q", "answer": "Paris"}, ["Paris"]),
        ("web_questions", "spoken-web-questions/data/test", {"question": "q", "answers": ["a", "b"]}, ["a", "b"]),
        ("web_questions", "speech-web-questions/data/test", {"question": "q", "answers": ["a"]}, ["a"]),
        ("trivia_qa", "TwinkStart/speech-triavia-qa/data/test", {"question": "q", "answer": "['a']"}, ["a"]),
    ],
)
def test_the_hubs_copies_of_questions_are_read(
    name: str, place: str, columns: dict[str, Any], answers: list[str], tmp_path: Path
) -> None:
    """Their recordings often have one name, so rows are known by their number."""
    audio = [{"bytes": audio_bytes(seed=i), "path": "speech.wav"} for i in range(2)]
    table = {column: [cell] * 2 for column, cell in columns.items()}
    parquet(tmp_path / f"{place}-00000-of-00001.parquet", {"audio": audio, **table})
    found = rows(SPOKEN_QA[name], tmp_path)
    assert [(row["sample_id"], row["question"], row["answers"]) for row in found] == [
        ("row-0", "q", answers),
        ("row-1", "q", answers),
    ]
    assert found[1]["audio"]["bytes"] == audio_bytes(seed=1)
    assert SPOKEN_QA[name].fingerprint(DataChoice("folder", tmp_path))["files"] == 1


def test_trivia_qa_of_the_hub_keeps_its_ids_and_leaves_out_the_evidence(tmp_path: Path) -> None:
    columns = {
        "question": ["who?", "where?"],
        "question_id": ["tc_1", "tc_2"],
        "question_source": ["x", "y"],
        "entity_pages": [{"wiki_context": ["long"]}] * 2,
        "answer": [{"value": "Paris", "aliases": ["Paree"], "normalized_aliases": ["paree"]}] * 2,
        "question_audio": [{"bytes": audio_bytes(), "path": None}, {"bytes": None, "path": None}],
    }
    parquet(tmp_path / "trivia_qa-audio/rc.wikipedia/validation-00000-of-00001.parquet", columns)
    first, second = rows(SPOKEN_QA["trivia_qa"], tmp_path)
    assert (first["sample_id"], first["answers"]) == ("tc_1", ["Paris", "Paree"])
    assert first["published_answer"]["normalized_aliases"] == ["paree"]
    assert first["audio"]["bytes"] == audio_bytes() and not {"entity_pages", "question_audio"} & first.keys()
    assert second["error"] == "row 1 has no audio" and second["question"] == "where?"


# Answers


@pytest.mark.parametrize(
    ("value", "answers"),
    [
        ("Paris", ["Paris"]),
        (" Paris \n", ["Paris"]),
        (["Paris", "Paris", "", None, "Paree "], ["Paris", "Paree"]),
        ([["Paris", ["Paree"]], "Lutetia"], ["Paris", "Paree", "Lutetia"]),
        ('["Paris", "L\'Isle"]', ["Paris", "L'Isle"]),
        ("['Paris', 'Paree']", ["Paris", "Paree"]),
        ("['Paris' 'Paree']", ["Paris", "Paree"]),
        (["['Paris', 'Paree']"], ["Paris", "Paree"]),
        ("['Paris", ["['Paris"]),
        ("[]", []),
        ("", []),
        (None, []),
        (float("nan"), []),
        (7, ["7"]),
        ("nan", ["nan"]),
        ("(a)", ["(a)"]),
        ({"value": "Paris", "aliases": ["Paris", "Paree"], "normalized_aliases": ["paris"]}, ["Paris", "Paree"]),
        ({"aliases": [], "normalized_value": "paris", "normalized_aliases": ["paree"]}, ["paris", "paree"]),
        ("{'value': 'Paris', 'aliases': ['Paree']}", ["Paris", "Paree"]),
        ('{"value": null, "aliases": null}', []),
        ("{x}", ["{x}"]),
    ],
)
def test_answers_come_out_of_every_form_flat_and_once(value: object, answers: list[str]) -> None:
    assert answers_of(value) == answers


nested = st.recursive(st.one_of(st.none(), st.text(), st.integers()), lambda inner: st.lists(inner), max_leaves=20)


@given(nested)
def test_answers_are_texts_without_blanks_at_the_ends_each_once(value: object) -> None:
    found = answers_of(value)
    assert all(isinstance(answer, str) and answer and answer == answer.strip() for answer in found)
    assert len(found) == len(set(found))


@given(st.lists(st.text(alphabet="abc '\"\\é再", min_size=1)))
def test_a_list_written_as_text_has_the_answers_of_the_list(values: list[str]) -> None:
    assert answers_of(repr(values)) == answers_of(values)


def test_answers_too_deep_to_be_meant_end_nothing() -> None:
    deep: object = "Paris"
    for _ in range(2000):
        deep = [deep]
    assert answers_of(deep) == [] and answers_of("[" * 5000) == ["[" * 5000]
