"""`harness plot RUN... -o plots/`: the plots of runs in one folder, with `plots.json`, which lists them.

A folder is ours if all that is in it stands in its `plots.json`: what an earlier call drew is replaced or taken away,
and anything else is left alone. The list is written before the files and after them, so that a call that was killed
leaves no file that the next one does not know.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness.failures import UsageError
from harness.files import read_json, write_json
from harness.kinds import kind_of
from harness.store import RunDir
from reports.plots.drawing import Files, write
from reports.plots.every import gathered, plots_of_probe
from reports.plots.plot import KINDS, Kind, LeftOut, Plot, distinct
from reports.runs import load

LIST = "plots.json"


@dataclass(frozen=True)
class Written:
    """What a call drew, each with its files, and what it left out."""

    folder: Path
    plots: list[tuple[Plot, Files]] = field(default_factory=list)
    left_out: list[LeftOut] = field(default_factory=list)

    def told(self) -> Iterator[str]:
        """What was left out, a line for each reason."""
        why: dict[tuple[str, str], list[str]] = {}
        for one in self.left_out:
            why.setdefault((one.kind, one.why), []).append(one.of)
        for (kind, reason), of in why.items():
            some = list(dict.fromkeys(of))
            yield f"no {kind} of {', '.join(some[:5])}{f' and {len(some) - 5} more' if len(some) > 5 else ''}: {reason}"

    def content(self) -> dict[str, Any]:
        """As JSON: `plots.json` without the folder."""
        return {
            "plots": [
                {"kind": plot.kind, "name": plot.name, "title": plot.words.title, "caveats": plot.words.subtitle}
                | {"notes": plot.words.notes, "alt": plot.alt, **files._asdict()}
                for plot, files in self.plots
            ],
            "left_out": [{"kind": one.kind, "of": one.of, "why": one.why} for one in self.left_out],
        }


def parse_kinds(text: str | None) -> tuple[Kind, ...]:
    """ "radar,ecdf" as kinds; all where none is named. Raises UsageError for an unknown one."""
    if text is None:
        return KINDS
    wanted = [part.strip() for part in text.split(",") if part.strip()]
    unknown = [part for part in wanted if part not in KINDS]
    if unknown or not wanted:
        raise UsageError(
            f"--kind: {', '.join(map(repr, unknown)) or 'nothing'} is unknown; there are {', '.join(KINDS)}"
        )
    return tuple(kind for kind in KINDS if kind in wanted)


def write_plots(paths: Sequence[Path], out: Path, kinds: Collection[Kind] = KINDS, force: bool = False) -> Written:
    """Draw what the runs have into the folder.

    Raises UsageError for what is no run, where the folder holds files of others (unless `force`: they stay), and where
    there is nothing to draw.
    """
    made = list(distinct(_gathered(paths, kinds)))
    plots = [one for one in made if isinstance(one, Plot)]
    written = Written(out, [], [one for one in made if isinstance(one, LeftOut)])
    if not plots:
        raise UsageError("; ".join(["there is nothing to draw", *written.told()]))
    before = _ours(out, force)
    names = {f"{plot.name}.{suffix}" for plot in plots for suffix in Files._fields}
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"{out} cannot be made: {error.strerror}; name another folder with -o") from error
    write_json(out / LIST, {"files": sorted(names | before)} | Written(out).content())
    try:
        for old in before - names:
            (out / old).unlink(missing_ok=True)
        for plot in plots:
            written.plots.append((plot, write(plot, out)))
    except OSError as error:
        raise UsageError(f"{error.filename or out}: {error.strerror or error}; not all plots were written") from error
    write_json(out / LIST, {"files": sorted(names)} | written.content())
    return written


def _gathered(paths: Sequence[Path], kinds: Collection[Kind]) -> Iterator[Plot | LeftOut]:
    opened = [RunDir.open(Path(path)) for path in paths]
    probes = [run.path for run in opened if kind_of(run).instead is not None]
    yield from gathered([load(run.path) for run in opened if run.path not in probes], kinds)
    for path in probes if "probe" in kinds else ():
        yield from plots_of_probe(path)


def _ours(out: Path, force: bool) -> set[str]:
    """The names of the files that an earlier call wrote. Raises UsageError where there are others."""
    if out.exists() and not out.is_dir():
        raise UsageError(f"{out} is a file; name a folder with -o")
    if not out.exists():
        return set()
    there = {path.name for path in out.iterdir()}
    listed = _listed(out / LIST) if LIST in there else set()
    foreign = sorted(name for name in there - listed if name != LIST and not name.startswith(f"{LIST}."))
    if foreign and not force:
        raise UsageError(
            f"{out} holds {foreign[0]}, which `harness plot` did not write; name a new folder with -o, or keep what is "
            "there and write beside it with --force"
        )
    return listed & there


def _listed(path: Path) -> set[str]:
    try:
        files = read_json(path).get("files")
    except UsageError:
        return set()
    suffixes = tuple(f".{suffix}" for suffix in Files._fields)
    names = files if isinstance(files, list) else []
    return {name for name in names if isinstance(name, str) and Path(name).name == name and name.endswith(suffixes)}
