"""Text answers to many requests, decoded side by side."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from harness.types import Ready, Response, Timings, Usage
from models.decoding import Decode, Prompt
from models.generation import GenerationDefaults, decoding_of
from models.rows import CausalLM
from models.text.feed import TextFeed


@dataclass(frozen=True, eq=False)
class Answerer:
    """What answers in text. `prompts` embeds requests and waits for the device; `feed` makes text of tokens, up to the
    stop strings that it is given. Prepared inputs say their length, `n_tokens`."""

    lm: CausalLM
    generation: GenerationDefaults
    prompts: Callable[[Sequence[Ready]], list[Prompt]]
    feed: Callable[[Sequence[str]], TextFeed]


@dataclass
class _Answer:
    """One request while it is answered; moments are seconds since it was handed over."""

    prompt_tokens: int
    start: float
    feed: TextFeed
    encoded: float = 0.0
    first_token: float | None = None


def answers(answerer: Answerer, waiting: Iterator[Ready], rows: int) -> Iterator[tuple[int, Response]]:
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
            feed = answerer.feed(item.request.generation.stop)
            open_[taken] = _Answer(item.inputs.n_tokens, time.monotonic() - item.prepare_s, feed)
            taken += 1
            items.append(item)
        prompts = answerer.prompts(items) if items else []
        now = time.monotonic()
        for number in range(taken - len(items), taken):
            open_[number].encoded = now - open_[number].start
        return prompts

    decode = Decode(answerer.lm, supply, rows, decoding_of(first.request.generation, answerer.generation))
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


def _response(answer: _Answer, end: float, truncated: bool) -> Response:
    raw, text = answer.feed.raw, answer.feed.text
    return Response(
        text=text,
        raw_text=raw if raw != text else None,
        truncated=truncated,
        timings=Timings(end=end - answer.start, encoded=answer.encoded, first_token=answer.first_token),
        usage=Usage(prompt_tokens=answer.prompt_tokens, new_tokens=answer.feed.n_tokens),
    )
