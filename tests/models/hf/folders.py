"""Folders as transformers' save_pretrained writes them: its own classes at tiny size with random weights.

Their tokenizers make one token a byte."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
import transformers
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

CHATML = (
    "{% for m in messages %}<|im_start|>{{ m['role'] }}\n"
    "{% if m['content'] is string %}{{ m['content'] }}{% else %}{% for c in m['content'] %}"
    "{% if c['type'] == 'text' %}{{ c['text'] }}{% elif c['type'] == 'image' %}IMAGE"
    "{% elif c['type'] == 'audio' %}SOUND{% endif %}{% endfor %}{% endif %}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
TEXT = {
    "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4,
    "num_key_value_heads": 2, "max_position_embeddings": 4096, "bos_token_id": 256, "eos_token_id": 258,
}  # fmt: skip

AXES = {"rope_type": "default", "mrope_section": [1, 1, 2], "rope_theta": 10000.0}
VISION = {
    "depth": 2, "hidden_size": 32, "intermediate_size": 64, "num_heads": 2, "out_hidden_size": 32,
    "fullatt_block_indexes": [1],
}  # fmt: skip
SOUND = {
    "d_model": 32, "encoder_layers": 1, "encoder_attention_heads": 2, "encoder_ffn_dim": 64, "num_mel_bins": 80,
}  # fmt: skip


def tokenizer(marks: dict[str, str], more: tuple[str, ...] = (), template: str | None = None) -> Any:
    """One token a byte; `marks` are special tokens that are attributes too, such as image_token."""
    symbols = sorted(pre_tokenizers.ByteLevel.alphabet())
    backend = Tokenizer(models.BPE(vocab={symbol: index for index, symbol in enumerate(symbols)}, merges=[]))
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    backend.decoder = decoders.ByteLevel()
    specials = ["<|endoftext|>", "<|im_start|>", "<|im_end|>", *marks.values(), *more]
    backend.add_special_tokens([AddedToken(name, normalized=False) for name in dict.fromkeys(specials)])
    return transformers.PreTrainedTokenizerFast(
        tokenizer_object=backend, eos_token="<|im_end|>", pad_token="<|endoftext|>", extra_special_tokens=marks,
        chat_template=template,
    )  # fmt: skip


def template(image: str = "", sound: str = "") -> str:
    return CHATML.replace("IMAGE", image).replace("SOUND", sound)


def pictures() -> Any:
    """Qwen2-VL's, of at most 16 tokens a picture."""
    return transformers.Qwen2VLImageProcessorPil(size={"shortest_edge": 28 * 28 * 4, "longest_edge": 28 * 28 * 16})


def saved(folder: Path, model: Any, *parts: Any) -> Path:
    """Write a model, whose weights are drawn wide so that answers vary, and the parts of its processor."""
    torch.manual_seed(0)
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if weight.ndim > 1:
                weight.normal_(0, 0.25 if "embed" not in name else 1.0)
    model.save_pretrained(folder)
    for part in parts:
        part.save_pretrained(folder)
    return folder


def text_only(folder: Path) -> Path:
    tok = tokenizer({}, template=template())
    config = transformers.Qwen2Config(**TEXT, vocab_size=len(tok))
    return saved(folder, transformers.Qwen2ForCausalLM(config), tok)


def _qwen_pictures() -> tuple[Any, dict[str, int]]:
    """A tokenizer with the marks of Qwen-VL's pictures, and their ids as its configurations name them."""
    names = {"image": "<|image_pad|>", "video": "<|video_pad|>"}
    names |= {f"vision_{end}": f"<|vision_{end}|>" for end in ("start", "end")}
    marks = {f"{name}_token": mark for name, mark in names.items()}
    tok = tokenizer(marks, template=template("<|vision_start|><|image_pad|><|vision_end|>"))
    return tok, {f"{name}_token_id": tok.convert_tokens_to_ids(mark) for name, mark in names.items()}


