"""The site as files, and as a reader sees it in Chromium, offline, from a disk."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from harness.failures import UsageError
from reports.page import rows as page_rows
from reports.page.rows import script_json, write_chunks
from reports.page.site import write_site
from tests.reports.fake_run import HOSTILE, rich_run

TASK = "tasks/0-librispeech_test_clean.html"
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def contents(site: Path) -> dict[str, bytes]:
    return {str(p.relative_to(site)): p.read_bytes() for p in sorted(site.rglob("*")) if p.is_file()}


def test_the_same_run_gives_the_same_bytes_also_over_an_earlier_site(tmp_path: Path) -> None:
    run = rich_run(tmp_path)
    first = contents(write_site([run], tmp_path / "a").parent)
    write_site([run], tmp_path / "b")
    assert first == contents(write_site([run], tmp_path / "b").parent)
    assert not any(b"http://" in c or b"https://" in c for c in first.values())
    assert not any(str(tmp_path).encode() in c for name, c in first.items() if not name.startswith("media"))


def test_a_folder_with_other_things_in_it_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "o" / "data").mkdir(parents=True)
    (tmp_path / "o" / "data" / "mine").write_text("precious")
    with pytest.raises(UsageError, match="not empty"):
        write_site([rich_run(tmp_path)], tmp_path / "o")
    assert (tmp_path / "o" / "data" / "mine").exists()


@pytest.mark.parametrize(("media", "files"), [("all", 2), ("failed", 0), (0, 0), ("1", 2)])
def test_media_are_capped(tmp_path: Path, media: str | int, files: int) -> None:
    site = write_site([rich_run(tmp_path)], tmp_path / "site", media).parent
    assert sum(p.is_file() for p in (site / "media").rglob("*")) == files


def test_a_file_in_the_place_of_the_site_is_refused(tmp_path: Path) -> None:
    (tmp_path / "site").write_text("mine")
    with pytest.raises(UsageError, match="is a file; name a folder"):
        write_site([rich_run(tmp_path)], tmp_path / "site")
    assert (tmp_path / "site").read_text() == "mine"


def test_an_unknown_media_choice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--media takes"):
        write_site([rich_run(tmp_path)], tmp_path / "site", "some")


def test_script_data_cannot_end_its_script() -> None:
    assert b"<" not in script_json({"text": HOSTILE})


def test_chunks_hold_every_row_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page_rows, "CHUNK_BYTES", 100)
    names = write_chunks(({"id": f"sample {i}"} for i in range(20)), tmp_path, "t")
    texts = [(tmp_path / name).read_text() for name in names]
    assert len(names) > 1 and all(len(t) < 140 for t in texts)
    assert sum("".join(texts).count(f'"sample {i}"') for i in range(20)) == 20


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    return write_site([rich_run(folder)], folder / "out").parent


class Visit:
    """A page in the browser with what it asked for and complained about."""

    def __init__(self, page: Any) -> None:
        self.page = page
        self.complaints: list[str] = []
        self.requests: list[str] = []
        page.on("console", lambda m: self.complaints.append(m.text) if m.type in ("error", "warning") else None)
        page.on("pageerror", lambda e: self.complaints.append(str(e)))
        page.on("request", lambda r: self.requests.append(r.url))

    def go(self, path: Path) -> Any:
        self.page.goto(path.as_uri())
        return self.page


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if found is None:
        pytest.fail("the page tests need Chromium: apt-get install chromium")
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=found, args=FLAGS)
        yield running
        running.close()


@pytest.fixture
def visit(browser: Any) -> Iterator[Visit]:
    context = browser.new_context(offline=True, viewport={"width": 390, "height": 844})
    found = Visit(context.new_page())
    yield found
    context.close()
    assert found.complaints == []
    assert found.requests and all(url.startswith(("file:", "data:")) for url in found.requests)


def test_hostile_text_stays_text(visit: Visit, site: Path) -> None:
    page = visit.go(site / TASK)
    assert HOSTILE in page.locator(".sample", has_text="utt-1").inner_text()
    assert page.evaluate("window.hacked") is None
    assert page.locator("#samples b").count() == 0


def test_filter_and_pages(visit: Visit, site: Path) -> None:
    page = visit.go(site / TASK)
    assert page.locator(".sample").count() == 50
    assert page.locator("#place").inner_text() == "1–50 of 64"
    page.click("#next")
    assert page.locator(".sample").count() == 14
    counts = {}
    for name in ("failed", "wrong", "unscored"):
        page.select_option("#filter", name)
        counts[name] = page.locator(".sample").count()
    assert counts == {"failed": 1, "wrong": 3, "unscored": 1}
    page.select_option("#filter", "failed")
    assert "generate / limit: out of memory" in page.locator(".sample").inner_text()


def test_keys_walk_and_worst_comes_first(visit: Visit, site: Path) -> None:
    page = visit.go(site / TASK)
    page.select_option("#order", "worst")
    page.locator("h1").click()
    page.keyboard.press("j")
    assert page.locator(".sample.current h3").inner_text() == "utt-1"
    page.keyboard.press("j")
    page.keyboard.press("k")
    assert page.locator(".sample.current h3").inner_text() == "utt-1"


def test_word_diff(visit: Visit, site: Path) -> None:
    diff = visit.go(site / TASK).locator(".sample", has_text="utt-0").locator(".diff")
    assert (diff.locator("del").all_inner_texts(), diff.locator("ins").all_inner_texts()) == (["d"], ["c"])


def test_audio_and_image_load(visit: Visit, site: Path) -> None:
    page = visit.go(site / TASK)
    page.wait_for_function("document.querySelector('audio').duration > 0.4")
    page = visit.go(site / "tasks/0-mme.html")
    page.wait_for_function("document.querySelector('.media img').naturalWidth === 64")


@pytest.mark.parametrize("name", ["index.html", TASK])
def test_no_sideways_scroll_on_a_phone_and_the_caveats_show(visit: Visit, site: Path, name: str) -> None:
    page = visit.go(site / name)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert page.locator(".banner.mini").first.inner_text() == "mini world, not a benchmark number"
    assert "random weights" in page.locator("main").inner_text()


def test_scores_sort_best_first_and_missing_last(visit: Visit, site: Path) -> None:
    page = visit.go(site / "index.html")
    page.get_by_role("button", name="score", exact=True).click()
    assert page.locator("td.score").last.inner_text() == "–"
    assert page.locator("th[aria-sort=ascending]").count() == 1
