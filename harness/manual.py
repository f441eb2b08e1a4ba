"""`harness help TOPIC`: the pages of docs/ as they ship, and the help of commands."""

from __future__ import annotations

import difflib
import os
import re
import sys
from importlib import metadata
from pathlib import Path
from typing import Annotated

import typer

INSTALLED = Path("share/doc/omni-harness")
"""Below the installation's prefix; `pyproject.toml` puts the pages there."""


def add(app: typer.Typer) -> None:
    """Add `help`."""

    @app.command("help")
    def show_help(
        context: typer.Context,
        topic: Annotated[str | None, typer.Argument(help="Page or command.", autocompletion=topic_names)] = None,
        json: Annotated[bool, typer.Option("--json", help="Print JSON for programs.")] = False,
    ) -> None:
        """Show a page of the documentation, or a command's help; without a topic, list the pages."""
        from harness.terminal import print_json

        pages = topics()
        if topic is None:
            titles = {name: title(path) for name, path in pages.items()}
            print_json({"topics": titles}) if json else print(_contents(titles))
        elif topic in pages:
            text = pages[topic].read_text(encoding="utf-8")
            print_json({"topic": topic, "text": text}) if json else _show(text)
        else:
            text = _of_command(context, topic, pages)
            print_json({"topic": topic, "text": text}) if json else print(text)


def topics() -> dict[str, Path]:
    """Topic -> page: those of the repository that the code is in, else those that were installed with it.

    Raises UsageError where neither are."""
    from harness.failures import UsageError

    for folder in _folders():
        if found := {path.stem: path for path in sorted(folder.glob("*.md"))}:
            return found
    raise UsageError("the pages of the documentation are not installed; reinstall omni-harness from its wheel")


def _folders() -> list[Path]:
    package = Path(__file__).resolve().parents[1]
    folders = [package / "docs"] if (package / "pyproject.toml").is_file() else []
    try:
        installed = metadata.distribution("omni-harness").files or []
    except metadata.PackageNotFoundError:
        installed = []
    place = INSTALLED.as_posix()
    folders += [Path(str(file.locate())).parent for file in installed if file.parent.as_posix().endswith(place)][:1]
    return [*folders, package / INSTALLED, Path(sys.prefix) / INSTALLED]


def topic_names(incomplete: str) -> list[str]:
    """Completions of a topic."""
    from harness.failures import UsageError

    try:
        return [name for name in topics() if name.startswith(incomplete)]
    except UsageError:
        return []


def title(page: Path) -> str:
    """The first heading of a page."""
    found = re.search(r"^# (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return found[1].strip() if found else page.stem


def _contents(titles: dict[str, str]) -> str:
    width = max(map(len, titles))
    lines = [f"  {name:{width}}  {titles[name]}" for name in titles]
    return "\n".join(["`harness help TOPIC` shows one of these pages, or the help of a command:", "", *lines])


def _of_command(context: typer.Context, name: str, pages: dict[str, Path]) -> str:
    """Help of a command; of a command's own command where `name` is two words. Raises UsageError with a guess."""
    from harness.failures import UsageError

    above = context.find_root()
    found = above.command
    path = above.info_name or "harness"
    for word in name.split():
        known = getattr(found, "commands", {})
        if word not in known:
            close = difflib.get_close_matches(name, [*pages, *known], n=3, cutoff=0.5)
            guess = f" Did you mean {' or '.join(close)}?" if close else ""
            raise UsageError(f"no page or command {name!r}.{guess} `harness help` lists the pages.")
        found, path = known[word], f"{path} {word}"
    return str(found.get_help(type(above)(found, info_name=path)))


def _show(text: str) -> None:
    """Markdown as it is for a pipe; set for reading, and through a pager, for a terminal."""
    if not sys.stdout.isatty():
        print(text)
        return
    from rich.console import Console
    from rich.markdown import Markdown

    os.environ.setdefault("LESS", "-RFX")  # colours, and no pager for a page that fits
    console = Console(width=min(Console().width, 110))
    with console.pager(styles=True, links=False):
        console.print(Markdown(text, hyperlinks=False))
