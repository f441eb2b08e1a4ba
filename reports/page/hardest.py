"""Which samples of a task its runs get wrong: all of them, or most."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from reports.labels import short
from reports.page.rows import headline_score, shown_name
from reports.runs import Run

MOST = 100
SAID = 60
"""Columns of an answer that stand in the list."""


class Said(NamedTuple):
    """A run's answer to a sample: whether it is wrong (None: neither), and what was read of it, cut."""

    wrong: bool | None
    text: str


class Hard(NamedTuple):
    """A sample by the name that its page has, with what each run said (None: it was not scored there)."""

    name: str
    said: tuple[Said | None, ...]

    @property
    def wrong(self) -> int:
        return sum(one is not None and one.wrong is True for one in self.said)

    @property
    def judged(self) -> int:
        return sum(one is not None and one.wrong is not None for one in self.said)


def said_of(run: Run, task: str) -> dict[str, Said]:
    """What the run said to each sample that has a verdict, by the name on its page; the first of one that the log has
    twice. A failed one is wrong; an unscored or excluded one is left out."""
    entry = run.results.tasks[task]
    found: dict[str, Said] = {}
    for record, scored in run.counted(task):
        score = headline_score(entry, scored)
        name = shown_name(record.id, record.repeat, entry)
        if score is None or score.status == "unscored" or name in found:
            continue
        wrong = True if score.status == "failed" and score.wrong is not None else score.wrong
        text = "(failed)" if score.status == "failed" else score.extracted
        found[name] = Said(wrong, short(text or "", SAID))
    return found


def hardest(runs: Sequence[Mapping[str, Said]], most: int = MOST) -> list[Hard]:
    """The samples that at least two runs answered and that are wrong in more than half of those, at most `most`: those
    that are wrong in all first, of these the ones that more runs have, then by share, then by name."""
    names = dict.fromkeys(name for said in runs for name in said)
    found = [Hard(name, tuple(said.get(name) for said in runs)) for name in names]
    hard = [one for one in found if one.judged >= 2 and 2 * one.wrong > one.judged]
    hard.sort(key=lambda one: (-one.wrong / one.judged, -one.judged, one.name))
    return hard[:most]
