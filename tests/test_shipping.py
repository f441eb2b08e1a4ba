"""What is installed has all that the code reads, and the pages of `harness help`."""

from __future__ import annotations

import contextlib
import io
import os
from pathlib import Path

import pytest
import yaml

from harness import manual
from harness.failures import UsageError
from tests.harness.conftest import Call, call  # noqa: F401 - a fixture

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("harness", "tasks", "models", "reports", "alignment_probes")


@pytest.fixture(scope="module")
def shipped(tmp_path_factory: pytest.TempPathFactory) -> tuple[set[str], set[str]]:
    """Files in packages, and beside them, that setuptools would put into a wheel of this tree; nothing is built."""
    from setuptools.dist import Distribution

    before = Path.cwd()
    os.chdir(ROOT)
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            made = Distribution({"script_name": "setup.py"})
            made.parse_config_files()
            made.get_command_obj("egg_info").egg_base = str(tmp_path_factory.mktemp("egg"))
            build = made.get_command_obj("build_py")
            build.build_lib = "."
            build.ensure_finalized()
            inside = {Path(path).as_posix() for path in build.get_outputs(include_bytecode=False)}
        beside = {Path(path).as_posix() for _, paths in made.data_files or () for path in paths}
    finally:
        os.chdir(before)
    return inside, beside


def test_every_file_of_the_packages_ships(shipped: tuple[set[str], set[str]]) -> None:
    there = {
        path.relative_to(ROOT).as_posix()
        for package in PACKAGES
        for path in (ROOT / package).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts and not path.name.startswith(".")
    }
    assert there - shipped[0] == set()
    assert shipped[0] - there == set()
    weights = (
        "models/weights/vita15-mini",
        "models/weights/vita-audio-mini",
        "models/weights/nexus-o-mini",
        "tasks/judges/mini_ctc/weights",
    )
    for needed in (*weights, "tasks/mini/data"):
        assert [path for path in shipped[0] if path.startswith(needed)], needed


def test_every_page_ships(shipped: tuple[set[str], set[str]]) -> None:
    assert {f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md")} == shipped[1]


def test_help_lists_every_page_with_its_title_and_shows_it(call: Call) -> None:  # noqa: F811
    told = call("help").out
    for page in (ROOT / "docs").glob("*.md"):
        assert f"  {page.stem} " in told and manual.title(page) in told
    assert call("help", "judges").out.strip() == (ROOT / "docs" / "judges.md").read_text().strip()


def test_help_of_a_command_is_the_commands_own_and_a_mistyped_topic_is_guessed(call: Call) -> None:  # noqa: F811
    assert "--every" in call("help", "sync").out
    assert "harness cache prune" in call("help", "cache prune").out
    done = call("help", "statistic")
    assert done.code == 2 and "Did you mean statistics" in done.err
    assert manual.topic_names("ju") == ["judges"]


def test_pages_are_found_where_a_wheel_puts_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(manual, "_folders", lambda: [tmp_path / "no", tmp_path / manual.INSTALLED])
    with pytest.raises(UsageError, match="not installed"):
        manual.topics()
    assert manual.topic_names("") == []
    (tmp_path / manual.INSTALLED).mkdir(parents=True)
    (tmp_path / manual.INSTALLED / "one.md").write_text("no heading")
    assert {name: manual.title(path) for name, path in manual.topics().items()} == {"one": "one"}


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_is_shown_for_every_shell(call: Call, shell: str) -> None:  # noqa: F811
    done = call("--show-completion", shell)
    assert done.code == 0 and "_HARNESS_COMPLETE" in done.out


def test_bash_completes_topics_exporters_and_tasks(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: F811
    monkeypatch.setenv("_HARNESS_COMPLETE", "complete_bash")
    for words, found in (("harness help ju", "judges"), ("harness export R --to w", "wandb"), ("harness syn", "sync")):
        monkeypatch.setenv("COMP_WORDS", words)
        monkeypatch.setenv("COMP_CWORD", str(len(words.split()) - 1))
        assert found in call().out.split()


def test_the_citation_names_this_version() -> None:
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    cited = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert cited["cff-version"] == "1.2.0" and cited["type"] == "software"
    assert cited["version"] == project["version"] and cited["title"] == project["name"]
    assert cited["message"] and all("name" in author or "family-names" in author for author in cited["authors"])
