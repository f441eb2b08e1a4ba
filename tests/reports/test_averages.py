"""VITA-1.5's average of nine benchmarks, against every row of the paper's table 2."""

from __future__ import annotations

import json
from collections import defaultdict
from importlib.resources import files
from pathlib import Path

import pytest
from click.testing import CliRunner

from harness.cli import command
from reports.averages import TABLE_2, table2
from tests.reports.fake_run import entry, metric, write_run

COLUMNS = {
    "MMBench": "mmbench_en",
    "MMStar": "mmstar",
    "MMMU": "mmmu",
    "MathVista": "mathvista",
    "HallusionBench": "hallusionbench",
    "AI2D": "ai2d",
    "OCRBench": "ocrbench",
    "MM-Vet": "mmvet",
    "MME": "mme",
}


def printed() -> list[tuple[dict[str, float], float]]:
    cells = json.loads(files("reports.published").joinpath("published.json").read_bytes())
    rows: dict[tuple[str, str], dict[str, float]] = defaultdict(dict)
    for cell in cells:
        if cell["source"].startswith("VITA-1.5") and cell["table"] == "Table 2" and cell["value"] is not None:
            rows[cell["model"], cell["llm"] or ""][COLUMNS.get(cell["benchmark"], "average")] = cell["value"]
    return [({task: row[task] for task in TABLE_2}, row["average"]) for row in rows.values()]


def test_the_printed_column_is_reproduced() -> None:
    rows = printed()
    errors = [abs(table2(values).as_printed - average) for values, average in rows]
    assert len(rows) == 17
    assert max(errors) < 0.082
    assert sum(round(table2(values).as_printed, 1) == average for values, average in rows) == 14


def test_the_sane_form_is_lower_and_a_mean_of_percentages() -> None:
    for values, _ in printed():
        found = table2(values)
        assert 1.1 < found.as_printed - found.sane < 1.8
    best = {task: 100 * divisor for task, (_, divisor) in TABLE_2.items()}
    assert table2(best).sane == pytest.approx(100)


def test_a_missing_benchmark_is_no_average() -> None:
    with pytest.raises(KeyError):
        table2({"mme": 2000.0})


def shown(path: Path, left_out: int) -> dict[str, object]:
    """What `show --json` says of a run of the nine, some of them left out."""
    every = list(TABLE_2.items())[left_out:]
    run = write_run(path, {task: entry({name: metric(50.0 * by)}) for task, (name, by) in every})
    return dict(json.loads(CliRunner().invoke(command(), ["show", str(run), "--json"]).stdout))


def test_show_gives_both_forms_to_programs(tmp_path: Path) -> None:
    averages = shown(tmp_path / "nine", 0)["averages"]
    assert isinstance(averages, dict)
    assert averages["table2_avg"] == pytest.approx(50)
    assert averages["table2_avg_as_printed"] == pytest.approx((400 + 1400 / 23.74) / 9)
    assert "averages" not in shown(tmp_path / "eight", 1)
