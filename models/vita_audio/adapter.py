"""The models that go by VITA-Audio's code.

`vita-audio-boost`, `-balance`, `-plus-vanilla` and `-plus-boost` load released weights, `vita-audio-mini` those that
ship with the harness; `vita-audio-tiny` builds the same code small and with random weights.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import NamedTuple

from harness.contracts import ModelOptions
from harness.failures import UsageError
from harness.files import at_home
from harness.needs import says
from models.checkpoint_error import CheckpointError
from models.devices import dtype_of
from models.generation import GenerationDefaults
from models.own_options import check_own
from models.released.identity import Identity, read_card, tensor_digest
from models.text.tokenizer import load_tokenizer
from models.vita_audio import checkpoint
from models.vita_audio.answerer import Answerer
from models.vita_audio.config import MtpConfig
from models.vita_audio.decoder_config import FlowConfig, VocoderConfig
from models.vita_audio.ears import CodeEar
from models.vita_audio.language import build
from models.vita_audio.model import CHUNKS, Opened, Outline, VitaAudioModel
from models.vita_audio.opening import open_release, open_shipped
from models.vita_audio.random_speech import build_random_decoder, build_random_tokenizer
from models.vita_audio.release import RELEASES, needs_of
from models.vita_audio.schedule import BOOST, EXAMPLE, Mode, parse_mode
from models.vita_audio.speech_tokenizer import TokenizerConfig
from models.vita_audio.tokens import SpecialTokens, tiny_tokenizer
from models.vita_audio.voice import Voice

OPTIONS: Mapping[str, str] = {
    "mode": f"which network makes which token: {EXAMPLE}; default: what the checkpoint states",
    "chunks": "how a stream is spoken: clean (nothing is lost, the default) or released (as the release's demo)",
}
MINI = Path(__file__).parents[1] / "weights" / "vita-audio-mini"
LONGEST_RANDOM = 64
"""Tokens of an answer by random weights."""


class Chosen(NamedTuple):
    """The options of `--option`; `mode` is None where the checkpoint is to say it."""

    mode: Mode | None
    chunks: str


@says(needs_of("vita-audio-boost"))
def boost(options: ModelOptions) -> VitaAudioModel:
    """Ten modules, trained and decoded in the mode boost."""
    return _released("vita-audio-boost", options)


@says(needs_of("vita-audio-balance"))
def balance(options: ModelOptions) -> VitaAudioModel:
    """Ten modules, trained and decoded in the mode balance."""
    return _released("vita-audio-balance", options)


@says(needs_of("vita-audio-plus-vanilla"))
def plus_vanilla(options: ModelOptions) -> VitaAudioModel:
    """Hears through SenseVoice; no modules."""
    return _released("vita-audio-plus-vanilla", options)


@says(needs_of("vita-audio-plus-boost"))
def plus_boost(options: ModelOptions) -> VitaAudioModel:
    """Hears through SenseVoice; ten modules, trained and decoded in the mode boost."""
    return _released("vita-audio-plus-boost", options)


def mini(options: ModelOptions) -> VitaAudioModel:
    """The small weights that ship with the harness, trained in its mini world; takes no `weights`."""
    name = "vita-audio-mini"
    if options.weights is not None:
        raise UsageError(f"--weights {options.weights}: {name} has weights of its own; use --model vita-audio-boost")
    mode, chunks = chosen(name, options.own)
    return VitaAudioModel(
        name,
        options,
        lambda: open_shipped(MINI, name, options, mode),
        lambda: Outline(checkpoint.outline(MINI).plus, load_tokenizer(MINI)),
        plus=False,
        chunks=chunks,
        note=read_card(MINI).note,
    )


def tiny(options: ModelOptions) -> VitaAudioModel:
    """The code of the plain models at the size of tests, with random weights drawn from `options.seed`; takes no
    `weights`."""
    name, note = "vita-audio-tiny", "random weights"
    if options.weights is not None:
        raise UsageError(f"--weights {options.weights}: {name} has random weights only; use --model vita-audio-boost")
    mode, chunks = chosen(name, options.own)

    def opener() -> Opened:
        tokenizer = tiny_tokenizer()
        tokens = SpecialTokens.of(tokenizer)
        config = MtpConfig.tiny(len(tokenizer))
        model = build(config, options.seed, options.device, dtype_of(options))
        ear = build_random_tokenizer(TokenizerConfig.tiny(), options.seed).to(options.device)
        decoder = build_random_decoder(FlowConfig.tiny(), VocoderConfig.tiny(), options.seed)
        voice = Voice(decoder.flow.to(options.device), decoder.vocoder.to(options.device))
        generation = GenerationDefaults(checkpoint.default_generation(tokenizer).stop_ids, longest=LONGEST_RANDOM)
        answerer = Answerer(model, tokenizer, tokens, CodeEar(ear, tokens), generation, mode or BOOST)
        parts = {"": model, "tokenizer.": ear, "flow.": decoder.flow, "vocoder.": decoder.vocoder}
        tensors = {prefix + key: t for prefix, part in parts.items() for key, t in part.state_dict().items()}
        more = {"seed": options.seed, "config": asdict(config), "speech": True}
        known = Identity(note, tensor_digest(tensors), own=True, note=note, more=more)
        return Opened(answerer, known, lambda: voice)

    outline = Outline(plus=False, tokenizer=tiny_tokenizer())
    return VitaAudioModel(name, options, opener, lambda: outline, plus=False, chunks=chunks, note=note)


def chosen(name: str, own: Mapping[str, str]) -> Chosen:
    """Raises UsageError naming an option that is none, or a value that it does not take."""
    check_own(name, own, OPTIONS)
    try:
        mode = parse_mode(own["mode"]) if "mode" in own else None
    except ValueError as error:
        raise UsageError(f"--option mode={own['mode']}: {error}") from error
    chunks = own.get("chunks", "clean")
    if chunks not in CHUNKS:
        raise UsageError(f"--option chunks={chunks}: there are {', '.join(CHUNKS)}")
    return Chosen(mode, chunks)


def _released(name: str, options: ModelOptions) -> VitaAudioModel:
    """From the hub (the default) or from `options.weights`."""
    mode, chunks = chosen(name, options.own)
    release = RELEASES[name]
    weights = options.weights or release.on_hub.id

    def outline() -> Outline:
        try:
            folder = at_home(weights)
            return Outline(checkpoint.outline(folder).plus, load_tokenizer(folder))
        except CheckpointError:  # a hub id, or a folder that is refused when it is opened
            return Outline(release.plus)

    return VitaAudioModel(
        name, options, lambda: open_release(weights, release, options, mode), outline, release.plus, chunks
    )
