"""Folders in the released layout with random weights: a model, and beside it the speech parts of the goldens."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from safetensors.torch import save_file

from models.generation import GenerationDefaults
from models.vita_audio.checkpoint import STOPS, save
from models.vita_audio.config import MtpConfig
from models.vita_audio.hearing import Hearing
from models.vita_audio.language import build
from models.vita_audio.random_speech import build_random_tokenizer
from models.vita_audio.schedule import BOOST, VANILLA
from models.vita_audio.speech_folders import DECODER, TOKENIZER
from models.vita_audio.speech_tokenizer import TokenizerConfig
from models.vita_audio.tokens import tiny_tokenizer

GOLDENS = Path(__file__).parents[2] / "goldens" / "vita_audio"
DECODER_FILES = {
    "decoder_config.json": "decoder_config.json",
    "flow_model.safetensors": "flow.safetensors",
    "hift_model.safetensors": "hift.safetensors",
}
"""Name among the goldens -> name in a release."""


def write_release(folder: Path, plus: bool = False, modules: int = 3, codes: int = 64, padding: int = 0) -> Path:
    """A whole release; its speech parts have 64 codes. `padding` rows of the vocabulary are no token."""
    tokenizer = tiny_tokenizer(plus, codes)
    config = MtpConfig.tiny(len(tokenizer) + padding, modules)
    hearing = Hearing.tiny(config.hidden_size) if plus else None
    model = build(config, seed=5, hearing=None if hearing is None else hearing.parts())
    generation = GenerationDefaults(tuple(tokenizer.id_of(mark) for mark in STOPS), 1.05)
    save(model, tokenizer, folder, BOOST if modules else VANILLA, generation, hearing)
    _write_tokenizer(folder / TOKENIZER.name)
    (folder / DECODER.name).mkdir()
    for source, target in DECODER_FILES.items():
        shutil.copyfile(GOLDENS / source, folder / DECODER.name / target)
    return folder


def _write_tokenizer(folder: Path) -> None:
    """The tiny speech tokenizer, which hears 30 s at once as the published one does."""
    folder.mkdir()
    tiny = TokenizerConfig.tiny()
    sizes = {
        "d_model": tiny.width,
        "encoder_attention_heads": tiny.heads,
        "encoder_ffn_dim": tiny.inner,
        "encoder_layers": tiny.layers,
        "quantize_position": tiny.layers,
        "num_mel_bins": tiny.mels,
        "max_source_positions": tiny.positions,
        "quantize_vocab_size": tiny.codes,
        "quantize_causal_block_size": tiny.block,
        "pooling_kernel_size": tiny.pooling,
        "pooling_position": tiny.pooling_layer,
    }
    stated = json.loads((GOLDENS / "glm_tokenizer_config.json").read_text(encoding="utf-8"))
    (folder / "config.json").write_text(json.dumps(stated | sizes), encoding="utf-8")
    save_file(build_random_tokenizer(tiny, seed=5).state_dict(), folder / "model.safetensors")
