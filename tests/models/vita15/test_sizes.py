"""The table of sizes."""

from __future__ import annotations

from models.vita15.sizes import sizes


def test_the_parts_make_up_the_whole() -> None:
    found = {size.part: size.parameters for size in sizes()}
    parts = ("vision tower", "vision projector", "speech encoder", "speech adapter", "language model")
    assert sum(found[part] for part in parts) == found["understanding, all"] == 8_322_947_072
    assert found["language model"] == 7_615_616_512
    assert found["speech decoder, NAR"] + found["speech decoder, AR"] < found["speech decoder, all"] == 99_569_028
