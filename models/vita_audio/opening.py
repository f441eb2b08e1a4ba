"""Opening a released model: its own weights, and the speech tokenizer and decoder that it leaves to GLM-4-Voice."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import NamedTuple

from harness.contracts import ModelOptions
from harness.failures import UsageError
from models.checkpoint_error import CheckpointError, left_out
from models.devices import dtype_of
from models.released import hub, identity
from models.released.parts import Found, find, identified
from models.vita_audio import checkpoint
from models.vita_audio.answerer import Answerer
from models.vita_audio.ears import CodeEar, Ear, EmbeddingEar
from models.vita_audio.model import Opened, Speaker
from models.vita_audio.release import RELEASES, Release
from models.vita_audio.schedule import Mode
from models.vita_audio.speech_checkpoint import load_decoder, load_tokenizer
from models.vita_audio.speech_folders import DECODER, TOKENIZER
from models.vita_audio.tokens import SpecialTokens
from models.vita_audio.voice import Voice

SHIPPED = "shipped with the harness"


def open_release(weights: str, release: Release, options: ModelOptions, mode: Mode | None) -> Opened:
    """Load a folder or hub id; `mode` None leaves it to what the checkpoint states.

    Without a speech decoder that can be read the model answers in text, and says so. Raises UsageError naming what is
    missing or wrong, and the remedy.
    """
    source = hub.locate(weights, release.on_hub)
    try:
        _check_kind(source.folder, release, mode)
        loaded = checkpoint.load(source.folder, options.device, dtype_of(options))
        parts = [Found(source, checkpoint.content_files(source.folder))]
        told = list(loaded.told)
        ear: Ear
        if loaded.hearing is not None:
            ear = EmbeddingEar(loaded.hearing)
        else:
            parts.append(find(source.folder, TOKENIZER))
            ears = load_tokenizer(parts[-1].source.folder, options.device)
            told += [f"{TOKENIZER.name}: {left_out(list(ears.unknown))}"] * bool(ears.unknown)
            ear = CodeEar(ears.model, loaded.tokens)
        speaker: Speaker | None = None
        try:
            decoder = find(source.folder, DECODER)
            unknown = _voice(decoder.source.folder, loaded.tokens, "meta").unknown
            told += [f"{DECODER.name}: {left_out(list(unknown))}"] * bool(unknown)
            parts.append(decoder)
            speaker = partial(_speak, decoder.source.folder, loaded.tokens, options.device)
        except (CheckpointError, UsageError) as error:
            told.append(f"answers in text only: {error}")
        answerer = Answerer(loaded.model, loaded.tokenizer, loaded.tokens, ear, loaded.generation, mode or loaded.mode)
    except CheckpointError as error:
        raise UsageError(str(error)) from error
    except ValueError as error:  # parts that are sound but do not fit each other
        raise UsageError(f"{source.folder}: {error}") from error
    known = identified(release.on_hub.id, parts, loaded.settings, told, loaded.unknown, speaker is not None)
    return Opened(answerer, known, speaker)


def open_shipped(folder: Path, name: str, options: ModelOptions, mode: Mode | None) -> Opened:
    """Load weights that ship with the harness, parts and all in one folder: they are the model's own where the folder
    says so of exactly these contents."""
    opened = open_release(str(folder), RELEASES["vita-audio-boost"], options, mode)
    card = identity.read_card(folder)
    own = (card.name, card.digest) == (name, identity.digest(folder, shipped_files(folder)))
    return opened._replace(identity=replace(opened.identity, source=SHIPPED, own=own))


def shipped_files(folder: Path) -> list[Path]:
    """All files of a folder whose contents are its model, with its speech parts. Raises CheckpointError."""
    parts = [path for part in (TOKENIZER, DECODER) for path in part.files(folder / part.name)]
    return [*checkpoint.content_files(folder), *parts]


def _check_kind(folder: Path, release: Release, mode: Mode | None) -> None:
    """What can be refused before a weight is read."""
    config, plus = checkpoint.outline(folder)
    if plus != release.plus:
        kind, other = ("Plus", "vita-audio-plus-boost") if plus else ("plain", "vita-audio-boost")
        raise CheckpointError(f"{folder}: holds a {kind} model of VITA-Audio; use --model {other} for it")
    if mode is not None and mode.uses_modules and not config.modules:
        raise CheckpointError(
            f"{folder}: mode {mode} needs prediction modules, of which there are none: use --mode vanilla"
        )


class Spoken(NamedTuple):
    """`unknown` names the tensors that were left out."""

    voice: Voice
    unknown: tuple[str, ...]


def _speak(folder: Path, tokens: SpecialTokens, device: str) -> Voice:
    return _voice(folder, tokens, device).voice


def _voice(folder: Path, tokens: SpecialTokens, device: str) -> Spoken:
    """The speech decoder; on the device "meta" its files are checked and no weight is kept. Raises UsageError."""
    try:
        decoder = load_decoder(folder, device)
        if decoder.flow.config.codes != tokens.codes:
            raise ValueError(f"it speaks {decoder.flow.config.codes} codes, the model's vocabulary has {tokens.codes}")
        return Spoken(Voice(decoder.flow, decoder.vocoder), decoder.unknown)
    except CheckpointError as error:
        raise UsageError(str(error)) from error
    except ValueError as error:
        raise UsageError(f"{folder}: {error}") from error