def qwen25_vl(folder: Path) -> Path:
    tok, places = _qwen_pictures()
    config = transformers.Qwen2_5_VLConfig(
        text_config={**TEXT, "vocab_size": len(tok), "rope_parameters": AXES},
        vision_config=VISION,
        **places,
    )
    images = pictures()
    return saved(folder, transformers.Qwen2_5_VLForConditionalGeneration(config), tok, images)


def qwen3_vl(folder: Path) -> Path:
    tok, places = _qwen_pictures()
    vision = {key: value for key, value in VISION.items() if key != "fullatt_block_indexes"}
    config = transformers.Qwen3VLConfig(
        text_config={**TEXT, "vocab_size": len(tok), "head_dim": 8, "rope_parameters": AXES},
        vision_config={**vision, "deepstack_visual_indexes": [0], "num_position_embeddings": 16},
        **places,
    )
    images = transformers.Qwen2VLImageProcessorPil(
        patch_size=16, size={"shortest_edge": 32 * 32 * 4, "longest_edge": 32 * 32 * 16}
    )
    saved(folder, transformers.Qwen3VLForConditionalGeneration(config), tok, images)
    (folder / "processor_config.json").write_text('{"processor_class": "Qwen3VLProcessor"}')
    return folder


def llava_onevision(folder: Path) -> Path:
    tok = tokenizer({"image_token": "<image>", "video_token": "<video>"}, template=template("<image>\n"))
    config = transformers.LlavaOnevisionConfig(
        text_config={**TEXT, "vocab_size": len(tok), "model_type": "qwen2"},
        vision_config={
            "model_type": "siglip_vision_model", "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2,
            "num_attention_heads": 2, "image_size": 28, "patch_size": 14, "vision_use_head": False,
        },
        image_token_index=tok.image_token_id, video_token_index=tok.video_token_id,
        image_grid_pinpoints=[[28, 28], [28, 56], [56, 28], [56, 56]],
    )  # fmt: skip
    images = transformers.LlavaOnevisionImageProcessorPil(
        size={"height": 28, "width": 28}, image_grid_pinpoints=config.image_grid_pinpoints
    )
    saved(folder, transformers.LlavaOnevisionForConditionalGeneration(config), tok, images)
    (folder / "processor_config.json").write_text(
        '{"processor_class": "LlavaOnevisionProcessor", "num_image_tokens": 4, '
        '"vision_feature_select_strategy": "full"}'
    )
    return folder


def internvl(folder: Path) -> Path:
    marks = {
        "start_image_token": "<img>", "end_image_token": "</img>", "context_image_token": "<IMG_CONTEXT>",
        "video_token": "<video>",
    }  # fmt: skip
    tok = tokenizer(marks, template=template("<IMG_CONTEXT>\n"))
    config = transformers.InternVLConfig(
        text_config={**TEXT, "vocab_size": len(tok), "model_type": "qwen2"},
        vision_config={
            "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2,
            "image_size": [28, 28], "patch_size": [14, 14],
        },
        image_token_id=tok.context_image_token_id, image_seq_length=1, downsample_ratio=0.5,
    )  # fmt: skip
    images = transformers.GotOcr2ImageProcessorPil(
        size={"height": 28, "width": 28}, crop_to_patches=True, max_patches=4
    )
    saved(folder, transformers.InternVLForConditionalGeneration(config), tok, images)
    (folder / "processor_config.json").write_text('{"processor_class": "InternVLProcessor", "image_seq_length": 1}')
    return folder


def qwen2_audio(folder: Path) -> Path:
    marks = {"audio_token": "<|AUDIO|>", "audio_bos_token": "<|audio_bos|>", "audio_eos_token": "<|audio_eos|>"}
    tok = tokenizer(marks, template=template(sound="<|audio_bos|><|AUDIO|><|audio_eos|>\n"))
    config = transformers.Qwen2AudioConfig(
        text_config={**TEXT, "vocab_size": len(tok), "model_type": "qwen2"},
        audio_config=SOUND,
        audio_token_index=tok.audio_token_id,
    )  # fmt: skip
    return saved(
        folder, transformers.Qwen2AudioForConditionalGeneration(config), tok, transformers.WhisperFeatureExtractor()
    )


