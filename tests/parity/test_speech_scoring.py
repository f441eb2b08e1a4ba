"""The speech components notice a change of any recorded value, and tell of a key that they have no rule for."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from harness.failures import UsageError
from tests.parity import speech_bleu, speech_pairs, speech_questions, speech_scoring, speech_tts
from tests.parity.__main__ import DEFAULT_GOLDENS
from tests.parity.check import Check

Component = Callable[[Path], Check]
COMPONENTS: dict[str, Component] = (
    speech_scoring.COMPONENTS | speech_tts.COMPONENTS | speech_questions.COMPONENTS | speech_bleu.COMPONENTS
)
FILES = {"vita_audio_scoring": "vita_audio/scoring.json", "vita_audio_libritts": "vita_audio/scoring.json"}
INPUTS = {"format", "meta", "n", "versions", "direction", "pairs", "pred", "gt", "ref", "hyp"}
"""What a component reads rather than compares, and what says how the file was made."""
Path_ = tuple[str | int, ...]


def leaves(value: Any, path: Path_ = ()) -> Iterator[tuple[Path_, Any]]:
    if isinstance(value, dict | list):
        for key, held in value.items() if isinstance(value, dict) else enumerate(value):
            yield from leaves(held, (*path, key))
    elif value is not None:
        yield path, value


def is_compared(component: str, path: Path_) -> bool:
    names = [part for part in path if isinstance(part, str)]
    if names[0] in INPUTS or names[-1] in speech_pairs.NOT_COMPARED.keys() | speech_questions.NOT_COMPARED.keys():
        return False
    if component.startswith("vita_audio_") and names[0] != "results":
        libritts = any("libritts" in name for name in names)
        return libritts == (component == "vita_audio_libritts") and not INPUTS & set(names) - {"n"}
    return names[0] != "rows" or names[-1] not in INPUTS


def one_of_each_kind(component: str, golden: Any) -> list[Path_]:
    """A path for each key that rows have, whatever the row; those on which the reference crashed are not compared."""
    found: dict[Path_, Path_] = {}
    for path, value in leaves(golden):
        if is_compared(component, path) and not str(value).startswith(speech_questions.CRASH):
            kind = tuple("*" if isinstance(part, int) or part.isdigit() else part for part in path)
            found[kind] = path
    return list(found.values())


def changed(value: Any) -> Any:
    if isinstance(value, bool):
        return not value
    return value + 1 if isinstance(value, int | float) else f"x {value}"


def written(folder: Path, component: str, golden: Any) -> Path:
    path = folder / FILES.get(component, f"speech/{component}.json")
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(golden), encoding="utf-8")
    return folder


def read(component: str) -> Any:
    return json.loads((DEFAULT_GOLDENS / FILES.get(component, f"speech/{component}.json")).read_text("utf-8"))


def run(component: str, folder: Path) -> Check:
    try:
        return COMPONENTS[component](folder)
    except UsageError as error:
        pytest.skip(str(error))


def apart(golden: Any) -> list[Any]:
    """The file with one scorer at a time, of BLEU with one number at a time: faster to run again and again."""
    results = golden.get("results", {})
    if "direction" in golden:
        return [golden | {"results": {version: {key: held[key]}}} for version, held in results.items() for key in held]
    return [golden | {"results": {name: results[name]}} for name in results] or [golden]


@pytest.mark.parametrize("component", COMPONENTS)
def test_every_changed_value_is_noticed(component: str, tmp_path: Path) -> None:
    for golden in apart(read(component)):
        assert run(component, written(tmp_path, component, golden)).failed == 0
        paths = one_of_each_kind(component, golden)
        assert paths
        for path in paths:
            other = copy.deepcopy(golden)
            held = other
            for part in path[:-1]:
                held = held[part]
            held[path[-1]] = changed(held[path[-1]])
            assert COMPONENTS[component](written(tmp_path, component, other)).failed > 0, path


def test_a_key_without_a_rule_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    golden = read("open_asr_en")
    golden["results"]["open_asr"]["per_utt"][0]["new_measure"] = 1
    golden["results"]["new_scorer"] = golden["results"]["open_asr"]
    assert not speech_scoring.COMPONENTS["open_asr_en"](written(tmp_path, "open_asr_en", golden)).failed
    told = capsys.readouterr().err
    assert "'new_measure', not compared" in told and "'new_scorer', not compared" in told


def test_nothing_in_the_goldens_is_without_a_rule(capsys: pytest.CaptureFixture[str]) -> None:
    for component in COMPONENTS:
        if component not in ("libritts_en", "vita_audio_libritts"):
            COMPONENTS[component](DEFAULT_GOLDENS)
    assert "not compared" not in capsys.readouterr().err
