"""The leaderboard in Chromium: sort, filter, tabs, profiles, addresses that hold a view, and every screen's width."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from benchmarks.site import make_runs
from reports.page.site import write_site
from tests.reports.axe import faults
from tests.reports.browser import Visit, patient
from tests.reports.fake_run import HOSTILE, entry, metric, rich_run, write_run
from tests.reports.test_probes import run

__all__ = ["run"]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three models, 15 tasks, and a run that is no benchmark number."""
    folder = tmp_path_factory.mktemp("board")
    return write_site([*make_runs(folder, 3, 2), rich_run(folder)], folder / "out").parent


@pytest.fixture
def desk(browser: Any) -> Iterator[Visit]:
    """The same as `visit`, on a desk's screen."""
    context = patient(browser, viewport={"width": 1280, "height": 900})
    found = Visit(context.new_page())
    yield found
    context.close()
    assert found.complaints == [] and all(url.startswith(("file:", "data:")) for url in found.requests)


def at(visit: Visit, site: Path, view: str = "") -> Any:
    """The index in a view; a page that is shown already would only scroll."""
    visit.page.goto("about:blank")
    visit.requests.clear()
    visit.page.goto((site / "index.html").as_uri() + view)
    return visit.page


def shown(page: Any) -> list[str]:
    """The models in the order in which they stand, of the tab that is open."""
    rows = page.locator(".panel:visible table.board tr[data-n]:visible .model")
    return [str(text) for text in rows.all_inner_texts()]


def column(page: Any, key: str) -> list[str]:
    return [
        str(t) for t in page.locator(f".panel:visible tbody.official td[data-cell$='|{key}'] .value").all_inner_texts()
    ]


def test_the_first_click_sorts_best_first_and_the_second_worst_first(desk: Visit, site: Path) -> None:
    page = at(desk, site, "#group=asr")
    heading = page.locator(".panel:visible th[data-key='aishell1.cer']")
    heading.get_by_role("button").click()
    values = [float(text) for text in column(page, "aishell1.cer")]
    assert len(values) == 3 and values == sorted(values) and values[0] < values[-1]
    assert heading.get_attribute("aria-sort") == "ascending"
    heading.get_by_role("button").click()
    assert [float(text) for text in column(page, "aishell1.cer")] == values[::-1]
    assert heading.get_attribute("aria-sort") == "descending"
    assert page.locator(".panel:visible th[aria-sort]").count() == 1
    page = at(desk, site, "#group=image")
    page.locator(".panel:visible th[data-key='mme.total']").get_by_role("button").click()
    points = [float(text) for text in column(page, "mme.total")]
    assert points == sorted(points, reverse=True)


def test_a_missing_number_is_last_both_ways(desk: Visit, tmp_path: Path) -> None:
    def one(name: str, value: float | None) -> Path:
        return write_run(tmp_path / name, {"mmstar": entry({"accuracy": metric(value, higher=True)})}, model=name)

    site = write_site([one("none", None), one("low", 1.0), one("high", 2.0)], tmp_path / "site").parent
    for view, order in (("", ["high", "low", "none"]), ("&dir=worst", ["low", "high", "none"])):
        page = at(desk, site, "#group=image&sort=mmstar.accuracy" + view)
        assert shown(page) == order
    missing = page.locator("td[data-cell='0|mmstar.accuracy']")
    assert missing.inner_text().strip() == "–"


def test_text_and_kind_filter_the_rows(desk: Visit, site: Path) -> None:
    page = at(desk, site)
    assert len(shown(page)) == 4
    page.fill("#q", "MODEL-1")
    assert shown(page) == ["model-1"] and "1 of 4 runs" in page.locator("#said").inner_text()
    page.fill("#q", "")
    page.select_option("#kind", "official")
    assert len(shown(page)) == 3 and not page.locator(".panel:visible .split").is_visible()
    page.select_option("#kind", "mini")
    assert shown(page) == ["vita15"] and page.locator(".panel:visible .split").is_visible()


