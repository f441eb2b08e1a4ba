"""A card of which parts are made anew: what changes, and that nothing else does."""

from __future__ import annotations

import pytest

from models.training.card_edits import after, begun, replaced, section

CARD = """# name

All that is said.

| what | now |
|---|---|
| one, WER | 40.0 % |
| two | 3 |

- Cannot fly.

| stage | steps |
|---|---|
| 3.2 decoders | 1 |

## Recipe

Stir.
"""


def test_lines_are_replaced_by_their_first_cell():
    card = replaced(CARD, {"one, WER": "| one, WER | 20.0 % |", "3.2 decoders": "| 3.2 decoders | 2 |"})
    assert card == CARD.replace("40.0", "20.0").replace("decoders | 1", "decoders | 2")


def test_a_line_that_is_not_there_is_named():
    with pytest.raises(ValueError, match="no line for three"):
        replaced(CARD, {"two": "| two | 4 |", "three": "| three | 4 |"})


def test_a_line_is_found_by_its_start_and_left_out_where_there_is_nothing_to_say():
    assert begun(CARD, "- Cannot", "- Cannot swim.") == CARD.replace("fly", "swim")
    assert begun(CARD, "- Cannot", "") == CARD.replace("- Cannot fly.\n", "")
    with pytest.raises(ValueError, match="begins with '- Can '"):
        begun(CARD, "- Can ", "")


def test_rows_are_put_behind_another_once():
    rows = {"4.1 more": "| 4.1 more | 5 |", "4.2 most": "| 4.2 most | 6 |"}
    card = after(CARD, "3.2 decoders", rows)
    assert card == CARD.replace("decoders | 1 |\n", "decoders | 1 |\n| 4.1 more | 5 |\n| 4.2 most | 6 |\n")
    assert after(card, "3.2 decoders", rows | {"4.1 more": "| 4.1 more | 7 |"}) == card.replace("5 |", "7 |")
    with pytest.raises(ValueError, match="no line for 3\\.1 codec"):
        after(CARD, "3.1 codec", rows)


def test_a_section_is_put_before_another_and_replaced_where_it_is():
    card = section(CARD, "## Gain\n\nMuch.\n", "## Recipe")
    assert card == CARD.replace("## Recipe", "## Gain\n\nMuch.\n\n## Recipe")
    assert section(card, "## Gain\n\nLittle.\n", "## Recipe") == card.replace("Much", "Little")
    with pytest.raises(ValueError, match="no section '## Cost'"):
        section(CARD, "## Gain\n", "## Cost")
