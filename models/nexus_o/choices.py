"""What of NEXUS-O is not published, each with what is taken here and what else it could be (spec section 6).

`--option NAME=VALUE` sets one; what was used stands in the run's manifest and in the model card (CARD.md).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import Field, asdict, dataclass, field, fields, replace
from typing import Any, Literal

from harness.failures import UsageError
from models.own_options import check_own

Value = bool | int | str
MOST = (1 << 31) - 1
WIDEST = 1 << 16
"""More than any published width, and what fits a machine."""


def _choice(default: Any, others: tuple[Value, ...] | range, says: str) -> Any:
    """A field with its default, its alternatives (values, or a range of whole numbers) and what it decides."""
    return field(default=default, metadata={"others": others, "says": says})


@dataclass(frozen=True)
class Choices:
    """Raises ValueError naming the field that has a value that it cannot take."""

    audio_pool: int = _choice(
        1, (2,), "frames of the speech encoder that are averaged before its last norm: 1 is Whisper, 2 Qwen2-Audio"
    )
    adapter_layers: int = _choice(
        2, (1,), "linear layers behind the stack of five frames: 1 takes 'concatenates, then MLP' as stack and one map"
    )
    adapter_hidden: int = _choice(3584, range(1, WIDEST + 1), "width between the two layers of the audio adapter")
    adapter_act: Literal["gelu", "relu", "silu"] = _choice(
        "gelu", ("relu", "silu"), "activation between the two layers of the audio adapter"
    )
    audio_first_id: int = _choice(
        151665,
        range(0, MOST),
        "id of <|AUDIO|>, with <|audio_bos|> and <|audio_eos|> behind it, where the tokenizer does not know them",
    )
    pad_audio_to_30s: bool = _choice(
        False, (True,), "a window of audio always gives the tokens of 30 s, those of the silence behind it too"
    )
    after_visual: Literal["max", "grid"] = _choice(
        "max",
        ("grid",),
        "where positions go on behind a video: behind its largest on any axis (transformers 4.50, of which the release "
        "is), or behind its height and width alone (transformers 5)",
    )
    decoder_width: int = _choice(
        3584,
        range(8, WIDEST + 1),
        "width of the speech decoder; another than the language model's (1024) adds a projection",
    )
    mix: Literal["nine_way", "two_way"] = _choice(
        "nine_way", ("two_way",), "a step's input: the mean of eight codes and the hidden state, or of the codes' mean "
        "and the state",
    )  # fmt: skip
    hidden_schedule: Literal["hold_last", "last_only", "zero_after"] = _choice(
        "hold_last",
        ("last_only", "zero_after"),
        "hidden state of a step: one a step and then the last again, the last alone, or one a step and then zeros",
    )
    special_code: int = _choice(
        1024, range(1000, 1025), "code that stands for start, padding and end; ids from 1000 on are never sampled else"
    )
    code_end: Literal["stream_0", "all_streams"] = _choice(
        "stream_0", ("all_streams",), "the first stream of codes says where speech ends, or whichever does so first"
    )
    code_sampling: Literal["greedy", "top_k"] = _choice(
        "greedy", ("top_k",), "codes are the likeliest, or drawn from the 50 likeliest at temperature 0.8"
    )

    def __post_init__(self) -> None:
        for part in fields(self):
            value = getattr(self, part.name)
            if type(value) is not type(part.default) or not (value == part.default or value in part.metadata["others"]):
                raise ValueError(f"{part.name} is {value!r}, expected {takes(part)}")

    def stated(self) -> dict[str, Value]:
        """As JSON, for a manifest or a config.json."""
        return asdict(self)


def takes(part: Field[Any]) -> str:
    """The values of a choice, the default first: "1 or 2", "3584 or another whole number from 8 on"."""
    others = part.metadata["others"]
    if isinstance(others, range):
        to = "on" if others[-1] == MOST - 1 else f"to {others[-1]}"
        return f"{part.default} or another whole number from {others[0]} {to}"
    return " or ".join(_written(value) for value in (part.default, *others))


def known() -> dict[str, str]:
    """Every option and what it takes."""
    return {part.name: takes(part) for part in fields(Choices)}


def with_options(choices: Choices, given: Mapping[str, str]) -> Choices:
    """The choices with those of `--option NAME=VALUE` in place. Raises UsageError naming option, value and remedy."""
    check_own("nexus-o", given, known())
    parts = {part.name: part for part in fields(Choices)}
    values = {}
    for name, text in given.items():
        try:
            values[name] = _read(parts[name], text)
            replace(choices, **{name: values[name]})
        except ValueError:
            raise UsageError(f"--option {name}={text}: expected {takes(parts[name])}") from None
    return replace(choices, **values)


def card_table() -> str:
    """The choices as a table in Markdown."""
    lines = ["| option | taken here | alternatives | what it decides |", "|---|---|---|---|"]
    for part in fields(Choices):
        others = part.metadata["others"]
        alternatives = (
            takes(part).partition(" or ")[2] if isinstance(others, range) else ", ".join(map(_written, others))
        )
        says = part.metadata["says"].replace("|", "\\|")
        lines.append(f"| `{part.name}` | {_written(part.default)} | {alternatives} | {says} |")
    return "\n".join(lines) + "\n"


def _read(part: Field[Any], text: str) -> Value:
    if isinstance(part.default, bool):
        if text not in ("true", "false"):
            raise ValueError(text)
        return text == "true"
    if isinstance(part.default, int):
        if not re.fullmatch("0|[1-9][0-9]*", text):
            raise ValueError(text)
        return int(text)
    return text


def _written(value: Value) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
