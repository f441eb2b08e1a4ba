"""Tables as values, and what each format makes of them."""

from __future__ import annotations

import csv
import io
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from harness.failures import UsageError
from harness.texts import wide
from reports.grid.formats import FORMATS, as_csv, csv_safe, latex_escaped, markdown_escaped, one_line, written
from reports.grid.grid import MISSING, Cell, Column, Grid, Notes, Row
from reports.grid.place import write_text
from reports.grid.terminal import terminal

TEXTS = st.text(max_size=40) | st.text(alphabet="|\\`*_[]()<>&#$%^~{}!=+-@:/.\n\t\x1b1www ", max_size=25)
MODEL = Column("model", align="left")
WER = Column("test-clean", "LibriSpeech", "WER %", "↓")


def grid(*rows: Row, columns: tuple[Column, ...] = (MODEL, WER), notes: tuple[str, ...] = ()) -> Grid:
    return Grid("A table", columns, rows, ("what is said",), notes)


SMALL = grid(
    Row((Cell("VITA_1.5"), Cell("3.4", 3.4, marks=(1,))), "Open & free"),
    Row((Cell("mine"), Cell("2.04", 2.04, ("[0.96, 3.78]", "n = 100"), {"low": 0.96, "high": 3.78}, (1, 2))), "Here"),
    Row((Cell("=1+1"), Cell()), "Here"),
    notes=("a note", "another"),
)


def test_a_terminal_shows_intervals_below_and_marks_behind() -> None:
    assert written(SMALL, "terminal").splitlines() == [
        "A table",
        "what is said",
        "",
        "           LibriSpeech",
        "            test-clean",
        "model          WER % ↓",
        "──────────────────────",
        "Open & free:",
        "VITA_1.5          3.4¹",
        "Here:",
        "mine           2.04¹˒²",
        "          [0.96, 3.78]",
        "               n = 100",
        "=1+1                 –",
        "",
        "¹ a note",
        "² another",
    ]


def test_wide_tables_are_blocks_that_repeat_the_model() -> None:
    columns = (MODEL, *(Column(f"benchmark {n}", unit="points") for n in range(12)))
    rows = [Row((Cell(f"模型 {m}"), *(Cell(f"<{m}.{n}>", n) for n in range(12)))) for m in range(3)]
    found = terminal(grid(*rows, columns=columns), 60)
    assert max(wide(line) for line in found.splitlines()) <= 60
    assert found.count("模型 0") == found.count("─\n") >= 2
    assert [found.count(f"<{m}.{n}>") for m in range(3) for n in range(12)] == [1] * 36


@given(TEXTS)
@example("a\x1b[31mred\u202e")
def test_nothing_that_a_terminal_obeys_is_printed(text: str) -> None:
    found = terminal(Grid(text, (Column(text),), (Row((Cell(text),), text),), (text,), (text,)))
    assert all(c.isprintable() or c == "\n" or c.isspace() for c in found) and "\x1b" not in found


def test_markdown_is_a_table() -> None:
    html = MarkdownIt("commonmark", {"html": True}).enable("table").render(written(SMALL, "markdown"))
    assert html.count("<td") == 10 and "<strong>Open &amp; free</strong>" in html  # two rows are names of groups
    assert "3.4<sup>1</sup>" in html and "2.04<sup>1,2</sup><br>[0.96, 3.78]<br>n = 100" in html
    assert "<li>a note</li>" in html


