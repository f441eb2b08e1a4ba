"""Pages of a task over all runs: heatmaps, hardest samples, and what a reader sees."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.schema import GroupResult
from harness.task import Aggregate, Combined, Quantile, Ratio
from reports.page.benchmarks import defined, same_samples
from reports.page.hardest import MOST, Said, hardest, said_of
from reports.page.heatmap import STEPS, heatmaps, step
from reports.page.site import write_site
from reports.runs import Run, load
from tests.reports.browser import Visit
from tests.reports.fake_run import entry, failed, metric, numbers, sample, unscored, write_run
from tests.reports.two_runs import GROUPS, HOSTILE, PICTURES, SHOWN, SPEECH, both, one_run

WER = {"wer": metric(4.21, (3.9, 4.55))}
RIGHT, WRONG, NEITHER = Said(False, "a"), Said(True, "b"), Said(None, "c")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("benchmarks")
    return write_site(both(folder), folder / "out").parent


# Hardest samples


def test_samples_wrong_in_all_come_before_those_wrong_in_most() -> None:
    runs = [
        {"all": WRONG, "most": WRONG, "half": WRONG, "one": WRONG, "pair": WRONG, "none": NEITHER},
        {"all": WRONG, "most": WRONG, "half": RIGHT, "pair": WRONG, "none": NEITHER},
        {"all": WRONG, "most": RIGHT, "none": NEITHER},
    ]
    found = hardest(runs)
    assert [(one.name, one.wrong, one.judged) for one in found] == [("all", 3, 3), ("pair", 2, 2), ("most", 2, 3)]
    assert found[1].said == (WRONG, WRONG, None)


@given(
    st.lists(
        st.dictionaries(st.text("abcdefgh", min_size=1, max_size=2), st.sampled_from([RIGHT, WRONG, NEITHER])),
        min_size=1,
        max_size=5,
    ),
    st.integers(1, 20),
)
def test_the_hardest_are_exactly_those_wrong_in_most_of_two_or_more(runs: list[dict[str, Said]], most: int) -> None:
    expected = {
        name
        for name in {name for run in runs for name in run}
        if (judged := [run[name].wrong for run in runs if name in run and run[name].wrong is not None])
        and len(judged) >= 2
        and judged.count(True) > len(judged) / 2
    }
    found = hardest(runs, most)
    assert len(found) == min(most, len(expected)) and {one.name for one in found} <= expected
    assert len({one.name for one in found}) == len(found)
    shares = [one.wrong / one.judged for one in found]
    assert shares == sorted(shares, reverse=True)
    assert MOST == 100


def test_a_failed_answer_is_wrong_and_an_unscored_one_is_no_answer(tmp_path: Path) -> None:
    samples = [failed("f"), unscored("u"), sample("r", 0.0, "right"), sample("w", 1.0, "x" * 200)]
    run = load(write_run(tmp_path / "run", {"x": entry(WER, n_expected=4)}, {"x": samples}))
    found = said_of(run, "x")
    assert {name: said.wrong for name, said in found.items()} == {"f": True, "r": False, "w": True}
    assert found["r"].text == "right" and found["f"].text == "(failed)" and len(found["w"].text) == 60


def test_only_runs_that_were_asked_the_same_data_are_counted_together(tmp_path: Path) -> None:
    def run(name: str, data: str = "some/set", **more: Any) -> Run:
        return load(write_run(tmp_path / name, {"x": entry(WER)}, described={"x": {"data": {"id": data}}}, **more))

    runs = [run("a", "other"), run("b"), run("c"), run("d", ablate="audio"), run("e")]
    assert same_samples("x", dict(enumerate(runs))) == [1, 2, 4]
    assert same_samples("x", {3: runs[3]}) == [3]
    assert same_samples("x", {0: runs[0], 1: runs[1]}) == [0]


# Heatmaps


def test_a_heatmap_has_the_results_of_each_run_and_group(tmp_path: Path) -> None:
    runs = [load(path) for path in both(tmp_path)]
    (found,) = heatmaps(PICTURES, runs)
    assert (found.tag, found.metric, found.unit, found.higher_is_better) == ("category", "score", "points", True)
    assert found.scale == "0.0 to 200.0 points"
    for value, cells in found.rows:
        for run, cell in zip(runs, cells, strict=True):
            group = run.results.tasks[PICTURES].headline.groups["category"].get(value)
            assert cell.metric == (group and group.metrics["score"])
            assert cell.text == (f"{group.metrics['score'].value:.1f}" if group else "–")
            assert cell.samples == (group.n_samples if group else 0)
    assert [value for value, _ in found.rows] == list(GROUPS)
    assert [[cell.step for cell in cells] for _, cells in found.rows] == [[7, 6], [0, None], [0, 4]]


def test_a_metric_without_a_scale_runs_over_its_own_values(tmp_path: Path) -> None:
    result = entry({"seconds": metric(2.0, unit="s")})
    result.scores = {"qwen2": {"": numbers({"seconds": metric(2.0, unit="s")})}}
    values = {"a": 1.0, "b": 3.0, "c": 2.0}
    result.headline.groups = {
        "length": {name: GroupResult(3, {"seconds": metric(value, unit="s")}) for name, value in values.items()}
    }
    (found,) = heatmaps("x", [load(write_run(tmp_path / "run", {"x": result}))])
    assert [cells[0].step for _, cells in found.rows] == [7, 0, 4] and found.scale == "1.0 to 3.0 s"


@given(st.floats(-1e6, 1e6), st.floats(-1e6, 1e6), st.floats(0, 1e6), st.booleans())
def test_a_step_of_colour_is_one_that_the_style_sheet_has(value: float, low: float, span: float, higher: bool) -> None:
    found = step(value, low, low + span, higher)
    assert found is None or 0 <= found < STEPS
    if found is not None:
        best, worst = (low + span, low) if higher else (low, low + span)
        assert step(best, low, low + span, higher) == STEPS - 1 and step(worst, low, low + span, higher) == 0


def test_the_style_sheet_has_every_step_of_colour() -> None:
    from reports.page.render import static

    assert all(f".heat-{n}{{".encode() in static("pages.css") for n in range(STEPS))


# Definitions


def test_metrics_are_told_in_words() -> None:
    of = {"a": 1.0, "b": 1.0}
    told = [
        defined(Ratio("wer", "%", False, "errors", "units")),
        defined(Ratio("ser", "%", False, "exact", "utterances", complement=True)),
        defined(Combined("total", "points", True, "score", "category", of)),
        defined(Combined("mean", "points", True, "score", "category", {"a": 0.5, "b": 0.5})),
        defined(Combined("mixed", "points", True, "score", "category", {"a": 0.25, "b": 1.0})),
        defined(Quantile("p95", "ms", "ttft", 0.95)),
        defined(Aggregate("pairs", "", True, len)),
    ]
    assert told == [
        "100 × the sum of errors / the sum of units, over all samples",
        "what is missing to 100: 100 × the sum of exact / the sum of utterances, over all samples",
        "the sum of score over category: a, b",
        "the mean of score over category: a, b",
        "the weighted sum of score over category: a, b",
        "the 0.95 quantile of ttft",
        "a function of what every sample gives, by the benchmark's own code",
    ]


# The page


def test_a_tasks_page_has_runs_metrics_groups_and_hardest_samples(visit: Visit, site: Path) -> None:
    page = visit.go(site / f"benchmarks/{PICTURES}.html")
    assert page.locator("h2").all_inner_texts() == ["Runs", "What is measured", "By category", "Hardest samples"]
    assert [row.split("\t")[2] for row in page.locator(".runs tbody tr").all_inner_texts()] == [
        "1900.0 points",
        "1800.0 points",
    ]
    cells = page.locator(".heat tbody tr").all_inner_texts()
    assert [row.split("\t") for row in cells] == [
        ["OCR", "185.0 n 6", "170.0 n 6"],
        ["posters", "20.0 n 6", "–"],
        [SHOWN[2], "0.0 n 6", "100.0 n 6"],
    ]
    (hard,) = page.locator(".hard tbody tr").all_inner_texts()
    assert hard.split("\t") == ["q/2", "2 of 2", "wrong\nyes", "wrong\nyes"]
    links = page.locator(".hard a").evaluate_all("(links) => links.map((a) => a.getAttribute('href'))")
    assert links == [f"../tasks/{n}-{PICTURES}.html#id=q%2F2" for n in range(2)]
    page.get_by_role("button", name="score", exact=True).click()
    assert page.locator(".runs tbody tr").first.inner_text().split("\t")[2] == "1900.0 points"


def test_a_speech_tasks_page_tells_its_metric_profile_and_prompt(visit: Visit, site: Path) -> None:
    page = visit.go(site / f"benchmarks/{SPEECH}.html")
    assert page.locator(".metrics tbody tr").inner_text().split("\t") == [
        "wer (shown first)",
        "%",
        "↓ lower",
        "100 × the sum of errors / the sum of units, over all samples",
    ]
    assert page.locator("dt").all_inner_texts() == ["qwen2", "vita"]
    assert page.locator("dd").all_inner_texts() == ["headline of all runs", "all runs"]
    assert page.locator(".banner.mini").inner_text() == "mini world, not a benchmark number"
    assert page.evaluate("window.hacked") is None
    page.locator("a", has_text="run-1").first.click()
    assert page.locator("h1").inner_text() == "vita15 run-1"


def test_a_task_of_one_run_has_a_page_without_hardest_samples(visit: Visit, tmp_path: Path) -> None:
    site = write_site([one_run(tmp_path, 0)], tmp_path / "site").parent
    page = visit.go(site / f"benchmarks/{SPEECH}.html")
    assert page.locator("h2").all_inner_texts() == ["Runs", "What is measured"]
    assert not (site / "compare").exists()


def test_a_hostile_id_and_answer_are_text_among_the_hardest(visit: Visit, tmp_path: Path) -> None:
    runs = [
        write_run(
            tmp_path / f"{n}",
            {"x": entry(WER, n_expected=4, n_scored=4, prompt=HOSTILE[2], judges={"llm": HOSTILE[0]})},
            {"x": [sample(text, 1.0, text, score={"extracted": text}) for text in HOSTILE]},
        )
        for n in range(2)
    ]
    page = visit.go(write_site(runs, tmp_path / "site").parent / "benchmarks/x.html")
    rows = [row.split("\t") for row in page.locator(".hard tbody tr").all_inner_texts()]
    assert sorted(row[0] for row in rows) == sorted(SHOWN) and all(f"wrong\n{row[0]}" == row[2] for row in rows)
    assert page.evaluate("window.hacked") is None and page.locator("main img, main b, main script").count() == 0
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
