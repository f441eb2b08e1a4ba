"""A configuration file whose values are none: the file, the field and the remedy are told."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.config import gather
from harness.failures import UsageError
from harness.files import at_home, is_there

START = "model: echo\ntasks: mme\n"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (START + "profile: [5]", "profile is [5]: expected a name or a list of names"),
        (START + "prompt: [null]", "prompt is [None]: expected a name or a list of names"),
        (START + "profile: [[a]]", "profile is [['a']]"),
        ("model: echo\ntasks: 5\nprofile: x", "tasks is 5: expected a name"),
        ("model: echo\ntasks: [[mme]]", "tasks is [['mme']]"),
        ("model: echo\ntasks: {mme: 1}", "tasks is {'mme': 1}"),
        (START + "limit: 99999999999999999999999", "limit: Expected `int` <="),
        (START + "seed: !!bool foo", "a value does not fit the !!tag before it"),
        (START + "seed: !!timestamp foo", "a value does not fit the !!tag before it"),
    ],
)
def test_values_of_another_kind_are_told(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "run.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(UsageError) as told:
        gather({}, tmp_path / "run.yaml")
    assert said in str(told.value) and "run.yaml" in str(told.value)


@pytest.mark.parametrize("folder", ["~nosuchuser/data", "a" * 5000, "a\0b"])
def test_a_folder_that_cannot_be_is_left_for_those_who_look_for_it(folder: str) -> None:
    config = gather({"model": "echo", "tasks": "mme", "data": folder, "weights": folder})
    assert (config.data, config.weights) == (folder, folder)
    assert not is_there(at_home(folder))
