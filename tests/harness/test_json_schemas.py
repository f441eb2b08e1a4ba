"""The schemas under docs/ are those of the code, and a run holds to them."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest

from harness.json_schemas import FILES, schemas
from harness.run import start
from harness.schema import Results
from tests.harness.toy import TASK, config, objects

DOCS = Path(__file__).parents[2] / "docs" / "schemas"


@pytest.mark.parametrize("name", FILES)
def test_the_schemas_in_docs_are_those_of_the_code(name: str) -> None:
    ours = json.loads(json.dumps(schemas()[name]))
    assert json.loads((DOCS / f"{name}.json").read_text()) == ours, "python -m harness.json_schemas writes them anew"


def test_a_result_with_a_field_of_another_type_is_refused(tmp_path: Path) -> None:
    run = start(config(), tmp_path / "run", objects(TASK))
    content = json.loads((run.path / "results.json").read_text())
    assert msgspec.convert(content, Results) == run.results()
    content["tasks"]["toy"]["n_scored"] = "forty"
    with pytest.raises(msgspec.ValidationError, match=r"n_scored"):
        msgspec.convert(content, Results)
