"""Spoken answers of the models that have a talker (Qwen2.5-Omni): text, then codes and sound of all of it.

The talker draws at random, as its release states; here from the request's own seed.
"""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import torch

from harness.failures import SampleError
from harness.types import Ready, Response, Timings, Waveform
from models.hf import chat
from models.hf.decoding import Watch, processors, settings
from models.hf.inputs import placed
from models.hf.loading import Opened, writer
from models.hf.quiet import quiet

RATE = 24_000
MOST_CODES = 4_096
"""What the release takes where nothing is said."""


class Speaking(NamedTuple):
    """`speaker` None is the first of the model's voices; `most_codes` end an answer's speech."""

    speaker: str | None = None
    most_codes: int = MOST_CODES


def answer(opened: Opened, ready: Ready, start: float, speaking: Speaking, streamer: Any = None) -> Response:
    """One answer, written and spoken. Raises SampleError where the voice is not there."""
    model, generation = opened.model, ready.request.generation
    voices = sorted(model.speaker_map)
    voice = speaking.speaker or voices[0]
    if voice not in voices:
        raise SampleError(f"--option speaker={voice}: the model has no such voice; it has {', '.join(voices)}")
    text = writer(model)
    inputs = placed(ready.inputs.features, model.device, text.dtype)
    prompt = inputs["input_ids"].shape[1]
    watch = Watch(prompt, generation.stop, chat.text_of(opened.tokenizer))
    config = settings(text.generation_config, generation, opened.generation, chat.pad_of(opened))
    devices = [model.device] if model.device.type == "cuda" else []
    with quiet(), torch.inference_mode(), torch.random.fork_rng(devices):
        torch.manual_seed(generation.seed)
        ids, wave = model.generate(
            **inputs,
            speaker=voice,
            generation_mode="audio",
            talker_max_new_tokens=speaking.most_codes,
            thinker_max_new_tokens=config.max_new_tokens,
            thinker_generation_config=config,
            thinker_logits_processor=processors([generation.seed], generation, opened.generation),
            thinker_stopping_criteria=[watch],
            **({} if streamer is None else {"thinker_streamer": streamer}),
        )
    sequences = getattr(ids, "sequences", ids)
    tokens = sequences[0, prompt:].tolist()
    samples = np.asarray(wave.reshape(-1).float().cpu(), np.float32)
    end = time.monotonic() - start
    first = watch.first and watch.first - start
    timings = Timings(end, first_token=first, first_audio=end, audio_s=len(samples) / RATE)
    found = chat.response(opened, ready, tokens, timings)
    return replace(found, speech=Waveform(samples, RATE) if len(samples) else None)
