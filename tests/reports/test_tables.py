from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from harness.failures import UsageError
from reports.runs import load
from reports.tables import print_table, summary
from tests.reports.fake_run import entry, metric, rich_run, sample, write_run

WER = {"wer": metric(4.21, [3.9, 4.55], "%", False)}


def printed(*runs: Path) -> str:
    stream = io.StringIO()
    print_table(runs, stream=stream)
    return stream.getvalue()


def test_a_row_has_value_interval_counts_profile_and_prompt(tmp_path: Path) -> None:
    text = printed(write_run(tmp_path / "r", {"librispeech_test_clean": entry(WER)}, {}))
    row = next(line for line in text.splitlines() if line.startswith("librispeech"))
    assert row.split() == ["librispeech_test_clean", "wer", "4.21", "%", "[3.90,", "4.55]", "3/3", "3.4"]
    assert "profile qwen2, prompt vita, 0 failed, 0 unscored\n" in text
    assert "not a rank" in text and "!" not in text


def test_every_caveat_is_printed(tmp_path: Path) -> None:
    text = printed(rich_run(tmp_path))
    assert "! model: random weights" in text and "! mini world, not a benchmark number" in text
    assert "invalid: coverage 96.9 %" in text and "1 x generate/limit" in text
    assert "2 truncated" in text and "1 failed, 1 unscored" in text


def test_a_missing_value_is_a_dash_and_never_zero(tmp_path: Path) -> None:
    text = printed(rich_run(tmp_path))
    row = next(line for line in text.splitlines() if " cognition " in line)
    assert row.split()[2] == "–"
    assert [r["value"] for r in summary([tmp_path / "20260102T030405Z-vita15-0123abcd"])] == [4.21, 1500.0, None]


def test_an_unfinished_limited_ablated_run_says_so(tmp_path: Path) -> None:
    run = write_run(tmp_path / "r", {"x": entry(WER)}, {}, finished=False, limit=3, ablate="no audio")
    text = printed(run)
    assert "incomplete run" in text and "first 3 samples" in text and "ablation: no audio" in text


def test_rows_fit_in_80_columns(tmp_path: Path) -> None:
    table = [line for line in printed(rich_run(tmp_path)).splitlines() if line.startswith(("librispeech", "mme"))]
    assert len(table) == 3 and max(map(len, table)) <= 80


def test_the_summary_is_json_and_carries_the_papers_value(tmp_path: Path) -> None:
    run = write_run(tmp_path / "r", {"wenetspeech_net": entry({"cer": metric(9.0, None, "%", False)})}, {})
    row = json.loads(json.dumps(summary([run])))[0]
    assert row["published"]["value"] == 8.4 and row["published"]["note"]
    assert "*" in printed(run)


def test_only_the_published_model_has_a_paper_value(tmp_path: Path) -> None:
    run = write_run(tmp_path / "r", {"librispeech_test_clean": entry(WER)}, {}, model="vita15-mini")
    assert summary([run])[0]["published"] is None


def test_what_is_no_readable_run_is_refused_with_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="not a run directory"):
        load(tmp_path)
    run = write_run(tmp_path / "r", {"x": entry(WER)}, {})
    (run / "results.json").write_text('{"format": 9}')
    with pytest.raises(UsageError, match="format is 9"):
        load(run)
    (run / "results.json").unlink()
    with pytest.raises(UsageError, match=f"harness resume {run}"):
        load(run)


def test_a_torn_last_line_is_left_out_and_an_edited_one_refused(tmp_path: Path) -> None:
    run = write_run(tmp_path / "r", {"x": entry(WER)}, {"x": [sample("1"), sample("2")]})
    log = run / "samples" / "x.jsonl"
    log.write_bytes(log.read_bytes() + b'{"id": "3", "re')
    assert [r["id"] for r in load(run).samples("x")] == ["1", "2"]
    log.write_bytes(b"{broken}\n")
    with pytest.raises(UsageError, match="line 1"):
        list(load(run).samples("x"))
