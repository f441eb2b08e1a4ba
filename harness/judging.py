"""The judging pass: scorers that ask run side by side, and what judges say is kept, so that nothing is judged twice.

A judgement is known by the hash of the judge's fingerprint, the role, what is judged (a text, or the content of a
recording) and the settings. It is looked for in the run's own log (`judgements/<judge>.jsonl`), then in the store that
all runs share (`judgements/` in the cache folder). That a reply cannot be used is a judgement too; a failure is none:
the same is asked again next time.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Collection, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Protocol, TypeVar

import msgspec

from harness import registry
from harness.contracts import Judge, JudgeOptions
from harness.failures import JudgeError, RunStopped, UsageError, failure_from
from harness.files import encoded, write_atomically, write_json
from harness.media import cache_folder
from harness.schema import JudgeUsage, decoded
from harness.store import Log, lines_of
from harness.task import Scores, Task
from harness.types import Ask, Failure, Media, Unusable, Usage, Verdict

WINDOW = 256
"""Samples that are scored side by side, so that a judge is asked for many things at once."""
BATCH = 32
"""Most things a judge is asked at once."""

K = TypeVar("K")
Asking = Generator[Ask, Verdict, Scores]
Said = Verdict | Unusable | Failure
Spread = Callable[[Judge, str, JudgeOptions], Judge]
"""(Judge, its name in the registry, how it is opened) -> the judge that is asked, such as one by several workers."""


class Judgement(msgspec.Struct, omit_defaults=True):
    """A line of `judgements/<judge>.jsonl`."""

    key: str
    role: str
    text: str
    unusable: str = ""
    """Why the judge's reply holds no verdict."""
    prompt_tokens: int = 0
    new_tokens: int = 0
    cost: float | None = None

    @property
    def said(self) -> Verdict | Unusable:
        usage = Usage(self.prompt_tokens, self.new_tokens)
        if self.unusable:
            return Unusable(self.unusable, usage, self.cost)
        return Verdict(self.text, usage, self.cost)


class KnownJudge(msgspec.Struct):
    """An entry of `judges.json`, under the name that stands beside the numbers: what pins the judge's verdicts, so that
    they are found again without the judge."""

    judge: str
    fingerprint: dict[str, Any]


class Says(Protocol):
    """Whom scorers ask."""

    def roles(self, task: Task) -> frozenset[str]:
        """The roles of a task's judges that somebody takes."""

    def ask(self, asks: Sequence[Ask]) -> list[Said]:
        """Each ask's verdict or failure."""


