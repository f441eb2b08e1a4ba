"""Opening a released model: its own weights, and the speech tokenizer and decoder that it leaves to GLM-4-Voice."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import NamedTuple

from harness.contracts import ModelOptions
from harness.failures import UsageError
from models.checkpoint_error import CheckpointError, left_out
from models.devices import dtype_of
from models.released import hub, identity
from models.released.identity import Identity
from models.vita_audio import checkpoint
from models.vita_audio.answerer import Answerer
from models.vita_audio.ears import CodeEar, Ear, EmbeddingEar
from models.vita_audio.model import Opened, Speaker
from models.vita_audio.release import Release
from models.vita_audio.schedule import Mode
from models.vita_audio.speech_checkpoint import load_decoder, load_tokenizer
from models.vita_audio.speech_folders import DECODER, TOKENIZER, Part, locate_part
from models.vita_audio.tokens import SpecialTokens
from models.vita_audio.voice import Voice


class _Found(NamedTuple):
    """A folder and the files in it that make up a part."""

    source: hub.Source
    files: list[Path]


def open_release(weights: str, release: Release, options: ModelOptions, mode: Mode | None) -> Opened:
    """Load a folder or hub id; `mode` None leaves it to what the checkpoint states.

    Without a speech decoder the model answers in text, and says so. Raises UsageError naming what is missing or wrong,
    and the remedy.
    """
    source = hub.locate(weights, release.on_hub)
    try:
        _check_kind(source.folder, release, mode)
        loaded = checkpoint.load(source.folder, options.device, dtype_of(options))
        parts = [_Found(source, checkpoint.content_files(source.folder))]
        told = list(loaded.told)
        ear: Ear
        if loaded.hearing is not None:
            ear = EmbeddingEar(loaded.hearing)
        else:
            parts.append(_part(source.folder, TOKENIZER))
            ears = load_tokenizer(parts[-1].source.folder, options.device)
            told += [f"{TOKENIZER.name}: {left_out(list(ears.unknown))}"] * bool(ears.unknown)
            ear = CodeEar(ears.model, loaded.tokens)
        speaker: Speaker | None = None
        try:
            parts.append(_part(source.folder, DECODER))
            speaker = _speaker(parts[-1].source.folder, loaded.tokens, options.device)
        except (CheckpointError, UsageError) as error:
            told.append(f"answers in text only: {error}")
        answerer = Answerer(loaded.model, loaded.tokenizer, loaded.tokens, ear, loaded.generation, mode or loaded.mode)
    except CheckpointError as error:
        raise UsageError(str(error)) from error
    except ValueError as error:  # parts that are sound but do not fit each other
        raise UsageError(str(error) if isinstance(error, UsageError) else f"{source.folder}: {error}") from error
    return Opened(answerer, _identity(release, parts, loaded, told, speaker is not None), speaker)


def _check_kind(folder: Path, release: Release, mode: Mode | None) -> None:
    """What can be refused before a weight is read."""
    config, plus = checkpoint.outline(folder)
    if plus != release.plus:
        kind, other = ("Plus", "vita-audio-plus-boost") if plus else ("plain", "vita-audio-boost")
        raise CheckpointError(f"{folder}: holds a {kind} model of VITA-Audio; use --model {other} for it")
    if mode is not None and mode.uses_modules and not config.modules:
        raise CheckpointError(
            f"{folder}: mode {mode} needs prediction modules and these weights have none: use vanilla"
        )


def _part(folder: Path, part: Part) -> _Found:
    source = locate_part(folder, part)
    return _Found(source, part.files(source.folder))


def _speaker(folder: Path, tokens: SpecialTokens, device: str) -> Speaker:
    def opener() -> Voice:
        try:
            decoder = load_decoder(folder, device)
            if decoder.flow.config.codes != tokens.codes:
                raise ValueError(
                    f"it speaks {decoder.flow.config.codes} codes, the model's vocabulary has {tokens.codes}"
                )
            return Voice(decoder.flow, decoder.vocoder)
        except CheckpointError as error:
            raise UsageError(str(error)) from error
        except ValueError as error:
            raise UsageError(f"{folder}: {error}") from error

    return opener


def _identity(
    release: Release, parts: list[_Found], loaded: checkpoint.Checkpoint, told: list[str], speaks: bool
) -> Identity:
    """The hash is that of all parts; weights are a release's where each came from the hub at a revision."""
    source = parts[0].source
    digests = [identity.digest(part.source.folder, part.files) for part in parts]
    whole = hashlib.sha256("\n".join(digests).encode()).hexdigest()
    at_revisions = all(part.source.revision is not None for part in parts)
    return Identity(
        source=source.name,
        digest=whole,
        revision=source.revision,
        released=source.name == release.on_hub.id and at_revisions,
        note=identity.read_card(source.folder).note,
        told=tuple(told),
        settings={
            name: {"value": _plain(stated.value), "from": stated.source} for name, stated in loaded.settings.items()
        },
        more={
            "parts": [{"source": part.source.name, "revision": part.source.revision} for part in parts[1:]],
            "bytes": sum(path.stat().st_size for part in parts for path in part.files),
            "unknown_tensors": list(loaded.unknown),
            "speech": speaks,
        },
    )


def _plain(value: object) -> object:
    return str(value) if isinstance(value, Mode) else value
