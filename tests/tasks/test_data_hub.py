"""The hub's parquet, its caches without network, and what is said when neither is there."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pytest

from harness.contracts import DataChoice
from harness.failures import UsageError
from harness.registry import get_task
from tasks.readers import hub as hub_module
from tasks.readers import parquet
from tasks.speech.sources import SEEDTTS
from tests.patience import PATIENCE_S
from tests.tasks import archives, archives_speech
from tests.tasks.results import sampled

ROOT = Path(__file__).parents[2]


@pytest.fixture
def offline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty hub cache, with the hub switched off."""
    import datasets
    from huggingface_hub import constants

    hub_module._network_fault.cache_clear()
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "datasets")
    yield tmp_path
    hub_module._network_fault.cache_clear()


def fill_hub_cache(root: Path, repository: str, revision: str) -> Path:
    """The folder of a snapshot as huggingface_hub lays it out; a branch is a name for a commit."""
    base = root / "hub" / f"datasets--{repository.replace('/', '--')}"
    commit = revision if len(revision) == 40 else "0123456789" * 4
    if commit != revision:
        archives.write(base / "refs" / revision, commit)
    return base / "snapshots" / commit


def test_a_local_copy_of_a_hub_data_set_is_read(tmp_path: Path) -> None:
    archives.mme_parquet(tmp_path / "MME" / "data" / "test-00000-of-00001.parquet")
    rows = list(get_task("mme").rows(DataChoice("folder", tmp_path)))
    assert [row["sample_id"] for row in rows[:2]] == ["existence/0/0", "existence/0/1"]
    assert rows[0]["image"]["bytes"] == archives.image_bytes(0)


@pytest.mark.parametrize("place", ["lmms-lab-encoder/MME/data", "MME", "data", "."])
def test_a_local_copy_may_lie_under_its_id_its_name_or_be_the_folder(place: str, tmp_path: Path) -> None:
    archives.mme_parquet(tmp_path / place / "test-00000-of-00001-a25dbe3b44c4fda6.parquet")
    assert len(list(get_task("mme").rows(DataChoice("folder", tmp_path)))) == 6


def test_config_and_split_choose_the_files(tmp_path: Path) -> None:
    for config in ("clean", "other"):
        for split in ("validation", "test"):
            texts = tuple(f"{config} {split} {i}" for i in range(2))
            archives.speech_parquet(
                tmp_path / "librispeech_asr" / config / split / "0000.parquet",
                "text",
                texts,
                id=[f"{i}-{i}-{i}" for i in range(2)],
                speaker_id=[3, 4],
            )
    rows = list(get_task("librispeech_dev_other").rows(DataChoice("folder", tmp_path)))
    assert [row["text"] for row in rows] == ["other validation 0", "other validation 1"]
    sample = sampled("librispeech_dev_other", rows[0])
    assert (sample.id, sample.cluster) == ("0-0-0", "3")
    assert "audio" not in sample.doc


def test_hub_utterances_without_ids_are_named_by_their_audio(tmp_path: Path) -> None:
    archives.speech_parquet(tmp_path / "AISHELL-1/data/test-00000-of-00001.parquet", "text", archives.MANDARIN)
    rows = list(get_task("aishell1").rows(DataChoice("folder", tmp_path)))
    assert [row["sample_id"] for row in rows] == ["utt0", "utt1", "utt2"]


def test_repeated_audio_names_stay_equal_so_that_the_later_row_is_seen_to_be_a_repeated_one(tmp_path: Path) -> None:
    audio = [{"bytes": archives.audio_bytes(), "path": path} for path in ("a.wav", "a.wav", None)]
    archives.parquet(
        tmp_path / "WenetSpeech/data/test_net-00000-of-00001.parquet", {"audio": audio, "text": ["一", "二", "三"]}
    )
    rows = list(get_task("wenetspeech_net").rows(DataChoice("folder", tmp_path)))
    assert [row["sample_id"] for row in rows] == ["a", "a", "row-2"]
    assert rows[1]["audio"]["bytes"] == archives.audio_bytes() and "error" not in rows[1]


def test_a_missing_column_is_named_with_those_that_are_there(tmp_path: Path) -> None:
    archives.parquet(tmp_path / "MME" / "test-00000-of-00001.parquet", {"question": ["q"], "answer": ["Yes"]})
    with pytest.raises(UsageError, match="no column question_id, image, category; its columns are question, answer"):
        get_task("mme").rows(DataChoice("folder", tmp_path))


def test_a_missing_split_or_shard_is_named(tmp_path: Path) -> None:
    archives.mme_parquet(tmp_path / "MME" / "train-00000-of-00001.parquet")
    with pytest.raises(UsageError, match=r"split 'test' .* train-00000-of-00001\.parquet"):
        get_task("mme").rows(DataChoice("folder", tmp_path))
    archives.mme_parquet(tmp_path / "MME" / "test-00000-of-00004.parquet")
    with pytest.raises(UsageError, match="1 of 4 shards"):
        get_task("mme").rows(DataChoice("folder", tmp_path))


