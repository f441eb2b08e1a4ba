from __future__ import annotations

import io
import json
import shutil
from pathlib import Path

import pytest

from harness.failures import UsageError
from harness.schema import GroupResult, JudgeUsage
from harness.store import RunDir
from reports.figures import number
from reports.leaderboard import Row, rows
from reports.runs import caveats, load
from reports.tables import lines, print_table
from tests.reports.fake_run import entry, metric, numbers, rich_run, sample, write_run

WER = {"wer": metric(4.21, (3.9, 4.55))}
GOLDEN = Path(__file__).parents[1] / "goldens" / "runs" / "format-1"


def printed(run: Path) -> str:
    stream = io.StringIO()
    print_table(run, stream=stream)
    return stream.getvalue()


def summary(run: Path) -> list[Row]:
    return list(rows(load(run)))


def test_a_row_has_value_interval_counts_profile_and_prompt(tmp_path: Path) -> None:
    text = printed(write_run(tmp_path / "r", {"librispeech_test_clean": entry(WER)}))
    row = next(line for line in text.splitlines() if line.startswith("librispeech"))
    assert row.split() == ["librispeech_test_clean", "wer", "4.21", "%", "[3.90,", "4.55]", "3/3", "–"]
    assert "profile qwen2, prompt vita, 0 failed, 0 unscored\n" in text
    assert "interval: Clopper-Pearson over samples, n = 3\n" in text
    assert "!" not in text


def test_every_caveat_is_printed(tmp_path: Path) -> None:
    text = printed(rich_run(tmp_path))
    assert "! model: random weights" in text and "! mini world, not a benchmark number" in text
    assert "! invalid: coverage 98.4 %" in text and "1 x generate/limit" in text
    assert "2 truncated" in text and "1 failed, 1 unscored" in text


def test_precision_and_batch_budget_stand_beside_the_numbers(tmp_path: Path) -> None:
    run = write_run(tmp_path / "r", {"x": entry(WER)}, batch_tokens=1)
    assert "float32 on cpu, batch budget 1 tokens" in printed(run)
    assert (summary(run)[0].dtype, summary(run)[0].batch_tokens) == ("float32", 1)


def test_a_missing_value_is_a_dash_and_never_zero(tmp_path: Path) -> None:
    run = rich_run(tmp_path)
    row = next(line for line in printed(run).splitlines() if " cognition " in line)
    assert row.split()[2] == "–"
    assert [row.result.value for row in summary(run)] == [4.21, 1500.0, None]
    assert number(None, "%") == "–"


def test_an_unfinished_limited_ablated_run_says_so(tmp_path: Path) -> None:
    run = write_run(tmp_path / "r", {"x": entry(WER)}, finished=False, limit=3, ablate="audio")
    text = printed(run)
    assert "incomplete run" in text and "first 3 samples" in text and "ablation: audio blanked" in text


def test_a_limit_that_leaves_no_number_and_a_task_that_is_not_ablated_are_told(tmp_path: Path) -> None:
    empty = {"wer": metric(None)}
    text = printed(write_run(tmp_path / "r", {"x": entry(WER), "y": entry(empty)}, limit=3, ablate="image"))
    assert "too few samples for a number of y: raise --limit, or ask every tenth (--part 1/10) in its place" in text
    assert "not ablated, as they have no image input: x, y" in text


def test_tasks_that_were_not_run_are_told_with_what_the_model_lacks(tmp_path: Path) -> None:
    lacks = {"seedtts_en": "speech output", "latency_spoken": "speech output", "mme": "image"}
    run = write_run(tmp_path / "r", {"x": entry(WER)}, left_out=lacks)
    assert "! not run, as the model has no speech output: seedtts_en, latency_spoken\n" in printed(run)
    assert "! not run, as the model has no image: mme\n" in printed(run)
    assert caveats(load(run)) == []


def test_tasks_of_several_suites_stand_under_the_names_of_their_suites(tmp_path: Path) -> None:
    text = printed(write_run(tmp_path / "r", {name: entry(WER) for name in ("aishell1", "fleurs_zh", "mme", "own")}))
    firsts = [line.split()[0] for line in text.splitlines()[2:] if not line.startswith(" ")]
    assert firsts[:7] == ["SPEECH", "aishell1", "fleurs_zh", "PICTURES", "mme", "OTHER", "own"]
    assert "SPEECH RECOGNITION (asr)\n" in text
    alone = printed(write_run(tmp_path / "s", {name: entry(WER) for name in ("aishell1", "fleurs_zh")}))
    assert "SPEECH" not in alone


