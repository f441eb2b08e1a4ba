"""What a gate leaves behind: a table, gate.json, gate.md (short for a comment too) and junit.xml."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from harness.failures import UsageError
from harness.files import encoded
from harness.texts import printable
from reports.figures import p_value, signed, with_unit
from reports.gate.rules import Outcome, Status
from reports.grid.formats import markdown, one_line
from reports.grid.grid import Cell, Column, Grid, Row

ORDER: tuple[Status, ...] = ("fail", "warn", "accepted", "skipped", "improved", "pass")
"""Failures first."""
SUMMARY, COMMENT = 900_000, 60_000
"""Bytes that a step's summary and a comment may have, with room below the services' limits."""
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def table(outcomes: Sequence[Outcome], run: str, baseline: str) -> Grid:
    columns = (
        Column("gate", align="left"),
        Column("verdict", align="left"),
        Column("baseline"),
        Column("now"),
        Column("worse by"),
        Column("allowed"),
        Column("p"),
        Column("p (Holm)"),
        Column("why", align="left"),
    )
    ordered = sorted(outcomes, key=lambda outcome: ORDER.index(outcome.status))
    return Grid(headline(outcomes), columns, tuple(map(_row, ordered)), (f"{run} against {baseline}",))


def headline(outcomes: Sequence[Outcome]) -> str:
    """ "2 of 5 gates failed; 1 warn, 2 pass"."""
    counts = {status: sum(outcome.status == status for outcome in outcomes) for status in ORDER}
    rest = ", ".join(f"{n} {status}" for status, n in counts.items() if n and status != "fail")
    said = f"{counts['fail']} of {len(outcomes)} gates failed" if counts["fail"] else f"{len(outcomes)} gates held"
    return f"{said}; {rest}" if rest else said


def _row(outcome: Outcome) -> Row:
    unit = outcome.unit
    worse = outcome.worse
    interval: tuple[str, ...] = ()
    if outcome.interval is not None:
        interval = (f"[{', '.join(signed(bound, unit) for bound in outcome.interval)}]",)
    turned = "" if outcome.fixed is None else f"; {outcome.fixed} fixed, {outcome.broken} broken"
    return Row(
        (
            Cell(outcome.gate.name),
            Cell(outcome.status),
            _number(outcome.baseline, unit),
            _number(outcome.value, unit),
            Cell() if worse is None else Cell(signed(worse, unit), worse, interval),
            _number(outcome.allowed, unit),
            _p(outcome.p),
            _p(outcome.p_holm),
            Cell(outcome.reason + turned),
        )
    )


def _number(value: float | None, unit: str) -> Cell:
    return Cell() if value is None else Cell(with_unit(value, unit), value)


def _p(value: float | None) -> Cell:
    return Cell() if value is None else Cell(p_value(value), value)


def content(outcomes: Sequence[Outcome], run: str, baseline: str, exit_code: int) -> dict[str, Any]:
    """gate.json."""
    return {
        "format": 1,
        "run": run,
        "baseline": baseline,
        "exit": exit_code,
        "failed": sum(outcome.status == "fail" for outcome in outcomes),
        "gates": [_entry(outcome) for outcome in outcomes],
    }


def _entry(outcome: Outcome) -> dict[str, Any]:
    names = ("status", "reason", "unit", "value", "baseline", "worse", "allowed", "n", "interval", "p", "p_holm")
    gate = outcome.gate
    about = {"name": gate.name, "task": gate.task, "metric": gate.metric, "channel": gate.channel, "level": gate.level}
    return about | {name: getattr(outcome, name) for name in (*names, "fixed", "broken")}


def junit(outcomes: Sequence[Outcome]) -> bytes:
    """A test case a gate; what a test case prints is the reason."""
    counts = {status: sum(outcome.status == status for outcome in outcomes) for status in ORDER}
    about = {"name": "harness gate", "tests": str(len(outcomes)), "failures": str(counts["fail"])}
    suite = ElementTree.Element("testsuite", about | {"skipped": str(counts["skipped"]), "errors": "0"})
    for outcome in outcomes:
        names = {"classname": _xml(outcome.gate.task), "name": _xml(outcome.gate.name)}
        case = ElementTree.SubElement(suite, "testcase", names)
        if outcome.status == "fail":
            ElementTree.SubElement(case, "failure", {"message": _xml(outcome.reason)}).text = _xml(outcome.reason)
        elif outcome.status == "skipped":
            ElementTree.SubElement(case, "skipped", {"message": _xml(outcome.reason)})
        else:
            ElementTree.SubElement(case, "system-out").text = _xml(f"{outcome.status}: {outcome.reason}")
    root = ElementTree.Element("testsuites")
    root.append(suite)
    return bytes(ElementTree.tostring(root, encoding="utf-8", xml_declaration=True))


def _xml(text: str) -> str:
    return _NOT_XML.sub("\ufffd", printable(text))


def cut(text: str, most: int) -> str:
    """As much of a Markdown text as has `most` bytes, in whole lines, and that it was cut."""
    if len(text.encode()) <= most:
        return text
    told, kept, size = "\n\n... cut: gate.json has all gates\n", list[str](), 0
    for line in text.splitlines(keepends=True):
        size += len(line.encode())
        if size > most - len(told):
            break
        kept.append(line)
    return "".join(kept).rstrip("\n") + told


def write(folder: Path, outcomes: Sequence[Outcome], run: str, baseline: str, exit_code: int) -> None:
    """Write the files into `folder`, and add the table to `$GITHUB_STEP_SUMMARY` where that is set."""
    told = markdown(table(outcomes, one_line(run), one_line(baseline)))
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "gate.json").write_bytes(encoded(content(outcomes, run, baseline, exit_code)) + b"\n")
        (folder / "gate.md").write_text(told, encoding="utf-8")
        (folder / "gate.comment.md").write_text(cut(told, COMMENT), encoding="utf-8")
        (folder / "junit.xml").write_bytes(junit(outcomes))
        if summary := os.environ.get("GITHUB_STEP_SUMMARY"):
            with Path(summary).open("a", encoding="utf-8") as file:
                file.write(cut(told, SUMMARY))
    except OSError as error:
        raise UsageError(
            f"{error.filename or folder} cannot be written: {error.strerror}; name a folder by -o"
        ) from error
