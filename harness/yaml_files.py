"""YAML files that people write: a mapping of fields, each said once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from harness.failures import UsageError
from harness.files import need_file


class _Loader(yaml.SafeLoader):
    """Refuses a key that occurs twice: the last would win unseen."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            if str(key.value) in seen:
                raise yaml.YAMLError(f"the key {key.value!r} occurs twice, {str(key.start_mark).strip()}")
            seen.add(str(key.value))
        return super().construct_mapping(node, deep)


def read_yaml(path: Path, what: str) -> dict[str, Any]:
    """The mapping in a file. Raises UsageError naming it as `what`, with its path and the place at fault."""
    need_file(path, what)
    try:
        content = yaml.load(path.read_text(encoding="utf-8-sig"), _Loader)  # noqa: S506 (a safe loader's own)
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{what} cannot be read: {path}: {error}") from error
    except (LookupError, AttributeError) as error:
        raise UsageError(f"{what} is not YAML: {path}: a value does not fit the !!tag before it ({error})") from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:  # a date of month 13, thousands of lists in lists
        raise UsageError(f"{what} is not YAML: {path}: {' '.join(str(error).split())[:500]}") from error
    if not isinstance(content, dict):
        raise UsageError(f"{what} must hold a mapping of field: value, {path} does not")
    return content
