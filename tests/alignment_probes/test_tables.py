"""`harness probe --table`: both stages from one command, with speech and without."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from alignment_probes import data as probe_data
from alignment_probes.config import make_config
from alignment_probes.data import load
from alignment_probes.features import Features, requests
from alignment_probes.probe import prepare, results_of, start
from alignment_probes.tables import configs_of
from harness import cli
from harness.failures import UsageError
from harness.store import RunDir

FEW = ("--model", "vita15-tiny", "--limit", "24", "--k", "5", "--metrics", "mutual_knn,cka")


def run_cli(*words: str) -> Any:
    return CliRunner().invoke(cli.command(), ["probe", *words])


@pytest.fixture(scope="module")
def silent(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """Both stages without speech, and what was printed."""
    out = tmp_path_factory.mktemp("runs") / "silent"
    done = run_cli(*FEW, "--table", "--no-audio", "--layers", "0,2", "--out", str(out))
    assert done.exit_code == 0, done.output
    return out, done.output


def test_one_command_gives_a_run_of_each_stage_and_both_tables(silent: tuple[Path, str]) -> None:
    out, said = silent
    for stage, name in (("unembedding", "table 7"), ("embedding", "layer by layer")):
        run = RunDir.open(out / stage)
        assert run.finished and results_of(run)["stage"] == stage and name in said
    layers = {entry["layer"] for entry in results_of(RunDir.open(out / "embedding"))["scores"]}
    assert layers == {0, 2}, "--layers are those of the embedding stage"
    for expected in ("Qwen2.5-VL-7B", "0.67839", "not comparable", "n = 24", "the paper's 1,847", "curves.svg"):
        assert expected in said.replace("\n", " ")


def test_without_speech_vision_alone_is_compared(silent: tuple[Path, str]) -> None:
    out, said = silent
    for stage in ("unembedding", "embedding"):
        results = results_of(RunDir.open(out / stage))
        assert {entry["comparison"] for entry in results["scores"]} == {"vision-text"}
        assert results["audio_gain"] == []
        features = Features.open(out / stage / "features")
        assert not features.has_audio and not any("audio" in side for side in features.shapes)
        assert json.loads((out / stage / "manifest.json").read_text())["data"]["speech"] is None
    assert "without speech" in said


def test_json_has_the_table_with_its_run_and_figures(tmp_path: Path) -> None:
    done = run_cli(*FEW, "--table", "--stage", "unembedding", "--out", str(tmp_path / "run"), "--json")
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    assert list(found) == ["nexus_o:7"]
    rows = [row["cells"][0]["text"] for row in found["nexus_o:7"]["rows"] if row["group"] == "Measured here"]
    chance = "chance: shuffled pairs, n = 24, k = 5"
    assert rows == [
        line
        for variant in ("raw", "unit rows")
        for side in ("vision-text", "vision+audio-text")
        for line in (f"vita15-tiny ({side}, {variant})", chance)
    ]
    assert found["nexus_o:7"]["run"] == str(tmp_path / "run"), "one stage has the folder for itself"
    assert [Path(path).name for path in found["nexus_o:7"]["figures"]] == ["bars.svg"]


def test_stored_features_are_shown_as_the_table_of_their_stage(silent: tuple[Path, str], tmp_path: Path) -> None:
    done = run_cli(
        "--from-features", str(silent[0] / "unembedding"), "--k", "4", "--table", "--out", str(tmp_path / "r")
    )
    assert done.exit_code == 0, done.output
    assert "table 7" in done.output and "k = 4" in done.output and "layer by layer" not in done.output


def test_a_run_without_speech_can_be_held_against_one_with_it(silent: tuple[Path, str], tmp_path: Path) -> None:
    fields = {"model": "vita15-tiny", "limit": 24, "k": 5, "metrics": ("cka",)}
    run = start(make_config(fields), tmp_path / "run", baseline=silent[0] / "unembedding")
    tests = results_of(run)["against_baseline"]["tests"]
    assert {(test["comparison"], test["difference"]) for test in tests} == {("vision-text", 0.0)}


def test_each_table_may_have_its_own_data() -> None:
    first, second = configs_of({"model": "m", "data": "wit", "layers": "0"}, "concepts")
    assert [(one.stage, one.data, one.layers) for one in (first, second)] == [
        ("unembedding", "concepts", None),
        ("embedding", "wit", (0,)),
    ]
    (only,) = configs_of({"model": "m", "stage": "embedding"})
    assert only.stage == "embedding"


def test_a_triple_without_speech_asks_for_none_and_needs_no_synthesizer(monkeypatch: pytest.MonkeyPatch) -> None:
    def none() -> str:
        raise UsageError("there is no espeak-ng here")

    monkeypatch.setattr(probe_data, "synthesizer", none)
    monkeypatch.setattr(probe_data, "spoken", lambda text: none())
    found = load("mini", 3, audio=False)
    assert len(found.triples) == 3 and found.fingerprint["speech"] is None
    triple = found.triples[0]
    assert list(requests(triple, "embedding")) == ["vision", "text"]
    (whole,) = requests(triple, "unembedding").values()
    assert [media.kind for media in whole.media] == ["image"]


def test_a_model_without_ears_is_probed_without_speech(monkeypatch: pytest.MonkeyPatch) -> None:
    from dataclasses import replace

    from harness import registry

    factory = registry.get_model("vita15-tiny")

    def deaf(options: Any) -> Any:
        model = factory(options)
        model.capabilities = replace(model.capabilities, inputs=model.capabilities.inputs - {"audio"})
        return model

    monkeypatch.setattr(registry, "get_model", lambda name: deaf)
    config = make_config({"model": "vita15-tiny", "limit": 24, "k": 5})
    assert not prepare(config).audio
    with pytest.raises(UsageError, match="takes no audio; leave the flag out"):
        prepare(make_config({"model": "vita15-tiny", "limit": 24, "k": 5, "audio": True}))


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--concepts", "mini"], "goes with --table"),
        (["--table", "--stage", "embedding", "--concepts", "mini"], "data of stage unembedding"),
        (["--table", "--baseline", "somewhere"], "--baseline is a run of one stage"),
        (["--table", "--stage", "both"], "stage"),
        (["--table", "--layers", "9"], r"--layers 9: .*states 0"),
        (["--table", "--concepts", "no-such-folder"], "does not exist: .*no-such-folder"),
    ],
)
def test_bad_input_is_told_before_anything_is_written(words: list[str], said: str, tmp_path: Path) -> None:
    done = run_cli(*FEW, "--out", str(tmp_path / "run"), *words)
    assert isinstance(done.exception, UsageError), done.output
    with pytest.raises(UsageError, match=said):
        raise done.exception
    assert not (tmp_path / "run").exists()


def test_dry_run_shows_both_stages(tmp_path: Path) -> None:
    done = run_cli(*FEW, "--table", "--no-audio", "--dry-run", "--json")
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    assert list(found) == ["unembedding", "embedding"]
    assert all(plan["compared"] == ["vision-text"] and "audio" not in plan["first"] for plan in found.values())
