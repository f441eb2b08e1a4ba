"""Where a written table goes."""

from __future__ import annotations

import errno
from pathlib import Path
from unittest.mock import patch

import pytest

from harness.failures import RunStopped
from reports.grid.place import write_text


def test_a_full_disk_leaves_the_table_of_before(tmp_path: Path) -> None:
    place = tmp_path / "table.csv"
    write_text(place, "of before")
    with (
        patch.object(Path, "replace", side_effect=OSError(errno.ENOSPC, "full")),
        pytest.raises(RunStopped, match=r"table\.csv cannot be written: No space left"),
    ):
        write_text(place, "of now", force=True)
    assert [path.name for path in tmp_path.iterdir()] == ["table.csv"] and place.read_text() == "of before"
    write_text(place, "of now", force=True)
    assert place.read_text() == "of now"
