"""The models that go by NEXUS-O's code: `nexus-o` loads weights in the released layout, `nexus-o-mini` those that ship
with the harness; `nexus-o-tiny` builds the same code small and with random weights.

What is not published is chosen (CARD.md); `--option NAME=VALUE` sets a choice.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import NamedTuple

from harness.contracts import ModelOptions
from harness.failures import UsageError
from harness.files import at_home
from harness.needs import says
from models.checkpoint_error import CheckpointError, left_out
from models.devices import dtype_of
from models.generation import GenerationDefaults
from models.nexus_o import checkpoint
from models.nexus_o.audio_decoder import random_decoder
from models.nexus_o.checkpoint import RELEASE, Loaded
from models.nexus_o.choices import Choices, with_options
from models.nexus_o.codec_folder import CODEC
from models.nexus_o.config import NexusConfig
from models.nexus_o.decoder_checkpoint import FOLDER, decoder_files, load_decoder
from models.nexus_o.decoder_config import DecoderConfig
from models.nexus_o.firefly_checkpoint import load_firefly, random_firefly
from models.nexus_o.firefly_config import FireflyConfig
from models.nexus_o.model import OUTPUTS, TEXT_ONLY, NexusModel, Opened, Outline
from models.nexus_o.omni import build
from models.nexus_o.voice import Voice
from models.released import hub
from models.released.identity import Identity, digest, read_card, tensor_digest
from models.released.parts import Found, find, identified
from models.text.tokenizer import END_OF_TEXT, TURN_END, byte_tokenizer, load_tokenizer

MINI = Path(__file__).parents[1] / "weights" / "nexus-o-mini"
SHIPPED = "shipped with the harness"
LONGEST_RANDOM, LONGEST_RANDOM_S = 64, 1.0
"""Tokens of an answer by random weights, and seconds of its speech: they seldom end either."""


@says(hub.needing(RELEASE, speaks_by=CODEC.release))
def nexus_o(options: ModelOptions) -> NexusModel:
    """The released model, from the hub (the default) or from `options.weights`."""
    with_options(Choices(), options.own)  # refused before anything is looked for
    weights = options.weights or RELEASE.id

    def outline() -> Outline:
        try:
            folder = at_home(weights)
            return Outline(checkpoint.outline(folder, options.own), load_tokenizer(folder))
        except CheckpointError:  # a hub id, or a folder that is refused when it is opened
            published = NexusConfig.published()
            return Outline(replace(published, choices=with_options(published.choices, options.own)))

    return NexusModel("nexus-o", options, lambda: _open(weights, options), outline)


def nexus_o_mini(options: ModelOptions) -> NexusModel:
    """The small weights that ship with the harness, trained in its mini world; takes no `weights`."""
    name = "nexus-o-mini"
    with_options(Choices(), options.own)
    if options.weights is not None:
        raise UsageError(f"--weights {options.weights}: {name} has weights of its own; use --model nexus-o")

    speaks = (MINI / FOLDER).is_dir()

    def opener() -> Opened:
        opened, card = _open(str(MINI), options), read_card(MINI)
        own = (card.name, card.digest) == (name, digest(MINI, shipped_files(MINI)))
        told = opened.identity.told if speaks else ()  # that it has no voice is no surprise
        return opened._replace(identity=replace(opened.identity, source=SHIPPED, own=own, told=told))

    def outline() -> Outline:
        return Outline(checkpoint.outline(MINI, options.own), load_tokenizer(MINI))

    outputs = OUTPUTS if speaks else TEXT_ONLY
    return NexusModel(name, options, opener, outline, read_card(MINI).note, outputs=outputs)


def shipped_files(folder: Path) -> list[Path]:
    """All files of a folder whose contents are its model, with those that it speaks by. Raises CheckpointError."""
    voice = [*decoder_files(folder), *CODEC.files(folder / CODEC.name)] if (folder / FOLDER).is_dir() else []
    return [*checkpoint.content_files(folder), *voice]


def nexus_o_tiny(options: ModelOptions) -> NexusModel:
    """The same code at the size of tests, with random weights drawn from `options.seed`; takes no `weights`."""
    if options.weights is not None:
        raise UsageError(f"--weights {options.weights}: nexus-o-tiny has random weights only; use --model nexus-o")
    tiny, note = NexusConfig.tiny(), "random weights"
    config = replace(tiny, choices=with_options(tiny.choices, options.own))

    def opener() -> Opened:
        tokenizer = byte_tokenizer()
        model = build(config, options.seed, options.device, dtype_of(options))
        decoder = random_decoder(DecoderConfig.of(config), options.seed).to(options.device, dtype_of(options))
        codec = random_firefly(FireflyConfig.tiny(), options.seed).to(options.device)
        stops = tuple(sorted(tokenizer.id_of(mark) for mark in (END_OF_TEXT, TURN_END)))
        loaded = Loaded(model, tokenizer, GenerationDefaults(stops, longest=LONGEST_RANDOM))
        parts = {"": model, "audio_decoder.": decoder, "firefly.": codec}
        tensors = {prefix + name: t for prefix, part in parts.items() for name, t in part.state_dict().items()}
        more = {"seed": options.seed, "config": config.to_json(), "speech": True}
        known = Identity(note, tensor_digest(tensors), own=True, note=note, more=more)
        voice = Voice(decoder, codec)
        return Opened(loaded, known, lambda: voice)

    outline = Outline(config, byte_tokenizer())
    return NexusModel("nexus-o-tiny", options, opener, lambda: outline, note, LONGEST_RANDOM_S)


def _open(weights: str, options: ModelOptions) -> Opened:
    """Load a folder or hub id. Without a speech decoder or its codec the model answers in text, and says so."""
    source = hub.locate(weights, RELEASE)
    try:
        loaded = checkpoint.load(source.folder, options.device, dtype_of(options), options.own)
        parts = [Found(source, checkpoint.content_files(source.folder))]
    except CheckpointError as error:
        raise UsageError(str(error)) from error
    told = list(loaded.told)
    speaker: Callable[[], Voice] | None = None
    try:
        files = decoder_files(source.folder)
        codec = find(source.folder, CODEC)
        _, unknown = _voice(source.folder, codec.source.folder, loaded, options, "meta")
        told += [f"the voice: {left_out(list(unknown))}"] * bool(unknown)
        parts[0] = Found(source, [*parts[0].files, *files])
        parts.append(codec)
        speaker = partial(_speaker, source.folder, codec.source.folder, loaded, options)
    except (CheckpointError, UsageError) as error:
        told.append(f"answers in text only: {error}")
    known = identified(RELEASE.id, parts, loaded.settings, told, loaded.unknown, speaker is not None)
    return Opened(loaded, known, speaker)


def _speaker(folder: Path, codec: Path, loaded: Loaded, options: ModelOptions) -> Voice:
    return _voice(folder, codec, loaded, options, options.device).voice


class _Spoken(NamedTuple):
    """`unknown` are the tensors that were left out."""

    voice: Voice
    unknown: tuple[str, ...]


def _voice(folder: Path, codec: Path, loaded: Loaded, options: ModelOptions, device: str) -> _Spoken:
    """The speech decoder and its codec; on the device "meta" their files are checked and no weight is kept.

    Raises UsageError.
    """
    try:
        decoder = load_decoder(folder, loaded.model.config, device, dtype_of(options))
        firefly = load_firefly(codec, device=device)
        return _Spoken(Voice(decoder.model, firefly.model), (*decoder.unknown, *firefly.unknown))
    except CheckpointError as error:
        raise UsageError(str(error)) from error
    except ValueError as error:
        raise UsageError(f"{folder}: {error}") from error