def test_a_damaged_parquet_file_is_named(tmp_path: Path) -> None:
    file = archives.mme_parquet(tmp_path / "MME" / "test-00000-of-00001.parquet")
    file.write_bytes(file.read_bytes()[:-40])
    with pytest.raises(UsageError, match=str(file)):
        get_task("mme").rows(DataChoice("folder", tmp_path))


def test_parquet_is_read_in_batches(tmp_path: Path) -> None:
    import pyarrow.parquet as pq

    blob = os.urandom(100_000)
    path = tmp_path / "test.parquet"
    with pq.ParquetWriter(path, pa.schema([("x", pa.binary())]), compression="none", use_dictionary=False) as writer:
        for _ in range(40):
            writer.write_table(pa.table({"x": [blob] * 10}), row_group_size=10)
    before, peak = pa.total_allocated_bytes(), 0
    for row in parquet.read([path], ["x"]):
        peak = max(peak, pa.total_allocated_bytes() - before)
        assert len(row["x"]) == 100_000
    assert peak < 20_000_000 < path.stat().st_size


def test_the_fingerprint_names_what_is_pinned_and_what_is_not() -> None:
    mme = get_task("mme").source.fingerprint(DataChoice("hub"))
    assert mme["id"] == "lmms-lab-encoder/MME"
    assert mme["revision_pinned"] and len(mme["revision"]) == 40
    wenet = get_task("wenetspeech_net").source.fingerprint(DataChoice("hub"))
    assert (wenet["revision"], wenet["revision_pinned"]) == ("main", False)


def test_files_in_the_hub_cache_are_read_without_network(offline: Path) -> None:
    revision = str(get_task("mme").source.fingerprint(DataChoice("hub"))["revision"])
    archives.mme_parquet(fill_hub_cache(offline, "lmms-lab-encoder/MME", revision) / "data/test-00000-of-00001.parquet")
    assert len(list(get_task("mme").rows(DataChoice("hub")))) == 6


def test_a_branch_in_the_hub_cache_is_resolved_without_network(offline: Path) -> None:
    snapshot = fill_hub_cache(offline, "TwinkStart/WenetSpeech", "main")
    archives.speech_parquet(snapshot / "data/test_net-00000-of-00001.parquet", "text", archives.MANDARIN)
    assert len(list(get_task("wenetspeech_net").rows(DataChoice("hub")))) == 3


def test_another_config_in_the_cache_is_not_taken_for_the_one_asked_for(offline: Path) -> None:
    revision = str(get_task("fleurs_zh").source.fingerprint(DataChoice("hub"))["revision"])
    snapshot = fill_hub_cache(offline, "google/fleurs", revision)
    path = snapshot / "parquet-data/en_us/test-00000-of-00001.parquet"
    archives.speech_parquet(path, "transcription", archives.ENGLISH)
    assert len(list(get_task("fleurs_en").rows(DataChoice("hub")))) == 3
    with pytest.raises(UsageError, match=r"cmn_hans_cn, split test.* is not in the cache"):
        get_task("fleurs_zh").rows(DataChoice("hub"))
    with pytest.raises(UsageError, match=r"no parquet file of config 'cmn_hans_cn', split 'test'.*en_us"):
        parquet.split_files(snapshot, "cmn_hans_cn", "test")


def test_a_mirror_with_its_media_beside_the_lists_is_read_from_the_cache(offline: Path) -> None:
    hub = SEEDTTS["hard"].hub
    snapshot = fill_hub_cache(offline, hub.id, hub.revision)
    archives_speech.seedtts(snapshot.parent, snapshot.name)
    for name, number in (("zh", 2), ("en", 2), ("hard", 1)):
        rows = list(SEEDTTS[name].rows(DataChoice("hub")))
        assert len(rows) == number and all(row["prompt_wav"].is_file() for row in rows)


def fill_datasets_cache(root: Path, source: Path, commit: str) -> None:
    """The tables that `load_dataset("TwinkStart/AISHELL-1")` leaves, made by the same library from `source`."""
    import datasets

    features = datasets.Features({"audio": datasets.Audio(sampling_rate=16_000), "text": datasets.Value("string")})
    made = datasets.load_dataset(
        "parquet", data_files={"test": str(source)}, features=features, cache_dir=str(root / "made")
    )
    folder = Path(made["test"].cache_files[0]["filename"]).parent
    target = root / "datasets" / "TwinkStart___aishell-1" / "default" / "0.0.0" / commit
    target.parent.mkdir(parents=True)
    folder.rename(target)
    (target / "parquet-test.arrow").rename(target / "aishell-1-test.arrow")
    info = json.loads((target / "dataset_info.json").read_text())
    info |= {"config_name": "default", "dataset_name": "aishell-1", "builder_name": "aishell-1"}
    info["splits"]["test"]["dataset_name"] = "aishell-1"
    (target / "dataset_info.json").write_text(json.dumps(info))


