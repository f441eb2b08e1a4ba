"""Small random models in the layouts of those that judges load, and recordings that try them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
import torch
import yaml

RATE = 16_000
CHARACTERS = ["<blank>", "<s>", "</s>", *"一二三四五六七八九十我你他好", "<unk>"]


def recordings(folder: Path) -> dict[str, Path]:
    """Sounds that a model may make: fit to be heard, too short, too long, silent, broken."""
    rng = np.random.default_rng(0)
    noise = (0.1 * rng.standard_normal(2 * RATE)).astype(np.float32)
    torn = noise.copy()
    torn[100:200] = np.nan
    sounds = {
        "good": (noise, RATE),
        "other rate": (noise, 24_000),
        "short": (noise[:320], RATE),
        "one sample": (noise[:1], RATE),
        "silent": (np.zeros(RATE, np.float32), RATE),
        "clipped": (np.sign(noise), RATE),
        "nan": (torn, RATE),
        "long": (np.tile(noise, 17), RATE),
    }
    paths = {}
    for name, (samples, rate) in sounds.items():
        paths[name] = folder / f"{name}.wav"
        soundfile.write(paths[name], samples, rate, subtype="FLOAT")
    paths["no sound"] = folder / "no sound.wav"
    paths["no sound"].write_bytes(b"RIFF")
    paths["missing"] = folder / "missing.wav"
    return paths


def whisper_folder(folder: Path) -> Path:
    """A multilingual Whisper with random weights whose words are bytes."""
    from transformers import GenerationConfig, WhisperConfig, WhisperFeatureExtractor, WhisperForConditionalGeneration

    ids = _tokens(folder)
    config = WhisperConfig(
        vocab_size=len(ids), d_model=16, encoder_layers=1, decoder_layers=1, encoder_attention_heads=2,
        decoder_attention_heads=2, encoder_ffn_dim=16, decoder_ffn_dim=16, num_mel_bins=80, max_target_positions=64,
        bos_token_id=ids["<|endoftext|>"], eos_token_id=ids["<|endoftext|>"], pad_token_id=ids["<|endoftext|>"],
        decoder_start_token_id=ids["<|startoftranscript|>"], suppress_tokens=None, begin_suppress_tokens=None,
    )  # fmt: skip
    torch.manual_seed(0)
    model: Any = WhisperForConditionalGeneration(config)
    model.save_pretrained(folder)
    GenerationConfig(
        is_multilingual=True, max_length=32, max_initial_timestamp_index=50, pad_token_id=ids["<|endoftext|>"],
        eos_token_id=ids["<|endoftext|>"], bos_token_id=ids["<|endoftext|>"],
        decoder_start_token_id=ids["<|startoftranscript|>"], no_timestamps_token_id=ids["<|notimestamps|>"],
        lang_to_id={f"<|{code}|>": ids[f"<|{code}|>"] for code in ("en", "zh")},
        task_to_id={task: ids[f"<|{task}|>"] for task in ("transcribe", "translate")},
    ).save_pretrained(folder)  # fmt: skip
    WhisperFeatureExtractor(feature_size=80).save_pretrained(folder)
    return folder


def _tokens(folder: Path) -> dict[str, int]:
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers

    special = [
        "<|endoftext|>", "<|startoftranscript|>", "<|en|>", "<|zh|>", "<|translate|>", "<|transcribe|>",
        "<|startoflm|>", "<|startofprev|>", "<|nospeech|>", "<|notimestamps|>",
        *(f"<|{n / 50:.2f}|>" for n in range(1501)),
    ]  # fmt: skip
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    ids = {token: number for number, token in enumerate([*letters, *special])}
    tokenizer = Tokenizer(models.BPE({letter: ids[letter] for letter in letters}, []))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens(special)
    tokenizer.save(str(folder / "tokenizer.json"))
    end = "<|endoftext|>"
    stated = {"tokenizer_class": "WhisperTokenizer", "bos_token": end, "eos_token": end, "unk_token": end}
    (folder / "tokenizer_config.json").write_text(json.dumps(stated))
    return ids


def whisper_checkpoint(path: Path) -> Path:
    """An English checkpoint of openai-whisper with random weights. Needs the package."""
    import whisper

    dims = whisper.ModelDimensions(80, 1500, 16, 2, 1, 51864, 64, 16, 2, 1)
    torch.manual_seed(0)
    torch.save({"dims": vars(dims), "model_state_dict": whisper.model.Whisper(dims).state_dict()}, path)
    return path


def wavlm_folder(folder: Path, released: bool = False) -> Path:
    """A WavLM with random weights; with `released` its convolutions are as in the releases."""
    from transformers import Wav2Vec2FeatureExtractor, WavLMConfig, WavLMForXVector

    small: dict[str, Any] = {
        "conv_dim": (8, 8), "conv_stride": (20, 16), "conv_kernel": (20, 16), "num_feat_extract_layers": 2,
        "tdnn_dim": (8, 8), "tdnn_kernel": (3, 1), "tdnn_dilation": (1, 1),
    }  # fmt: skip
    config = WavLMConfig(
        hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16, num_conv_pos_embeddings=16,
        num_conv_pos_embedding_groups=2, xvector_output_dim=8,
        **({"conv_dim": (8,) * 7, "tdnn_dim": (8,) * 5} if released else small),
    )  # fmt: skip
    torch.manual_seed(0)
    model: Any = WavLMForXVector(config)
    model.save_pretrained(folder)
    Wav2Vec2FeatureExtractor(sampling_rate=RATE).save_pretrained(folder)
    return folder


def paraformer_folder(folder: Path) -> Path:
    """A Paraformer with random weights. Needs funasr."""
    from funasr.models.paraformer.model import Paraformer

    attention = {"attention_heads": 2, "linear_units": 48, "num_blocks": 2, "kernel_size": 11, "sanm_shfit": 0}
    parts: dict[str, Any] = {
        "encoder": "SANMEncoder",
        "encoder_conf": attention | {"output_size": 32, "input_layer": "pe", "selfattention_layer_type": "sanm"},
        "decoder": "ParaformerSANMDecoder",
        "decoder_conf": attention | {"att_layer_num": 2},
        "predictor": "CifPredictorV2",
        "predictor_conf": {"idim": 32, "threshold": 1.0, "l_order": 1, "r_order": 1, "tail_threshold": 0.45},
    }
    own = {"ctc_weight": 0.0, "length_normalized_loss": True, "predictor_weight": 1.0, "predictor_bias": 1}
    sound = {
        "fs": RATE,
        "window": "hamming",
        "n_mels": 80,
        "frame_length": 25,
        "frame_shift": 10,
        "lfr_m": 7,
        "lfr_n": 6,
    }
    config = {
        "model": "Paraformer",
        "model_conf": own,
        **parts,
        "frontend": "WavFrontend",
        "frontend_conf": sound,
        "tokenizer": "CharTokenizer",
        "tokenizer_conf": {"unk_symbol": "<unk>"},
    }
    width = 7 * 80
    shift, scale = (" ".join([value] * width) for value in ("0.0", "1.0"))
    rows = f"<AddShift> {width} {width}\n<LearnRateCoef> 0 [ {shift} ]\n<Rescale> {width} {width}\n"
    (folder / "am.mvn").write_text(f"<Nnet>\n{rows}<LearnRateCoef> 0 [ {scale} ]\n</Nnet>\n")
    (folder / "tokens.json").write_text(json.dumps(CHARACTERS, ensure_ascii=False))
    (folder / "config.yaml").write_text(yaml.safe_dump(config))
    files = {
        "init_param": "model.pt",
        "config": "config.yaml",
        "tokenizer_conf": {"token_list": "tokens.json"},
        "frontend_conf": {"cmvn_file": "am.mvn"},
    }
    stated = {"framework": "pytorch", "model": {"type": "funasr"}, "file_path_metas": files}
    (folder / "configuration.json").write_text(json.dumps(stated))
    torch.manual_seed(0)
    model: Any = Paraformer(**parts, **own, vocab_size=len(CHARACTERS), input_size=width)
    torch.save(model.state_dict(), folder / "model.pt")
    return folder
