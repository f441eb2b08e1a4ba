"""CoVoST 2 as published, as the hub has it, and as people have it."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness import media
from harness.contracts import DataChoice
from harness.failures import UsageError
from tasks.readers.media import media_part
from tasks.speech.sources import COVOST2
from tests.tasks import archives_speech as made
from tests.tasks.archives import audio_bytes, parquet, write
from tests.tasks.archives_speech import rows


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
