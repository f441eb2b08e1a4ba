"""An answer as it is written: transformers' `generate` runs in a thread and its tokens are handed over."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Iterator
from typing import Any

from harness.types import Chunk, Ready, Response
from models.decoding import until_stop
from models.hf import chat, speech
from models.hf.loading import Opened
from models.text.feed import before_stop

_Item = list[int] | Response | Exception


class _Tokens:
    """A streamer of transformers: first the prompt, which is left out, then each token."""

    def __init__(self, to: queue.Queue[_Item]) -> None:
        self._queue, self._prompt = to, True

    def put(self, value: Any) -> None:
        if not self._prompt:
            self._queue.put(value.reshape(-1).tolist())
        self._prompt = False

    def end(self) -> None:
        pass


class Stream(Iterator[Chunk]):
    """The chunks of one answer; `response()` is what they make up. Speech comes as one piece, when it is all made."""

    def __init__(self, opened: Opened, ready: Ready, speaking: speech.Speaking) -> None:
        self._start = time.monotonic() - ready.prepare_s
        self._opened, self._ready, self._speaking = opened, ready, speaking
        self._response: Response | None = None
        self._chunks = self._run()

    def __next__(self) -> Chunk:
        return next(self._chunks)

    def response(self) -> Response:
        """The whole answer; there once the chunks are exhausted."""
        if self._response is None:
            raise ValueError("the answer is there when its chunks are exhausted")
        return self._response

    def _run(self) -> Iterator[Chunk]:
        found: queue.Queue[_Item] = queue.Queue()
        worker = threading.Thread(target=self._answer, args=(found,), daemon=True)
        worker.start()
        ids: list[int] = []
        given = ""
        while isinstance(item := found.get(), list):
            ids += item
            new = self._settled(ids)
            if len(new) > len(given) and new.startswith(given):
                yield Chunk(self._now(), new[len(given) :])
                given = new
        worker.join()
        if isinstance(item, Exception):
            raise item
        self._response = item
        rest = item.text.removeprefix(given)
        if rest or item.speech is not None:
            yield Chunk(self._now(), rest, item.speech)

    def _answer(self, found: queue.Queue[_Item]) -> None:
        streamer = _Tokens(found)
        try:
            if "speech" in self._ready.request.outputs:
                found.put(speech.answer(self._opened, self._ready, self._start, self._speaking, streamer))
            else:
                found.put(chat.answer(self._opened, [self._ready], [self._start], streamer)[0])
        except Exception as error:
            found.put(error)

    def _settled(self, ids: list[int]) -> str:
        """The text that nothing which follows can change: no half character, no start of a stop string."""
        stop = self._ready.request.generation.stop
        text = chat.text_of(self._opened.tokenizer)(until_stop(ids, self._opened.generation.stop_ids).ids)
        cut = before_stop(text, stop)
        if cut.stopped:
            return cut.text
        held = max((n for mark in stop for n in range(1, len(mark)) if text.endswith(mark[:n])), default=0)
        return text[: len(text) - held].rstrip("\ufffd")

    def _now(self) -> float:
        return time.monotonic() - self._start