MAKERS = {
    "text": text_only, "qwen2_5_vl": qwen25_vl, "qwen3_vl": qwen3_vl, "llava_onevision": llava_onevision,
    "internvl": internvl, "qwen2_audio": qwen2_audio,
}  # fmt: skip


def qwen25_omni(folder: Path) -> Path:
    marks = {
        "image_token": "<|IMAGE|>", "audio_token": "<|AUDIO|>", "video_token": "<|VIDEO|>",
        "vision_bos_token": "<|vision_bos|>", "vision_eos_token": "<|vision_eos|>",
        "audio_bos_token": "<|audio_bos|>", "audio_eos_token": "<|audio_eos|>",
    }  # fmt: skip
    chat = template("<|vision_bos|><|IMAGE|><|vision_eos|>", "<|audio_bos|><|AUDIO|><|audio_eos|>")
    tok = tokenizer(marks, ("<tts_pad>", "<tts_bos>", "<tts_eos>"), chat)
    ids = tok.convert_tokens_to_ids
    places = {
        "audio_token_index": tok.audio_token_id, "image_token_index": tok.image_token_id,
        "video_token_index": tok.video_token_id, "audio_start_token_id": tok.audio_bos_token_id,
        "audio_end_token_id": tok.audio_eos_token_id, "vision_start_token_id": tok.vision_bos_token_id,
        "vision_end_token_id": tok.vision_eos_token_id,
    }  # fmt: skip
    thinker = {
        **places,
        "text_config": {**TEXT, "vocab_size": len(tok), "rope_parameters": AXES},
        "vision_config": VISION,
        "audio_config": {**SOUND, "output_dim": 32},
    }  # fmt: skip
    talker = {
        **TEXT, **places, "embedding_size": 32, "head_dim": 8, "rope_parameters": AXES,
        "tts_text_start_token_id": ids("<tts_bos>"), "tts_text_end_token_id": ids("<tts_eos>"),
        "tts_text_pad_token_id": ids("<tts_pad>"),
    }  # fmt: skip
    wave = {
        "dit_config": {
            "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "head_dim": 16, "emb_dim": 16,
            "enc_dim": 8, "enc_emb_dim": 8, "enc_channels": [8, 8, 8, 8, 24], "enc_attention_channels": 8,
            "enc_res2net_scale": 2, "enc_se_channels": 8, "look_ahead_layers": [1], "look_backward_layers": [0],
            "num_embeds": 8500,  # random talkers speak codes that trained ones do not
        },
        "bigvgan_config": {"upsample_initial_channel": 64},
    }  # fmt: skip
    config = transformers.Qwen2_5OmniConfig(thinker_config=thinker, talker_config=talker, token2wav_config=wave)
    images, sounds = pictures(), transformers.WhisperFeatureExtractor(chunk_length=10)
    saved(folder, transformers.Qwen2_5OmniForConditionalGeneration(config), tok)
    (folder / "preprocessor_config.json").write_text(json.dumps(images.to_dict() | sounds.to_dict()))
    voice = {"bos_token": ids("<tts_bos>"), "cond": torch.randn(1, 8), "ref_mel": torch.randn(1, 20, 80)}
    torch.save({"Chelsie": voice}, folder / "spk_dict.pt")
    return folder


MAKERS["qwen2_5_omni"] = qwen25_omni


