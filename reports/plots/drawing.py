"""What all plots share: style, colours, the frame of words around a figure, and the writing of files.

Bytes depend on the plot and on matplotlib's release alone: its own font, a fixed salt of ids, no date, and none of the
reader's settings. Text stays text in SVG, so that a browser shows any script with its own fonts. The font of a PNG has
no Chinese characters: there each such text is a number in brackets, and the CSV has a column `in_png` beside it.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from harness.texts import printable, wide
from reports.plots.plot import Plot, Words, as_csv

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FONT = "DejaVu Sans"
"""It comes with matplotlib."""
STYLE: Any = {
    "svg.hashsalt": "plot",
    "svg.fonttype": "none",
    "text.parse_math": False,
    "axes.unicode_minus": True,
    "font.family": FONT,
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.alpha": 0.25,
    "hatch.linewidth": 0.6,
    "figure.facecolor": "white",
    "savefig.facecolor": "white",
}
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
"""Of Okabe and Ito, distinct to all eyes; their yellow is too faint on white."""
DASHES: tuple[Any, ...] = ("-", (0, (5, 2)), (0, (1, 1.5)), (0, (5, 1.5, 1, 1.5)), (0, (8, 2, 2, 2)))
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*", "<", ">", "p")
HATCHES = ("", "///", "|||", "xxx", "\\\\\\", "+++", "---")
"""None with dots: each dot of a pattern is a path in SVG, 150 kB of them."""
GREY = "#444444"
NUMBERED = "[1] stands for text that is in the SVG and in the CSV"
_MARGIN = 0.1
"""Inches around the words."""
_NOTE, _LINE = 7.5, 1.35
"""Size of a note in points; height of a line of any words over their size."""


class Files(NamedTuple):
    """Names of a plot's files within the folder."""

    svg: str
    png: str
    csv: str


class Line(NamedTuple):
    """How the series of a number is told from the others: 7 colours, 5 dashes and 11 markers, 385 before all repeat."""

    color: str
    linestyle: Any
    marker: str


def line(n: int) -> Line:
    return Line(COLOURS[n % len(COLOURS)], DASHES[n % len(DASHES)], MARKERS[n % len(MARKERS)])


def write(plot: Plot, folder: Path) -> Files:
    """Draw a plot into three files of the folder, which is there."""
    files = Files(f"{plot.name}.svg", f"{plot.name}.png", f"{plot.name}.csv")
    unlike = _numbers(plot.rows)
    with styled():
        figure = plot.draw()
        _rewrite(figure, printable)
        about = {
            "Date": None,
            "Creator": None,
            "Title": printable(plot.words.title),
            "Description": printable(plot.alt),
        }
        figure.savefig(folder / files.svg, format="svg", metadata=about)
        _rewrite(figure, lambda text: _numbered(text, unlike))
        if unlike:
            figure.text(0.995, 0.003, NUMBERED, ha="right", va="bottom", fontsize=6, color=GREY)
        figure.savefig(folder / files.png, format="png", dpi=130, metadata={"Software": None})
    rows = [row | {"in_png": _in_png(row, unlike)} for row in map(dict, plot.rows)] if unlike else plot.rows
    (folder / files.csv).write_text(as_csv(rows), encoding="utf-8", errors="replace", newline="")
    return files


@contextmanager
def styled() -> Iterator[None]:
    """matplotlib with this style and none of the reader's own settings."""
    import matplotlib

    with warnings.catch_warnings(), matplotlib.rc_context():
        warnings.filterwarnings("ignore", r"Glyph \d+ .*missing from")
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(STYLE)
        yield