class Bench:
    """The judges of a run, by role. A judge is opened when it is first asked something that it has not said before."""

    def __init__(self, judges: Mapping[str, Judge], run: Path | None) -> None:
        self._judges, self._run = judges, run
        self._prints = {role: judge.fingerprint() for role, judge in judges.items()}
        self._known: dict[str, Judgement] = {}
        self._used: dict[str, dict[str, Judgement]] = {}
        self._logs: dict[str, Log] = {}
        self._opened: set[int] = set()
        self._stack = ExitStack()
        for judge in judges.values():
            self._known |= {line.key: line for line in lines_of(self._path(judge), Judgement)} if run else {}

    def roles(self, task: Task) -> frozenset[str]:
        """The roles of a task's judges that are taken."""
        return frozenset(role for role in task.judges if role in self._judges)

    def names(self, task: Task) -> dict[str, str]:
        """Role -> name and short digest of the judge that a task's scorer asks."""
        return {role: self.name(role) for role in task.judges if role in self._judges}

    def name(self, role: str) -> str:
        """What stands beside a number: the judge's name, its model and eight digits of its fingerprint's hash."""
        return shown_name(self._judges[role].name, self._prints[role])

    def keep_fingerprints(self) -> None:
        """Put the judges' fingerprints into the run's `judges.json`, beside those of earlier passes."""
        if self._run is None or not self._judges:
            return
        known = read_judges(self._run)
        found = {
            self.name(role): KnownJudge(self._judges[role].name, dict(self._prints[role])) for role in self._judges
        }
        if known | found != known:
            write_json(self._run / "judges.json", known | found)

    def spent(self) -> dict[str, JudgeUsage]:
        """What the judgements took, by role, that were asked for since this was called before."""
        used, self._used = self._used, {}
        return {role: total(lines.values()) for role, lines in used.items()}

    def ask(self, asks: Sequence[Ask]) -> list[Said]:
        """Each ask's verdict or failure. What was said before is not asked again, and equal asks are asked once."""
        keys = [self._key(ask) for ask in asks]
        found: dict[str, Said] = {}
        waiting: dict[str, dict[str, Ask]] = {}
        for key, ask in zip(keys, asks, strict=True):
            if ask.role not in self._judges:
                found[key] = no_judge(ask.role)
            elif (known := self._recall(key)) is not None:
                if key not in self._known:
                    self._log(self._judges[ask.role], known)
                found[key] = self._use(known)
            else:
                waiting.setdefault(ask.role, {})[key] = ask
        for role, by_key in waiting.items():
            found |= self._judged(role, by_key)
        return [found[key] for key in keys]

    def close(self) -> None:
        self._stack.close()

    def _judged(self, role: str, by_key: Mapping[str, Ask]) -> dict[str, Said]:
        judge, keys, asks = self._judges[role], list(by_key), list(by_key.values())
        found: dict[str, Said] = {}
        if id(judge) not in self._opened:  # it may take several roles
            judge.open()
            self._stack.callback(judge.close)
            self._opened.add(id(judge))
        batch = BATCH * getattr(judge, "workers", 1)
        for start in range(0, len(asks), batch):
            try:
                for index, said in judge.judge(asks[start : start + batch]):
                    key = keys[start + index]
                    found[key] = said if isinstance(said, Failure) else self._keep(judge, role, key, said)
            except RunStopped:  # what was said cannot be kept
                raise
            except Exception as error:  # what it had said is kept; the rest of this batch failed
                failure = failure_from(error, "judge")
                found |= {key: failure for key in keys[start : start + batch] if key not in found}
        missing = Failure("judge", "permanent", f"judge {judge.name} gave no verdict")
        return {key: found.get(key, missing) for key in keys}

    def _key(self, ask: Ask) -> str:
        return judgement_key(self._prints.get(ask.role), ask)

    def _recall(self, key: str) -> Judgement | None:
        if key in self._known:
            return self._known[key]
        return recall_shared(key)

    def _use(self, line: Judgement) -> Said:
        self._used.setdefault(line.role, {})[line.key] = line
        return line.said

    def _keep(self, judge: Judge, role: str, key: str, said: Verdict | Unusable) -> Said:
        text, unusable = (said.text, "") if isinstance(said, Verdict) else ("", said.reason)
        line = Judgement(key, role, text, unusable, said.usage.prompt_tokens, said.usage.new_tokens, said.cost)
        self._log(judge, line)
        write_atomically(_shared(key), encoded(line))
        return self._use(line)

    def _log(self, judge: Judge, line: Judgement) -> None:
        """Every judgement that a run rests on is in its own log, wherever it came from."""
        if self._run is not None:
            if judge.name not in self._logs:
                self._logs[judge.name] = self._stack.enter_context(Log(self._path(judge)))
            self._logs[judge.name].append(line)
        self._known[line.key] = line

    def _path(self, judge: Judge) -> Path:
        assert self._run is not None
        return self._run / "judgements" / f"{judge.name}.jsonl"