@pytest.mark.parametrize("same", [True, False])
def test_tables_in_the_datasets_cache_are_read_if_they_are_of_the_pinned_revision(same: bool, offline: Path) -> None:
    task = get_task("aishell1")
    pinned = str(task.source.fingerprint(DataChoice("hub"))["revision"])
    source = archives.speech_parquet(offline / "source.parquet", "text", archives.MANDARIN)
    fill_datasets_cache(offline, source, pinned if same else "f" * 40)
    if same:
        rows = list(task.rows(DataChoice("hub")))
        assert [row["text"] for row in rows] == list(archives.MANDARIN)
        assert rows[0]["audio"]["bytes"] == archives.audio_bytes(seed=0)
    else:
        with pytest.raises(UsageError, match=f"holds revision {'f' * 40}.*pins {pinned}"):
            task.rows(DataChoice("hub"))


@pytest.mark.parametrize("name", ["mme", "librispeech_test_clean"])
def test_no_cache_and_no_hub_give_one_message_with_three_ways_out(name: str, offline: Path) -> None:
    task = get_task(name)
    fingerprint = task.source.fingerprint(DataChoice("hub"))
    with pytest.raises(UsageError) as error:
        task.rows(DataChoice("hub"))
    wanted = [fingerprint["id"], fingerprint["revision"], "hf download", "--data DIR", "--data mini", "HF_HUB_OFFLINE"]
    assert all(text in str(error.value) for text in wanted)


@pytest.mark.parametrize("name", ["mme", "librispeech_dev_other", "fleurs_zh"])
def test_the_hub_is_asked_for_this_split_only_at_its_revision(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a network: the real `load_dataset`, led to a local folder in the repository's layout."""
    import datasets

    task = get_task(name)
    hub = task.source.hub
    texts = ("one", "two")
    names = [str(i) for i in range(2)]
    for config in ("clean", "other", "en_us", "cmn_hans_cn"):
        for path in (f"{config}/train/0000", f"{config}/validation/0000", f"parquet-data/{config}/test-00000-of-00001"):
            archives.speech_parquet(
                tmp_path / f"{path}.parquet", "text", texts, transcription=[path] * 2, id=names, speaker_id=names
            )
    if name == "mme":
        archives.mme_parquet(tmp_path / "data" / "test-00000-of-00001.parquet")
    asked: list[tuple] = []
    load = datasets.load_dataset

    def from_folder(id: str, *, revision: str, split: str, **wanted: object) -> datasets.Dataset:
        asked.append((id, revision, split))
        return load(str(tmp_path), split=split, cache_dir=str(tmp_path / "made"), **wanted)

    monkeypatch.setattr(datasets, "load_dataset", from_folder)
    monkeypatch.setattr(hub_module, "_network_fault", lambda: None)
    monkeypatch.setattr(hub_module, "_check_revision", lambda table, revision: None)
    rows = list(task.rows(DataChoice("hub")))
    assert asked == [(hub.id, hub.revision, hub.split)]
    assert len(rows) == (6 if name == "mme" else 2)
    if name != "mme":
        assert {row["transcription"] for row in rows} < {
            "other/validation/0000",
            "parquet-data/cmn_hans_cn/test-00000-of-00001",
        }
        assert rows[0]["audio"]["bytes"] == archives.audio_bytes(seed=0)


def test_a_fault_of_the_hub_itself_is_passed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    import datasets

    def refuse(*args: object, **wanted: object) -> None:
        raise datasets.exceptions.DatasetNotFoundError("it is gated")

    monkeypatch.setattr(datasets, "load_dataset", refuse)
    monkeypatch.setattr(hub_module, "_network_fault", lambda: None)
    with pytest.raises(UsageError, match=r"google/fleurs.*it is gated.*--include 'parquet-data/en_us.*--data mini"):
        get_task("fleurs_en").rows(DataChoice("hub"))


def test_a_data_set_that_the_hub_lacks_says_so() -> None:
    with pytest.raises(UsageError, match=r"not on the hub.*AISHELL-2/iOS/test/wav\.scp.*--data mini"):
        get_task("aishell2_ios").rows(DataChoice("hub"))


def test_a_hub_that_does_not_answer_costs_a_few_seconds(tmp_path: Path) -> None:
    """A fresh process, as a user has it: the address accepts connections and never says a word."""
    import socket

    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        environment = {k: v for k, v in os.environ.items() if not k.startswith("HF_")} | {
            "HF_ENDPOINT": f"http://127.0.0.1:{silent.getsockname()[1]}",
            "HF_HOME": str(tmp_path),
        }
        program = (
            "from harness.registry import get_task\nfrom harness.contracts import DataChoice\n"
            "from harness.failures import UsageError\n"
            "try: get_task('mme').rows(DataChoice('hub'))\n"
            "except UsageError as error: print(error)\n"
        )
        done = subprocess.run(
            [sys.executable, "-c", program],
            env=environment,
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
            check=True,
        )
    assert "lmms-lab-encoder/MME" in done.stdout and "--data mini" in done.stdout
    assert "no answer from" in done.stdout and "within 3 s" in done.stdout, "and not after the timeout above"