def voxtral(folder: Path) -> Path:
    """The audio token is number 24, as the library has it, which is that of a byte no test says."""
    tok = tokenizer({}, template=template(sound=AUDIO_24))
    assert tok.convert_ids_to_tokens(24) == AUDIO_24
    config = transformers.VoxtralConfig(
        text_config={**TEXT, "vocab_size": len(tok), "model_type": "llama", "head_dim": 8},
        audio_config={
            "hidden_size": 32, "intermediate_size": 128, "num_hidden_layers": 1, "num_attention_heads": 2,
            "num_mel_bins": 80,
        },
        audio_token_id=24,
    )  # fmt: skip
    sounds = transformers.WhisperFeatureExtractor()
    return saved(folder, transformers.VoxtralForConditionalGeneration(config), tok, sounds)


AUDIO_24 = sorted(pre_tokenizers.ByteLevel.alphabet())[24]
MAKERS["voxtral"] = voxtral


def whisper(folder: Path) -> Path:
    tok = tokenizer({})
    config = transformers.WhisperConfig(
        **SOUND, decoder_layers=1, decoder_attention_heads=2, decoder_ffn_dim=64, vocab_size=len(tok),
        max_target_positions=64, bos_token_id=256, eos_token_id=258, pad_token_id=256, decoder_start_token_id=257,
        suppress_tokens=None, begin_suppress_tokens=None,
    )  # fmt: skip
    found = saved(folder, transformers.WhisperForConditionalGeneration(config), transformers.WhisperFeatureExtractor())
    tok.save_pretrained(folder)
    content = json.loads((folder / "tokenizer_config.json").read_text())
    (folder / "tokenizer_config.json").write_text(json.dumps(content | {"tokenizer_class": "PreTrainedTokenizerFast"}))
    return found


PARAKEET = {
    "hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 64,
    "subsampling_conv_channels": 8, "num_mel_bins": 80,
}  # fmt: skip


def parakeet_tdt(folder: Path) -> Path:
    tok = tokenizer({}, ("<blank>",))
    config = transformers.ParakeetTDTConfig(
        encoder_config=PARAKEET, vocab_size=len(tok), decoder_hidden_size=32, num_decoder_layers=1,
        blank_token_id=len(tok) - 1, pad_token_id=tok.pad_token_id,
    )  # fmt: skip
    model = transformers.ParakeetForTDT(config)
    model.generation_config.decoder_start_token_id = config.blank_token_id
    return saved(folder, model, tok, transformers.ParakeetFeatureExtractor())


def parakeet_ctc(folder: Path) -> Path:
    tok = tokenizer({}, ("<blank>",))
    config = transformers.ParakeetCTCConfig(encoder_config=PARAKEET, vocab_size=len(tok), pad_token_id=len(tok) - 1)
    return saved(folder, transformers.ParakeetForCTC(config), tok, transformers.ParakeetFeatureExtractor())


def wav2vec2(folder: Path) -> Path:
    letters = ["<pad>", "<s>", "</s>", "<unk>", "|", *"abcdefghijklmnopqrstuvwxyz"]
    folder.mkdir(parents=True)
    (folder / "vocab.json").write_text(json.dumps({letter: number for number, letter in enumerate(letters)}))
    tok = transformers.Wav2Vec2CTCTokenizer(str(folder / "vocab.json"))
    config = transformers.Wav2Vec2Config(
        hidden_size=32, num_hidden_layers=1, num_attention_heads=2, intermediate_size=64, conv_dim=[8, 8, 8],
        conv_kernel=[10, 8, 4], conv_stride=[5, 8, 4], num_conv_pos_embeddings=8, num_conv_pos_embedding_groups=2,
        vocab_size=len(letters), pad_token_id=0,
    )  # fmt: skip
    sounds = transformers.Wav2Vec2FeatureExtractor()
    return saved(folder, transformers.Wav2Vec2ForCTC(config), tok, sounds)


RECOGNISERS = {"whisper": whisper, "parakeet_ctc": parakeet_ctc, "parakeet_tdt": parakeet_tdt, "wav2vec2": wav2vec2}