class Replay:
    """Replies from a file in the place of judges: each new thing that is asked gets the next one."""

    def __init__(self, replies: Sequence[str]) -> None:
        self._replies = iter(replies)
        self._said: dict[Ask, str | None] = {}

    def roles(self, task: Task) -> frozenset[str]:
        """All: whatever is asked has a reply, or lacks one."""
        return frozenset(task.judges)

    def ask(self, asks: Sequence[Ask]) -> list[Said]:
        """What was asked before, by another profile, gets the same reply."""
        none_left = Unusable("judge_replies holds no reply for this ask")
        for ask in asks:
            if ask not in self._said:
                self._said[ask] = next(self._replies, None)
        return [none_left if (reply := self._said[ask]) is None else Verdict(reply) for ask in asks]


def settle(jobs: Iterable[tuple[K, Asking]], bench: Says) -> Iterator[tuple[K, Scores | Exception]]:
    """Run scorers that ask side by side, each to its end: its scores, or the exception that ended it.

    A judge's failure is thrown into the scorer as a `JudgeError`. At most `WINDOW` scorers are open at once; they
    end in any order.
    """
    source = iter(jobs)
    waiting: list[tuple[K, Asking, Ask]] = []
    exhausted = False
    while waiting or not exhausted:
        while len(waiting) < WINDOW and not exhausted:
            job = next(source, None)
            if job is None:
                exhausted = True
                break
            yield from _advance(job[0], job[1], None, waiting)
        asked, waiting = waiting, []
        answers = bench.ask([ask for _, _, ask in asked])
        for (name, scorer, _), said in zip(asked, answers, strict=True):
            yield from _advance(name, scorer, said, waiting)


def _advance(
    name: K, scorer: Asking, said: Said | None, waiting: list[tuple[K, Asking, Ask]]
) -> Iterator[tuple[K, Scores | Exception]]:
    """Hand a scorer what was said; it ends, or asks again and waits."""
    try:
        if said is None:
            ask = next(scorer)
        elif isinstance(said, Failure):
            ask = scorer.throw(JudgeError(said))
        elif isinstance(said, Unusable):
            ask = scorer.throw(JudgeError(Failure("judge", "permanent", said.reason), unusable=True))
        else:
            ask = scorer.send(said)
    except StopIteration as end:
        yield name, end.value
    except Exception as error:
        yield name, error
    else:
        waiting.append((name, scorer, ask))


@contextmanager
def open_bench(
    tasks: Iterable[Task], chosen: Sequence[str], run: Path | None, device: str, spread: Spread | None = None
) -> Iterator[Bench]:
    """The judges that the tasks' scorers ask. Raises UsageError for an unknown one."""
    bench = Bench(_judges(list(tasks), chosen, device, spread), run)
    try:
        yield bench
    finally:
        bench.close()


def check_named(chosen: Sequence[str]) -> None:
    """Raises UsageError for a judge that is unknown or lacks what it needs; imports no model."""
    _named(chosen, "cpu")


def check_judges(tasks: Sequence[Task], chosen: Sequence[str]) -> frozenset[str]:
    """The roles of the judges that are named. Raises UsageError, before any model is loaded, for a judge that is
    unknown, that no task asks, or that lacks what it needs."""
    roles = {role for task in tasks for role in task.judges}
    named = _named(chosen, "cpu")
    for text, judge in named.items():
        if roles.isdisjoint(judge.roles):
            told = f"they ask {', '.join(sorted(roles))}" if roles else "they ask no judge"
            raise UsageError(f"--judge {text} is a {', '.join(judge.roles)}, which none of the tasks asks: {told}")
    _judges(tasks, chosen, "cpu")
    return frozenset(role for judge in named.values() for role in judge.roles)


def _judges(
    tasks: Sequence[Task], chosen: Sequence[str], device: str, spread: Spread | None = None
) -> dict[str, Judge]:
    """The judges that are asked, by role: those that are named, and their own of tasks that cannot do without."""
    if tuple(chosen) == ("none",):
        return {}
    named = _named(chosen, device, spread)
    roles = sorted({role for task in tasks for role in task.judges})
    judges = {role: judge for role in roles if (judge := _best(role, named)) is not None}
    own = {role: name for task in tasks for role, name in task.needs.items()}
    needed = {role: name for role, name in own.items() if role not in judges}
    made = {name: _made(name, device, spread) for name in sorted(set(needed.values()))}
    return judges | {role: made[name] for role, name in needed.items()}


