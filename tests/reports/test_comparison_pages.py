"""Pages of two runs side by side: which pairs have one, and what a reader sees in Chromium."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from reports.compare.joined import Change, Verdict
from reports.page import comparisons
from reports.page.comparisons import MOST, listed_of, pairs, write_comparisons
from reports.page.site import write_site
from reports.runs import load
from tests.reports.browser import Visit
from tests.reports.fake_run import entry, metric, write_run
from tests.reports.two_runs import PICTURES, SHOWN, SPEECH, both, heard, one_run

PAGE = "compare/0-1.html"
WER = {"wer": metric(4.21, (3.9, 4.55))}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("compared")
    return write_site(both(folder), folder / "out").parent


def choose(visit: Visit, kind: str) -> Any:
    visit.page.get_by_role("tab", name=kind).click()
    visit.page.wait_for_function(f"() => document.querySelector('#tab-{kind}[aria-selected=true]')")
    visit.settle()
    return visit.page


# Which runs


def test_pairs_share_a_task_under_the_same_conditions(tmp_path: Path) -> None:
    def run(name: str, task: str, prompt: str = "vita") -> Any:
        return load(write_run(tmp_path / name, {task: entry(WER, prompt=prompt)}))

    other = "librispeech_test_other"
    runs = [run("a", SPEECH), run("b", other), run("c", SPEECH), run("d", SPEECH, "lmms"), run("e", "not_a_task")]
    assert pairs(dict(enumerate(runs))) == [(0, 2)]
    assert pairs({2: runs[0], 7: runs[2], 9: runs[4]}) == [(2, 7)]


def test_pairs_past_the_tenth_are_counted_and_one_that_was_asked_other_things_has_no_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def run(n: int) -> Any:
        ids = [f"{'other' if n == 5 else 'same'}-{i}" for i in range(3)]
        return load(write_run(tmp_path / f"{n}", {SPEECH: entry(WER)}, {SPEECH: [heard(one, 1) for one in ids]}))

    runs = {n: run(n) for n in (5, 0, 1, 2, 3, 4, 6)}
    monkeypatch.setattr(comparisons, "write_page", lambda *_, **__: None)
    made = write_comparisons(runs, tmp_path / "site")
    assert [(page.one, page.other) for page in made.pages] == [
        (0, 1), (0, 2), (0, 3), (0, 4), (0, 6), (1, 2), (1, 3), (1, 4), (1, 6), (2, 3),
    ]  # fmt: skip
    assert len(made.pages) == MOST and made.left_out == 5
    assert [page.page for page in made.of(6)] == ["compare/0-6.html", "compare/1-6.html"]


def test_a_list_keeps_the_largest_changes_of_each_kind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(comparisons, "LISTED", 2)
    none = Verdict(None, None)
    changes = [Change(str(n), 0, kind, 1.0, none, none) for n, kind in enumerate(["worse", "worse", "better", "worse"])]
    assert [one.id for one in listed_of(changes)] == ["0", "1", "2"]


# The page


def test_numbers_counts_and_tests_of_two_runs(visit: Visit, site: Path) -> None:
    page = visit.go(site / PAGE)
    row = page.locator(".changes tbody tr").first.inner_text()
    first, second = 100 * 6 / 315, 100 * 67 / 315  # errors over the words of 105 utterances
    assert row.split("\t")[2:5] == [f"{first:.2f} %", f"{second:.2f} %", f"+{second - first:.2f} points"]
    assert row.split("\t")[6] == "worse" and "105 speakers" in row
    counts = page.locator(".counts tbody tr").all_inner_texts()
    assert counts[0].split("\t")[:7] == [SPEECH, "2", "60", "1", "2", "40", "0"] and counts[0].endswith("< 0.001")
    assert counts[1].split("\t") == [PICTURES, "0", "1", "0", "0", "2", "0", "1.000"]


def test_what_is_refused_is_on_the_page_with_why(visit: Visit, tmp_path: Path) -> None:
    runs = [one_run(tmp_path, 0), one_run(tmp_path, 1, described={PICTURES: {"data": {"id": "other/set"}}})]
    page = visit.go(write_site(runs, tmp_path / "site").parent / PAGE)
    assert page.locator(".refused dt").inner_text() == PICTURES
    assert "data.id: 'some/set' -> 'other/set'" in page.locator(".refused dd").inner_text()
    assert page.locator(".counts tbody tr").count() == 1


def test_tabs_and_pages_work_by_keyboard(visit: Visit, site: Path) -> None:
    page = visit.go(site / PAGE)
    tabs = page.get_by_role("tab")
    assert tabs.all_inner_texts() == ["fixed 2", "broken 60", "better 1", "worse 2"]
    assert page.locator(".sample h3").all_inner_texts() == ["fixed-0", "fixed-1"]
    tabs.first.focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_function("() => document.getElementById('place').textContent === '1–50 of 60'")
    visit.settle()
    assert page.evaluate("document.activeElement.id") == "tab-broken"
    assert page.locator(".sample h3").first.inner_text() == SHOWN[0], "the largest change comes first"
    page.locator("#next").focus()
    page.keyboard.press("Enter")
    page.wait_for_function("() => document.getElementById('place').textContent === '51–60 of 60'")
    visit.settle()
    tabs.nth(1).focus()
    page.keyboard.press("End")
    page.wait_for_function("() => document.activeElement.id === 'tab-worse'")
    visit.settle()
    assert page.locator("#panel").get_attribute("aria-labelledby") == "tab-worse"
    page.keyboard.press("ArrowRight")
    assert page.evaluate("document.activeElement.id") == "tab-fixed"
    assert page.locator("[role=tab][tabindex='0']").count() == 1


def test_both_answers_their_difference_and_the_samples_pages_are_shown(visit: Visit, site: Path) -> None:
    page = visit.go(site / PAGE)
    card = page.locator(".sample").first
    assert card.locator(".verdict").first.inner_text() == "fixed, better by 0.3333"
    assert card.locator(".answer .said").all_inner_texts() == ["a b c", "a b d"]
    assert [card.locator(f".diff {mark}").all_inner_texts() for mark in ("del", "ins")] == [["c"], ["d"]]
    links = card.locator("a").evaluate_all("(links) => links.map((a) => a.getAttribute('href'))")
    assert links == [f"../tasks/{n}-{SPEECH}.html#id=fixed-0" for n in range(2)]
    assert all((site / "compare" / link.partition("#")[0]).is_file() for link in links)


def test_media_stand_once_both_recordings_play_and_one_that_is_gone_is_named(visit: Visit, site: Path) -> None:
    page = visit.go(site / PAGE)
    cards = page.locator(".sample")
    assert cards.nth(0).locator(".turn.user audio").count() == 1 and cards.nth(0).locator(".answer audio").count() == 2
    page.wait_for_function("() => [...document.querySelectorAll('audio')].every((a) => a.duration > 0.4)")
    playing = "async (a) => { a.muted = true; await a.play(); return !a.paused; }"
    assert cards.nth(0).locator(".answer audio").first.evaluate(playing)
    said = cards.nth(1).locator("figcaption").inner_text()
    assert said == "audio gone.flac: the file is not on the machine that made this page"


def test_a_hostile_word_stays_text(visit: Visit, site: Path) -> None:
    visit.go(site / PAGE)
    page = choose(visit, "broken")
    card = page.locator(".sample").first
    assert card.locator(".said").all_inner_texts() == [SHOWN[1], SHOWN[2]]
    said = page.locator("#samples").inner_text()
    assert all(text in said for text in SHOWN)
    assert page.evaluate("window.hacked") is None
    assert page.locator("#samples img, #samples b, #samples script").count() == 0


def test_an_address_opens_a_task_and_a_kind(visit: Visit, site: Path) -> None:
    page = visit.go(site / PAGE)
    page.locator(".counts a").last.click()
    page.wait_for_function("() => document.querySelector('.sample h3').textContent === 'q/1'")
    assert page.locator("#task").input_value() == "1" and page.locator("#tab-broken[aria-selected=true]").count() == 1
    assert page.locator(".sample .turn.user img").count() == 1
    page.select_option("#task", "0")
    page.wait_for_function("() => document.getElementById('place').textContent === '1–50 of 60'")


def test_details_that_are_gone_are_told_for_their_run_alone(visit: Visit, tmp_path: Path) -> None:
    made = write_site(both(tmp_path), tmp_path / "site").parent
    (made / "data" / f"1-{SPEECH}" / "0.js").unlink()
    page = visit.go(made / PAGE)
    card = page.locator(".sample").first
    assert card.locator(".banner").inner_text() == "The details of this sample are not beside the page."
    assert card.locator(".answer").first.locator(".said").inner_text() == "a b c"
    assert any("ERR_FILE_NOT_FOUND" in complaint for complaint in visit.complaints)
    visit.complaints.clear()


@pytest.mark.parametrize("width", [390, 1280, 1400])
@pytest.mark.parametrize(
    "name",
    [PAGE, "models/0.html", f"benchmarks/{SPEECH}.html", f"benchmarks/{PICTURES}.html", f"tasks/0-{PICTURES}.html"],
)
def test_no_page_is_wider_than_the_screen_and_no_table_is_cut_off_on_a_desk(
    visit: Visit, site: Path, name: str, width: int
) -> None:
    visit.page.set_viewport_size({"width": width, "height": 900})
    page = visit.go(site / name)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    hidden = page.evaluate("[...document.querySelectorAll('.wide')].map((w) => w.scrollWidth - w.clientWidth)")
    if width > 1000:
        assert max(hidden) <= 0
    named = page.evaluate("[...document.querySelectorAll('.wide')].every((w) => w.tabIndex === 0 && w.ariaLabel)")
    assert named, "what scrolls can be reached by keyboard and has a name"
