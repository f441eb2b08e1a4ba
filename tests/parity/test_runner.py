"""The runner reads any selection of golden files, nested or flat, and outlives a broken one."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

from tasks.scoring.normalizers import wetext_english
from tests.parity import __main__ as runner

GOLDENS = runner.DEFAULT_GOLDENS


def _exit_code(monkeypatch: pytest.MonkeyPatch, group: str, goldens: Path) -> int:
    monkeypatch.setattr(sys, "argv", ["parity", group, "--goldens", str(goldens), "--json"])
    return runner.main()


@pytest.mark.parametrize("group", runner.GROUPS)
def test_nothing_checked_is_a_failure(group: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert _exit_code(monkeypatch, group, tmp_path) == 1


@pytest.mark.parametrize("folder", ["vita15", ""])
def test_some_files_are_enough_nested_or_flat(folder: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / folder).mkdir(exist_ok=True)
    for name in ("chunk_mask.safetensors", "tts_text.json"):
        shutil.copyfile(GOLDENS / "vita15" / name, tmp_path / folder / name)
    assert [check.component for check in runner.run("models", tmp_path)] == ["chunk_mask", "tts_text"]
    assert _exit_code(monkeypatch, "models", tmp_path) == 0


def test_a_broken_file_fails_its_component_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "vita15").mkdir()
    (tmp_path / "vita15" / "tts_text.json").write_text("[{}]", encoding="utf-8")
    shutil.copyfile(GOLDENS / "vita15" / "chunk_mask.safetensors", tmp_path / "vita15" / "chunk_mask.safetensors")
    failed = {check.component: check.failed for check in runner.run("models", tmp_path)}
    assert failed == {"chunk_mask": 0, "tts_text": 1}
    assert _exit_code(monkeypatch, "models", tmp_path) == 1


def test_what_needs_a_library_that_is_not_installed_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "speech").mkdir()
    for name in ("libritts_en.json", "sqa_containment.json"):
        shutil.copyfile(GOLDENS / "speech" / name, tmp_path / "speech" / name)
    wetext_english.normalize.cache_clear()
    wetext_english._normalizer.cache_clear()
    monkeypatch.setitem(sys.modules, "tn.english.normalizer", None)
    assert [check.component for check in runner.run("tasks", tmp_path)] == ["sqa_containment"]
    assert "libritts_en: not checked, the profile libritts" in capsys.readouterr().err


def test_two_components_of_one_name_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """The second would take the place of the first, and the first would never be run."""
    monkeypatch.setitem(runner.GROUPS, "probes", ("probes", "probes"))
    with pytest.raises(ValueError, match="another component of the name"):
        runner.components("probes")


def test_rows_are_as_wide_as_the_longest_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("chat_template.json", "interleave.json"):
        shutil.copyfile(GOLDENS / "vita_audio" / name, tmp_path / name)
    monkeypatch.setattr(sys, "argv", ["parity", "models", "--goldens", str(tmp_path)])
    assert runner.main() == 0
    rows = capsys.readouterr().out.splitlines()
    assert [row.split()[0] for row in rows] == ["vita_audio_interleave", "vita_audio_chat_template"]
    assert len({row.index(" checked") for row in rows}) == 1