def test_the_speed_of_hearing_is_that_of_all_tasks_on_sound(tmp_path: Path) -> None:
    tasks = {"x": entry(WER, audio_s=30.0, seconds=1.0), "y": entry(WER, audio_s=10.0, seconds=3.0)}
    text = printed(write_run(tmp_path / "r", tasks | {"z": entry(WER, seconds=9.0)}))
    assert "RTFx 10: 40 s of sound in 4.0 s" in text
    assert "RTFx" not in printed(write_run(tmp_path / "s", {"x": entry(WER, seconds=1.0)}))


def test_rows_fit_in_80_columns(tmp_path: Path) -> None:
    table = [line for line in printed(rich_run(tmp_path)).splitlines() if line.startswith(("librispeech", "mme"))]
    assert len(table) == 3 and max(map(len, table)) <= 80


def test_one_run_says_its_number_under_every_profile(tmp_path: Path) -> None:
    result = entry({"wer": metric(2.04)})
    others = {"a": 5.0, "b": 9.31, "c": 2.5, "d": 3.0}
    result.scores |= {name: {"": numbers({"wer": metric(value)})} for name, value in others.items()}
    run = write_run(tmp_path / "r", {"x": result})
    assert "wer: 2.04 % qwen2; 2.04–9.31 % over 5 profiles" in printed(run)
    found = summary(run)
    assert {row.profile: row.result.value for row in found} == {"qwen2": 2.04, **others}
    assert [row.profile for row in found if row.headline] == ["qwen2"]
    assert found[0].profiles == {"qwen2": 2.04, **others}


def test_text_and_speech_stand_beside_their_gap(tmp_path: Path) -> None:
    result = entry({"accuracy": metric(60.0, higher=True)}, channel="text", gap={"accuracy": 12.5})
    result.scores = {
        "qwen2": {"text": numbers({"accuracy": metric(60.0)}), "speech": numbers({"accuracy": metric(47.5)})}
    }
    text = printed(write_run(tmp_path / "r", {"x": result}))
    assert "accuracy: text minus speech +12.50 %" in text and "profile qwen2, text channel" in text


def test_repeats_show_their_spread_and_what_k_answers_solve(tmp_path: Path) -> None:
    result = entry(
        {"accuracy": metric(50.0)},
        repeats=2,
        n_expected=2,
        spread={"accuracy": [48.0, 52.0]},
        pass_at={"1": 50.0, "2": 66.7},
    )
    samples = [sample("a", repeat=0), sample("a", repeat=1)]
    samples = [one._replace(scored=sample("a", scored={"repeat": i}).scored) for i, one in enumerate(samples)]
    text = printed(write_run(tmp_path / "r", {"x": result}, {"x": samples}))
    assert "accuracy: mean 50.00 %, 48.00–52.00 % over 2 repeats" in text
    assert "pass@1 50.0 %, pass@2 66.7 %" in text
    assert "invalid" not in text


def test_a_part_of_a_benchmark_and_its_judges_are_told(tmp_path: Path) -> None:
    part = "1,310 of 2,620 published rows"
    result = entry(WER, n_rows=1310, n_published=2620, judges={"llm": "grader (1234abcd)"}, problems=[part])
    text = printed(write_run(tmp_path / "r", {"x": result}))
    assert "! 1,310 of 2,620 published rows" in text and "judges: llm grader (1234abcd)" in text


@pytest.mark.parametrize(
    ("used", "told"),
    [
        (JudgeUsage(218, 31204, 2110, 0.0059466), ", 218 judgements, 31,204 + 2,110 tokens, $0.005947"),
        (JudgeUsage(218, 31204, 2110, None), ", 218 judgements, 31,204 + 2,110 tokens"),
        (JudgeUsage(1218), ", 1,218 judgements"),
    ],
)
def test_what_a_judge_took_is_told_as_far_as_it_is_known(tmp_path: Path, used: JudgeUsage, told: str) -> None:
    result = entry(WER, judges={"llm": "llm grader (1234abcd)"}, judge_usage={"llm": used})
    printed_lines = printed(write_run(tmp_path / "r", {"x": result})).splitlines()
    assert f"judges: llm grader (1234abcd){told}" in [line.strip() for line in printed_lines]