def canvas(words: Words, width: float, height: float) -> Figure:
    """A figure, `width` by `height` inches and as much higher as its words need.

    They are wrapped and stand at its upper and lower edge; what is drawn is laid out between them.
    """
    from matplotlib.figure import Figure

    above = [(part, 11.0, "bold", "black") for part in wrapped(words.title, _columns(width, 11) * 9 // 10)]
    above += [(part, 8.0, "normal", "#9a3b00") for part in wrapped(words.subtitle, _columns(width, 8))]
    notes = [(part, _NOTE, "normal", GREY) for part in _notes(words, width)]
    head, foot = _MARGIN * 1.5 + sum(size * _LINE / 72 for _, size, *_ in above), below(words, width)
    whole = head + height + foot
    figure = Figure(figsize=(width, whole), layout="constrained")
    figure.get_layout_engine().set(rect=(0.01, foot / whole, 0.98, height / whole))  # type: ignore[union-attr, call-arg]
    for lines, start in ((above, whole - _MARGIN), (notes, foot - _MARGIN / 2)):
        y = start
        for text, size, weight, colour in lines:
            figure.text(_MARGIN / width, y / whole, text, va="top", fontsize=size, fontweight=weight, color=colour)
            y -= size * _LINE / 72
    return figure


def below(words: Words, width: float) -> float:
    """Inches that the notes take at the lower edge of a figure."""
    return _MARGIN * 1.5 + len(_notes(words, width)) * _NOTE * _LINE / 72


def _notes(words: Words, width: float) -> list[str]:
    return [part for note in words.notes for part in wrapped(note, _columns(width, _NOTE))]


def _columns(width: float, size: float) -> int:
    """How many letters of a size stand in a line: one is 0.52 of the size wide on average."""
    return int((width - 2 * _MARGIN) * 72 / (0.52 * size))


def wrapped(text: str, columns: int) -> list[str]:
    """Lines of at most that many columns, broken at spaces where there are some; a wide character takes two."""
    found, current = list[str](), ""
    for word in text.split():
        if current and wide(current) + 1 + wide(word) > columns:
            found.append(current)
            current = word
        else:
            current = f"{current} {word}".strip()
        while wide(current) > columns:
            cut = next(n for n in range(len(current), 0, -1) if wide(current[:n]) <= columns or n == 1)
            found.append(current[:cut])
            current = current[cut:]
    return [*found, current] if current else found


def _rewrite(figure: Figure, change: Callable[[str], str]) -> None:
    """Change every text of a figure; ticks are laid down again, as they make their texts anew when they are drawn."""
    from matplotlib.axis import Axis
    from matplotlib.text import Text

    for axis in figure.findobj(Axis):
        texts = [tick.get_text() for tick in axis.get_ticklabels()]
        if any(text != change(text) for text in texts):
            axis.set_ticks(axis.get_ticklocs(), labels=[change(text) for text in texts])
    for text in figure.findobj(Text):
        if text.get_text() != change(text.get_text()):
            text.set_text(change(text.get_text()))


@cache
def _glyphs() -> frozenset[int]:
    """Code points that the font can draw."""
    from matplotlib.font_manager import findfont, get_font

    return frozenset(get_font(findfont(FONT)).get_charmap())


def _missing(text: str) -> list[str]:
    """The longest pieces of a text that the font lacks."""
    found, piece = list[str](), ""
    for c in text:
        if ord(c) in _glyphs() or c in "\n\t":
            if piece:
                found.append(piece)
            piece = ""
        else:
            piece += c
    return [*found, piece] if piece else found


def _numbers(rows: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    """Pieces of text that the font lacks, numbered from 1 as they come in the rows."""
    found: dict[str, int] = {}
    for row in rows:
        for cell in row.values():
            for piece in _missing(printable(cell)) if isinstance(cell, str) else ():
                found.setdefault(piece, len(found) + 1)
    return found


def _numbered(text: str, numbers: dict[str, int]) -> str:
    """The text with the number of each piece that the font lacks.

    What is left of a piece that was cut or broken has the number of the whole; one that no row has gets the next.
    """
    for piece in sorted(_missing(text), key=len, reverse=True):
        whole = piece if piece in numbers else next((known for known in numbers if piece in known), piece)
        text = text.replace(piece, f"[{numbers.setdefault(whole, len(numbers) + 1)}]")
    return text


def _in_png(row: Mapping[str, Any], numbers: Mapping[str, int]) -> str:
    """What stands in the PNG in place of the row's texts that are shown otherwise there."""
    cells = [printable(cell) for cell in row.values() if isinstance(cell, str)]
    return "; ".join(dict.fromkeys(_numbered(cell, dict(numbers)) for cell in cells if _missing(cell)))
