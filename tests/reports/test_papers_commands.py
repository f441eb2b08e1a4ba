"""`harness report --table` as a user meets it."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest

from reports.commands import layout_choices, table_choices
from reports.papers.layouts import LAYOUTS
from tests.harness.conftest import Call, call
from tests.reports.fake_run import HOSTILE, entry, metric, write_run

__all__ = ["call"]


@pytest.fixture
def run(tmp_path: Path) -> Path:
    return write_run(tmp_path / "run", {"librispeech_test_clean": entry({"wer": metric(2.04, (0.96, 3.78))})})


def test_the_list_names_every_table(call: Call) -> None:
    found = call("report", "--table", "list")
    assert found.code == 0 and [line.split()[0] for line in found.out.splitlines()] == list(LAYOUTS)
    assert list(json.loads(call("report", "--table", "list", "--json").out)["tables"]) == list(LAYOUTS)
    assert call("report", "--table", "list", "--format", "csv").code == 2


def test_a_table_is_printed_within_80_columns(call: Call, run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    for name in LAYOUTS:
        found = call("report", "--table", name, run)
        assert found.code == 0 and max(map(len, found.out.splitlines())) <= 80, name
    assert "[0.96, 3.78]" in call("report", "--table", "vita15:4", run).out


@pytest.mark.parametrize(
    ("form", "start"), [("markdown", "**VITA"), ("latex", r"% \usepackage{booktabs}"), ("csv", "group,model,")]
)
def test_a_table_is_written_and_not_replaced_unasked(
    call: Call, run: Path, tmp_path: Path, form: str, start: str
) -> None:
    asked = ("report", "--table", "vita15:4", run, "--format", form, "-o", tmp_path / "table")
    found = call(*asked)
    assert (found.code, found.out.strip()) == (0, str(tmp_path / "table"))
    text = (tmp_path / "table").read_text(encoding="utf-8")
    assert text.startswith(start) and "2.04" in text
    again = call(*asked)
    assert again.code == 2 and "there already" in again.err
    assert json.loads(call(*asked, "--force", "--json").out) == {"file": str(tmp_path / "table")}


def test_json_has_the_numbers(call: Call, run: Path) -> None:
    content = json.loads(call("report", "--table", "vita15:4", run, "--json").out)
    assert content["table"] == "vita15:4"
    cells = content["rows"][-1]["cells"]
    assert [one["number"] for one in cells].count(2.04) == 1 and cells[0]["text"] == "vita15"


def test_what_the_caller_can_mend_is_one_message(call: Call, run: Path, tmp_path: Path) -> None:
    for arguments, told in (
        (["--table", "vita15:22"], "Did you mean vita15:2"),
        (["--table", "vita15:2", "--format", "html"], "there are terminal, markdown, latex, csv"),
        (["--table", "vita15:2", tmp_path], "not a run directory"),
        (["--table", "vita15:2", "-o", tmp_path], "is a folder"),
        (["--table", "vita15:2", "--json", "--format", "csv"], "leave --format away"),
        ([run, "--format", "csv"], "belong to --table"),
        ([], "name a run directory"),
    ):
        found = call("report", *arguments)
        assert found.code == 2 and told in found.err and "Traceback" not in found.err, arguments


def test_a_hostile_label_is_shown_and_not_obeyed(call: Call, tmp_path: Path) -> None:
    wer = entry({"wer": metric(2.04)})
    label = "=1+1|\x1b[31m" + HOSTILE
    run = write_run(tmp_path / "run", {"librispeech_test_clean": wer}, model=label, note="=bad|<b>")
    asked = ("report", "--table", "vita15:4", run, "--format")
    assert "\x1b" not in call(*asked, "terminal").out
    markdown = call(*asked, "markdown").out
    assert "<img" not in markdown and "<script" not in markdown and "\\|" in markdown
    (row,) = [one for one in csv.DictReader(io.StringIO(call(*asked, "csv").out)) if one["group"] == "Measured here"]
    assert row["model"].startswith("'=1+1|") and row["LibriSpeech test-clean WER % ↓"] == "2.04"


def test_the_names_complete() -> None:
    assert table_choices("vita15:") == ["vita15:2", "vita15:3", "vita15:4"] and "list" in table_choices("")
    assert layout_choices("") == ["terminal", "markdown", "latex", "csv"] and layout_choices("m") == ["markdown"]