class Seen(HTMLParser):
    """The texts and the tags of a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags, self.text = list[str](), ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.tags.append(tag)

    def handle_data(self, data: str) -> None:
        self.text += data


@given(TEXTS)
@example("[a](http://x) <b> | `c` ~~d~~")
@example("1. # - + > x")
@example("- x")
@example("===")
def test_markdown_shows_any_text_and_obeys_none(text: str) -> None:
    renderer = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
    seen = Seen(renderer.render(markdown_escaped(text)))
    assert set(seen.tags) <= {"p"} and seen.text.rstrip("\n") == one_line(text)
    table = grid(Row((Cell(text), Cell(text))), notes=(text,))
    assert Seen(renderer.render(written(table, "markdown"))).tags.count("td") == 2


def test_links_that_github_sees_in_plain_text_are_broken() -> None:
    assert markdown_escaped("http://x.y www.x.y a@b.c") == r"http\://x.y www\.x.y a\@b.c"


def test_latex_is_booktabs() -> None:
    found = written(SMALL, "latex")
    assert (
        r"\multicolumn{2}{l}{\textit{Open \& free}} \\" in found and r"VITA\_1.5 & 3.4\textsuperscript{1} \\" in found
    )
    assert r"& \multicolumn{1}{c}{LibriSpeech} \\" in found and r"\cmidrule(lr){2-2}" in found
    assert [found.count(rule) for rule in (r"\toprule", r"\midrule", r"\bottomrule")] == [1, 1, 1]
    assert r"=1+1 & -- \\" in found and r"WER \% $\downarrow$" in found


_ESCAPED = re.compile(r"\\text[a-z]+\{\}|\\[{}$&#%_]|\$(?:\\[a-z]+|-)\$|\{[][*]\}")


@given(TEXTS)
@example("\\input{/etc/passwd} ^^5c % # ~ $x$")
def test_latex_escapes_whatever_it_would_obey(text: str) -> None:
    found = latex_escaped(text)
    assert not set(_ESCAPED.sub("", found)) & set('\\{}$&#%_^~<>|"[]*\n')
    assert len(_ESCAPED.findall(found)) >= sum(c in '\\{}$&#%_^~<>|"[]*' for c in one_line(text))


def test_csv_has_plain_numbers_and_their_marks_apart() -> None:
    rows = list(csv.DictReader(io.StringIO(written(SMALL, "csv"))))
    name = "LibriSpeech test-clean WER % ↓"
    assert [row[name] for row in rows] == ["3.4", "2.04", ""]
    assert [row[f"{name} low"] for row in rows] == ["", "0.96", ""]
    assert [row["marks"] for row in rows] == [f"{name} 1", f"{name} 1 2", ""]
    assert rows[1]["notes"] == "1: a note 2: another" and rows[2]["model"] == "'=1+1"


@given(TEXTS, TEXTS)
@example("=cmd()", "\t@x")
@example("＝1", '"; ,')
def test_no_cell_of_a_csv_is_a_formula(label: str, note: str) -> None:
    table = grid(Row((Cell(label), Cell("-1.5", -1.5, marks=(1,))), note), columns=(Column(label), WER), notes=(note,))
    lines = list(csv.reader(io.StringIO(as_csv(table))))
    assert len(lines) == 2 and lines[1][-3] == "-1.5"
    for text in [*lines[0], *lines[1][:-3], *lines[1][-2:]]:
        assert not text.startswith(("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠"))
    assert csv_safe(label).removeprefix("'") == one_line(label).removeprefix("'")


def test_json_keeps_numbers_and_says_none_for_what_is_missing() -> None:
    content = SMALL.content()
    assert content["rows"][2]["cells"][1] == {"text": None, "number": None, "more": {}, "marks": []}
    assert content["rows"][1]["cells"][1]["more"] == {"low": 0.96, "high": 3.78}
    assert content["notes"] == {"1": "a note", "2": "another"}
    assert Cell().text == MISSING


def test_a_grid_that_does_not_fit_together_is_refused() -> None:
    with pytest.raises(ValueError, match="a row of 1 cells in 2 columns"):
        grid(Row((Cell("x"),)))
    with pytest.raises(ValueError, match="mark 1 has no note"):
        grid(Row((Cell("x"), Cell("1", 1, marks=(1,)))))


def test_a_note_has_one_number() -> None:
    notes = Notes()
    assert [notes.mark(text) for text in ("a", "b", "a")] == [1, 2, 1] and notes.all() == ("a", "b")


def test_an_unknown_format_is_told() -> None:
    with pytest.raises(UsageError, match="'html' is unknown; there are terminal, markdown, latex, csv"):
        written(SMALL, "html")
    assert all(written(SMALL, form).endswith("\n") for form in FORMATS)


def test_files_are_not_replaced_unasked(tmp_path: Path) -> None:
    path = tmp_path / "t.md"
    write_text(path, "one")
    with pytest.raises(UsageError, match="there already"):
        write_text(path, "two")
    write_text(path, "two", force=True)
    assert path.read_text() == "two"
    with pytest.raises(UsageError, match="is a folder"):
        write_text(tmp_path, "x")
    with pytest.raises(UsageError, match="folder not found"):
        write_text(tmp_path / "none" / "t.md", "x")
