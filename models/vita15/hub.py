"""Where a checkpoint's folder is: a local folder, the hub's cache on this machine, or the hub itself."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

from harness.failures import UsageError
from models.checkpoint_error import CheckpointError
from models.vita15.checkpoint import INDEX, SINGLE, weight_files
from models.vita15.weights import CARD

RELEASE = "VITA-MLLM/VITA-1.5"
PROBE_TIMEOUT_S = 1.5  # an unreachable hub is to be noticed in seconds; the library tries twice
FILES = (
    "config.json", "origin_config.json", "generation_config.json", CARD, SINGLE, INDEX, "model-*.safetensors",
    "tokenizer.json", "tokenizer_config.json", "vocab.json", "merges.txt", "audio-encoder*/train.yaml",
    "vita_tts_ckpt/*/model.json", "vita_tts_ckpt/*/final.pt", "vita_tts_ckpt/*/model.safetensors",
)  # fmt: skip
"""What is needed of the release; the rest (the audio encoder's own copy) is not fetched."""

_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[\w.-]+")


class Source(NamedTuple):
    """A checkpoint's folder; `name` and `revision` are the hub's, the latter None for a plain folder."""

    folder: Path
    name: str
    revision: str | None


def locate(weights: str, revision: str | None = None) -> Source:
    """The folder of `weights`, a local folder or a hub id; downloads only what the cache lacks.

    Raises UsageError that says what is missing and how else the weights can be given.
    """
    folder = Path(weights).expanduser()
    if folder.is_dir():
        return Source(folder, str(folder), None)
    if not _HUB_ID.fullmatch(weights) or folder.exists():
        raise UsageError(
            f"--weights {_shown(weights)}: no such folder, and no hub id of the form owner/name.\n{_ways(RELEASE)}"
        )
    cached, incomplete = _cached(weights, revision)
    found = cached or _download(weights, revision, incomplete)
    return Source(found, weights, found.name)


class _Cached(NamedTuple):
    folder: Path | None
    incomplete: str = ""


def _cached(hub_id: str, revision: str | None) -> _Cached:
    """The snapshot in the hub's cache, if it holds all weight files; else what it lacks."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import LocalEntryNotFoundError

    try:
        folder = Path(snapshot_download(hub_id, revision=revision, local_files_only=True))
        weight_files(folder)
    except LocalEntryNotFoundError:
        return _Cached(None)
    except CheckpointError as error:
        return _Cached(None, str(error).partition("\n")[0])
    return _Cached(folder)


def _download(hub_id: str, revision: str | None, incomplete: str) -> Path:
    from huggingface_hub import HfApi, snapshot_download

    try:
        # Asked first, because the download's own question has no time limit and is repeated for minutes.
        HfApi().repo_info(hub_id, revision=revision, timeout=PROBE_TIMEOUT_S)
        found = snapshot_download(hub_id, revision=revision, allow_patterns=list(FILES))  # shows its progress
    except Exception as error:  # the library's HTTP client, and so its errors, change with its version
        reason = _shown(str(error).strip().partition("\n")[0] or type(error).__name__)
        if incomplete:
            message = f"of the weights {hub_id} the hub's cache lacks files ({incomplete}), which could not be fetched"
        else:
            message = f"the weights {hub_id} are not in the hub's cache and could not be fetched"
        raise UsageError(f"{message} ({reason}).\n{_ways(hub_id)}") from error
    return Path(str(found))


def _shown(text: str) -> str:
    """A text without the user and password of a URL in it."""
    return re.sub(r"//[^/\s@]*@", "//", text)


def _ways(hub_id: str) -> str:
    return (
        "Three ways to go on:\n"
        f"  1. fill the cache where there is a network: hf download {hub_id}\n"
        "  2. name a folder in the released layout: --weights DIR\n"
        "  3. run a model and data that ship with the harness: --model vita15-mini --data mini"
    )