def test_a_constant_answer_is_what_a_number_is_held_against(tmp_path: Path) -> None:
    result = entry({"total": metric(812.0, None, "points", True)}, answers={"Yes": 9, "No": 1})
    result.headline.constant, result.headline.constant_metric = ("Yes", 700.0), "total"
    text = printed(write_run(tmp_path / "r", {"mme": result}))
    assert "answering 'Yes' to everything scores total 700.0 points" in text


MME = {"benchmark": "MME", "split": "all", "published_metrics": {"total": "score /2800 (perception+cognition)"}}
POINTS = {"total": metric(2300.0, None, "points", True), "perception": metric(1700.0, None, "points", True)}


def test_the_paper_stands_beside_the_released_weights(tmp_path: Path) -> None:
    run = write_run(tmp_path / "r", {"vision": entry(POINTS)}, released=True, described={"vision": MME})
    total, perception = summary(run)
    assert total.published is not None and total.published.value == 2352.0 and perception.published is None
    assert "2352" in printed(run) and "not a rank" in printed(run)


@pytest.mark.parametrize(
    ("changes", "described"),
    [
        ({"released": False}, MME),
        ({"model": "vita15-mini"}, MME),
        ({"data": "mini"}, MME),
        ({"option": {"mode": "turbo"}}, MME),
        ({}, MME | {"split": "dev"}),
        ({}, MME | {"benchmark": None}),
        ({}, MME | {"published_metrics": {"total": "score /2000"}}),
        ({}, {}),
    ],
)
def test_the_paper_stands_beside_nothing_else(tmp_path: Path, changes: dict[str, object], described: object) -> None:
    options = {"released": True} | changes
    run = write_run(tmp_path / "r", {"mme": entry(POINTS)}, described={"mme": described}, **options)  # type: ignore[arg-type, dict-item]
    assert [row.published for row in summary(run)] == [None, None]
    assert "paper:" not in printed(run)


def test_a_doubtful_cell_of_the_paper_is_marked(tmp_path: Path) -> None:
    asked = {"benchmark": "WenetSpeech", "split": "test_net", "published_metrics": {"cer": "CER %"}}
    run = write_run(tmp_path / "r", {"x": entry({"cer": metric(9.0)})}, released=True, described={"x": asked})
    paper = summary(run)[0].published
    assert paper is not None and paper.value == 8.4 and paper.note
    assert "8.4*" in printed(run) and "* x: " in printed(run)


def test_control_characters_of_a_model_do_not_reach_the_terminal(tmp_path: Path) -> None:
    run = write_run(tmp_path / "r", {"x": entry(WER)}, note="\x1b[2J\u202erandom")
    assert "\x1b" not in printed(run) and "\u202e" not in printed(run)


def test_what_is_no_readable_run_is_refused_with_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="not a run directory"):
        load(tmp_path)
    run = write_run(tmp_path / "r", {"x": entry(WER)})
    (run / "results.json").write_text('{"format": 9}')
    with pytest.raises(UsageError, match="format is 9"):
        load(run)
    (run / "results.json").write_text('{"format": 2, "model": 1}')
    with pytest.raises(UsageError, match="was the file edited"):
        load(run)
    (run / "results.json").unlink()
    with pytest.raises(UsageError, match=f"harness resume {run}"):
        load(run)


def test_a_run_of_format_1_is_shown(tmp_path: Path) -> None:
    run = Path(shutil.copytree(GOLDEN, tmp_path / "run"))
    text = printed(run)
    assert "total       200.0 points [200.0, 200.0]" in text and "invalid" not in text
    log = run / "samples" / "mme.jsonl"
    log.write_bytes(b"".join(log.read_bytes().splitlines(keepends=True)[:3]))
    assert "invalid: the log has 3 records, these numbers were made from 4 (1 planned samples missing" in printed(run)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('"scores": "scores/1"', '"scores": "../elsewhere"', "field scores must be"),
        ('"x": {', '"../../x": {', "is no name of a task"),
        ('"x": {', '"y": {', "task y is not in manifest.json"),
        ('"profile": "qwen2"', '"profile": "kimi"', "no numbers of its profile kimi"),
    ],
)
def test_results_that_were_edited_are_one_message(tmp_path: Path, old: str, new: str, said: str) -> None:
    run = write_run(tmp_path / "r", {"x": entry(WER)})
    path = run / "results.json"
    content = path.read_text()
    assert old in content
    path.write_text(content.replace(old, new))
    with pytest.raises(UsageError, match=said):
        load(run)


# The log of today beside the numbers


