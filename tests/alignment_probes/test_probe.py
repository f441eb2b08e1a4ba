"""Probe runs on the tiny model: both stages offline, from stored features, against a baseline, and bad input."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
import torch
from click.testing import CliRunner

from alignment_probes.config import make_config
from alignment_probes.features import Features
from alignment_probes.layers import truncate
from alignment_probes.metrics import score_all
from alignment_probes.names import METRICS
from alignment_probes.probe import described_by, rescore, results_of, start
from alignment_probes.profiles import PROFILES
from alignment_probes.scores import Scorer
from harness import cli
from harness.failures import UsageError
from harness.store import RunDir
from harness.types import Media

FEW = ("mutual_knn", "cka")


def probe(out: Path, **options: Any) -> RunDir:
    fields = {"model": "vita15-tiny", "limit": 24, "k": 5, "metrics": FEW} | options
    return start(make_config(fields), out)


@pytest.fixture(scope="module")
def layered(tmp_path_factory: pytest.TempPathFactory) -> RunDir:
    return probe(tmp_path_factory.mktemp("runs") / "layered", stage="embedding", profile="platonic")


def run_cli(*words: str) -> Any:
    return CliRunner().invoke(cli.command(), ["probe", *words])


@pytest.mark.parametrize("stage", ["unembedding", "embedding"])
def test_the_command_completes_offline_and_writes_table_and_plots(stage: str, tmp_path: Path) -> None:
    out = tmp_path / "run"
    done = run_cli("--model", "vita15-tiny", "--data", "mini", "--stage", stage, "--out", str(out))
    assert done.exit_code == 0, done.output
    results = json.loads((out / "results.json").read_text())
    assert (results["n"], results["k"], results["profile"]) == (144, 50, "paper")
    for said in ("n = 144 of 144", "k = 50", "profile paper", "chance", "random weights", "mini world"):
        assert said in done.output
    for name in ("manifest.json", "finished.json", "features/index.json", "figures/table.csv"):
        assert (out / name).is_file()
    drawn = {"bars"} if stage == "unembedding" else {"bars", "curves", "vision_audio"}
    assert {path.stem for path in (out / "figures").glob("*.svg")} == drawn
    assert {path.stem for path in (out / "figures").glob("*.png")} == drawn
    for entry in results["scores"]:
        for found in entry["metrics"].values():
            assert (found["value"] is None) == (found["chance"] is None)
            assert found["value"] is not None or found["reason"]
    assert {entry["variant"] for entry in results["scores"]} == {"raw", "l2"}


def test_scores_are_those_of_the_metric_core(tmp_path: Path) -> None:
    run = probe(tmp_path / "run", profile="paper", metrics=METRICS)
    features = Features.open(run.path / "features")
    image, audio, text = (features.read(side) for side in ("image", "audio", "text"))
    expected = {
        "vision-text": score_all(image, text, 5),
        "audio-text": score_all(audio, text, 5),
        "vision+audio-text": score_all(torch.cat([image, audio], dim=1), text, 5),
    }
    raw = [entry for entry in results_of(run)["scores"] if entry["variant"] == "raw"]
    assert [entry["comparison"] for entry in raw] == list(expected)
    for entry in raw:
        for metric, value in expected[entry["comparison"]].items():
            assert entry["metrics"][metric]["value"] == pytest.approx(value, abs=1e-12)
            assert float(entry["metrics"][metric]["printed"]) == truncate(value)


def test_fused_tokens_are_the_mean_of_all_tokens(tmp_path: Path) -> None:
    run = probe(tmp_path / "run")
    features = Features.open(run.path / "features")
    scorer = Scorer(features, PROFILES["paper"], 5, FEW, "tokens")
    (fused,) = scorer.read("vision+audio", [None], "raw")
    images, clips = (features.read(f"tokens.{kind}").unsqueeze(1) for kind in ("image", "audio"))
    total = images * features.read("image") + clips * features.read("audio")
    assert torch.allclose(fused, total / (images + clips))


def test_platonic_grids_name_the_best_pair_and_its_chance(layered: RunDir) -> None:
    results = results_of(layered)
    same_layer = {
        (entry["comparison"], entry["layer"]): entry["metrics"]["cka"]["value"]
        for entry in results["scores"]
        if entry["headline"]
    }
    grids = [grid for grid in results["grids"] if grid["headline"]]
    assert [grid["comparison"] for grid in grids] == ["vision-text", "vision+audio-text"]
    for grid in grids:
        found = grid["metrics"]["cka"]
        best = found["best"]
        cells = {(i, j): value for i, line in enumerate(found["grid"]) for j, value in enumerate(line)}
        assert best["value"] == max(cells.values()) == cells[best["layer"], best["text_layer"]]
        for layer in grid["layers"]:
            assert cells[layer, layer] == pytest.approx(same_layer[grid["comparison"], layer], abs=1e-12)
        assert 0 < found["best_chance"] < 1


def test_stored_features_give_the_same_scores_without_a_model(layered: RunDir, tmp_path: Path) -> None:
    again = rescore(layered.path, {}, tmp_path / "again")
    ours, theirs = results_of(again), results_of(layered)
    for results in (ours, theirs):
        results.pop("times")
    assert ours == theirs
    other = results_of(rescore(again.path, {"profile": "paper", "k": 4, "layers": "1"}, tmp_path / "other"))
    assert (other["k"], other["k_of_profile"], other["grids"]) == (4, 50, [])
    assert {entry["layer"] for entry in other["scores"]} == {1}
    with pytest.raises(UsageError, match="takes stage from the run it reads"):
        rescore(layered.path, {"stage": "unembedding"}, tmp_path / "no")


def test_features_that_changed_since_are_refused(tmp_path: Path) -> None:
    first = probe(tmp_path / "first")
    second = rescore(first.path, {}, tmp_path / "second")
    index = first.path / "features" / "index.json"
    index.write_text(index.read_text().replace("mini-000", "mini-xyz"))
    with pytest.raises(UsageError, match="has changed since"):
        rescore(second.path, {}, tmp_path / "third")


def test_a_model_against_itself_and_against_another_seed(layered: RunDir, tmp_path: Path) -> None:
    config = make_config(described_by(layered)["config"])
    same = results_of(start(config, tmp_path / "same", baseline=layered.path))["against_baseline"]
    assert same["model"] == "vita15-tiny"
    assert {test["difference"] for test in same["tests"]} == {0.0}
    assert {test["p_holm"] for test in same["tests"]} == {1.0}
    other = start(msgspec.structs.replace(config, seed=1), tmp_path / "other", baseline=layered.path)
    assert any(test["difference"] != 0 for test in results_of(other)["against_baseline"]["tests"])


def test_a_baseline_on_other_samples_is_refused_before_the_run_starts(layered: RunDir, tmp_path: Path) -> None:
    config = make_config(described_by(layered)["config"] | {"limit": 20})
    with pytest.raises(UsageError, match=r"other samples \(24, here 20\): 4 samples .*'mini-020'"):
        start(config, tmp_path / "run", baseline=layered.path)
    with pytest.raises(UsageError, match="of stage embedding"):
        start(msgspec.structs.replace(config, stage="unembedding"), tmp_path / "run", baseline=layered.path)
    assert not (tmp_path / "run").exists()


def test_failed_samples_are_counted_and_make_the_run_invalid(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from alignment_probes import probe as module

    found = module.probe_data.load("mini", 20)
    broken = found.triples[3]._replace(image=Media("image", "nowhere.png"))
    triples = (*found.triples[:3], broken, *found.triples[4:])
    monkeypatch.setattr(module.probe_data, "load", lambda *args: module.ProbeData(triples, (), found.fingerprint))
    results = results_of(probe(tmp_path / "run"))
    assert (results["n"], results["n_expected"], results["n_failed"], results["valid"]) == (19, 20, 1, False)
    assert results["left_out"][0]["id"] == broken.id


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--limit", "40"], r"50 neighbours.*at least 51 samples, 40 are left.*--k 39"),
        (["--stage", "embedding", "--layers", "0,3"], r"--layers 3: .*states 0 \(its input\) to 2"),
        (["--layers", "0"], "the unembedding stage has no layers"),
        (["--metrics", "cka,cca"], "unknown cca"),
        (["--profile", "mine"], "profile"),
        (["--data", "no-such-folder"], "does not exist: .*no-such-folder"),
        (["--model", "echo"], "does not give its hidden states"),
        (["--from-features", "no-such-run"], "not a run directory"),
    ],
)
def test_bad_input_is_told(words: list[str], said: str, tmp_path: Path) -> None:
    done = run_cli("--model", "vita15-tiny", "--out", str(tmp_path / "run"), *words)
    assert isinstance(done.exception, UsageError)
    with pytest.raises(UsageError, match=said):
        raise done.exception
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("command", ["resume", "score"])
def test_a_probe_run_is_not_taken_for_a_run_of_tasks(layered: RunDir, command: str) -> None:
    before = (layered.path / "results.json").read_bytes()
    done = CliRunner().invoke(cli.command(), [command, str(layered.path)])
    assert isinstance(done.exception, UsageError)
    assert "harness probe --from-features" in str(done.exception)
    assert (layered.path / "results.json").read_bytes() == before


def test_dry_run_loads_no_model(tmp_path: Path) -> None:
    done = run_cli("--model", "vita15", "--limit", "60", "--dry-run", "--out", str(tmp_path / "run"))
    assert done.exit_code == 0, done.output
    assert "60 samples of mini" in done.output
    assert not (tmp_path / "run").exists()


def test_a_misspelt_stage_is_told_with_those_that_there_are():
    with pytest.raises(UsageError, match=r"stage: .*embeding.*there are unembedding, embedding"):
        make_config({"model": "echo", "stage": "embeding"})
