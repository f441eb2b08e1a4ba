"""Pages of records that mean harm, or are just odd: text stays text."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from harness.schema import StoredMessage
from harness.types import Failure
from tests.reports.browser import Visit
from tests.reports.fake_run import (
    HOSTILE,
    asked,
    medium,
    metric,
    part,
    picture,
    sample,
)
from tests.reports.test_probes import run
from tests.reports.test_site import site_of

__all__ = ["run"]

SPEECH = "tasks/0-librispeech_test_clean.html"
X = "tasks/0-x.html"
WER = {"wer": metric(4.21, (3.9, 4.55))}


def test_hostile_text_stays_text_wherever_a_record_has_text(visit: Visit, tmp_path: Path) -> None:
    score = {"extracted": HOSTILE + "1", "reason": HOSTILE, "shown": (HOSTILE, "b"), "tags": {HOSTILE: (HOSTILE,)}}
    hostile = sample(
        HOSTILE,
        1.0,
        HOSTILE,
        messages=[StoredMessage("system", [part(HOSTILE)]), StoredMessage("user", [part(HOSTILE)])],
        doc={HOSTILE: HOSTILE, "answer": [HOSTILE]},
        score=score,
        scored={"judgements": {"llm": HOSTILE}, "steps": ["reasoning"], "answer": HOSTILE},
        cluster=HOSTILE,
        failure=Failure("score", "permanent", HOSTILE),
    )
    result: dict[str, Any] = {"answers": {HOSTILE: 1}, "problems": [f"invalid: {HOSTILE}"], "judges": {"llm": HOSTILE}}
    site = site_of(tmp_path, hostile, **result)
    page = visit.go(site / X)
    card = page.locator(".sample")
    assert card.locator("h3").inner_text() == HOSTILE
    assert card.inner_text().count(HOSTILE) >= 10
    assert page.locator("#tag option").nth(1).inner_text() == f"{HOSTILE}: {HOSTILE}"
    assert page.evaluate("window.hacked") is None
    assert page.locator("img, b, iframe, object, embed, svg, form, base, a[href^=javascript]").count() == 0
    visit.go(site / "index.html")
    assert page.evaluate("window.hacked") is None and page.locator("img, b").count() == 0


def test_only_pictures_players_and_text_are_made_from_a_record(visit: Visit, tmp_path: Path) -> None:
    site = site_of(tmp_path, sample("1", messages=asked(medium("image", picture(tmp_path / "a.png")))))
    data = site / "data" / "0-x" / "0.js"
    told = data.read_text()
    for kind in ("iframe", "script", "object", "constructor", "__proto__"):
        data.write_text(told.replace('"kind":"image"', f'"kind":"{kind}"'))
        page = visit.go(site / X)
        made = set(page.evaluate("[...document.querySelectorAll('#samples *')].map((e) => e.tagName.toLowerCase())"))
        assert made <= {"article", "section", "div", "span", "h3", "h4", "p", "dl", "dt", "dd", "figure", "figcaption",
                        "ins", "del", "button"}  # fmt: skip
    data.write_text(told)
    page = visit.go(site / X)
    assert page.locator("#samples img").count() == 1


@pytest.mark.parametrize("said", ["x" * 1_000_000, "Wort " * 200_000, "\u200b" * 30_000])
def test_a_very_long_line_is_cut_with_a_button_that_shows_all(visit: Visit, tmp_path: Path, said: str) -> None:
    score = {"extracted": said, "shown": (said, said)}
    site = site_of(tmp_path, *(sample(f"{i}", 1.0, said, score=score, doc={"text": said}) for i in range(3)))
    began = time.monotonic()
    page = visit.go(site / X)
    assert time.monotonic() - began < 10
    block = page.locator(".sample").first.locator(".said")
    marks = page.locator(".sample").first.locator(".said .mark").count()
    if marks:
        assert marks == 200 and block.inner_text().count("U+200B") == 20_000
    else:
        assert block.evaluate("(b) => b.firstChild.textContent.length") == 20_000
    began = time.monotonic()
    block.locator("button.all").click()
    block.locator("button.all").wait_for(state="detached")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert time.monotonic() - began < 10
    if not marks:
        assert block.evaluate("(b) => b.textContent") == said


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("Y\u200bes", "YU+200Bes"),
        ("\u202eseY", "U+202EseY"),
        ("Yes\u2069", "YesU+2069"),
        ("\ufeffYes", "U+FEFFYes"),
        ("Y\u00ades", "YU+00ADes"),
        ("Yes\x00\x1b", "YesU+0000U+001B"),
        ("Yes\u3164", "YesU+3164"),
        ("Ye\u034fs", "YeU+034Fs"),
        ("Yes\U000e0041", "YesU+E0041"),
        ("Yes\nNo\t", "Yes\nNo\t"),
        ("是 👍 é", "是 👍 é"),
    ],
)
def test_a_mark_that_nobody_sees_is_shown(visit: Visit, tmp_path: Path, said: str, shown: str) -> None:
    site = site_of(tmp_path, sample("1", 1.0, said, doc={"answer": said}))
    page = visit.go(site / X)
    card = page.locator(".sample")
    assert card.locator(".said").evaluate("(b) => b.textContent") == shown
    assert card.locator("dt:has-text('row: answer') + dd").evaluate("(b) => b.textContent") == shown