def _best(role: str, named: Mapping[str, Judge]) -> Judge | None:
    """Of the judges that are named the one that takes a role: one for this role alone before one for several."""
    able = sorted((len(judge.roles), text) for text, judge in named.items() if role in judge.roles)
    if len(able) > 1 and able[0][0] == able[1][0]:
        raise UsageError(f"--judge {able[0][1]} and --judge {able[1][1]} both take the role {role}: name one of them")
    return named[able[0][1]] if able else None


def _named(chosen: Sequence[str], device: str, spread: Spread | None = None) -> dict[str, Judge]:
    """What `--judge` says -> the judge."""
    if tuple(chosen) == ("none",):
        return {}
    if "none" in chosen:
        raise UsageError("--judge none cannot stand beside another --judge: leave one of them out")
    return {text: _made(text, device, spread) for text in chosen}


def _made(text: str, device: str, spread: Spread | None) -> Judge:
    """A judge from `NAME` or `NAME:WEIGHTS`."""
    name, _, weights = text.partition(":")
    options = JudgeOptions(weights or None, device)
    judge = registry.get_judge(name)(options)
    return judge if spread is None else spread(judge, name, options)


def total(lines: Collection[Judgement]) -> JudgeUsage:
    costs = [line.cost for line in lines if line.cost is not None]
    return JudgeUsage(
        judgements=len(lines),
        prompt_tokens=sum(line.prompt_tokens for line in lines),
        new_tokens=sum(line.new_tokens for line in lines),
        cost=math.fsum(costs) if len(costs) == len(lines) else None,
    )


def no_judge(role: str) -> Failure:
    return Failure("judge", "unsupported", f"no judge takes the role {role!r}: name one by --judge")


def fingerprints(tasks: Sequence[Task], chosen: Sequence[str], device: str) -> dict[str, KnownJudge]:
    """The judges that `--judge` names for tasks, as in `judges.json`. Raises UsageError for one that is unknown or
    lacks what it needs."""
    judges = _judges(tasks, chosen, device).values()
    prints = [(judge.name, dict(judge.fingerprint())) for judge in judges]
    return {shown_name(name, found): KnownJudge(name, found) for name, found in prints}


def judgement_key(fingerprint: Mapping[str, Any] | None, ask: Ask) -> str:
    """What a judgement is known by: who judges, in which role, what, with which settings."""
    content = ask.content.sha256 if isinstance(ask.content, Media) else ask.content
    about = [fingerprint, ask.role, isinstance(ask.content, Media), content, ask.settings]
    return hashlib.sha256(encoded(about)).hexdigest()


def shown_name(judge: str, fingerprint: Mapping[str, Any]) -> str:
    """What stands beside a number: the judge's name, its model and eight digits of its fingerprint's hash."""
    digest = hashlib.sha256(encoded(fingerprint)).hexdigest()[:8]
    model = fingerprint.get("model")
    return f"{judge} {model} ({digest})" if model else f"{judge} ({digest})"


def read_judges(run: Path) -> dict[str, KnownJudge]:
    """The judges that were asked for a run, by the names that stand beside its numbers.

    Raises UsageError naming the field at fault.
    """
    path = run / "judges.json"
    return decoded(path.read_bytes(), dict[str, KnownJudge], str(path)) if path.is_file() else {}


def recall_shared(key: str) -> Judgement | None:
    """A judgement from the store of this machine; None where it is absent or damaged."""
    try:
        return msgspec.json.decode(_shared(key).read_bytes(), type=Judgement)
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
        return None


def _shared(key: str) -> Path:
    return cache_folder() / "judgements" / key[:2] / f"{key}.json"
