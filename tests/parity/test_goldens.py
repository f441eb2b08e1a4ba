"""Every component of the parity runner agrees with the goldens in the repository, and needs its file."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.failures import UsageError
from tests.parity.__main__ import DEFAULT_GOLDENS, GROUPS, Component, components

EVERY = [
    pytest.param(component, id=f"{group}-{name}") for group in GROUPS for name, component in components(group).items()
]


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("component", EVERY)
def test_agrees_with_the_reference(component: Component) -> None:
    try:
        check = component(DEFAULT_GOLDENS)
    except UsageError as error:  # a library of an extra that is not installed
        pytest.skip(str(error))
    assert check.checked > 0
    assert check.failed == 0, check.examples


@pytest.mark.parametrize("component", EVERY)
def test_an_absent_file_is_named(component: Component, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError) as error:
        component(tmp_path)
    assert str(tmp_path) in str(error.value.filename)