def test_an_address_holds_the_view(desk: Visit, site: Path) -> None:
    page = at(desk, site)
    page.get_by_role("tab", name="ASR").click()
    page.fill("#q", "model")
    page.select_option("#sort", "aishell1.cer")
    page.locator("#chooser summary").click()
    page.get_by_role("checkbox", name="fleurs zh cer").uncheck()
    assert not page.locator(".panel:visible th[data-key='fleurs_zh.cer']").is_visible()
    order, address = shown(page), page.url
    page = at(desk, site, "#" + address.partition("#")[2])
    assert shown(page) == order and page.input_value("#q") == "model"
    assert page.get_by_role("tab", name="ASR").get_attribute("aria-selected") == "true"
    assert not page.locator(".panel:visible th[data-key='fleurs_zh.cer']").is_visible()
    assert page.locator(".panel:visible td[data-cell$='|fleurs_zh.cer']:visible").count() == 0
    page = at(desk, site, "#group=nowhere&sort=nothing&kind=odd&profile=none&q=")
    assert len(shown(page)) == 4 and page.get_by_role("tab", name="Overview").get_attribute("aria-selected") == "true"


def test_another_profile_shows_its_numbers_and_marks_the_others(desk: Visit, site: Path) -> None:
    page = at(desk, site, "#group=asr")
    before = column(page, "aishell1.cer")
    page.select_option("#profile", "loose")
    after = column(page, "aishell1.cer")
    assert [round(float(a) * 1.01, 2) for a in before] == pytest.approx([float(b) for b in after], abs=0.011)
    other = page.locator("tbody.unranked td[data-cell$='|librispeech_test_clean.wer']:visible")
    assert "kept" in (other.get_attribute("class") or "") and "still qwen2" in other.inner_text()
    page.select_option("#profile", "")
    assert column(page, "aishell1.cer") == before and page.locator(".kept").count() == 0


def test_tabs_go_by_keyboard(desk: Visit, site: Path) -> None:
    page = at(desk, site)
    page.get_by_role("tab", name="Overview").focus()
    page.keyboard.press("ArrowRight")
    assert page.evaluate("document.activeElement.textContent") == "ASR"
    assert page.get_by_role("tabpanel").get_attribute("id") == "group-asr"
    page.keyboard.press("End")
    assert page.get_by_role("tabpanel").get_attribute("id") == "group-every"
    page.keyboard.press("ArrowRight")
    assert page.get_by_role("tabpanel").get_attribute("id") == "group-all"
    assert page.locator("[role=tab][tabindex='0']").count() == 1


def test_best_and_tied_and_the_papers_value_stand_in_a_cell(desk: Visit, site: Path) -> None:
    page = at(desk, site, "#group=asr")
    best = page.locator(".panel:visible td.best[data-cell$='|aishell1.cer']")
    assert best.count() == 1
    assert float(best.locator(".value").evaluate("(v) => getComputedStyle(v).fontWeight")) >= 700
    assert page.locator(".panel:visible tbody.unranked td.best, .panel:visible tbody.unranked td.tied").count() == 0
    theirs = page.locator(".panel:visible td[data-cell='0|wenetspeech_net.cer']")
    assert "paper 8.4 (" in theirs.inner_text()
    theirs.get_by_role("link", name="note 1").click()
    assert "test net" in page.locator("#note-1").inner_text()


@pytest.mark.parametrize("width", [390, 1280, 1400])
@pytest.mark.parametrize("group", ["all", "asr", "image", "latency", "every"])
def test_no_width_cuts_a_table_or_scrolls_the_page(visit: Visit, site: Path, width: int, group: str) -> None:
    visit.page.set_viewport_size({"width": width, "height": 900})
    page = at(visit, site, f"#group={group}")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    region = page.locator(".panel:visible .wide")
    if width >= 1280:
        assert region.evaluate("(w) => w.scrollWidth <= w.clientWidth"), "a column is cut off"
        assert region.bounding_box()["y"] < 330, "the table begins below the first screen"
    cut = region.evaluate(
        """(w) => [...w.querySelectorAll('td, th')]
            .filter((c) => c.scrollWidth > c.clientWidth + 1).map((c) => c.textContent)"""
    )
    assert group == "every" or cut == []


