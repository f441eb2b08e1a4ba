"""The pages as a reader sees them in Chromium, offline, from a disk, on a phone's screen."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from harness.media import sha256_of
from harness.schema import GroupResult, StoredMessage, StoredResponse, StoredSpeech, Stretch
from harness.types import Failure, Score, Timings, Usage
from reports.page.site import write_site
from tests.reports.browser import Visit
from tests.reports.fake_run import (
    answered,
    asked,
    entry,
    medium,
    metric,
    numbers,
    part,
    picture,
    rich_run,
    sample,
    tone,
    write_run,
)
from tests.reports.test_probes import run
from tests.reports.test_site import site_of

__all__ = ["run"]

SPEECH = "tasks/0-librispeech_test_clean.html"
X = "tasks/0-x.html"
WER = {"wer": metric(4.21, (3.9, 4.55))}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    return write_site([rich_run(folder)], folder / "out").parent


def texts(card: Any, label: str) -> list[str]:
    """What stands beside a label in a sample."""
    return [str(text) for text in card.locator(f"dt:has-text('{label}') + dd").all_inner_texts()]


# What was asked and answered


def test_a_conversation_is_shown_with_roles_order_pictures_and_cuts(visit: Visit, tmp_path: Path) -> None:
    heard = tone(tmp_path / "tone.flac")
    one, two = picture(tmp_path / "one.png"), picture(tmp_path / "two.png", (32, 16))
    messages = [
        StoredMessage("system", [part("Be brief.")]),
        StoredMessage("user", [part("First"), medium("image", one), part("then"), medium("image", two)]),
        StoredMessage("assistant", [part("A cat.")]),
        StoredMessage("user", [medium("audio", heard, start_s=0.125, end_s=0.375), part("Why?")]),
    ]
    page = visit.go(site_of(tmp_path, sample("1", messages=messages)) / X)
    turns = page.locator(".sample .turn")
    assert turns.locator("h4").all_inner_texts() == ["system", "user", "assistant", "user", "model's answer"]
    assert turns.nth(1).evaluate("(t) => [...t.children].map((c) => c.tagName + ' ' + c.textContent)") == [
        "H4 user",
        "DIV First",
        "FIGURE image one.png",
        "DIV then",
        "FIGURE image two.png",
    ]
    assert turns.nth(3).locator("figcaption").inner_text() == "audio tone.flac, from 0.125 s to 0.375 s"
    assert turns.nth(3).locator("audio").get_attribute("src").endswith("#t=0.125,0.375")
    page.wait_for_function("() => [...document.images].every((i) => i.naturalWidth > 0)")
    assert page.evaluate("[...document.images].map((i) => i.naturalWidth)") == [64, 32]


def test_the_models_answer_and_the_gold_answer_have_different_labels(visit: Visit, tmp_path: Path) -> None:
    page = visit.go(site_of(tmp_path, sample("1", 1.0, "No", doc={"answer": "Yes"})) / X)
    labels = page.locator(".sample dt, .sample h4").all_inner_texts()
    assert "model's answer" in labels and "row: answer" in labels and "answer" not in labels
    assert page.locator(".answer .said").inner_text() == "No"
    assert texts(page.locator(".sample"), "row: answer") == ["Yes"]


def test_every_profile_step_judgement_and_failure_of_a_sample_is_visible(visit: Visit, tmp_path: Path) -> None:
    scores: dict[str, dict[Any, Score]] = {
        "loose": {"": Score("wer", 0.0, {"errors": 0.0}, extracted="a b d", wrong=False)},
        "qwen2": {"": Score("wer", 0.5, {"errors": 1.0}, extracted="a b", wrong=True, shown=("a b d", "a b"))},
        "strict": {"": Score("wer", None, status="unscored", reason="the reference is empty")},
    }
    scored = {"steps": ["reasoning"], "answer": "a b", "judgements": {"llm": "Grade: C"}}
    failure = Failure("judge", "transient", "no answer in 60 s")
    one = sample("1", text="<think>x</think>a b", scores=scores, scored={**scored, "failure": failure})
    one.record.response.raw_text = "RAW"  # type: ignore[union-attr]
    card = visit.go(site_of(tmp_path, one) / X).locator(".sample")
    assert card.locator(".profile h4").all_inner_texts() == ["qwen2 (headline)", "loose", "strict"]
    assert card.locator(".profile .verdict").all_inner_texts() == ["wer 0.5", "wer 0", "unscored"]
    assert texts(card, "failure") == ["judge / transient: no answer in 60 s"]
    assert texts(card, "after reasoning") == ["a b"]
    assert texts(card, "judge, llm") == ["Grade: C"]
    assert texts(card, "raw output") == ["RAW"]
    assert texts(card, "not scored because") == ["the reference is empty"]
    assert texts(card, "read as") == ["a b", "a b d"]
    assert texts(card, "parts") == ["errors 1", "errors 0"]


def test_the_diff_is_of_the_texts_as_they_were_compared(visit: Visit, tmp_path: Path) -> None:
    words = sample("1", 1.0, "The Cat!", doc={"text": "nothing of it"}, score={"shown": ("the cat", "the hat")})
    signs = sample("2", 1.0, "x", score={"name": "cer", "shown": ("今天好", "今好"), "parts": {}})
    mixed = sample("3", 1.0, "x", score={"shown": ("play 周杰伦", "play 周结伦"), "parts": {}})
    page = visit.go(site_of(tmp_path, words, signs, mixed) / X)
    found = [
        (card.locator(".diff del").all_inner_texts(), card.locator(".diff ins").all_inner_texts())
        for card in page.locator(".sample").all()
    ]
    assert found == [(["cat"], ["hat"]), (["天"], []), (["杰"], ["结"])]


def test_a_picture_stands_upright_and_on_white_as_the_model_saw_it(visit: Visit, tmp_path: Path) -> None:
    from PIL import Image

    lying = Image.Exif()
    lying[0x0112] = 6
    turned = picture(tmp_path / "a.jpg", exif=lying)
    Image.new("RGBA", (20, 10), (0, 0, 0, 0)).save(tmp_path / "b.png")
    parts = medium("image", turned), medium("image", tmp_path / "b.png")
    page = visit.go(site_of(tmp_path, sample("1", messages=asked(*parts))) / X)
    page.wait_for_function("() => [...document.images].every((i) => i.naturalWidth > 0)")
    assert page.evaluate("[...document.images].map((i) => [i.naturalWidth, i.naturalHeight])") == [[48, 64], [20, 10]]
    assert page.evaluate("getComputedStyle(document.images[1]).backgroundColor") == "rgb(255, 255, 255)"
    assert page.evaluate("getComputedStyle(document.images[0]).imageOrientation") == "from-image"


def test_audio_and_image_load(visit: Visit, site: Path) -> None:
    page = visit.go(site / SPEECH)
    page.wait_for_function("() => document.querySelector('audio').duration > 0.4")
    page = visit.go(site / "tasks/0-mme.html")
    page.wait_for_function("() => document.querySelector('.sample img').naturalWidth === 64")


# Finding samples


def test_filter_and_pages(visit: Visit, site: Path) -> None:
    page = visit.go(site / SPEECH)
    assert page.locator(".sample").count() == 50
    assert page.locator("#place").inner_text() == "1–50 of 64"
    page.click("#next")
    visit.settle()
    assert page.locator(".sample").count() == 14
    counts = {}
    for name in ("failed", "wrong", "unscored"):
        page.select_option("#filter", name)
        visit.settle()
        counts[name] = page.locator(".sample").count()
    assert counts == {"failed": 1, "wrong": 3, "unscored": 1}
    page.select_option("#filter", "failed")
    visit.settle()
    assert "generate / limit: out of memory" in page.locator(".sample").inner_text()
    page.select_option("#filter", "all")
    page.fill("#find", "more-05")
    visit.settle()
    assert page.locator("#place").inner_text() == "1–10 of 10"


def test_tags_choose_samples(visit: Visit, tmp_path: Path) -> None:
    samples = [sample(f"{i}", score={"tags": {"category": ("odd" if i % 2 else "even",)}}) for i in range(7)]
    page = visit.go(site_of(tmp_path, *samples) / X)
    page.select_option("#tag", label="category: odd")
    visit.settle()
    assert page.locator(".sample h3").all_inner_texts() == ["1", "3", "5"]
    assert texts(page.locator(".sample").first, "counts in") == ["category: odd"]


def test_keys_walk_and_worst_comes_first(visit: Visit, site: Path) -> None:
    page = visit.go(site / SPEECH)
    page.select_option("#order", "worst")
    visit.settle()
    page.wait_for_function("() => document.querySelector('.sample h3').textContent === 'utt-1'")
    page.locator("h1").click()
    page.keyboard.press("j")
    assert page.locator(".sample.current h3").inner_text() == "utt-1"
    page.keyboard.press("j")
    page.keyboard.press("k")
    assert page.locator(".sample.current h3").inner_text() == "utt-1"


def test_details_are_loaded_when_they_are_shown(visit: Visit, tmp_path: Path) -> None:
    page = visit.go(site_of(tmp_path, *(sample(f"s-{i}", float(i == 430)) for i in range(450))) / X)
    loaded = [url.rpartition("/")[2] for url in visit.requests if "/data/" in url]
    assert loaded == ["index.js", "0.js"]
    page.select_option("#filter", "wrong")
    visit.settle()
    assert page.locator(".sample h3").inner_text() == "s-430"
    loaded = [url.rpartition("/")[2] for url in visit.requests if "/data/" in url]
    assert loaded == ["index.js", "0.js", "2.js"]


def test_a_sample_whose_details_are_gone_says_so(visit: Visit, tmp_path: Path) -> None:
    site = site_of(tmp_path, sample("1"))
    (site / "data" / "0-x" / "0.js").unlink()
    page = visit.go(site / X)
    assert "details of this sample are not beside the page" in page.locator(".sample").inner_text()
    assert any("ERR_FILE_NOT_FOUND" in complaint for complaint in visit.complaints)
    visit.complaints.clear()


# Right and wrong


def test_a_latency_is_neither_right_nor_wrong(visit: Visit, tmp_path: Path) -> None:
    score = {"name": "seconds", "wrong": None, "shown": None, "parts": {"ttft": 0.25}}
    samples = [sample(f"{i}", 0.2 * i, score=score) for i in range(1, 4)]
    page = visit.go(site_of(tmp_path, *samples) / X)
    assert page.locator(".sample").count() == 3 and page.locator(".verdict.wrong, .verdict.right").count() == 0
    plain = page.evaluate("getComputedStyle(document.querySelector('.grey')).color")
    assert {v.evaluate("(v) => getComputedStyle(v).color") for v in page.locator(".verdict").all()} == {plain}
    page.select_option("#filter", "wrong")
    page.wait_for_function("() => document.getElementById('place').textContent === 'no samples'")


def test_wrong_is_what_the_scorer_says_and_not_the_sign_of_a_metric(visit: Visit, tmp_path: Path) -> None:
    samples = [sample("1", 0.5, score={"wrong": False}), sample("2", 0.0, score={"wrong": True})]
    page = visit.go(site_of(tmp_path, *samples) / X)
    assert page.locator(".sample .head .verdict.wrong").count() == 1
    page.select_option("#filter", "wrong")
    visit.settle()
    assert page.locator(".sample h3").all_inner_texts() == ["2"]


# What a task's page says of its numbers


def test_sub_scores_answers_and_profiles_are_on_the_page(visit: Visit, tmp_path: Path) -> None:
    result = entry({"total": metric(812.0, None, "points", True)}, "strict", n_expected=10, n_rows=10)
    result.scores["loose"] = {"": numbers({"total": metric(900.0, None, "points", True)})}
    result.answers = {"Yes": 9, "No": 1}
    head = result.headline
    head.constant, head.constant_metric = ("Yes", 700.0), "total"
    own = metric(180.0, (120.5, 199.5), "points", True, n=10, ci_unit="image")
    head.groups = {"category": {"existence": GroupResult(20, {"total": own})}}
    samples = [sample(f"{i}", scores=answered("Yes", i > 0, profile="strict")) for i in range(10)]
    run = write_run(tmp_path / "run", {"x": result}, {"x": samples})
    page = visit.go(write_site([run], tmp_path / "site").parent / X)
    assert page.locator(".constant").inner_text().startswith("answering 'Yes' to everything scores total 700.0 points")
    assert page.locator(".answers tbody tr").all_inner_texts() == ["Yes\t9\t90.0 %", "No\t1\t10.0 %"]
    group = page.locator(".groups tbody tr").inner_text().split("\t")
    assert group == ["existence", "20", "total", "180.0 points", "[120.5, 199.5] Clopper-Pearson, n = 10 images"]
    text = page.locator("main").inner_text()
    assert "812.0 points strict; 812.0–900.0 points over 2 profiles" in text
    assert page.locator("section[aria-label], h2").count() and "loose" in text


def test_a_part_of_a_benchmark_stands_beside_its_number(visit: Visit, tmp_path: Path) -> None:
    result = entry(WER, n_published=2620, n_rows=3, problems=["3 of 2,620 published rows"])
    site = write_site([write_run(tmp_path / "run", {"x": result})], tmp_path / "site").parent
    page = visit.go(site / "index.html")
    row = page.locator("table.sortable tbody tr").inner_text()
    assert "3 of 2,620 published rows" in row and "float32 on cpu, batch budget 16384 tokens" in row
    assert "Clopper-Pearson, n = 3 samples" in row


def test_latency_and_efficiency_have_a_page_of_their_own(visit: Visit, tmp_path: Path) -> None:
    def spoken(i: int) -> Any:
        times = Timings(end=1.0 + i, first_token=0.25, first_audio=0.5, audio_s=2.0)
        return sample(f"{i}", took=2.0, response=StoredResponse("x", timings=times, usage=Usage(3, 10)))

    samples = [*(spoken(i) for i in range(4)), sample("kept", took=0.0, cached=True)]
    stretches = [
        Stretch("2026-01-02T03:04:05+00:00", 6.0, 3, "cuda"),
        Stretch("2026-01-03T03:04:05+00:00", 2.0, 2, "cpu", cached=1),
    ]
    result = entry({"ttft_p50_ms": metric(250.0, unit="ms")}, n_expected=5)
    run = write_run(
        tmp_path / "run", {"x": result}, {"x": samples}, stretches=stretches, described={"x": {"max_batch": 1}}
    )
    site = write_site([run], tmp_path / "site").parent
    page = visit.go(site / "index.html")
    page.get_by_role("link", name="Latency and efficiency").click()
    assert page.locator(".stretches tbody tr").all_inner_texts() == [
        "2026-01-02T03:04:05+00:00\tcuda\t3\t0\t6.0\t0.5",
        "2026-01-03T03:04:05+00:00\tcpu\t2\t1\t2.0\t0.5",
    ]
    assert page.locator(".speed tbody tr").inner_text().split("\t") == [
        "x", "4", "1", "8.0", "0.5", "5", "1", "0.25 / 0.25", "0.5 / 0.5", "2.5 / 3.85", "1.25 / 1.92", "one at a time",
    ]  # fmt: skip
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


@pytest.mark.parametrize("name", ["index.html", SPEECH, "tasks/0-mme.html"])
def test_no_sideways_scroll_on_a_phone_and_the_caveats_show(visit: Visit, site: Path, name: str) -> None:
    page = visit.go(site / name)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert page.locator(".banner.mini").first.inner_text() == "mini world, not a benchmark number"
    assert "random weights" in page.locator("main").inner_text()


def test_scores_sort_best_first_and_missing_last(visit: Visit, site: Path) -> None:
    page = visit.go(site / "index.html")
    page.get_by_role("tab", name="Every number").click()
    page.get_by_role("button", name="score", exact=True).click()
    assert page.locator("td.score").last.inner_text() == "–"
    assert page.locator(".sortable th[aria-sort=ascending]").count() == 1


def test_a_spoken_answer_plays_and_its_two_channels_stand_side_by_side(visit: Visit, tmp_path: Path) -> None:
    heard = tone(tmp_path / "answer.flac")
    digest = sha256_of(heard)
    scores: dict[str, dict[Any, Score]] = {
        "strict": {
            "text": Score("contains", 1.0, {"right": 1.0}, wrong=False),
            "speech": Score("contains", 0.0, {"right": 0.0}, extracted="a cap", wrong=True),
        }
    }
    spoken = StoredResponse("a cat", speech=StoredSpeech(f"media/{digest[:2]}/{digest}.flac", digest, 0.5))
    one = sample("1", scores=scores, response=spoken, scored={"judgements": {"recogniser": "a cap"}})
    right = {"accuracy": metric(100.0, higher=True)}
    result = entry(right, "strict", n_expected=1, n_rows=1, channel="text", gap={"accuracy": 100.0})
    result.scores = {"strict": {"text": numbers(right), "speech": numbers({"accuracy": metric(0.0, higher=True)})}}
    run = write_run(tmp_path / "run", {"x": result}, {"x": [one]})
    stored = run / "media" / digest[:2] / f"{digest}.flac"
    stored.parent.mkdir(parents=True)
    heard.rename(stored)
    page = visit.go(write_site([run], tmp_path / "site").parent / X)
    page.wait_for_function("() => document.querySelector('.answer audio').duration > 0.4")
    card = page.locator(".sample")
    assert card.locator(".profile h4").all_inner_texts() == ["strict, text (headline)", "strict, speech"]
    assert texts(card, "judge, recogniser") == ["a cap"] and texts(card, "read as") == ["a cap"]
    said = page.locator("main").inner_text()
    assert "accuracy: text minus speech +100.00 %" in said and "strict\tspeech\t0.00 %" in said


def test_repeats_of_a_sample_are_told_apart(visit: Visit, tmp_path: Path) -> None:
    samples = [sample("a", repeat=n, scored={"repeat": n}) for n in range(2)]
    site = site_of(tmp_path, *samples, repeats=2, spread={"wer": [4.0, 5.0]}, pass_at={"1": 50.0})
    page = visit.go(site / X)
    assert page.locator(".sample h3").all_inner_texts() == ["a #1", "a #2"]
    said = page.locator(".details").inner_text()
    assert "wer: mean 4.50 %, 4.00–5.00 % over 2 repeats" in said and "pass@1 50.0 %" in said


@pytest.mark.parametrize("letters", ["w", "宽"])
def test_long_names_do_not_widen_a_phones_page(visit: Visit, tmp_path: Path, letters: str) -> None:
    long = letters * 60
    score = {"name": long, "tags": {long: (long,)}, "parts": {long: 1.0}, "extracted": long, "shown": (long, long)}
    heard = tone(tmp_path / f"{letters * 40}.flac")
    one = sample(
        long * 5,
        1.0,
        long,
        doc={long: long * 9},
        score=score,
        messages=asked(medium("audio", heard)),
        scored={"judgements": {long: long}, "steps": [long]},
    )
    one.scored.scores[long] = {"": one.scored.scores["qwen2"][""]}
    result: dict[str, Any] = {
        "answers": {long[:40]: 3, "b": 1},
        "judges": {long: long},
        "problems": [long * 4],
        "prompt": long,
    }
    site = site_of(tmp_path, one, **result)
    for name in (X, "index.html", "efficiency.html"):
        page = visit.go(site / name)
        assert page.evaluate("document.documentElement.scrollWidth") <= 390, name


def test_a_probes_page_obeys_the_same_policy(visit: Visit, run: Path, tmp_path: Path) -> None:
    site = write_site([run], tmp_path / "site").parent
    page = visit.go(site / "probes" / "0.html")
    assert page.locator("figure img").count() == 5
    page.wait_for_function("() => [...document.images].every((i) => i.naturalWidth > 0)")
    assert page.evaluate("getComputedStyle(document.querySelector('.banner')).borderLeftWidth") == "4px"
