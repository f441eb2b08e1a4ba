"""Syncing again and again: beside a run in the same process, and on its own."""

from __future__ import annotations

import threading
import time
from pathlib import Path

from harness.failures import RunStopped, UsageError
from harness.sync.push import Known, push
from harness.sync.remote import Remote, harmless, lasting
from harness.terminal import complain


def follow(run: Path, remote: Remote, every: float) -> None:
    """Push every `every` seconds until the run is finished. A place that does not answer is told, and tried again."""
    known = Known()
    while True:
        try:
            if push(run, remote, known).finished:
                return
        except RunStopped as error:
            complain(f"! {error}")
        time.sleep(every)


def beside(run: Path, url: str, every: float) -> Beside:
    """For `--sync`: raises at once, before any model is loaded, for a place that cannot be used."""
    remote = lasting(url)
    there, manifest = remote.read("manifest.json"), run / "manifest.json"
    if there is not None and not manifest.is_file():
        raise UsageError(f"{url} holds a run already; name another place")
    return Beside(run, remote, every)


class Beside:
    """A context that pushes a run while it is made, and once more when it ends, however it ends.

    Trouble with the remote place never stops the run; `problem` says what was wrong with the last push.
    """

    def __init__(self, run: Path, remote: Remote, every: float) -> None:
        self._run, self._remote, self._every = run, remote, every
        self._known, self._stop = Known(), threading.Event()
        self._thread = threading.Thread(target=self._repeat, name="sync", daemon=True)
        self.problem: str | None = None

    def __enter__(self) -> Beside:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        self._push()
        if self.problem:
            complain(f"! not synced: {self.problem}\n! `harness sync {self._run} {self._remote.url}` sends the rest")

    def _repeat(self) -> None:
        while not self._stop.wait(self._every):
            before = self.problem
            self._push()
            if self.problem and self.problem != before:
                complain(f"! not synced, tried again every {self._every:g} s: {self.problem}")

    def _push(self) -> None:
        if not (self._run / "manifest.json").is_file():
            return
        try:
            push(self._run, self._remote, self._known)
        except (RunStopped, UsageError, OSError) as error:
            self.problem = harmless(str(error))
        else:
            self.problem = None
