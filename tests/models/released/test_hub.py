"""Where released weights are found: a folder, the hub's cache, the hub; and one message where they are not."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from harness.failures import UsageError
from models.released.files import SINGLE
from models.released.hub import Release, locate
from models.vita15.release import RELEASE
from tests.patience import PATIENCE_S


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """What the search looks for: a weight file, not what is in it."""
    found = tmp_path / "weights"
    found.mkdir()
    (found / SINGLE).write_bytes(b"")
    return found


def hub_cache(root: Path, folder: Path, revision: str = "0123abc") -> Path:
    """The folder as the hub's cache holds it."""
    repository = root / "models--VITA-MLLM--VITA-1.5"
    (repository / "refs").mkdir(parents=True)
    (repository / "refs" / "main").write_text(revision, encoding="utf-8")
    return Path(shutil.copytree(folder, repository / "snapshots" / revision))


LOCATE = """
from models.released.hub import locate
from models.vita15.release import RELEASE
print(*locate(RELEASE.id, RELEASE), sep='|')
"""


def locate_in_process(cache: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """`locate` in a fresh interpreter: the hub's library reads its settings when it is imported."""
    env = os.environ | {"HF_HUB_CACHE": str(cache), "OMP_NUM_THREADS": "1"} | environment
    return subprocess.run(
        [sys.executable, "-c", LOCATE], capture_output=True, text=True, env=env, timeout=PATIENCE_S, check=False
    )


def test_the_hubs_cache_is_read_offline(folder: Path, tmp_path: Path) -> None:
    snapshot = hub_cache(tmp_path, folder)
    done = locate_in_process(tmp_path, HF_HUB_OFFLINE="1")
    assert done.stdout.strip() == f"{snapshot}|{RELEASE.id}|0123abc", done.stderr


def test_an_unreachable_hub_is_told_in_one_message_soon(folder: Path, tmp_path: Path) -> None:
    snapshot = hub_cache(tmp_path, folder)
    (snapshot / SINGLE).unlink()  # an incomplete snapshot is as good as none
    with socket.create_server(("127.0.0.1", 0)) as silent:  # accepts and never answers
        address = f"http://127.0.0.1:{silent.getsockname()[1]}"
        done = locate_in_process(tmp_path, HF_ENDPOINT=address, HF_HUB_OFFLINE="0", no_proxy="127.0.0.1")
    told = done.stderr.rpartition("UsageError: ")[2]
    assert "of the weights VITA-MLLM/VITA-1.5 the hub's cache lacks files" in told and SINGLE in told
    assert all(way in told for way in ("hf download", "--weights DIR", "--model vita15-mini --data mini"))


def test_a_hub_that_is_not_to_be_asked_and_an_empty_cache_are_one_message(tmp_path: Path) -> None:
    done = locate_in_process(tmp_path, HF_HUB_OFFLINE="1")
    told = done.stderr.rpartition("UsageError: ")[2]
    assert "VITA-MLLM/VITA-1.5 are not in the hub's cache and could not be fetched" in told


def test_credentials_in_a_url_reach_no_message() -> None:
    with pytest.raises(UsageError) as error:
        locate("https://user:secret@hub.example/weights", RELEASE)
    assert "hub.example" in str(error.value) and "secret" not in str(error.value)


def test_what_is_neither_folder_nor_hub_id_is_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no such folder"):
        locate(str(tmp_path / "absent"), RELEASE)
    assert locate(str(tmp_path), RELEASE) == (tmp_path, str(tmp_path), None)


def test_a_release_says_how_to_go_on_without_its_weights() -> None:
    release = Release("someone/model", ("*.json",), lambda folder: None, ships="other-tiny", folder="put it in speech/")
    with pytest.raises(UsageError) as error:
        locate("absent", release)
    told = str(error.value)
    assert all(way in told for way in ("hf download someone/model", "put it in speech/", "--model other-tiny"))
