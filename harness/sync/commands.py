"""The command `sync`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def add(app: typer.Typer) -> None:
    """Add `sync`."""
    app.command()(sync)


def sync(
    source: Annotated[str, typer.Argument(help="Run directory; or the URL of a synced run, to fetch it.")],
    target: Annotated[str, typer.Argument(help="URL (s3://, gs://, file://, ...) or folder; or the run directory.")],
    every: Annotated[
        float | None, typer.Option(min=1, help="Go on every so many seconds until the run is finished.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be sent or fetched.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print JSON for programs.")] = False,
) -> None:
    """Keep a run elsewhere too (S3, GCS, a disk), while it runs and after; or fetch it from there."""
    from harness.failures import RunStopped, UsageError
    from harness.sync.follow import follow
    from harness.sync.pull import pull
    from harness.sync.push import push
    from harness.sync.remote import Remote, lasting
    from harness.terminal import print_json
    from harness.texts import printable

    fetching = "://" in source
    if fetching and "://" in target:
        raise UsageError("one of the two must be a run directory on this machine")
    if fetching and every is not None:
        raise UsageError("--every goes with `harness sync RUN URL`")
    if fetching:
        made = pull(Remote(source), Path(target), dry_run)
        paths, size, kept, verb = made.fetched, made.size, made.kept, "fetched"
    else:
        remote = lasting(target)
        if every is not None and not dry_run:
            try:
                follow(Path(source), remote, every)
            except KeyboardInterrupt:
                raise RunStopped(f"stopped; `harness sync {source} {target}` goes on") from None
        sent = push(Path(source), remote, dry_run=dry_run)
        paths, size, kept, verb = sent.sent, sent.size, sent.kept, "sent"
    if json:
        print_json({"dry_run": dry_run, verb: paths, "bytes": size, "kept": kept})
        return
    if dry_run:
        print(printable("\n".join(f"  {path}" for path in paths)))
    told = f"would be {verb}" if dry_run else verb
    print(printable(f"{len(paths):,} files {told}, {size / 1e6:,.1f} MB; {kept:,} were there already"))
