"""What is not published: options, their errors, the model card."""

from __future__ import annotations

from dataclasses import fields

import pytest

from harness.failures import UsageError
from models.nexus_o.card import CARD, card
from models.nexus_o.choices import Choices, known, takes, with_options


def test_options_set_choices() -> None:
    got = with_options(
        Choices(), {"audio_pool": "2", "pad_audio_to_30s": "true", "mix": "two_way", "decoder_width": "1024"}
    )
    assert (got.audio_pool, got.pad_audio_to_30s, got.mix, got.decoder_width) == (2, True, "two_way", 1024)
    assert with_options(Choices(), {}) == Choices()


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("audio_pool", "3", "--option audio_pool=3: expected 1 or 2"),
        ("audio_pool", "one", "--option audio_pool=one: expected 1 or 2"),
        ("adapter_act", "tanh", "--option adapter_act=tanh: expected gelu or relu or silu"),
        ("pad_audio_to_30s", "yes", "--option pad_audio_to_30s=yes: expected false or true"),
        ("adapter_hidden", "0", "expected 3584 or another whole number from 1 to 65536"),
        ("special_code", "999", "expected 1024 or another whole number from 1000 to 1024"),
        ("audiopool", "2", "Did you mean audio_pool?"),
    ],
)
def test_an_option_that_cannot_be_is_told_with_what_can(name: str, value: str, said: str) -> None:
    with pytest.raises(UsageError) as error:
        with_options(Choices(), {name: value})
    assert said in str(error.value)


@pytest.mark.parametrize("part", fields(Choices), ids=lambda part: part.name)
def test_every_alternative_can_be_taken(part: object) -> None:
    others = part.metadata["others"]  # type: ignore[attr-defined]
    for value in (others[0], others[-1]) if isinstance(others, range) else others:
        text = str(value).lower() if isinstance(value, bool) else str(value)
        assert getattr(with_options(Choices(), {part.name: text}), part.name) == value  # type: ignore[attr-defined]


def test_a_choice_of_another_type_is_refused() -> None:
    with pytest.raises(ValueError, match="audio_pool is True, expected 1 or 2"):
        Choices(audio_pool=True)


def test_the_card_names_every_choice() -> None:
    """CARD.md is what `python -m models.nexus_o.card` prints."""
    assert CARD.read_text(encoding="utf-8") == card()
    assert all(f"| `{name}` |" in card() for name in known())
    assert takes(fields(Choices)[0]) == "1 or 2"
