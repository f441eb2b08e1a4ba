"""Sizes from glm-4-voice-decoder's config.yaml, which is written to be run: tags there name classes to call.

Here tags are passed over: what stands under `!new:`, `!name:`, `!apply:` or any other is plain data, and nothing is
imported or called. `!ref <name>` is the value of a top-level setting; a formula stays as its text, which is refused
where a size is expected.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from models.released.files import MAX_JSON_BYTES

RELEASED_BLOCK = 10  # of the encoder, where the file leaves it to its class's default

_REF = re.compile(r"<\s*(\w+)\s*>")


class _Ref(str):
    """The text behind `!ref`."""


class _Plain(yaml.SafeLoader):
    """Builds what is under any tag as if it had none."""


def _plain(loader: _Plain, tag: str, node: yaml.Node) -> Any:
    if isinstance(node, yaml.MappingNode):
        return loader.construct_mapping(node, deep=True)
    if isinstance(node, yaml.SequenceNode):
        return loader.construct_sequence(node, deep=True)
    return _Ref(node.value) if tag == "ref" else node.value


_Plain.add_multi_constructor("!", _plain)


def read_decoder_yaml(path: Path) -> dict[str, Any]:
    """The sections that `FlowConfig.from_json` and `VocoderConfig.from_json` read. Raises ValueError, OSError."""
    if path.stat().st_size > MAX_JSON_BYTES:
        raise ValueError(f"has {path.stat().st_size} bytes, far more than such a file needs")
    try:
        content = yaml.load(path.read_text(encoding="utf-8"), _Plain)  # noqa: S506 (a safe loader's own)
    except (yaml.YAMLError, RecursionError, TypeError, LookupError, AttributeError) as error:  # a tag that does not fit
        raise ValueError(f"cannot be read as YAML: {error}") from error
    if not isinstance(content, Mapping):
        raise ValueError(f"holds {type(content).__name__}, expected settings")
    flow, hift = (_resolved(content.get(name), content) for name in ("flow", "hift"))
    decoder, encoder = _inside(flow, "decoder"), _inside(flow, "encoder")
    cfm = _inside(decoder, "cfm_params")
    return {
        "flow": flow,
        "encoder": {"block_size": RELEASED_BLOCK, **encoder} if isinstance(encoder, Mapping) else None,
        "length_regulator": _inside(flow, "length_regulator"),
        "cfm": _inside(cfm, "content") or cfm,
        "estimator": _inside(decoder, "estimator"),
        "hift": hift,
        "f0_predictor": _inside(hift, "f0_predictor"),
    }


def _inside(section: Any, name: str) -> Any:
    return section.get(name) if isinstance(section, Mapping) else None


def _resolved(value: Any, content: Mapping[str, Any]) -> Any:
    """With references replaced by the settings that they name, as far as those are none themselves."""
    if isinstance(value, _Ref):
        name = _REF.fullmatch(value.strip())
        found = content.get(name[1], value) if name else value
        return str(value) if isinstance(found, (_Ref, Mapping, list)) else found
    if isinstance(value, Mapping):
        return {key: _resolved(item, content) for key, item in value.items()}
    return [_resolved(item, content) for item in value] if isinstance(value, list) else value
