"""Answers of chat models: prompts by the processor's own chat template, text by transformers' `generate`."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import torch

from harness.failures import SampleError
from harness.types import LoadedRequest, Ready, Response, Timings, Usage
from models.decoding import until_stop
from models.generation import longest
from models.hf import voxtral
from models.hf.conversation import Conversation, conversation
from models.hf.decoding import Watch, processors, settings
from models.hf.inputs import Prepared, joined, placed
from models.hf.loading import Opened, writer
from models.hf.processors import check_whole, sampling_rate
from models.hf.quiet import quiet
from models.text.feed import before_stop


def prepare(opened: Opened, loaded: LoadedRequest) -> Prepared:
    """Raises SampleError for what the model or its template cannot take."""
    lacking = {media.kind for media in loaded.request.media} - opened.outline.capabilities.inputs
    if lacking:
        raise SampleError(f"this model takes no {' and no '.join(sorted(lacking))}", "unsupported")
    spoken = conversation(loaded, sampling_rate(opened.processor), plain=opened.outline.kind == "text")
    features = processed(opened, spoken, loaded.request.pictures.max_tiles)
    length = int(features["input_ids"].shape[1])
    positions = _positions(opened)
    if positions and length >= positions:
        raise SampleError(f"the prompt has {length} tokens, the model {positions} positions", "limit")
    return Prepared(features, length)


def processed(opened: Opened, spoken: Conversation, max_tiles: int | None = None) -> dict[str, Any]:
    """The processor's tensors for one conversation."""
    processor = opened.processor
    try:
        if opened.outline.model_type == "voxtral":
            return voxtral.processed(processor, opened.model.config, spoken)
        prompt = processor.apply_chat_template(spoken.messages, tokenize=False, add_generation_prompt=True)
        if opened.outline.kind == "text":
            return dict(processor(prompt, return_tensors="pt", add_special_tokens=False))
        given: dict[str, Any] = {}
        if spoken.images:
            given["images"] = spoken.images
            if max_tiles and hasattr(processor.image_processor, "max_patches"):
                given["images_kwargs"] = {"max_patches": max_tiles}
        if spoken.sounds:
            given |= {"audio": spoken.sounds, "audio_kwargs": {"sampling_rate": sampling_rate(processor)}}
        found = dict(processor(text=[prompt], return_tensors="pt", **given))
        check_whole(processor, found, spoken.sounds)
    except SampleError:
        raise
    except Exception as error:  # templates and processors refuse in many ways what they do not know
        reason = (str(error).strip() or type(error).__name__).partition("\n")[0]
        raise SampleError(f"the model's processor refuses the request: {reason}") from error
    return {name: value for name, value in found.items() if name not in ("num_audio_tokens", "num_patches")}


def answer(opened: Opened, batch: Sequence[Ready], start: Sequence[float], streamer: Any = None) -> list[Response]:
    """Answer requests that agree side by side; `start` are the moments (time.monotonic()) that they count from."""
    generation = batch[0].request.generation
    model, tokenizer, pad = writer(opened.model), opened.tokenizer, pad_of(opened)
    inputs = placed(joined([ready.inputs.features for ready in batch], pad), model.device, model.dtype)
    prompt = inputs["input_ids"].shape[1]
    watch = Watch(prompt, generation.stop, text_of(tokenizer))
    with quiet(), torch.inference_mode():
        ids = model.generate(
            **inputs,
            generation_config=settings(model.generation_config, generation, opened.generation, pad),
            logits_processor=processors([one.request.generation.seed for one in batch], generation, opened.generation),
            stopping_criteria=[watch],
            streamer=streamer,
        )
    made = ids[:, prompt:].tolist()
    end = time.monotonic()
    return [
        response(opened, ready, tokens, Timings(end - begun, first_token=watch.first and watch.first - begun))
        for ready, tokens, begun in zip(batch, made, start, strict=True)
    ]


def response(opened: Opened, ready: Ready, tokens: list[int], timings: Timings) -> Response:
    """The answer in the tokens that were made, up to the first stop token or stop string."""
    generation = ready.request.generation
    kept = until_stop(tokens, opened.generation.stop_ids)
    cut = before_stop(text_of(opened.tokenizer)(kept.ids), generation.stop)
    ended = kept.finish is not None or cut.stopped
    return Response(
        cut.text,
        timings=timings,
        usage=Usage(prompt_tokens=ready.inputs.n_tokens, new_tokens=len(kept.ids)),
        truncated=not ended and len(kept.ids) >= longest(generation, opened.generation),
    )


def text_of(tokenizer: Any) -> Any:
    """Tokens -> their text without control tokens."""
    return lambda ids: tokenizer.decode(ids, skip_special_tokens=True)


def pad_of(opened: Opened) -> int:
    """The token that fills shorter rows up: it is masked, and any will do where none is stated."""
    stated = getattr(writer(opened.model).generation_config, "pad_token_id", None)
    for token in (stated, getattr(opened.tokenizer, "pad_token_id", None), *opened.generation.stop_ids):
        if token is not None:
            return int(token)
    return 0


def _positions(opened: Opened) -> int | None:
    config = writer(opened.model).config
    return getattr(config.get_text_config(), "max_position_embeddings", None)
