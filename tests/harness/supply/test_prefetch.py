"""`harness prefetch` against a hub on this machine: sizes, checks, going on after a kill, a folder to carry away."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from harness.hub_cache import snapshot
from harness.needs import Need, of_task
from harness.supply import fetch, hub
from harness.supply.places import Places, state
from harness.supply.transfer import TransferError
from tests.harness.supply.fake_hub import COMMIT, Hub, serving
from tests.patience import PATIENCE_S
from tests.tasks import archives

BIG = random.Random(0).randbytes(3_000_000)
FILES: Mapping[str, Mapping[str, bytes]] = {
    "models/microsoft/wavlm-base-plus-sv": {
        "config.json": b"{}",
        "preprocessor_config.json": b"{ }",
        "pytorch_model.bin": BIG,
        "README.md": b"#",
    },
}
WAVLM = Need(
    "judge", "model", "microsoft/wavlm-base-plus-sv", files=("*.json", "pytorch_model.bin"), users=("wavlm-sv",)
)


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    with serving(Hub(FILES)) as running:
        from huggingface_hub import constants

        monkeypatch.setattr(constants, "ENDPOINT", running.address)
        template = running.address + "/{repo_id}/resolve/{revision}/{filename}"
        monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
        monkeypatch.setattr(hub, "_api", lambda: __import__("huggingface_hub").HfApi(endpoint=running.address))
        yield running


def got(need: Need, places: Places) -> fetch.Item:
    (item,) = fetch.looked_up([need], places, offline=False)
    return fetch.get(item, places, lambda count: None)


def test_what_is_needed_comes_and_the_rest_does_not(served: Hub, tmp_path: Path) -> None:
    places = Places.of(tmp_path)
    (item,) = fetch.looked_up([WAVLM], places, offline=False)
    assert (item.have, item.to_get, item.bytes) == (False, 3_000_005, 3_000_005)
    item = fetch.get(item, places, lambda count: None)
    assert item.have
    assert sorted(served.fetched()) == ["config.json", "preprocessor_config.json", "pytorch_model.bin"]
    folder = snapshot("model", WAVLM.name, cache=places.hub)
    assert folder is not None and folder.name == COMMIT
    assert (folder / "pytorch_model.bin").read_bytes() == BIG


def test_the_hubs_own_library_reads_what_was_fetched(served: Hub, tmp_path: Path) -> None:
    from huggingface_hub import snapshot_download

    places = Places.of(tmp_path)
    got(WAVLM, places)
    found = Path(snapshot_download(WAVLM.name, cache_dir=places.hub, local_files_only=True))
    assert found == snapshot("model", WAVLM.name, cache=places.hub)


def test_nothing_comes_twice(served: Hub, tmp_path: Path) -> None:
    got(WAVLM, Places.of(tmp_path))
    served.asked.clear()
    (item,) = fetch.looked_up([WAVLM], Places.of(tmp_path), offline=False)
    assert item.have and item.to_get == 0
    assert served.fetched() == []


def test_a_file_that_was_damaged_on_the_disk_is_noticed_and_comes_again(served: Hub, tmp_path: Path) -> None:
    places = Places.of(tmp_path)
    got(WAVLM, places)
    folder = snapshot("model", WAVLM.name, cache=places.hub)
    assert folder is not None
    blob = (folder / "pytorch_model.bin").resolve()
    blob.write_bytes(BIG[:-1] + bytes([BIG[-1] ^ 1]))  # of the same size
    assert state(WAVLM, places).have  # sizes alone do not tell
    assert state(WAVLM, places, verify=True).lacks == "pytorch_model.bin is damaged"
    served.asked.clear()
    assert got(WAVLM, places).have
    assert served.fetched() == ["pytorch_model.bin"]
    assert blob.read_bytes() == BIG


def test_what_the_hub_sends_damaged_is_never_kept(served: Hub, tmp_path: Path) -> None:
    served.damage.add("pytorch_model.bin")
    item = got(WAVLM, Places.of(tmp_path))
    assert not item.have and "came damaged" in item.fault
    assert not any(path.stat().st_size > 1000 for path in tmp_path.rglob("*") if path.is_file())
    served.damage.clear()
    assert got(WAVLM, Places.of(tmp_path)).have


@pytest.mark.parametrize("ranges", [True, False])
def test_a_part_that_is_there_is_gone_on_with(served: Hub, tmp_path: Path, ranges: bool) -> None:
    served.ranges = ranges
    places = Places.of(tmp_path)
    (item,) = fetch.looked_up([WAVLM], places, offline=False)
    assert item.missing is not None
    blobs = places.hub / "models--microsoft--wavlm-base-plus-sv" / "blobs"
    blobs.mkdir(parents=True)
    (blobs / f"{item.missing['pytorch_model.bin'].sum.hex}.part").write_bytes(BIG[:1_000_000])
    told: list[int] = []
    assert fetch.get(item, places, told.append).have
    assert "bytes=1000000-" in [range for _, range in served.asked]
    assert sum(told) == 2_000_005


def test_a_part_that_is_wrong_is_begun_anew(served: Hub, tmp_path: Path) -> None:
    places = Places.of(tmp_path)
    (item,) = fetch.looked_up([WAVLM], places, offline=False)
    assert item.missing is not None
    blobs = places.hub / "models--microsoft--wavlm-base-plus-sv" / "blobs"
    blobs.mkdir(parents=True)
    (blobs / f"{item.missing['pytorch_model.bin'].sum.hex}.part").write_bytes(b"x" * 1_000_000)
    assert fetch.get(item, places, lambda count: None).have


def test_patterns_that_nothing_has_are_told(served: Hub) -> None:
    need = Need("data", "model", WAVLM.name, files=("data/*.parquet",))
    with pytest.raises(TransferError, match=r"has no file of data/\*\.parquet"):
        hub.listed(need)


def called(hub: Hub, home: Path, *arguments: str, **more: str) -> subprocess.Popen[str]:
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith(("HF_", "HARNESS_"))},
        "HF_ENDPOINT": hub.address,
        "HF_HOME": str(home / "hf"),
        "HARNESS_CACHE": str(home / "own"),
        **more,
    }
    return subprocess.Popen(
        [sys.executable, "-m", "harness", *arguments],
        env=environment,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


WANTED = ("prefetch", "--judge", "wavlm-sv")


def told(process: subprocess.Popen[str]) -> tuple[int, Any]:
    out, err = process.communicate(timeout=PATIENCE_S)
    return process.returncode, json.loads(out) if out.startswith("{") else out + err


def test_a_killed_prefetch_goes_on_where_it_was(tmp_path: Path) -> None:
    with serving(Hub(FILES, stall=2_000_000)) as running:
        process = called(running, tmp_path, *WANTED, "--to", str(tmp_path / "to"))
        assert running.stalled.wait(PATIENCE_S)
        deadline = time.monotonic() + 10
        while (
            not (parts := [p for p in tmp_path.rglob("*.part") if p.stat().st_size > 1000])
            and time.monotonic() < deadline
        ):
            time.sleep(0.02)
        process.kill()
        process.communicate()
        assert parts
        half = parts[0].stat().st_size
        running.go.set()
        running.asked.clear()
        code, item = told(called(running, tmp_path, *WANTED, "--to", str(tmp_path / "to"), "--json"))
        assert (code, item["complete"]) == (0, True)
        assert [range for path, range in running.asked if path.endswith("pytorch_model.bin")] == [f"bytes={half}-"]
        assert item["environment"]["HF_HOME"] == str(tmp_path / "to")
    # The hub is gone. A copy under another name is whole, and a byte that changed on the way is told.
    copy = (tmp_path / "to").rename(tmp_path / "carried")
    code, item = told(called(running, tmp_path, *WANTED, "--to", str(copy), "--offline", "--json"))
    assert (code, item["complete"]) == (0, True)
    blob = next(path for path in (copy / "hub").rglob("blobs/*") if path.stat().st_size == len(BIG))
    blob.write_bytes(b"\0" + BIG[1:])
    code, text = told(called(running, tmp_path, *WANTED, "--to", str(copy), "--offline"))
    assert code == 4 and "pytorch_model.bin is damaged" in text


def test_sizes_are_shown_without_a_download(tmp_path: Path) -> None:
    with serving(Hub(FILES)) as running:
        code, text = told(called(running, tmp_path, *WANTED, "--dry-run"))
        assert code == 0 and "to get: 3 MB" in text and running.fetched() == []


def test_a_run_without_network_reads_what_was_fetched(tmp_path: Path) -> None:
    (need,) = of_task("mme")
    archives.mme_parquet(tmp_path / "mme.parquet")
    table = (tmp_path / "mme.parquet").read_bytes()
    other = {"data/other-00000-of-00001.parquet": table + b"x", "README.md": b"#"}
    files = {f"datasets/{need.name}": {"data/test-00000-of-00001.parquet": table, **other}}
    with serving(Hub(files)) as running:
        arguments = ("prefetch", "--tasks", "mme", "--to", str(tmp_path / "to"), "--judge", "none", "--json")
        code, told_of = told(called(running, tmp_path, *arguments))
        assert (code, running.fetched()) == (0, ["test-00000-of-00001.parquet"])
        assert told_of["needs"][0]["bytes"] == len(table)
    run = ("run", "--model", "echo", "--tasks", "mme", "--out", str(tmp_path / "run"), "--offline")
    called(running, tmp_path, *run, **told_of["environment"]).communicate(timeout=PATIENCE_S)
    results = json.loads((tmp_path / "run" / "results.json").read_text())
    assert results["tasks"]["mme"]["n_expected"] == 6
