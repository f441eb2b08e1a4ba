import json
import shutil

import pytest

from tests.parity.__main__ import DEFAULT_GOLDENS
from tests.parity.probes import COMPONENTS, FOLDER


@pytest.mark.parametrize("name", ["cka", "mutual_knn", "cknna"])
def test_a_changed_golden_fails(name, tmp_path):
    shutil.copytree(DEFAULT_GOLDENS / FOLDER, tmp_path / FOLDER)
    path = tmp_path / FOLDER / "alignment_expected.json"
    expected = json.loads(path.read_text())
    case = next(case for case in expected if case != "layers")
    values = expected[case]["l2"]["f64"]
    values = values if name == "cka" else next(v for label, v in values.items() if label.startswith("k="))
    values[name] += 1e-4
    path.write_text(json.dumps(expected))
    assert COMPONENTS[name](tmp_path).failed == 1
