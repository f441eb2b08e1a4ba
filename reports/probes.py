"""A probe run as a table and as a page: table 7 of the NEXUS-O paper, with the chance level below every value.

Columns stand in the paper's order. Values are cut or rounded to 5 decimals as the profile says; a value that is
not defined is an en dash, and its reason is told.
"""

from __future__ import annotations

import base64
import io
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TextIO

from harness.probe_schema import read_manifest, read_results
from harness.texts import printable
from reports import probe_figures
from reports.page.render import render
from reports.plots.plot import Plot, as_csv
from reports.probe_figures import AVERAGE, VARIANTS, conditions

MISSING = "–"
_SHORT = {
    "cycle_knn": "cycle knn",
    "mutual_knn": "mutual knn",
    "lcs_knn": "lcs knn",
    "edit_distance_knn": "edit knn",
}
ALPHA = 0.05

Results = Mapping[str, Any]


def load(run_dir: Path) -> dict[str, Any]:
    """The results of a probe run. Raises UsageError naming file and field at fault."""
    return read_results(run_dir)


def write_figures(run_dir: Path) -> list[Plot]:
    """Draw the figures of a run and write its table as `figures/table.csv`."""
    results = load(run_dir)
    figures = probe_figures.write_figures(run_dir, results)
    (run_dir / "figures" / "table.csv").write_text(as_csv(list(table(results))), encoding="utf-8")
    return figures


def table(results: Results) -> Iterator[dict[str, str]]:
    """Rows of the table, the headline variant first: each value's row, its interval, and its chance level."""
    ordered = sorted(results["scores"], key=lambda entry: not entry["headline"])
    for entry in ordered:
        name = {
            "representation": _named(entry),
            "variant": VARIANTS[entry["variant"]],
        }
        cells = {metric: entry["metrics"][metric] for metric in results["metrics"]}
        average = entry["average"]
        value = {_column(metric): cell["printed"] or MISSING for metric, cell in cells.items()}
        interval = {_column(metric): _interval(cell["ci"]) for metric, cell in cells.items()}
        chance = {
            _column(metric): _decimals(cell["chance"] and cell["chance"]["mean"]) for metric, cell in cells.items()
        }
        yield {**name, "row": "value", **value, AVERAGE: _decimals(average["value"])}
        yield {**name, "row": "95 % interval", **interval, AVERAGE: MISSING}
        yield {**name, "row": "chance", **chance, AVERAGE: _decimals(average["chance"])}


def reasons(results: Results) -> list[str]:
    """Why values or intervals are missing, each reason once."""
    found = {
        f"{_named(entry)}, {_column(metric)}: {reason}": None
        for entry in results["scores"]
        for metric, cell in entry["metrics"].items()
        if (reason := cell["reason"])
    }
    return list(found)


def best_pairs(results: Results) -> list[dict[str, str]]:
    """The best pair of layers of each metric, with the chance level of a best pair."""
    return [
        {
            "representation": grid["comparison"],
            "variant": VARIANTS[grid["variant"]],
            "metric": _column(metric),
            "best": found["best"]["printed"] if found["best"] else MISSING,
            "layer": str(found["best"]["layer"]) if found["best"] else MISSING,
            "text layer": str(found["best"]["text_layer"]) if found["best"] else MISSING,
            "chance of the best": _decimals(found["best_chance"]),
        }
        for grid in sorted(results["grids"], key=lambda grid: not grid["headline"])
        for metric, found in grid["metrics"].items()
    ]


def paired_rows(tests: Sequence[Mapping[str, Any]]) -> list[dict[str, str]]:
    """Paired tests as rows; "significant" after Holm's correction at 5 %."""
    return [
        {
            "representation": _named(test),
            "against": test["against"],
            "metric": _column(test["metric"]),
            "difference": f"{test['difference']:+.5f}",
            "standard error": _decimals(test["standard_error"]),
            "p (Holm)": f"{test['p_holm']:.4f}",
            "significant": "yes" if test["p_holm"] < ALPHA else "no",
        }
        for test in tests
    ]


def print_table(run_dir: Path, stream: TextIO | None = None) -> None:
    """Print the headline variant: values and chance levels; the page and table.csv hold the rest."""
    results = load(run_dir)
    said = io.StringIO()
    _write_table(results, said)
    print(printable(said.getvalue()), end="", file=stream or sys.stdout)


