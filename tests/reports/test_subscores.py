"""Sub-scores in the table and blind baselines on the page."""

from __future__ import annotations

from pathlib import Path

from harness.schema import GroupResult
from reports import blind, subscores
from reports.page.site import write_site
from reports.runs import load
from tests.reports.browser import Visit
from tests.reports.fake_run import entry, metric, numbers, write_run


def group(value: float, name: str = "accuracy") -> GroupResult:
    return GroupResult(4, {name: metric(value, headline=False)})


def test_a_line_a_tag_wrapped_and_cut_off() -> None:
    many = {f"kind {n}": group(float(n)) for n in range(50)}
    scores = numbers({"accuracy": metric(50.0), "mean": metric(40.0, headline=False)}, groups={"kind": many})
    lines = list(subscores.lines(scores, 60))
    assert lines[0] == "also: mean 40.00 %"
    assert lines[1].startswith("by kind, %: kind 0 0.00, kind 1 1.00")
    assert lines[-1].endswith("... 10 more in results.json") and "kind 40" not in " ".join(lines)
    assert all(len(line) <= 60 for line in lines)


def test_the_metric_is_named_where_it_is_not_the_tasks_own() -> None:
    scores = numbers({"total": metric(9.0)}, groups={"category": {"OCR": group(3.0, "acc_plus")}})
    assert list(subscores.lines(scores)) == ["by category acc_plus, %: OCR 3.00"]


def mme(value: float) -> dict[str, object]:
    return {"mmstar": entry({"accuracy": metric(value, (value - 5, value + 5), higher=True)}, "vlmevalkit")}


def runs(folder: Path, blanked_by: str = "vita15") -> list[Path]:
    """A run with its pictures, and one of a model with them blanked."""
    seeing = write_run(folder / "seeing", mme(70.0))
    return [seeing, write_run(folder / "blanked", mme(25.5), model=blanked_by, ablate="image")]


def test_a_blind_run_stands_beside_the_run_that_it_belongs_to(tmp_path: Path) -> None:
    seeing, blanked = map(load, runs(tmp_path))
    (found,) = blind.beside(seeing, "mmstar", "accuracy", [seeing, blanked])
    assert (found.kind, found.gain) == ("image", "+44.50 %") and found.shown.startswith("25.50 %")
    assert blind.beside(blanked, "mmstar", "accuracy", [seeing, blanked]) == []


def test_other_weights_are_no_baseline(tmp_path: Path) -> None:
    seeing, blanked = map(load, runs(tmp_path, blanked_by="another"))
    assert blind.beside(seeing, "mmstar", "accuracy", [seeing, blanked]) == []


def test_the_page_shows_the_baseline_and_not_as_a_score(visit: Visit, tmp_path: Path) -> None:
    index = write_site(runs(tmp_path), tmp_path / "site")
    page = visit.go(index)
    assert page.locator("table.sortable tbody tr").count() == 1, "the blind run is no row of its own"
    assert "blind 25.50 %" in page.locator("td.score").inner_text()
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
