"""Transcripts of speech recognisers: Whisper and its like, CTC (Wav2Vec2, Parakeet) and transducers.

They hear and read nothing: the text of a prompt is not used. What is longer than a Whisper window is heard by the
library's own walk through it, which places each window by the time stamps of the one before.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import torch

from harness.failures import SampleError
from harness.types import Generation, LoadedRequest, Ready, Response, Timings, Usage, Waveform
from models.decoding import until_stop
from models.hf.conversation import heard
from models.hf.decoding import Watch, processors, settings
from models.hf.inputs import Prepared, joined, placed
from models.hf.loading import Opened
from models.hf.processors import check_whole, sampling_rate
from models.hf.quiet import quiet

PREFIX = 8
"""Decoder positions that are kept for what a recogniser's answer begins with: language, task, time stamps."""


def prepare(opened: Opened, loaded: LoadedRequest) -> Prepared:
    """Features of the one recording of a request. Raises SampleError where there is none or are several."""
    waves = [medium for medium in loaded.media if isinstance(medium, Waveform)]
    if len(waves) != 1 or len(loaded.media) != 1:
        raise SampleError(f"a recogniser hears one recording: the request has {len(loaded.media)} media", "unsupported")
    rate = sampling_rate(opened.processor)
    samples = heard(waves[0], rate)
    more: dict[str, Any] = {}
    if is_long(opened, len(samples)):
        more = {"truncation": False, "padding": "longest", "return_attention_mask": True}
    try:
        features = dict(opened.processor(samples, sampling_rate=rate, return_tensors="pt", **more))
    except (ValueError, RuntimeError, TypeError) as error:
        raise SampleError(f"the recogniser's processor refuses the recording: {error}") from error
    check_whole(opened.processor, features, [samples])
    return Prepared(features, 0)


def is_long(opened: Opened, samples: int) -> bool:
    """Whether a recording is over Whisper's window."""
    window = getattr(getattr(opened.processor, "feature_extractor", None), "n_samples", None)
    return opened.outline.model_type == "whisper" and window is not None and samples > window


def answer(opened: Opened, batch: Sequence[Ready], start: Sequence[float], options: dict[str, str]) -> list[Response]:
    """Transcribe recordings whose features agree; `start` are the moments that they count from."""
    model = opened.model
    features = placed(joined([ready.inputs.features for ready in batch], 0), model.device, model.dtype)
    watch = Watch(0, (), str)
    with quiet(), torch.inference_mode():
        match opened.outline.kind:
            case "seq2seq":
                tokens, text = _written(opened, batch, features, watch, options)
            case _:
                tokens, text = _aligned(opened, features)
    end = time.monotonic()
    most = most_tokens(opened, batch[0].request.generation)
    return [
        Response(
            said.strip(),
            timings=Timings(end - begun, first_token=watch.first and watch.first - begun),
            usage=Usage(new_tokens=count),
            truncated=opened.outline.kind == "seq2seq" and not _is_walk(opened, features) and count >= most,
        )
        for said, count, begun in zip(text, tokens, start, strict=True)
    ]


def most_tokens(opened: Opened, generation: Generation) -> int:
    """Tokens of a transcript (of each window of a long recording): what is asked for, and no more than fit."""
    config = opened.model.config
    room = getattr(config, "max_target_positions", None) or getattr(config, "max_position_embeddings", None)
    return generation.max_new_tokens if room is None else min(generation.max_new_tokens, room - PREFIX)


def _written(
    opened: Opened, batch: Sequence[Ready], features: dict[str, Any], watch: Watch, options: dict[str, str]
) -> tuple[list[int], list[str]]:
    generation, model = batch[0].request.generation, opened.model
    long = _is_walk(opened, features)
    pad = model.generation_config.pad_token_id
    config = settings(model.generation_config, generation, opened.generation, 0 if pad is None else pad)
    config.max_new_tokens = most_tokens(opened, generation)
    more: dict[str, Any] = dict(options)
    if long:
        more["return_timestamps"] = True
    seeds = [ready.request.generation.seed for ready in batch]
    if not long:
        more["logits_processor"] = processors(seeds, generation, opened.generation)
        more["stopping_criteria"] = [watch]
    ids = model.generate(**features, generation_config=config, **more)
    rows = [until_stop(row, opened.generation.stop_ids).ids for row in ids.tolist()]
    tokenizer = opened.tokenizer
    special = set(tokenizer.all_special_ids)
    counts = [sum(token not in special for token in row) for row in rows]
    return counts, tokenizer.batch_decode(rows, skip_special_tokens=True)


def _is_walk(opened: Opened, features: dict[str, Any]) -> bool:
    """Whether features [B, mels, T] are over Whisper's window."""
    extractor = getattr(opened.processor, "feature_extractor", None)
    frames = getattr(extractor, "nb_max_frames", None)
    return (
        opened.outline.model_type == "whisper" and frames is not None and features["input_features"].shape[-1] > frames
    )


def _aligned(opened: Opened, features: dict[str, Any]) -> tuple[list[int], list[str]]:
    """A token a frame or so: CTC's merged by the tokenizer, a transducer's by its own `generate`."""
    model = opened.model
    if opened.outline.kind == "ctc" and not type(model).__dict__.get("generate"):
        ids = model(**features).logits.argmax(-1)
    else:
        made = model.generate(**features)
        ids = getattr(made, "sequences", made)
    text = opened.processor.batch_decode(ids, skip_special_tokens=True)
    return [len(opened.tokenizer(said, add_special_tokens=False)["input_ids"]) for said in text], text
