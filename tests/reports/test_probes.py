"""Tables, figures and pages of probe runs."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from harness.failures import UsageError
from reports.page.site import write_site
from reports.probe_figures import figures_of
from reports.probes import load, print_table, table, write_figures, write_probe_page

METRICS = ["cycle_knn", "mutual_knn", "lcs_knn", "cka", "cknna", "svcca", "edit_distance_knn"]


FEW = ["cka", "svcca"]
"""Where figures are drawn: each takes its time."""


def entry(comparison: str, layer: int | None, variant: str, level: float, names: list[str]) -> dict[str, Any]:
    metrics: dict[str, Any] = {
        metric: {
            "value": level,
            "printed": f"{level:.5f}",
            "ci": [level - 0.1, level + 0.1],
            "chance": {"mean": 0.05, "sd": 0.01},
            "reason": None,
        }
        for metric in names
    }
    if layer == 0:
        metrics["svcca"] = {
            "value": None,
            "printed": None,
            "ci": None,
            "chance": None,
            "reason": "too <few> directions",
        }
    return {
        "comparison": comparison,
        "layer": layer,
        "variant": variant,
        "headline": variant == "l2",
        "n": 60,
        "k": 10,
        "distinct_rows": [60, 60],
        "metrics": metrics,
        "average": {"value": None if layer == 0 else level, "chance": 0.05},
    }


def results(model: str = "toy", names: list[str] = METRICS) -> dict[str, Any]:
    sides = ("vision-text", "vision+audio-text")
    grid = {
        "grid": [[0.1, None], [0.2, 0.3]],
        "best": {"value": 0.3, "printed": "0.30000", "layer": 1, "text_layer": 1},
        "best_chance": 0.1,
    }
    return {
        "format": 1,
        "kind": "probe",
        "model": {"name": model, "note": "random weights"},
        "data": "mini",
        "stage": "embedding",
        "profile": "platonic",
        "k": 10,
        "k_of_profile": 10,
        "variant": "l2",
        "clamp": 0.95,
        "fuse": None,
        "metrics": names,
        "n": 60,
        "n_expected": 61,
        "n_failed": 1,
        "valid": False,
        "left_out": [{"id": "bad", "failure": {"stage": "load", "kind": "permanent", "message": "a <broken> row"}}],
        "scores": [
            entry(side, layer, variant, 0.2 + 0.1 * layer, names)
            for variant in ("raw", "l2")
            for side in sides
            for layer in (0, 1)
        ],
        "grids": [
            {"comparison": side, "variant": "l2", "headline": True, "n": 60, "k": 10, "layers": [0, 1],
             "metrics": dict.fromkeys(names, grid)}
            for side in sides
        ],
        "audio_gain": [
            {"comparison": "vision+audio-text", "against": "vision-text", "layer": 1, "variant": "l2", "metric": "cka",
             "difference": 0.1, "standard_error": 0.01, "p": 0.001, "p_holm": 0.002}
        ],
        "against_baseline": None,
        "tasks": {},
    }  # fmt: skip


@pytest.fixture
def run(tmp_path: Path) -> Path:
    folder = tmp_path / "20260101T000000Z-probe-toy-00000000"
    folder.mkdir()
    manifest = {
        "format": 1,
        "kind": "probe",
        "created": "2026-01-01T00:00:00+00:00",
        "config": {"seed": 0},
        "model": {"name": "toy", "note": "", "fingerprint": {"sha": "<b>"}},
        "tasks": {},
        "data": {"source": "mini"},
    }
    (folder / "manifest.json").write_text(json.dumps(manifest))
    (folder / "results.json").write_text(json.dumps(results()))
    return folder


@pytest.fixture
def small(run: Path) -> Path:
    """The same with few metrics."""
    (run / "results.json").write_text(json.dumps(results(names=FEW)))
    return run


def test_every_value_has_its_chance_level_below_it(run: Path) -> None:
    rows = list(table(load(run)))
    assert [row["row"] for row in rows] == ["value", "95 % interval", "chance"] * 8
    assert list(rows[0])[3:10] == ["cycle knn", "mutual knn", "lcs knn", "cka", "cknna", "svcca", "edit knn"]
    assert [row["variant"] for row in rows[:12]] == ["unit rows"] * 12, "the profile's variant comes first"
    assert rows[0]["svcca"] == rows[2]["svcca"] == "–"
    assert (rows[3]["cka"], rows[4]["cka"], rows[5]["cka"]) == ("0.30000", "0.2000 to 0.4000", "0.05000")


def test_the_printed_table_says_how_it_was_made(run: Path) -> None:
    out = io.StringIO()
    print_table(run, out)
    said = out.getvalue()
    for expected in (
        "n = 60 of 61, k = 10, profile platonic (unit rows, clamped at q 0.95)",
        "random weights; mini world, not a benchmark number; invalid: 1 samples left out",
        "vision-text, layer 0, svcca: too <few> directions",
        "best vision-text cka: 0.30000 at layer 1, text layer 1 (chance of the best 0.10000)",
        "better in 1, worse in 0 of 1 paired tests",
    ):
        assert expected in said


def test_figures_are_the_same_bytes_again_and_hold_their_numbers(small: Path) -> None:
    run = small
    write_figures(run)
    first = {path.name: path.read_bytes() for path in (run / "figures").iterdir()}
    write_figures(run)
    assert {path.name: path.read_bytes() for path in (run / "figures").iterdir()} == first
    names = {figure.name for figure in figures_of(load(run))}
    assert names == {"curves", "bars", "vision_audio", "heatmap-vision-text", "heatmap-vision_audio-text"}
    assert first.keys() == {f"{name}.{kind}" for name in names for kind in ("svg", "png", "csv")} | {"table.csv"}
    rows = list(csv.DictReader(first["curves.csv"].decode().splitlines()))
    assert len(rows) == 4 * (len(FEW) + 1), "each layer of both sides has the metrics and their mean"
    assert [row["value"] for row in rows if row["metric"] == "mean of 7"] == ["", "0.30000000000000004"] * 2
    assert {row["chance"] for row in rows if row["value"]} == {"0.05"}
    cells = list(csv.DictReader(first["heatmap-vision-text.csv"].decode().splitlines()))
    assert [row["value"] for row in cells[:4]] == ["0.1", "", "0.2", "0.3"]


def test_heatmaps_go_from_0_to_1_and_figures_name_their_conditions(small: Path) -> None:
    from matplotlib import pyplot as plt

    for figure in figures_of(load(small)):
        drawn = figure.draw()
        below = drawn.get_supxlabel()
        for expected in ("n = 60", "k = 10", "profile platonic", "random weights", "mini world"):
            assert expected in below
        marks = below + "".join(ax.get_title() for ax in drawn.axes)
        assert "chance" in marks
        if figure.name.startswith("heatmap"):
            limits = {image.get_clim() for ax in drawn.axes for image in ax.images}
            assert limits == {(0.0, 1.0)}
        plt.close(drawn)


def test_the_page_escapes_everything(run: Path, tmp_path: Path) -> None:
    (run / "results.json").write_text(json.dumps(results("<script>alert(1)</script>", FEW)))
    page = write_probe_page(run, tmp_path / "out" / "page.html").read_text(encoding="utf-8")
    assert "<script" not in page
    assert "a &lt;broken&gt; row" in page
    assert "too &lt;few&gt; directions" in page
    assert page.count("data:image/svg+xml;base64,") == 5
    assert "This run is incomplete." in page


def test_reports_show_probe_runs(small: Path, tmp_path: Path) -> None:
    index = write_site([small], tmp_path / "site").read_text(encoding="utf-8")
    assert 'href="probes/0.html"' in index
    assert "mini world" in index
    assert (tmp_path / "site" / "probes" / "0.html").is_file()


def test_other_folders_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="has no results"):
        load(tmp_path)
    (tmp_path / "results.json").write_text('{"format": 1}')
    with pytest.raises(UsageError, match="missing required field `kind`"):
        load(tmp_path)


def edits(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Paths to everything in a JSON value, of lists to their first entry."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield (*path, key)
            yield from edits(inner, (*path, key))
    elif isinstance(value, list) and value:
        yield from edits(value[0], (*path, 0))


@pytest.mark.parametrize("change", ["gone", "text", "list"])
def test_an_edited_file_is_one_message_or_is_shown(small: Path, change: str) -> None:
    content = json.loads((small / "results.json").read_text())
    refused = 0
    for path in edits(content):
        edited = json.loads(json.dumps(content))
        *above, last = path
        place = edited
        for key in above:
            place = place[key]
        if change == "gone":
            del place[last]
        else:
            place[last] = "x" if change == "text" else [7]
        (small / "results.json").write_text(json.dumps(edited))
        try:
            print_table(small, io.StringIO())
        except UsageError as error:
            assert "results.json" in str(error) and "edited" in str(error)
            refused += 1
    assert refused > 60


def test_control_characters_do_not_reach_the_terminal(small: Path) -> None:
    (small / "results.json").write_text(json.dumps(results("toy\x1b[2J\x07", FEW)))
    out = io.StringIO()
    print_table(small, out)
    assert "\x1b" not in out.getvalue() and "\x07" not in out.getvalue() and "toy" in out.getvalue()


def test_each_figure_says_its_main_number_in_a_sentence(small: Path) -> None:
    said = {figure.name: figure.alt for figure in figures_of(load(small))}
    assert said["curves"] == (
        "Curves of the alignment with the text by layer of toy: "
        "highest cka vision-text 0.300 at layer 1 (chance 0.050), vision+audio-text 0.300 at layer 1 (chance 0.050)."
    )
    assert said["heatmap-vision-text"].endswith("best cka 0.300 at layer 1, text layer 1.")
    assert said["vision_audio"].endswith(
        "highest mean vision-text 0.300 at layer 1, vision+audio-text 0.300 at layer 1."
    )