def _write_table(results: Results, out: TextIO) -> None:
    print(f"{results['model']['name']}, {results['stage']} stage", file=out)
    shown = [
        row
        for row in table(results)
        if row["variant"] == VARIANTS[results["variant"]] and row["row"] in ("value", "chance")
    ]
    columns = [name for name in shown[0] if name not in ("row", "variant")]
    if all(row[AVERAGE] == MISSING for row in shown):  # a metric is left out, or undefined everywhere
        columns.remove(AVERAGE)
    lines = [columns] + [[_label(row) if name == "representation" else row[name] for name in columns] for row in shown]
    widths = [max(len(line[i]) for line in lines) for i in range(len(columns))]
    for line in lines:
        first, *rest = (
            cell.ljust(w) if i == 0 else cell.rjust(w) for i, (cell, w) in enumerate(zip(line, widths, strict=True))
        )
        print("  ".join([first, *rest]).rstrip(), file=out)
    for row in best_pairs(results):
        if row["variant"] == VARIANTS[results["variant"]]:
            print(
                f"best {row['representation']} {row['metric']}: {row['best']} at layer {row['layer']}, text layer "
                f"{row['text layer']} (chance of the best {row['chance of the best']})",
                file=out,
            )
    if gains := paired_rows(results["audio_gain"]):
        _write_gains(gains, out)
    if against := results["against_baseline"]:
        print(f"against {against['model']} ({against['run']}):", file=out)
        for row in paired_rows(against["tests"]):
            print(
                f"  {row['representation']} {row['metric']}: {row['difference']}, p (Holm) {row['p (Holm)']}", file=out
            )
    for reason in reasons(results):
        print(f"– {reason}", file=out)
    print(f"! {conditions(results)}", file=out)


def _write_gains(gains: Sequence[Mapping[str, str]], out: TextIO) -> None:
    better = sum(row["significant"] == "yes" and row["difference"].startswith("+") for row in gains)
    worse = sum(row["significant"] == "yes" and row["difference"].startswith("-") for row in gains)
    print(
        f"vision+audio against vision: better in {better}, worse in {worse} of {len(gains)} paired tests (Holm, 5 %)",
        file=out,
    )


def write_probe_page(run_dir: Path, out: Path, nav: Sequence[tuple[str, str]] = ()) -> Path:
    """Write one self-contained page of a probe run: figures, tables, tests, and how they were made.

    `nav` are the pages of the site that it belongs to.
    """
    results = load(run_dir)
    manifest = read_manifest(run_dir)
    figures = probe_figures.figures_of(results)
    if not all(_svg(run_dir, figure).is_file() for figure in figures):
        write_figures(run_dir)
    against = results["against_baseline"]
    tables = [
        ("Best pair of layers", best_pairs(results)),
        ("Does audio help? vision+audio against vision, paired", paired_rows(results["audio_gain"])),
        (
            f"Against {against['model']} ({against['run']}), paired" if against else "",
            paired_rows(against["tests"]) if against else [],
        ),
        ("Left out", [{"sample": row["id"], "reason": row["failure"]["message"]} for row in results["left_out"]]),
    ]
    made = {
        "stage": results["stage"],
        "data": manifest.get("data"),
        "weights": manifest["model"].get("fingerprint"),
        "device": manifest.get("device"),
        "dtype": manifest.get("dtype"),
        "options": manifest.get("config"),
        "harness": manifest.get("harness"),
        "versions": manifest.get("versions"),
        "created": manifest.get("created"),
    }
    page = render(
        "probe.html",
        nav=nav,
        title=f"{results['model']['name']}: {results['stage']} alignment",
        run=run_dir.resolve().name,
        conditions=conditions(results),
        finished=(run_dir / "finished.json").is_file(),
        valid=results["valid"],
        figures=[(figure, _as_image(_svg(run_dir, figure))) for figure in figures],
        scores=list(table(results)),
        reasons=reasons(results),
        tables=[(title, rows) for title, rows in tables if rows],
        made=[(name, _told(value)) for name, value in made.items()],
    )
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(page, encoding="utf-8")
    return out


def _named(entry: Mapping[str, Any]) -> str:
    return entry["comparison"] if entry["layer"] is None else f"{entry['comparison']}, layer {entry['layer']}"


def _label(row: Mapping[str, str]) -> str:
    return row["representation"] if row["row"] == "value" else "  chance"


def _column(metric: str) -> str:
    return _SHORT.get(metric, metric)


def _decimals(value: float | None) -> str:
    return MISSING if value is None else f"{value:.5f}"


def _interval(ci: Sequence[float] | None) -> str:
    return MISSING if ci is None else f"{ci[0]:.4f} to {ci[1]:.4f}"


def _svg(run_dir: Path, figure: Plot) -> Path:
    return run_dir / "figures" / f"{figure.name}.svg"


def _as_image(path: Path) -> str:
    return "data:image/svg+xml;base64," + base64.b64encode(path.read_bytes()).decode()


def _told(value: Any) -> str:
    if isinstance(value, Mapping):
        return "\n".join(f"{key}: {inner}" for key, inner in value.items())
    return MISSING if value is None else str(value)
