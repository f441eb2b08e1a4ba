"""Voxtral's prompts, which its processor makes with mistral-common alone.

The releases have a tokenizer of that library (tekken.json), whose own chat format is used. A folder with an ordinary
tokenizer has a chat template, in which each sound is one audio token; here it becomes as many as the model hears.
"""

from __future__ import annotations

import base64
import io
from typing import Any

import numpy as np
import numpy.typing as npt
import soundfile
import torch
from torch import Tensor

from models.hf.conversation import Conversation
from models.hf.processors import sampling_rate

WINDOW_FRAMES = 3_000
"""Mel frames of 30 s, of which each window of a sound has as many."""


def processed(processor: Any, config: Any, spoken: Conversation) -> dict[str, Any]:
    """Token ids [1, S] with their mask, and the windows [W, mels, 3000] of all sounds."""
    tokenizer = processor.tokenizer
    if type(tokenizer).__name__ == "MistralCommonBackend":
        return dict(processor.apply_chat_template(_with_sounds(spoken, sampling_rate(processor))))
    prompt = tokenizer.apply_chat_template(spoken.messages, tokenize=False, add_generation_prompt=True)
    windows = [_windows(processor.feature_extractor, sound) for sound in spoken.sounds]
    audio = config.audio_config
    each = audio.max_source_positions * audio.hidden_size // audio.intermediate_size  # 375 in the releases
    pieces = prompt.split(processor.audio_token)
    if len(pieces) != len(windows) + 1:
        raise ValueError(f"the chat template has {len(pieces) - 1} places for {len(windows)} sounds")
    ids: list[int] = []
    for number, piece in enumerate(pieces):
        ids += [config.audio_token_id] * (each * len(windows[number - 1])) if number else []
        ids += tokenizer(piece, add_special_tokens=False)["input_ids"]
    found: dict[str, Any] = {
        "input_ids": torch.tensor([ids]),
        "attention_mask": torch.ones(1, len(ids), dtype=torch.long),
    }
    return found | ({"input_features": torch.cat(windows)} if windows else {})


def _windows(extractor: Any, sound: npt.NDArray[np.float32]) -> Tensor:
    """A sound as windows of 30 s [W, mels, 3000], the last filled up with silence."""
    samples = extractor.hop_length * WINDOW_FRAMES
    mel = extractor(
        sound, sampling_rate=extractor.sampling_rate, padding=True, truncation=False, pad_to_multiple_of=samples,
        return_tensors="pt",
    )["input_features"]  # fmt: skip
    return torch.as_tensor(mel).reshape(mel.shape[1], -1, WINDOW_FRAMES).transpose(0, 1)


def _with_sounds(spoken: Conversation, rate: int) -> list[dict[str, Any]]:
    """The messages with their sounds in them, as mistral-common takes them."""
    waiting = iter(spoken.sounds)
    return [
        one
        | {"content": [_encoded(next(waiting), rate) if part["type"] == "audio" else part for part in one["content"]]}
        for one in spoken.messages
    ]


def _encoded(sound: npt.NDArray[np.float32], rate: int) -> dict[str, str]:
    file = io.BytesIO()
    soundfile.write(file, sound, rate, format="WAV", subtype="FLOAT")
    return {"type": "audio", "base64": base64.b64encode(file.getvalue()).decode()}