def long_run(tmp_path: Path) -> tuple[Path, Path]:
    """A run of 280 samples and its log."""
    result = entry(WER, n_expected=280, n_scored=280)
    run = write_run(tmp_path / "r", {"x": result}, {"x": [sample(f"s-{i}") for i in range(280)]})
    assert load(run).results.valid and "invalid" not in printed(run)
    return run, run / "samples" / "x.jsonl"


def test_a_log_that_lost_lines_makes_the_numbers_invalid(tmp_path: Path) -> None:
    run, log = long_run(tmp_path)
    log.write_bytes(b"".join(log.read_bytes().splitlines(keepends=True)[:150]))
    told = "invalid: the log has 150 records, these numbers were made from 280 (130 planned samples missing, 0 records"
    assert told in printed(run)
    found = load(run).results
    assert not found.valid and not found.tasks["x"].valid
    assert not summary(run)[0].valid


def test_a_doubled_line_makes_the_numbers_invalid(tmp_path: Path) -> None:
    run, log = long_run(tmp_path)
    content = log.read_bytes()
    log.write_bytes(content + content.splitlines(keepends=True)[7])
    assert "the log has 281 records, these numbers were made from 280 (0 planned samples missing, 1 records" in printed(
        run
    )


def test_one_sample_in_the_place_of_another_makes_the_numbers_invalid(tmp_path: Path) -> None:
    run, log = long_run(tmp_path)
    kept = log.read_bytes().splitlines(keepends=True)
    log.write_bytes(b"".join([kept[0], kept[0], *kept[2:]]))
    assert "the log has 280 records, these numbers were made from 280 (1 planned samples missing, 1 records" in printed(
        run
    )


def test_an_edited_plan_makes_the_numbers_invalid(tmp_path: Path) -> None:
    run, log = long_run(tmp_path)
    plan = run / "plan" / "x.jsonl"
    for path in (plan, log):
        path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:150]))
    assert "is not the plan that was made (150 of 280 rows)" in printed(run)


def test_a_log_that_changed_shows_no_sample_with_the_score_of_another(tmp_path: Path) -> None:
    samples = [sample(f"s-{i}", float(i)) for i in range(6)]
    run = write_run(tmp_path / "r", {"x": entry(WER, n_expected=6)}, {"x": samples})
    log = run / "samples" / "x.jsonl"
    kept = log.read_bytes().splitlines(keepends=True)
    log.write_bytes(b"".join([kept[4], kept[1], kept[1], kept[5]]))
    found = [
        (record.id, scored.scores["qwen2"][""].value if scored.scores else None)
        for record, scored in load(run).samples("x")
    ]
    assert found == [("s-4", 4.0), ("s-1", 1.0), ("s-1", None), ("s-5", 5.0)]


def test_a_torn_last_line_is_left_out_and_an_edited_one_refused(tmp_path: Path) -> None:
    run = write_run(tmp_path / "r", {"x": entry(WER, n_expected=2)}, {"x": [sample("1"), sample("2")]})
    log = run / "samples" / "x.jsonl"
    log.write_bytes(log.read_bytes() + b'{"id": "3", "re')
    assert [record.id for record, _ in load(run).samples("x")] == ["1", "2"]
    log.write_bytes(b"{broken}\n")
    with pytest.raises(UsageError, match="line 1"):
        load(run)


def test_a_run_without_an_answer_has_a_table(tmp_path: Path) -> None:
    run = write_run(tmp_path / "r", {"x": entry({"wer": metric(None)}, n_expected=3, n_missing=3, n_scored=0)})
    (run / "samples" / "x.jsonl").unlink()
    assert any("wer" in line.text and "–" in line.text for line in lines(load(run)))


def test_sub_scores_are_read_back_with_their_own_n(tmp_path: Path) -> None:
    result = entry(WER)
    group = GroupResult(10, {"wer": metric(3.0, (1.0, 5.0), n=5)})
    result.headline.groups = {"speaker": {"f": group}}
    run = write_run(tmp_path / "r", {"x": result})
    assert RunDir.open(run).results().tasks["x"].headline.groups["speaker"]["f"] == group


def test_what_has_to_be_said_of_the_weights_stands_beside_the_numbers(tmp_path: Path) -> None:
    run = write_run(tmp_path / "r", {"x": entry(WER)})
    manifest = json.loads((run / "manifest.json").read_bytes())
    manifest["model"]["fingerprint"]["told"] = ["no repetition penalty is used"]
    (run / "manifest.json").write_text(json.dumps(manifest))
    assert "! weights: no repetition penalty is used" in printed(run)
