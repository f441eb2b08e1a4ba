"""The models that go by VITA-1.5's code.

`vita15` loads released weights, `vita15_mini` those that ship with the harness; `vita15_tiny` builds the same code
small and with random weights.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path

import torch

from harness.contracts import ModelOptions
from harness.failures import UsageError
from harness.files import at_home
from harness.needs import says
from models.checkpoint_error import CheckpointError, left_out
from models.devices import dtype_of
from models.own_options import check_own
from models.released import hub, identity
from models.released.identity import Identity
from models.text.tokenizer import byte_tokenizer, load_tokenizer
from models.vita15 import checkpoint
from models.vita15.checkpoint import SPEECH_FOLDER, Loaded
from models.vita15.config import Vita15Config
from models.vita15.model import OUTPUTS, TEXT_ONLY, Opened, Outline, Speaker, Vita15Model
from models.vita15.release import RELEASE
from models.vita15.settings import REMEDY
from models.vita15.speech_checkpoint import build_speech, load_speech
from models.vita15.speech_config import CodecConfig, Sampling, SpeechDecoderConfig
from models.vita15.speech_stream import SpeechSynthesizer
from models.vita15.streaming import synthesizer

MINI = Path(__file__).parents[1] / "weights" / "vita15-mini"
SHIPPED = "shipped with the harness"
LONGEST_RANDOM = 64
"""Tokens of an answer by random weights."""


@says(hub.needing(RELEASE))
def vita15(options: ModelOptions) -> Vita15Model:
    """The released model, from the hub (the default) or from `options.weights`."""
    check_own("vita15", options.own)
    chosen = options.weights or RELEASE.id

    def outline() -> Outline:
        try:
            return _outline(at_home(chosen))
        except CheckpointError:  # a hub id, or a folder that is refused when it is opened
            return Outline(Vita15Config.published())

    return Vita15Model("vita15", options, _opener(options, lambda: hub.locate(chosen, RELEASE)), outline)


def vita15_mini(options: ModelOptions) -> Vita15Model:
    """The small weights that ship with the harness, trained in its mini world; takes no `weights`."""
    check_own("vita15-mini", options.own)
    if options.weights is not None:
        raise UsageError(f"--weights {options.weights}: vita15-mini has weights of its own; use --model vita15")
    opener = _opener(options, lambda: hub.Source(MINI, SHIPPED, None), own="vita15-mini")
    note = identity.read_card(MINI).note
    outputs = OUTPUTS if (MINI / SPEECH_FOLDER).is_dir() else TEXT_ONLY
    return Vita15Model("vita15-mini", options, opener, lambda: _outline(MINI), note, outputs)


def vita15_tiny(options: ModelOptions) -> Vita15Model:
    """The same code at the size of tests, with random weights drawn from `options.seed`; takes no `weights`."""
    check_own("vita15-tiny", options.own)
    if options.weights is not None:
        raise UsageError(f"--weights {options.weights}: vita15-tiny has random weights only; use --model vita15")
    config = Vita15Config.tiny()
    note = "random weights"

    def opener() -> Opened:
        tokenizer = byte_tokenizer()
        model = checkpoint.build(config, options.seed, options.device, dtype_of(options))
        generation = replace(checkpoint.default_generation(tokenizer), longest=LONGEST_RANDOM)
        loaded = Loaded(model, tokenizer, generation)
        speech = build_speech(
            SpeechDecoderConfig.tiny(config.language.hidden_size),
            CodecConfig.tiny(),
            options.seed,
            _speech_dtype(options),
            options.device,
        )
        # Random weights seldom end a segment: one second of each is enough.
        speaker = synthesizer(loaded, speech, Sampling(max_tokens=40))
        tensors = model.state_dict() | {f"speech.{name}": t for name, t in speech.decoder.state_dict().items()}
        more = {"seed": options.seed, "config": asdict(config), "speech": True}
        known = Identity(note, identity.tensor_digest(tensors), own=True, note=note, more=more)
        return Opened(loaded, known, lambda: speaker)

    return Vita15Model("vita15-tiny", options, opener, lambda: Outline(config, byte_tokenizer()), note, OUTPUTS)


def _outline(folder: Path) -> Outline:
    """Sizes and tokenizer of a folder. Raises CheckpointError."""
    return Outline(checkpoint.outline(folder), load_tokenizer(folder))


def _opener(options: ModelOptions, locate: Callable[[], hub.Source], own: str = "") -> Callable[[], Opened]:
    """Loads weights from a folder, which is looked for when the model is opened. `own` is the name of the model that
    ships with the harness and comes with weights of its own."""

    def opener() -> Opened:
        source = locate()
        try:
            loaded = checkpoint.load(source.folder, options.device, dtype_of(options))
            known = _identity(source, loaded, own)
        except CheckpointError as error:
            raise UsageError(str(error)) from error
        except ValueError as error:  # parts that are sound but do not fit each other
            raise UsageError(f"{source.folder}: {error}\n{REMEDY}") from error
        speaks = (source.folder / SPEECH_FOLDER).is_dir()
        return Opened(loaded, known, _speaker(source.folder, loaded, options) if speaks else None)

    return opener


def _identity(source: hub.Source, loaded: Loaded, own: str) -> Identity:
    """Weights are a release's where they came from its hub id at a revision, and a model's own where the folder that
    ships says so of exactly these contents."""
    files = checkpoint.content_files(source.folder)
    digest = identity.digest(source.folder, files)
    card = identity.read_card(source.folder)
    speaks = (source.folder / SPEECH_FOLDER).is_dir()
    return Identity(
        source=source.name,
        digest=digest,
        revision=source.revision,
        released=source.name == RELEASE.id and source.revision is not None,
        own=bool(own) and (card.name, card.digest) == (own, digest),
        note=card.note,
        told=(*loaded.told, *(_speech_notes(source.folder / SPEECH_FOLDER) if speaks else ())),
        settings={name: {"value": stated.value, "from": stated.source} for name, stated in loaded.settings.items()},
        more={
            "bytes": sum(path.stat().st_size for path in files),
            "unknown_tensors": list(loaded.unknown),
            "speech": speaks,
        },
    )


def _speech_notes(folder: Path) -> list[str]:
    """What is to be said of the speech decoder, from the names and shapes in its files. A broken one keeps no text
    from being answered."""
    try:
        unknown = load_speech(folder, device="meta").unknown
    except CheckpointError as error:
        return [f"the speech decoder cannot be read, text is answered without it: {error}"]
    return [f"{SPEECH_FOLDER}: {left_out(list(unknown))}"] if unknown else []


def _speaker(folder: Path, loaded: Loaded, options: ModelOptions) -> Speaker:
    def opener() -> SpeechSynthesizer:
        path = folder / SPEECH_FOLDER
        try:
            return synthesizer(loaded, load_speech(path, _speech_dtype(options), options.device), Sampling())
        except CheckpointError as error:
            raise UsageError(str(error)) from error
        except ValueError as error:
            raise UsageError(f"{path}: {error}\n{REMEDY}") from error

    return opener


def _speech_dtype(options: ModelOptions) -> torch.dtype:
    """The release runs its speech decoder in bfloat16 wherever it does not run in full precision."""
    return torch.float32 if options.dtype == "float32" else torch.bfloat16
