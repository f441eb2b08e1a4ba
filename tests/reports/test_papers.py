"""The papers' tables: every printed value in its place, and the rows that runs measured below them."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import torch

from alignment_probes.metrics import score_all
from harness.failures import UsageError
from harness.schema import TaskResult
from reports import averages
from reports.grid.grid import Cell, Grid, Row
from reports.papers.layout import Derived, Measure
from reports.papers.layouts import LAYOUTS
from reports.papers.nexus_o import CHANCE as CHANCES
from reports.papers.nexus_o import K, N
from reports.papers.probed import CHANCE, MEASURED
from reports.papers.table import paper_table, titles
from reports.published import find, records
from reports.published.models import OWN
from tests.reports.fake_run import entry, metric, numbers, write_run
from tests.reports.test_probes import METRICS, results

GOLDENS = Path(__file__).parents[1] / "goldens"
NO_VALUES = ("vita_audio:fig5", "nexus_o:fig3")


def printed(grid: Grid) -> list[Row]:
    return [row for row in grid.rows if row.group not in (MEASURED, CHANCE)]


def mine(grid: Grid) -> list[Row]:
    return [row for row in grid.rows if row.group == MEASURED]


def cell(grid: Grid, heading: str, row: int = -1) -> Cell:
    at = next(at for at, column in enumerate(grid.columns) if heading in f"{column.over} {column.heading}")
    return grid.rows[row].cells[at]


def said(grid: Grid, cell: Cell) -> list[str]:
    return [grid.notes[mark - 1] for mark in cell.marks]


def write_probe(folder: Path, stage: str, **changes: Any) -> Path:
    """A probe run with one model, and results of that stage."""
    folder.mkdir()
    content = results(names=METRICS) | {"stage": stage} | changes
    if stage == "unembedding":
        content["scores"] = [one | {"layer": None} for one in content["scores"] if one["layer"] == 1]
    (folder / "results.json").write_text(json.dumps(content))
    manifest = {"format": 1, "kind": "probe", "config": {}, "model": {"name": "toy"}, "tasks": {}, "data": {}}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    (folder / "finished.json").write_text("{}")
    return folder


def test_every_printed_value_stands_in_exactly_one_table() -> None:
    shown = Counter[tuple[Any, ...]]()
    for name, layout in LAYOUTS.items():
        grid = paper_table(name)
        first = len(grid.columns) - len(layout.entries)
        for row in printed(grid):
            who = row.group, row.cells[0].text, row.cells[1].text if layout.llm else ""
            for item, found in zip(layout.entries, row.cells[first:], strict=True):
                if not found.missing:
                    value = found.text if found.number is None else found.number
                    shown[layout.source, layout.table, *who, item.places, value] += 1
    expected = Counter[tuple[Any, ...]]()
    for record in records():
        value = record["value"]
        value = {True: "yes", False: "no"}[value] if isinstance(value, bool) else value
        layout = next(one for one in LAYOUTS.values() if (one.source, one.table) == (record["source"], record["table"]))
        who = record["group"] or "", record["model"], (record["llm"] or "–") if layout.llm else ""
        place = record["benchmark"], record["split"], record["metric"]
        (places,) = {item.places for item in layout.entries if place in item.places}
        expected[record["source"], record["table"], *who, places, value] += 1
    assert shown == expected and sum(shown.values()) == 715


def test_rows_and_columns_stand_as_the_paper_has_them() -> None:
    grid = paper_table("vita15:2")
    assert [row.group for row in grid.rows] == [""] * 9 + ["Proprietary"] * 5 + ["Open Source"] * 3
    assert [column.heading for column in grid.columns] == [
        *("model", "LLM", "MMBench", "MMStar", "MMMU", "MathVista", "Hal Bench", "AI2D", "OCRBench", "MM-Vet", "MME"),
        "Avg",
    ]
    last = grid.rows[-1].cells
    assert (last[0].text, last[1].text, last[10].text) == ("VITA-1.5-Audio (Stage 3)", "Qwen2-7B", "2352.0")
    assert {column.arrow for column in grid.columns[2:]} == {"↑"}
    errors = paper_table("vita15:4")
    assert {(column.unit, column.arrow) for column in errors.columns[1:]} == {("CER %", "↓"), ("WER %", "↓")}


def test_doubtful_values_are_marked_and_the_reason_stands_once() -> None:
    grid = paper_table("vita_audio:8")
    misprint = next(row for row in grid.rows if "58.11" in [one.text for one in row.cells])
    (note,) = said(grid, next(one for one in misprint.cells if one.text == "58.11"))
    assert "58.11 is a misprint" in note
    for name in LAYOUTS:
        grid = paper_table(name)
        assert len(set(grid.notes)) == len(grid.notes)
        assert {mark for row in grid.rows for one in row.cells for mark in one.marks} == {
            mark for mark, _ in enumerate(grid.notes, start=1)
        }


def test_every_task_and_metric_that_fills_a_column_exists() -> None:
    from harness.registry import get_task

    for layout in LAYOUTS.values():
        for item in layout.entries:
            for fill in item.fills:
                for one in [fill] if isinstance(fill, Measure) else fill.members if isinstance(fill, Derived) else []:
                    task = get_task(one.task)
                    assert one.metric in metric_names(task), (one.task, one.metric)
                    assert one.channel in (None, "text", "speech")


def metric_names(task: Any) -> set[str]:
    return {name for one in task.metrics for name in ([one.name] if hasattr(one, "name") else one.names)}


def asr(value: float | None = 2.04, **changes: Any) -> TaskResult:
    return entry({"wer": metric(value, (0.96, 3.78) if value is not None else None)}, **changes)


def test_a_measured_row_shows_what_results_json_holds(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run", {"librispeech_test_clean": asr()}, data="mini", note="random weights", limit=3)
    grid = paper_table("vita15:4", [run])
    (row,) = mine(grid)
    found = cell(grid, "test-clean")
    stored = json.loads((run / "results.json").read_text())["tasks"]["librispeech_test_clean"]
    held = stored["scores"]["qwen2"][""]["metrics"]["wer"]
    assert (found.number, found.more["low"], found.more["high"]) == (held["value"], *held["ci"])
    assert found.text == "2.04" and found.lines == ("[0.96, 3.78]", "n = 3")
    about = " ".join(said(grid, found))
    assert all(part in about for part in ("random weights", "mini world", "first 3 samples"))
    assert row.cells[0].text == "vita15" and [one.missing for one in row.cells[1:]].count(False) == 1


def released(folder: Path, tasks: Mapping[str, TaskResult], **changes: Any) -> Path:
    return write_run(folder, tasks, **{"released": True} | changes)


def whole(value: float) -> TaskResult:
    return asr(value, n_expected=3, n_published=3)


def test_the_difference_to_the_paper_is_that_of_the_released_weights_only(tmp_path: Path) -> None:
    grid = paper_table("vita15:4", [released(tmp_path / "a", {"librispeech_test_clean": whole(2.9)})])
    found = cell(grid, "test-clean")
    assert found.lines == ("[0.96, 3.78]", "−0.50 to paper")  # the paper: 3.4; n is that of the whole set
    assert found.more["difference to paper"] == pytest.approx(-0.5)
    for name, changes in (
        ("mini", {"data": "mini"}),
        ("other", {"released": False}),
        ("blind", {"ablate": "audio"}),
        ("unknown", {"model": "echo"}),
    ):
        path = released(tmp_path / name, {"librispeech_test_clean": whole(2.9)}, **changes)
        found = cell(paper_table("vita15:4", [path]), "test-clean")
        assert found.number == 2.9 and "difference to paper" not in found.more
    elsewhere = cell(paper_table("vita_audio:6", [tmp_path / "a"]), "test-clean")
    assert elsewhere.number == 2.9 and "difference to paper" not in elsewhere.more  # not the model's own paper


def test_a_paper_s_one_number_for_three_recordings_is_no_target_for_their_mean(tmp_path: Path) -> None:
    rates = {"aishell2_mic": 5.0, "aishell2_ios": 4.0, "aishell2_android": 6.0}
    tasks = {
        name: entry({"cer": metric(rate, (rate - 1, rate + 1))}, version="2", n_expected=3, n_published=3)
        for name, rate in rates.items()
    }
    found = cell(paper_table("nexus_o:4", [released(tmp_path / "run", tasks, model="nexus-o")]), "all")
    assert found.number == pytest.approx(5.0) and "difference to paper" not in found.more


def test_what_limits_a_number_is_marked(tmp_path: Path) -> None:
    tasks = {
        "librispeech_test_clean": asr(valid=False, problems=["invalid: coverage 90.0 % is under 99 %"]),
        "librispeech_test_other": asr(None),
    }
    grid = paper_table("vita15:4", [write_run(tmp_path / "run", tasks, finished=False)])
    about = " ".join(said(grid, cell(grid, "test-clean")))
    assert "invalid: coverage 90.0 %" in about and "incomplete run" in about and str(tmp_path) not in about
    empty = cell(grid, "test-other")
    assert empty.missing and empty.number is None and any("incomplete run" in note for note in said(grid, empty))
    ruled = entry({"score": metric(40.0, None, "", True)}, "rules", by_rule=True, n_published=3)
    grid = paper_table("vita15:2", [released(tmp_path / "ruled", {"mmvet": ruled})])
    found = cell(grid, "MM-Vet")
    assert "by rule alone, where the paper had a judge" in " ".join(said(grid, found))
    assert "difference to paper" not in found.more


def test_averages_need_every_member(tmp_path: Path) -> None:
    tasks = {
        task: entry({name: metric(50.0 * divisor, None, "%", True)}, "x", n_published=3)
        for task, (name, divisor) in averages.TABLE_2.items()
    }
    grid = paper_table("vita15:2", [write_run(tmp_path / "all", tasks)])
    expected = averages.table2({task: 50.0 * divisor for task, (_, divisor) in averages.TABLE_2.items()})
    assert cell(grid, "Avg").number == pytest.approx(expected.as_printed) != expected.sane
    assert any("MME / 23.74" in note for note in said(grid, cell(grid, "Avg")))
    del tasks["mmmu"]
    assert cell(paper_table("vita15:2", [write_run(tmp_path / "eight", tasks)]), "Avg").missing


def spoken(text: float, speech: float) -> TaskResult:
    made = entry({"accuracy": metric(text, None, "%", True)}, "vita_contain", channel="text")
    both = {"text": made.scores["vita_contain"][""], "speech": numbers({"accuracy": metric(speech, None, "%", True)})}
    made.scores = {"vita_contain": both}
    return made


def test_spoken_questions_have_a_column_for_each_channel(tmp_path: Path) -> None:
    tasks = {
        "llama_questions": spoken(60.0, 50.0),
        "trivia_qa_audio": spoken(30.0, 20.0),
        "web_questions_audio": spoken(30.0, 5.0),
    }
    grid = paper_table("vita_audio:4", [write_run(tmp_path / "run", tasks)])
    numbers = [one.number for one in mine(grid)[0].cells[2:]]
    assert numbers == [60.0, 50.0, 30.0, 20.0, 30.0, 5.0, 40.0, 25.0]
    del tasks["trivia_qa_audio"]
    grid = paper_table("vita_audio:4", [write_run(tmp_path / "two", tasks)])
    assert [one.number for one in mine(grid)[0].cells[-2:]] == [None, None]


def test_probe_runs_fill_the_table_of_their_stage(tmp_path: Path) -> None:
    inputs = write_probe(tmp_path / "in", "unembedding")
    layers = write_probe(tmp_path / "layers", "embedding", valid=True)
    grid = paper_table("nexus_o:7", [inputs, layers])
    chance = "chance: shuffled pairs, n = 60, k = 10"
    assert [row.cells[0].text for row in mine(grid)] == [
        line
        for variant in ("unit rows", "raw")
        for side in ("vision-text", "vision+audio-text")
        for line in (f"toy ({side}, {variant})", chance)
    ], "the profile's variant first, each beside its own level"
    assert "Nothing of this table was measured in layers." in grid.said
    found = cell(grid, "cka", -2)
    assert found.number == pytest.approx(0.3) and found.more["chance"] == 0.05 and found.lines == ("[0.200, 0.400]",)
    assert (cell(grid, "cka").text, cell(grid, "cka").number) == ("0.05000", 0.05)
    assert "n = 60 of 61" in said(grid, found)[0] and "invalid: 1 samples left out" in said(grid, found)[0]
    grid = paper_table("nexus_o:fig3", [layers])
    assert [row.cells[0].text for row in grid.rows] == [
        f"toy ({side}, layer {layer})" for side in ("vision-text", "vision+audio-text") for layer in (0, 1)
    ]
    assert cell(grid, "svcca", 0).missing and cell(grid, "svcca", 1).number == pytest.approx(0.3)
    assert "chance 0.050" in cell(grid, "svcca", 1).lines
    assert cell(grid, "mean of 7", 0).missing and cell(grid, "mean of 7", 1).number == pytest.approx(0.3)


def test_a_probe_run_on_other_data_than_the_papers_is_said_not_to_be_comparable(tmp_path: Path) -> None:
    mini = write_probe(tmp_path / "mini", "unembedding")
    (told,) = (text for text in paper_table("nexus_o:7", [mini]).said if "not comparable" in text)
    for expected in (
        "toy is",
        "mini world",
        "n = 60, the paper's 1,847",
        "k = 10, the paper's 50",
        "clamped at q 0.95",
    ):
        assert expected in told
    alike = write_probe(tmp_path / "alike", "unembedding", data="concepts", n=1847, k=50, clamp=None)
    assert not any("not comparable" in text for text in paper_table("nexus_o:7", [alike]).said)


def test_rows_of_speech_alone_stay_out_of_table_7(tmp_path: Path) -> None:
    run = write_probe(tmp_path / "in", "unembedding")
    content = json.loads((run / "results.json").read_text())
    content["scores"] = [one | {"comparison": "audio-text"} for one in content["scores"]]
    (run / "results.json").write_text(json.dumps(content))
    assert mine(paper_table("nexus_o:7", [run])) == []


def test_chance_stands_beside_the_papers_rows_as_the_golden_has_it() -> None:
    derived = json.loads((GOLDENS / "nexus_o_and_alignment" / "table7.json").read_text())["derived"]
    assert (derived["n"], derived["topk"]) == (N, K)
    (row,) = (row for row in paper_table("nexus_o:7").rows if row.group == CHANCE)
    cells = dict(zip((one.heading for one in LAYOUTS["nexus_o:7"].entries), row.cells[1:], strict=True))
    for name, found in (("cycle knn", "cycle_knn_no_hubs"), ("mutual knn", "mutual_knn"), ("edit knn", "edit_knn")):
        assert cells[name].number == pytest.approx(derived["chance"][found], abs=1e-12)
    assert (cells["mutual knn"].text, cells["cknna"].text, cells["cka"].missing) == ("0.02708", "≈ 0.023", True)
    assert cells["svcca"].number == pytest.approx(derived["chance"]["svcca"], abs=0.003)


def test_simulated_chance_is_what_unrelated_features_give() -> None:
    generator = torch.Generator().manual_seed(0)
    one, other = (torch.randn(N, 64, generator=generator) for _ in range(2))
    found = score_all(one, other, K, ("lcs_knn", "cknna", "svcca"))
    assert found["lcs_knn"] == pytest.approx(CHANCES.about["lcs knn"], abs=0.05)
    assert found["cknna"] == pytest.approx(CHANCES.about["cknna"], abs=0.002)
    assert found["svcca"] == pytest.approx(CHANCES.about["svcca"], abs=0.006)


@pytest.mark.parametrize("name", NO_VALUES)
def test_figures_say_that_the_paper_prints_no_values(name: str) -> None:
    grid = paper_table(name)
    assert grid.rows == () and "prints no values" in grid.said[0]


def test_runs_that_measured_nothing_of_a_table_are_named(tmp_path: Path) -> None:
    grid = paper_table("nexus_o:5", [write_run(tmp_path / "run", {"librispeech_test_clean": asr()})])
    assert mine(grid) == [] and "Nothing of this table was measured in run." in grid.said


def test_two_runs_of_a_model_have_a_row_each(tmp_path: Path) -> None:
    paths = [write_run(tmp_path / name, {"librispeech_test_clean": asr()}) for name in ("one", "two")]
    assert [row.cells[0].text for row in mine(paper_table("vita15:4", paths))] == ["vita15 one", "vita15 two"]


def test_an_unknown_table_is_told_what_was_meant() -> None:
    with pytest.raises(UsageError, match="Did you mean vita_audio:4"):
        paper_table("vita-audio:4")
    assert list(titles()) == list(LAYOUTS)


def test_a_model_has_at_most_one_row_of_its_own_in_a_table_and_size() -> None:
    for own in OWN.values():
        rows = {(one["table"], one["model"], one["llm"]) for one in records() if one["source"] == own.source}
        mine = [row for row in rows if row[1] in own.names]
        assert mine and {name for _, name, _ in mine} == own.names
    assert (found := find("nexus-o", "Seed-TTS", "test-zh", "CER %")) is not None and found.value == 7.55
