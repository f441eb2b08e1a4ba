"""Kill a command before, within and after each of its file operations, then see that it can be gone on with.

`python -m tests.harness.faults [run resume score judge report] [--every 1]` prints what happened as JSON and exits 1 if
any kill left a run that is wrong (numbers that are not those of the profile that it names) or stuck (neither `resume`
nor `score` ends it). `--every N` tries every N-th operation only.

Each trial is a forked process with hooks on the calls that change files; SIGKILL is real.
"""

from __future__ import annotations

import argparse
import builtins
import json
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Callable, Mapping
from contextlib import redirect_stderr
from pathlib import Path
from typing import Any

from harness import registry
from harness.config import make_config
from harness.run import Objects, resume, score_again, start
from harness.schema import Results
from harness.store import RunDir
from tests.harness.plugin import TOYS, write_plugin
from tests.harness.toy import ToyModel, config, numbered, objects, toy_task
from tests.harness.toy_judge import LOG

MODES = ("before", "within", "after")
CALLS = ("open", "write", "fsync", "replace", "rename", "unlink", "remove", "mkdir", "rmdir", "ftruncate")

TASK = toy_task(numbered(12))


def own() -> Objects:
    return objects(TASK, model=ToyModel())


class Fault:
    """Counts the file operations of this process and dies at one of them."""

    def __init__(self, at: int | None = None, mode: str = "before") -> None:
        self._at, self._mode, self.count = at, mode, 0

    def install(self) -> None:
        for name in CALLS:
            setattr(os, name, self._wrapped(getattr(os, name), name))
        builtins.open = self._opened(builtins.open)  # type: ignore[assignment]

    def _wrapped(self, call: Callable[..., Any], name: str) -> Callable[..., Any]:
        def hooked(*args: Any, **kwargs: Any) -> Any:
            if name == "open" and not args[1] & (os.O_WRONLY | os.O_RDWR):
                return call(*args, **kwargs)
            mine = self._turn()
            if mine and self._mode == "before":
                _die()
            if mine and self._mode == "within" and name == "write":
                call(args[0], args[1][: len(args[1]) // 2])
                _die()
            found = call(*args, **kwargs)
            if mine:
                _die()
            return found

        return hooked

    def _opened(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def hooked(file: Any, mode: str = "r", *args: Any, **kwargs: Any) -> Any:
            if not set(mode) & set("wax+") or isinstance(file, int):
                return call(file, mode, *args, **kwargs)
            mine = self._turn()
            if mine and self._mode == "before":
                _die()
            found = call(file, mode, *args, **kwargs)
            if mine:
                _die()
            return found

        return hooked

    def _turn(self) -> bool:
        self.count += 1
        return self.count - 1 == self._at


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def in_child(work: Callable[[], object], fault: Fault) -> tuple[bool, int]:
    """Do the work in a forked process; returns whether it ended by itself, and its number of file operations."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        code = 1
        try:
            os.close(reader)
            tell = os.write
            fault.install()
            with redirect_stderr(_Silent()):  # type: ignore[type-var]
                work()
            tell(writer, str(fault.count).encode())
            code = 0
        finally:
            os._exit(code)
    os.close(writer)
    with os.fdopen(reader) as pipe:
        told = pipe.read()
    _, status = os.waitpid(child, 0)
    if os.WIFEXITED(status) and os.WEXITSTATUS(status) != 0:
        raise RuntimeError("the work failed by itself")
    return os.WIFEXITED(status), int(told or 0)


class _Silent:
    def write(self, text: str) -> int:
        return len(text)

    def flush(self) -> None: ...

    def isatty(self) -> bool:
        return False


def numbers(results: Results) -> dict[str, Any]:
    """Profile of the headline -> its value, and all values."""
    entry = results.tasks["toy"]
    every = {name: channels[""].metrics["accuracy"].value for name, channels in entry.scores.items()}
    return {"profile": entry.profile, "headline": entry.headline.metrics["accuracy"].value, "every": every}


def consistent(run: RunDir) -> bool:
    """The numbers are those of the scores that the results name, and of the profile that they name."""
    results = run.results()
    entry = results.tasks["toy"]
    scored = list(run.scored("toy"))
    values = [one.scores[entry.profile][""].value or 0.0 for one in scored]
    mean = 100 * sum(values) / len(values)
    return entry.n_expected == len(scored) and abs(mean - (entry.headline.metrics["accuracy"].value or 0)) < 1e-9


class Half(ToyModel):
    """Wordy for odd numbers, so that the two profiles differ: exact 50 %, loose 100 %."""

    def answer(self, request: Any) -> Any:
        said = super().answer(request)
        number = int(request.sample_id)
        return said if number % 2 == 0 else type(said)(f"it is {said.text}")


def whole_again(run: RunDir, expected: dict[str, Any]) -> bool:
    """The run has the numbers of an undisturbed one, and each answer once."""
    ids = [record.id for record in run.records("toy")]
    return numbers(run.results()) == expected and consistent(run) and len(ids) == len(set(ids)) == 12


def mixed() -> Objects:
    return objects(TASK, model=Half())


def kill_run(folder: Path, every: int) -> dict[str, int]:
    """A run from its start; the same command, or `resume`, goes on."""

    def go_on(path: Path) -> None:
        if (path / "manifest.json").exists():
            resume(path, mixed())
        else:
            start(config(), path, mixed())

    whole = start(config(), folder / "whole", mixed())
    expected = numbers(whole.results())

    def verdict(path: Path) -> str:
        try:
            go_on(path)
        except Exception as error:
            return f"stuck: {error}"
        return "good" if whole_again(RunDir.open(path), expected) else "wrong"

    return trials(lambda path: start(config(), path, mixed()), lambda path: None, verdict, folder, every)


def kill_resume(folder: Path, every: int) -> dict[str, int]:
    """A resume of a run that was stopped after half of its answers, the last of them torn."""
    whole = start(config(), folder / "whole", mixed())
    expected = numbers(whole.results())

    def begin(path: Path) -> None:
        shutil.copytree(whole.path, path)
        for name in ("scores", "results.json", "finished.json"):
            found = path / name
            shutil.rmtree(found) if found.is_dir() else found.unlink()
        log = path / "samples" / "toy.jsonl"
        lines = log.read_bytes().splitlines(keepends=True)
        log.write_bytes(b"".join(lines[:6]) + lines[6][:40])

    def go_on(path: Path) -> object:
        return resume(path, mixed())

    def verdict(path: Path) -> str:
        try:
            go_on(path)
        except Exception as error:
            return f"stuck: {error}"
        return "good" if whole_again(RunDir.open(path), expected) else "wrong"

    return trials(go_on, begin, verdict, folder, every)


def kill_score(folder: Path, every: int) -> dict[str, int]:
    """A rescoring: at any moment the run has the old numbers or the new ones, and the command can be given again."""
    whole = start(config(), folder / "whole", mixed())
    old = numbers(whole.results())

    def rescore(path: Path) -> object:
        return score_again(path, {"toy": "loose"}, objects=mixed())

    def verdict(path: Path) -> str:
        run = RunDir.open(path)
        if not consistent(run) or (numbers(run.results()) != old and run.results().tasks["toy"].profile != "loose"):
            return "wrong"
        try:
            rescore(path)
        except Exception as error:
            return f"stuck: {error}"
        found = numbers(run.results())
        left = [entry.name for entry in (path / "scores").iterdir()]
        good = consistent(run) and found["profile"] == "loose" and found["headline"] == 100 and len(left) == 1
        return "good" if good else "wrong"

    return trials(rescore, lambda path: shutil.copytree(whole.path, path), verdict, folder, every)


def kill_judge(folder: Path, every: int) -> dict[str, int]:
    """A judging pass over a run without judgements: nothing is judged twice but what was said as the kill came."""
    sys.path.insert(0, str(write_plugin(folder / "plugins", TOYS)))
    registry._addresses.cache_clear()
    asked = folder / "asked"
    os.environ |= {LOG: str(asked), "HARNESS_CACHE": str(folder / "cache")}
    whole = start(
        make_config({"model": "toy-model", "tasks": ["toy_judged"], "data": "mini", "judge": "none"}), folder / "whole"
    )

    def judge(path: Path) -> object:
        return score_again(path, {}, ["toy-judge"])

    def begin(path: Path) -> None:
        shutil.copytree(whole.path, path)
        shutil.rmtree(folder / "cache", ignore_errors=True)
        asked.unlink(missing_ok=True)

    def verdict(path: Path) -> str:
        try:
            judge(path)
        except Exception as error:
            return f"stuck: {error}"
        said = asked.read_text().splitlines()
        kept = [line["key"] for line in map(json.loads, (path / "judgements" / "toy-judge.jsonl").open())]
        entry = RunDir.open(path).results().tasks["toy_judged"]
        once = len(kept) == len(set(kept)) == len(set(said)) == 12 and len(said) <= 13
        return "good" if once and entry.valid and entry.headline.metrics["accuracy"].value == 100 else "wrong"

    return trials(judge, begin, verdict, folder, every)


def kill_report(folder: Path, every: int) -> dict[str, int]:
    """A report over an earlier one: at any moment the earlier page or the new one is there, whole.

    Two folders cannot change places at once: between the two renames the earlier one lies beside its place.
    """
    from reports.page.site import write_site

    first = start(config(), folder / "first", mixed())
    second = start(config(limit=6), folder / "second", mixed())
    write_site([second.path], folder / "expected")
    whole = _contents(folder / "expected")

    def verdict(path: Path) -> str:
        aside = path.with_name(f".{path.name}.report-old")
        if _contents(path if path.exists() else aside) not in (before, whole):
            return "wrong"
        try:
            write_site([second.path], path)
        except Exception as error:
            return f"stuck: {error}"
        left = [entry.name for entry in path.parent.iterdir() if entry.name.startswith((path.name, f".{path.name}"))]
        return "good" if _contents(path) == whole and left == [path.name] else f"wrong: {left}"

    def begin(path: Path) -> None:
        write_site([first.path], path)

    begin(folder / "earlier")
    before = _contents(folder / "earlier")
    return trials(lambda path: write_site([second.path], path), begin, verdict, folder, every)


def _contents(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


Command = Callable[[Path, int], dict[str, int]]
COMMANDS: dict[str, Command] = {
    "run": kill_run,
    "resume": kill_resume,
    "score": kill_score,
    "judge": kill_judge,
    "report": kill_report,
}


def trials(
    work: Callable[[Path], object],
    begin: Callable[[Path], object],
    verdict: Callable[[Path], str],
    folder: Path,
    every: int,
) -> dict[str, int]:
    """Do the work once to count its operations, then once for each operation and mode, killed there."""
    first = folder / "counted"
    begin(first)
    _, operations = in_child(lambda: work(first), Fault())
    told = {"operations": operations, "kills": 0, "good": 0, "wrong": 0, "stuck": 0}
    for at in range(0, operations, every):
        for mode in MODES:
            path = folder / f"trial-{at}-{mode}"
            begin(path)
            ended, _ = in_child(lambda path=path: work(path), Fault(at, mode))  # type: ignore[misc]
            told["kills"] += not ended
            found = verdict(path)
            told[found.partition(":")[0]] += 1
            if found != "good":
                print(f"operation {at}, {mode}: {found}", file=sys.stderr)
            shutil.rmtree(path, ignore_errors=True)
    return told


def main(known: Mapping[str, Command], description: str | None) -> int:
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("commands", nargs="*", help=", ".join(known))
    parser.add_argument("--every", type=int, default=1)
    args = parser.parse_args()
    told = {}
    for command in args.commands or known:
        with tempfile.TemporaryDirectory() as folder:
            told[command] = known[command](Path(folder), args.every)
    print(json.dumps(told))
    return int(any(found["wrong"] or found["stuck"] for found in told.values()))


if __name__ == "__main__":
    sys.exit(main(COMMANDS, __doc__))