def test_a_table_that_is_too_wide_scrolls_in_itself_and_keeps_the_models(desk: Visit, tmp_path: Path) -> None:
    names = [f"some_long_task_{i}" for i in range(30)]
    run = write_run(tmp_path / "run", {name: entry({"wer": metric(4.0, (3.0, 5.0))}) for name in names})
    page = at(desk, write_site([run], tmp_path / "site").parent)
    region = page.locator(".panel:visible .wide")
    assert region.evaluate("(w) => w.scrollWidth > w.clientWidth")
    before = page.locator(".panel:visible .who").bounding_box()
    region.evaluate("(w) => w.scrollBy(600, 0)")
    assert page.locator(".panel:visible .who").bounding_box() == before
    assert page.evaluate("document.documentElement.scrollWidth") <= 1280


def test_no_number_of_such_a_run_stands_without_its_mark(desk: Visit, site: Path) -> None:
    page = at(desk, site, "#group=every")
    rows = page.locator(".panel:visible tbody tr")
    marked = rows.filter(has_text="not a benchmark number")
    assert (rows.count(), marked.count()) == (48, 3)
    assert (
        "NOT A BENCHMARK NUMBER: 1 of 4 runs, not ranked (random weights; mini world"
        in page.locator(".caveats summary").inner_text()
    )


def test_without_a_script_every_group_is_there(browser: Any, site: Path) -> None:
    context = patient(browser, java_script_enabled=False, viewport={"width": 1280, "height": 900})
    page = context.new_page()
    page.goto((site / "index.html").as_uri())
    assert page.locator(".panel").count() == page.locator(".panel:visible").count() == 9
    assert not page.locator("#controls").is_visible()
    context.close()


def test_hostile_names_of_models_are_text(desk: Visit, tmp_path: Path) -> None:
    run = write_run(tmp_path / "run", {"mmstar": entry({"accuracy": metric(1.0)})}, model=HOSTILE, note=HOSTILE)
    site = write_site([run], tmp_path / "site").parent
    for page_name in ("index.html", "failures.html", "efficiency.html"):
        page = desk.go(site / page_name)
        assert page.evaluate("window.hacked") is None and page.locator("img, b").count() == 0
    page = at(desk, site, "#group=all")
    assert shown(page) == [HOSTILE]


def test_failures_lead_to_their_samples(visit: Visit, site: Path) -> None:
    page = visit.go(site / "failures.html")
    row = page.locator(".failures tbody tr")
    assert row.inner_text().split("\t")[:5] == ["librispeech_test_clean", "generate", "limit", "out of memory", "1"]
    row.get_by_role("link", name="utt-2").click()
    page.wait_for_function("() => document.querySelector('.sample.current h3')?.textContent === 'utt-2'")
    assert page.get_by_role("link", name="Failures").get_attribute("href") == "../failures.html"


def test_an_address_opens_a_sample_on_a_later_page(visit: Visit, site: Path) -> None:
    page = visit.page
    page.goto((site / "tasks/3-librispeech_test_clean.html").as_uri() + "#id=more-057")
    page.wait_for_function("() => document.querySelector('.sample.current h3')?.textContent === 'more-057'")
    page.evaluate("location.hash = '#id=utt-1'")
    page.wait_for_function("() => document.querySelector('.sample.current h3')?.textContent === 'utt-1'")


def test_axe_sees_a_fault_where_there_is_one(desk: Visit, site: Path) -> None:
    page = at(desk, site)
    page.evaluate("document.body.append(Object.assign(document.createElement('input'), {type: 'text'}))")
    assert any(told.startswith("label") for told in faults(page))


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_serious_fault_on_any_kind_of_page(browser: Any, site: Path, run: Path, scheme: str) -> None:
    probe = write_site([run], run.parent / f"site-{scheme}").parent / "probes/0.html"
    task = site / "tasks/3-librispeech_test_clean.html"
    context = patient(browser, color_scheme=scheme, viewport={"width": 1280, "height": 900})
    found = {}
    for path in (*(site / name for name in ("index.html", "efficiency.html", "failures.html")), task, probe):
        page = context.new_page()
        Visit(page).go(path)
        found[path.name] = faults(page)
        if path.name == "index.html":
            for group in ("ASR", "Every number"):
                page.get_by_role("tab", name=group).click()
                found[group] = faults(page)
        page.close()
    context.close()
    assert {name: told for name, told in found.items() if told} == {}
