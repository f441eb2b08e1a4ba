"""Text answers to many requests, decoded side by side."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import torch

from harness.types import Ready, Response, Timings, Usage
from models.decoding import Decode, Prompt
from models.generation import decoding_of
from models.text.feed import TextFeed
from models.vita15.checkpoint import Loaded
from models.vita15.processor import ModelInputs, collate
from models.vita15.prompts import strip_state


@dataclass
class _Answer:
    """One request while it is answered; moments are seconds since it was handed over."""

    inputs: ModelInputs
    start: float
    feed: TextFeed
    encoded: float = 0.0
    first_token: float | None = None


def answers(loaded: Loaded, waiting: Iterator[Ready], rows: int) -> Iterator[tuple[int, Response]]:
    """Answer requests that share a `batch_key`, at most `rows` side by side: (position among `waiting`, answer).

    A request is taken when a row is free for it, and its clock starts then, `prepare_s` seconds before.
    """
    first = next(waiting, None)
    if first is None:
        return
    open_: dict[int, _Answer] = {}
    taken = 0
    ahead: list[Ready] = [first]

    def supply(count: int) -> Sequence[Prompt]:
        nonlocal taken
        items: list[Ready] = []
        while len(items) < count and (item := ahead.pop() if ahead else next(waiting, None)) is not None:
            if item.request.batch_key != first.request.batch_key:
                raise ValueError("requests with other decoding settings cannot be answered side by side")
            feed = TextFeed(loaded.tokenizer, item.request.generation.stop, strip_state)
            open_[taken] = _Answer(item.inputs, time.monotonic() - item.prepare_s, feed)
            taken += 1
            items.append(item)
        prompts = prompts_of(loaded, items) if items else []
        now = time.monotonic()
        for number in range(taken - len(items), taken):
            open_[number].encoded = now - open_[number].start
        return prompts

    decode = Decode(loaded.model, supply, rows, decoding_of(first.request.generation, loaded.generation))
    for emission in decode:
        answer = open_[emission.row]
        answer.feed.add(emission.ids, emission.finish is not None)
        if answer.first_token is None:
            answer.first_token = emission.time - answer.start
        if answer.feed.stopped:
            decode.end(emission.row)
        elif emission.finish is None:
            continue
        del open_[emission.row]
        yield emission.row, _response(answer, emission.time, emission.finish == "length" and not answer.feed.stopped)


@torch.inference_mode()
def prompts_of(loaded: Loaded, items: Sequence[Ready]) -> list[Prompt]:
    """Requests with their media embedded, as the decode loop takes them. Waits for the device."""
    ahead = [item.inputs.embeds for item in items if item.inputs.embeds is not None]
    if len(ahead) == len(items):
        return [Prompt(embeds, item.request.generation.seed) for embeds, item in zip(ahead, items, strict=True)]
    embedded = loaded.model.embed(collate([item.inputs for item in items]))
    if loaded.model.device.type == "cuda":
        torch.cuda.synchronize(loaded.model.device)
    rows = zip(embedded.inputs_embeds, embedded.attention_mask, items, strict=True)
    return [Prompt(embeds[mask], item.request.generation.seed) for embeds, mask, item in rows]


@torch.inference_mode()
def embedded_ahead(loaded: Loaded, inputs: ModelInputs) -> ModelInputs:
    """Inputs with their prompt embedded; pixels and filter banks are let go."""
    found = loaded.model.embed(collate([inputs]))
    return replace(inputs, pixel_values=None, audio=(), embeds=found.inputs_embeds[0])


def _response(answer: _Answer, end: float, truncated: bool) -> Response:
    raw, text = answer.feed.raw, answer.feed.text
    return Response(
        text=text,
        raw_text=raw if raw != text else None,
        truncated=truncated,
        timings=Timings(end=end - answer.start, encoded=answer.encoded, first_token=answer.first_token),
        usage=Usage(prompt_tokens=answer.inputs.n_tokens, new_tokens=answer.feed.n_tokens),
    )
