"""The command line of a model's sizes."""

from __future__ import annotations

import subprocess
import sys

MANY = """
import sys
from models.counting import Size, command
sys.argv = ["sizes", "--json"]
command("sizes", lambda: [Size("part", number) for number in range(20_000)])
"""


def test_a_reader_that_has_enough_ends_it_without_a_word() -> None:
    with subprocess.Popen([sys.executable, "-c", MANY], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as sizes:
        assert sizes.stdout is not None and sizes.stderr is not None
        assert sizes.stdout.read(9) == b'[\n {\n  "p'
        sizes.stdout.close()
        assert sizes.stderr.read() == b""
    assert sizes.returncode == 0
