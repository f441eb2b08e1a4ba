"""How an endpoint is asked, out of `--model openai:NAME`, its options and the environment."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from harness.endpoints.place import HOSTED, NO_KEY, Place, split_url, unsendable
from harness.failures import UsageError
from harness.texts import redacted
from models.own_options import check_own

KNOWN = {
    "base_url": "the endpoint, e.g. http://localhost:8000/v1 (--base-url; default OPENAI_BASE_URL, else OpenAI's own)",
    "api_key_env": "the environment variable that holds the key (default OPENAI_API_KEY)",
    "concurrency": "most requests under way at once (default 32; --batch-tokens bounds them too)",
    "timeout": "seconds for one whole reply (default 600)",
    "stream": "yes or no: replies come piece by piece, which tells the time to the first token (default yes)",
    "inputs": "what the model takes, of text,image,video,audio (default all)",
    "speech": "yes or no: the model answers in speech too (default no)",
    "voice": "the voice of spoken answers (default alloy)",
    "audio_format": "wav or mp3: how recordings are sent (default wav)",
    "image_format": "png or jpeg: how pictures are sent (default png; frames of videos are always jpeg)",
    "frames": "frames of a video where the benchmark names no number (default 32)",
    "dialect": "openai, or vllm (SGLang too), which also takes top_k, repetition_penalty and min_tokens",
    "length_field": "max_tokens or max_completion_tokens (default: the second for OpenAI's own endpoint)",
    "omit": "settings that the model refuses and that are not sent, of temperature,top_p,seed,stop",
    "price_in": "price of a million tokens of prompts",
    "price_out": "price of a million tokens of answers",
    "max_cost": "what one start of a run may cost, in the prices' currency",
    "max_tokens_total": "tokens, of prompts and answers, that one start of a run may take",
}
INPUTS = ("text", "image", "video", "audio")
OMITTABLE = ("temperature", "top_p", "seed", "stop")


@dataclass(frozen=True, slots=True)
class Settings:
    """Seconds, counts and prices as in `KNOWN`; `place.key` is empty where the environment has none."""

    model: str
    place: Place
    key_env: str
    inputs: tuple[str, ...] = INPUTS
    concurrency: int = 32
    timeout_s: float = 600.0
    stream: bool = True
    speech: bool = False
    voice: str = "alloy"
    audio_format: str = "wav"
    image_format: str = "png"
    frames: int = 32
    dialect: str = "openai"
    length_field: str = "max_tokens"
    omit: tuple[str, ...] = ()
    prices: tuple[float, float] | None = None
    max_cost: float | None = None
    max_tokens: int | None = None


def settings(model: str, own: Mapping[str, str], environment: Mapping[str, str]) -> Settings:
    """Raises UsageError that tells all options which are unknown, wrong or missing, with the remedies."""
    check_own(f"openai:{model}", own, KNOWN)
    read, problems = _Reader(own), []
    key_env = own.get("api_key_env", "OPENAI_API_KEY")
    url, query = split_url(
        own.get("base_url") or environment.get("OPENAI_BASE_URL") or HOSTED, "base_url", f"${key_env}", problems
    )
    if own.get("base_url") and query:
        problems.append("base_url has a query, which may hold a key and would be kept: set OPENAI_BASE_URL instead")
    key = environment.get(key_env, "").strip()
    if unsendable(key):
        problems.append(f"${key_env} holds characters that no HTTP header can carry")
    price_in, price_out = read.number("price_in", True), read.number("price_out", True)
    prices = (price_in or 0.0, price_out or 0.0) if {"price_in", "price_out"} & own.keys() else None
    max_cost = read.number("max_cost")
    if max_cost is not None and prices is None:
        problems.append("max_cost needs price_in and price_out, the prices of a million tokens")
    field = "max_completion_tokens" if url == HOSTED else "max_tokens"
    found = Settings(
        model,
        Place(url, key or ("" if url == HOSTED else NO_KEY), query),
        key_env,
        read.several("inputs", INPUTS) or INPUTS,
        read.whole("concurrency") or 32,
        read.number("timeout") or 600.0,
        read.one("stream", ("yes", "no")) == "yes",
        read.one("speech", ("no", "yes")) == "yes",
        own.get("voice", "alloy"),
        read.one("audio_format", ("wav", "mp3")),
        read.one("image_format", ("png", "jpeg")),
        read.whole("frames") or 32,
        read.one("dialect", ("openai", "vllm")),
        read.one("length_field", (field, *({"max_tokens", "max_completion_tokens"} - {field}))),
        read.several("omit", OMITTABLE),
        prices,
        max_cost,
        read.whole("max_tokens_total"),
    )
    if problems := problems + read.problems:
        raise UsageError("\n  ".join([f"openai:{model} cannot be asked:", *map(redacted, problems)]))
    return found


class _Reader:
    """Options as what they are; what is wrong with them is gathered."""

    def __init__(self, own: Mapping[str, str]) -> None:
        self._own, self.problems = own, list[str]()

    def number(self, name: str, zero: bool = False) -> float | None:
        if name not in self._own:
            return None
        try:
            value = float(self._own[name])
        except ValueError:
            value = math.nan
        if not (math.isfinite(value) and (value > 0 or (zero and value == 0))):
            self.problems.append(f"{name} is {self._own[name]!r}; it takes a number above 0")
            return None
        return value

    def whole(self, name: str) -> int | None:
        value = self.number(name)
        if value is not None and value != int(value):
            self.problems.append(f"{name} is {self._own[name]!r}; it takes a whole number")
        return None if value is None else max(1, int(value))

    def one(self, name: str, choices: tuple[str, ...]) -> str:
        """The option, which is one of the choices; the first of them where it is not given."""
        value = self._own.get(name, choices[0])
        if value not in choices:
            self.problems.append(f"{name} is {value!r}; it takes {' or '.join(choices)}")
        return value

    def several(self, name: str, choices: tuple[str, ...]) -> tuple[str, ...]:
        values = tuple(value.strip() for value in self._own.get(name, "").split(",") if value.strip())
        if stray := set(values) - set(choices):
            self.problems.append(f"{name} has {', '.join(sorted(stray))}; it takes some of {','.join(choices)}")
        return values
