"""Settings of a checkpoint's folder with where each came from, and what its generation_config.json states."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from models.checkpoint_error import CheckpointError
from models.generation import GenerationDefaults
from models.released.files import read_json
from models.text.tokenizer import TURN_END, TURN_START, QwenTokenizer

GENERATION = "generation_config.json"
TURN_MARKS = (TURN_START, TURN_END)
RELEASED_PENALTY = 1.05  # of Qwen2.5-7B-Instruct, which the releases take over


class Stated(NamedTuple):
    """A setting and the file, or the default, that it came from."""

    value: Any
    source: str


@dataclass
class Notes:
    """What is found out on the way: settings with their sources, and what has to be said of the weights."""

    settings: dict[str, Stated] = field(default_factory=dict)
    told: list[str] = field(default_factory=list)

    def take(self, name: str, value: Any, source: str) -> Any:
        self.settings[name] = Stated(value, source)
        return value


def field_of(content: Mapping[str, Any], name: str, kind: type, default: Any, source: str) -> Stated:
    """A field of a settings file as `kind`, or the default where the file is silent."""
    if (value := content.get(name)) is None:
        return Stated(default, f"default: {source} does not state {name}")
    return Stated(kind(value), source)


def generation_defaults(
    config: Path,
    tokenizer: QwenTokenizer,
    vocabulary: int,
    notes: Notes,
    remedy: str,
    marks: Sequence[str] = TURN_MARKS,
    penalty: float | None = RELEASED_PENALTY,
) -> GenerationDefaults:
    """Stop tokens and penalty, from the generation_config.json beside `config` (config.json), else from `config`.

    The tokens `marks` always stop; `penalty` is what the release states, None where it states none. Raises
    CheckpointError naming file and field.
    """
    path = config.parent / GENERATION
    own = f"Take {GENERATION} of the same release as the weights, or mend the field."
    content = read_json(path, own) if path.exists() else {}
    source, ends = path, content.get("eos_token_id")
    if ends is None:
        source, ends = config, read_json(config, remedy).get("eos_token_id")
    stops = {tokenizer.id_of(mark) for mark in marks}
    for token in ends if isinstance(ends, list) else [] if ends is None else [ends]:
        if isinstance(token, bool) or not isinstance(token, int) or not 0 <= token < vocabulary:
            raise CheckpointError(
                f"{source}: eos_token_id holds {token!r}, which is no id from 0 to {vocabulary - 1}"
                f"\n{own if source == path else remedy}"
            )
        stops.add(token)
    always = " and ".join(marks)
    why = always if ends is None else f"{source.name}; {always}"
    stop_ids = notes.take("stop_ids", tuple(sorted(stops)), why)
    return GenerationDefaults(stop_ids, _penalty(path, content.get("repetition_penalty"), penalty, notes, own))


def _penalty(path: Path, asked: Any, released: float | None, notes: Notes, remedy: str) -> float:
    if asked is None:
        why = f"{GENERATION} {'states none' if path.exists() else 'is not there'}"
        if released is not None:
            notes.told.append(
                f"no repetition penalty is used where a prompt preset sets none: {why} (the release states {released})"
            )
        return float(notes.take("repetition_penalty", 1.0, f"default: {why}"))
    if isinstance(asked, bool) or not isinstance(asked, (int, float)) or not 0 < asked < math.inf:
        raise CheckpointError(f"{path}: repetition_penalty is {asked!r}, expected a number above 0\n{remedy}")
    return float(notes.take("repetition_penalty", float(asked), path.name))
