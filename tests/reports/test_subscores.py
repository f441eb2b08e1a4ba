"""Sub-scores in the table and blind baselines on the page."""

from __future__ import annotations

from pathlib import Path

import msgspec

from harness.schema import GroupResult
from reports import blind, subscores
from reports.page.site import write_site
from reports.runs import load
from reports.tables import lines
from tests.reports.browser import Visit
from tests.reports.fake_run import entry, metric, numbers, write_run


def group(value: float, name: str = "accuracy") -> GroupResult:
    return GroupResult(4, {name: metric(value, headline=False)})


def test_a_line_a_tag_wrapped_and_cut_off() -> None:
    many = {f"kind {n}": group(float(n)) for n in range(50)}
    scores = numbers({"accuracy": metric(50.0), "mean": metric(40.0, headline=False)}, groups={"kind": many})
    told = list(subscores.lines(scores, 60))
    assert told[0] == "also: mean 40.00 %"
    assert told[1].startswith("by kind, %: kind 0 0.00, kind 1 1.00")
    assert told[-1].endswith("... 10 more in results.json") and "kind 40" not in " ".join(told)
    assert all(len(line) <= 60 for line in told)


def test_the_metric_is_named_where_it_is_not_the_tasks_own() -> None:
    scores = numbers({"total": metric(9.0)}, groups={"category": {"OCR": group(3.0, "acc_plus")}})
    assert list(subscores.lines(scores)) == ["by category acc_plus, %: OCR 3.00"]


def mme(value: float) -> dict[str, object]:
    return {"mmstar": entry({"accuracy": metric(value, (value - 5, value + 5), higher=True)}, "vlmevalkit")}


def runs(folder: Path, blanked_by: str = "vita15", ablate: str = "image") -> list[Path]:
    """A run with its pictures, and one of a model with them blanked."""
    takes = {"mmstar": {"inputs": ["text", "image"]}}
    seeing = write_run(folder / "seeing", mme(70.0), described=takes)
    return [seeing, write_run(folder / "blanked", mme(25.5), model=blanked_by, ablate=ablate, described=takes)]


def test_a_blind_run_stands_beside_the_run_that_it_belongs_to(tmp_path: Path) -> None:
    seeing, blanked = map(load, runs(tmp_path))
    (found,) = blind.beside(seeing, "mmstar", "accuracy", [seeing, blanked])
    assert (found.kind, found.gain) == ("image", "+44.50 points") and found.shown.startswith("25.50 %")
    assert blind.beside(blanked, "mmstar", "accuracy", [seeing, blanked]) == []


def test_other_weights_are_no_baseline(tmp_path: Path) -> None:
    seeing, blanked = map(load, runs(tmp_path, blanked_by="another"))
    assert blind.beside(seeing, "mmstar", "accuracy", [seeing, blanked]) == []


def test_a_task_that_does_not_take_the_blanked_input_has_no_baseline(tmp_path: Path) -> None:
    seeing, blanked = map(load, runs(tmp_path, ablate="video"))
    assert blind.beside(seeing, "mmstar", "accuracy", [seeing, blanked]) == []


def test_the_table_wraps_sub_scores_to_its_width(tmp_path: Path) -> None:
    kinds = {"kind": {f"kind {n}": group(float(n)) for n in range(30)}}
    scored = msgspec.structs.replace(
        entry({"accuracy": metric(50.0)}),
        scores={"main": {"": numbers({"accuracy": metric(50.0)}, groups=kinds)}},
        profile="main",
    )
    run = load(write_run(tmp_path / "r", {"mmstar": scored}))
    found = [line.text for line in lines(run, 50)]
    block = found[next(n for n, text in enumerate(found) if text.startswith("  by kind")) :]
    assert max(len(text) for text in block if "kind " in text) <= 50


def test_the_page_shows_the_baseline_and_not_as_a_score(visit: Visit, tmp_path: Path) -> None:
    index = write_site(runs(tmp_path), tmp_path / "site")
    page = visit.go(index)
    assert page.locator("table.sortable tbody tr").count() == 1, "the blind run is no row of its own"
    assert "blind 25.50 %" in page.locator("td.score").inner_text()
    assert "blanked" not in (index.parent / "data" / "leaderboard.json").read_text(), "nor one of the programs' rows"
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
