"""A model card of which parts are made anew: lines of its tables, lines that begin alike, whole sections."""

from __future__ import annotations

from collections.abc import Mapping


def replaced(card: str, rows: Mapping[str, str]) -> str:
    """A card with other lines in its tables, by their first cells. Raises ValueError naming one that is not there."""
    lines, left = card.split("\n"), dict(rows)
    for place, line in enumerate(lines):
        if _cell(line) in left:
            lines[place] = left.pop(_cell(line))
    if left:
        raise ValueError(f"the card has no line for {', '.join(left)}")
    return "\n".join(lines)


def begun(card: str, start: str, line: str) -> str:
    """A card with another line in place of the one that begins with `start`; without it if that is empty. Raises
    ValueError where no line begins so."""
    lines = card.split("\n")
    places = [place for place, found in enumerate(lines) if found.startswith(start)]
    if not places:
        raise ValueError(f"the card has no line that begins with {start!r}")
    lines[places[0] : places[0] + 1] = [line] if line else []
    return "\n".join(lines)


def after(card: str, first: str, rows: Mapping[str, str]) -> str:
    """A card whose table goes on with these rows, by their first cells, behind the one whose first cell is `first`;
    rows that are there already make place for them. Raises ValueError where there is no such row."""
    lines = [line for line in card.split("\n") if _cell(line) not in rows]
    place = next((place for place, line in enumerate(lines) if _cell(line) == first), None)
    if place is None:
        raise ValueError(f"the card has no line for {first}")
    return "\n".join([*lines[: place + 1], *rows.values(), *lines[place + 1 :]])


def section(card: str, text: str, before: str) -> str:
    """A card with a section, whose heading is the first line of `text`, in place of the one of that heading; where it
    has none, in front of the heading `before`. Raises ValueError where it lacks that too."""
    heading = text.partition("\n")[0]
    head, found, rest = card.partition(f"{heading}\n")
    if found:
        following = rest.find("\n## ")
        return head + text + rest[following:]
    head, found, rest = card.partition(f"{before}\n")
    if not found:
        raise ValueError(f"the card has no section {before!r}")
    return f"{head}{text}\n{found}{rest}"


def _cell(line: str) -> str:
    """The first cell of a table's row; of other lines nothing."""
    return line.removeprefix("| ").partition(" |")[0] if line.startswith("| ") else ""
