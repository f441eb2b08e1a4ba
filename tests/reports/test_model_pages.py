"""Pages of runs: scores, plots, configuration, and links to everything of the run."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import pytest

from reports.page import comparisons, models
from reports.page.site import write_site
from tests.reports.browser import Visit
from tests.reports.fake_run import entry, metric, write_run
from tests.reports.plots.some_runs import moments, points, speech, utterance, whole
from tests.reports.test_site import contents
from tests.reports.two_runs import HOSTILE, PICTURES, SHOWN, SPEECH, both, heard

WER = {"wer": metric(4.21, (3.9, 4.55))}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    return write_site([whole(folder, "one").path], folder / "out", plots=True).parent


def test_plots_are_shown_with_their_words_and_files(visit: Visit, site: Path) -> None:
    page = visit.go(site / "models/0.html")
    assert page.locator(".plots").count() == 4
    assert page.locator("h2").all_inner_texts() == [
        "Scores", "Tasks", "All tasks", "Sub-scores", "Errors of the utterances", "Latency", "How it was made",
    ]  # fmt: skip
    for image in page.locator(".plots img").all():
        image.scroll_into_view_if_needed()
    page.wait_for_function("() => [...document.images].every((i) => i.naturalWidth > 0)")
    assert page.locator(".plots img[alt^='Radar of 3 tasks']").count() == 1
    assert "mean of utterances" in page.locator("img[src*=errors]").get_attribute("alt")
    links = page.locator(".plots a").evaluate_all("(links) => links.map((a) => a.getAttribute('href'))")
    files = [site / "models" / link for link in links]
    assert all(file.is_file() for file in files) and len(set(links)) == 3 * page.locator(".plots img").count()
    assert {file.suffix for file in files} == {".svg", ".png", ".csv"}
    drawn = {path.resolve() for path in (site / "plots").rglob("*") if path.is_file()}
    assert drawn == {file.resolve() for file in files}, "nothing is drawn that no page shows"


def test_plots_hold_no_script_and_nothing_from_elsewhere(site: Path) -> None:
    for path in (site / "plots").rglob("*.svg"):
        for element in ElementTree.parse(path).iter():
            assert not element.tag.endswith("}script") and not any(name.startswith("on") for name in element.attrib)
            assert all(value.startswith("#") for name, value in element.attrib.items() if name.endswith("href")), (
                path.name
            )


def test_times_to_the_first_token_are_drawn_of_tasks_that_ask_one_at_a_time(tmp_path: Path) -> None:
    from reports.runs import load

    samples = [utterance(n, 0.0, 3.0, moments(0.1 * (n + 1))) for n in range(4)]
    task = {SPEECH: speech(0.0, 4)}
    batched, alone = (
        load(write_run(tmp_path / f"{most}", task, {SPEECH: samples}, described={SPEECH: {"max_batch": most}}))
        for most in (8, 1)
    )
    assert {plot.kind for plot in models.shown(alone)} - {plot.kind for plot in models.shown(batched)} == {"ecdf"}


def test_a_site_without_plots_has_none_and_the_same_run_gives_the_same_bytes(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run", {PICTURES: points(1900.0)})
    plain = contents(write_site([run], tmp_path / "plain").parent)
    assert not any(name.startswith("plots") for name in plain) and b"<img" not in plain["models/0.html"]
    first, second = (contents(write_site([run], tmp_path / name, plots=True).parent) for name in ("a", "b"))
    assert first == second and any(name.startswith("plots/0/") for name in first)


def test_two_runs_of_one_name_have_their_own_plots(tmp_path: Path) -> None:
    runs = [write_run(tmp_path / name / "run", {PICTURES: points(v)}) for name, v in (("a", 1900.0), ("b", 900.0))]
    site = write_site(runs, tmp_path / "site", plots=True).parent
    one, other = (next((site / "plots" / str(n)).glob("radar*.csv")).read_text() for n in range(2))
    assert "1900.0" in one and "900.0" in other and "1900.0" not in other


def test_a_runs_page_leads_to_its_tasks_and_comparisons(visit: Visit, tmp_path: Path) -> None:
    site = write_site(both(tmp_path), tmp_path / "site").parent
    page = visit.go(site / "models/1.html")
    links = page.locator("main a").evaluate_all("(links) => links.map((a) => a.getAttribute('href'))")
    for link in links:
        assert (site / "models" / link).is_file(), link
    assert {f"../tasks/1-{SPEECH}.html", f"../benchmarks/{SPEECH}.html", "../compare/0-1.html"} <= set(links)
    said = page.locator("dl").all_inner_texts()
    assert "batch_tokens" in said[0] and "16384" in said[0] and "vita15" in said[1] and "abc123" in said[2]
    page = visit.go(site / f"tasks/0-{SPEECH}.html")
    page.get_by_role("link", name="This run").click()
    assert page.locator("h1").inner_text() == "vita15 run-0"


def test_pairs_without_a_page_are_counted_on_a_runs_page(
    visit: Visit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(comparisons, "MOST", 1)
    runs = [write_run(tmp_path / f"{n}", {SPEECH: entry(WER)}, {SPEECH: [heard("a", 1)]}) for n in range(3)]
    site = write_site(runs, tmp_path / "site").parent
    assert [path.name for path in (site / "compare").iterdir()] == ["0-1.html"]
    page = visit.go(site / "models/2.html")
    assert (
        "2 more pairs of runs in this report can be compared; it has pages of the first 1."
        in page.locator("main").inner_text()
    )


def test_hostile_words_of_a_run_stay_text(visit: Visit, tmp_path: Path) -> None:
    result = entry(WER, problems=[f"invalid: {HOSTILE[2]}"], judges={"llm": HOSTILE[1]})
    run = write_run(tmp_path / "run", {"x": result}, model=HOSTILE[0], note=HOSTILE[3], data=HOSTILE[2])
    page = visit.go(write_site([run], tmp_path / "site").parent / "models/0.html")
    said = page.locator("main").inner_text()
    assert all(text in said for text in SHOWN)
    assert page.evaluate("window.hacked") is None and page.locator("main img, main b, main script").count() == 0
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
