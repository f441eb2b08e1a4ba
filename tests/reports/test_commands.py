"""`report` and `show` as a user meets them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from reports.commands import media_choices
from tests.harness.conftest import Call, call
from tests.reports.fake_run import entry, metric, rich_run, write_run

__all__ = ["call"]


def short_run(folder: Path, n: int = 20) -> Path:
    return write_run(folder / "run", {"x": entry({"wer": metric(4.21, (3.9, 4.55))}, n_expected=n, n_scored=n)})


def cut(run: Path, lines: int) -> None:
    log = run / "samples" / "x.jsonl"
    log.write_bytes(b"".join(log.read_bytes().splitlines(keepends=True)[:lines]))


def test_a_report_prints_where_the_page_is(call: Call, tmp_path: Path) -> None:
    found = call("report", rich_run(tmp_path), "-o", tmp_path / "site", "--media", "failed")
    assert (found.code, found.out.strip()) == (0, str(tmp_path / "site" / "index.html"))
    assert "invalid: coverage 98.4 %" in found.err
    found = call("report", short_run(tmp_path), "--out", tmp_path / "site", "--json")
    assert json.loads(found.out) == {"page": str(tmp_path / "site" / "index.html")} and found.err == ""


def test_plots_can_be_left_out(call: Call, tmp_path: Path) -> None:
    run = short_run(tmp_path)
    for flags, drawn in (([], True), (["--no-plots"], False)):
        assert call("report", run, "-o", tmp_path / "site", *flags).code == 0
        assert (tmp_path / "site" / "plots").is_dir() is drawn


def test_what_the_caller_can_mend_is_one_message(call: Call, tmp_path: Path) -> None:
    run = short_run(tmp_path)
    for arguments, said in (
        ([tmp_path], "not a run directory"),
        ([run, "--media", "-1"], "--media takes all, failed"),
        ([run, "-o", run], "is not empty and holds no earlier report"),
    ):
        found = call("report", *arguments)
        assert found.code == 2 and said in found.err and "Traceback" not in found.err


def test_a_log_that_lost_lines_is_told_by_show_and_report(call: Call, tmp_path: Path) -> None:
    run = short_run(tmp_path)
    assert call("show", run).code == 0
    cut(run, 15)
    said = "the log has 15 records, these numbers were made from 20 (5 planned samples missing, 0 records twice)"
    found = call("show", run)
    assert found.code == 4 and said in found.out
    found = call("show", run, "--json")
    content = json.loads(found.out)
    assert found.code == 4 and not content["valid"] and said in content["tasks"]["x"]["problems"][0]
    assert said in call("report", run, "-o", tmp_path / "site").err


def test_the_choices_of_media_complete() -> None:
    assert media_choices("") == ["all", "failed", "0", "100"] and media_choices("f") == ["failed"]


def test_adding_the_command_imports_nothing_heavy() -> None:
    heavy = ("torch", "pandas", "jinja2", "numpy", "rich", "matplotlib")
    script = f"""
import sys, typer
from reports.commands import add
app = typer.Typer(rich_markup_mode=None, pretty_exceptions_enable=False)
add(app)
try:
    app(["--help"])
except SystemExit as end:
    assert not end.code, end.code
print("imported:", [name for name in {heavy!r} if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "imported: []"
