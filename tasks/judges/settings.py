"""Where a judge's endpoint is and how it is asked, out of `--judge llm:MODEL` and the environment."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from harness.endpoints.place import HOSTED, Place, split_url, unsendable
from harness.failures import UsageError

CONCURRENCY, TIMEOUT_S = 8, 120.0


@dataclass(frozen=True, slots=True)
class Settings:
    """`prices` are of a million tokens, in and out."""

    model: str
    place: Place
    concurrency: int = CONCURRENCY
    timeout_s: float = TIMEOUT_S
    prices: tuple[float, float] | None = None


def settings(model: str | None, environment: Mapping[str, str]) -> Settings:
    """Raises UsageError that tells everything which is missing or wrong at once, with the remedies."""
    problems: list[str] = []
    model = model or environment.get("HARNESS_JUDGE_MODEL", "")
    if not model:
        problems.append("no model is named: --judge llm:MODEL, or HARNESS_JUDGE_MODEL")
    key = environment.get("OPENAI_API_KEY", "").strip()
    if not key:
        problems.append("no key: set OPENAI_API_KEY (a local server that asks for none takes any text, e.g. none)")
    elif unsendable(key):
        problems.append("OPENAI_API_KEY holds characters that no HTTP header can carry")
    given = environment.get("OPENAI_BASE_URL") or HOSTED
    url, query = split_url(given, "OPENAI_BASE_URL", "OPENAI_API_KEY", problems)
    concurrency = _number(environment, "HARNESS_JUDGE_CONCURRENCY", CONCURRENCY, problems, whole=True)
    timeout_s = _number(environment, "HARNESS_JUDGE_TIMEOUT_S", TIMEOUT_S, problems)
    prices = _prices(environment.get("HARNESS_JUDGE_PRICES", ""), problems)
    if problems:
        raise UsageError("\n  ".join(["the judge llm cannot be asked:", *problems]))
    return Settings(model, Place(url, key, query), int(concurrency), timeout_s, prices)


def _number(
    environment: Mapping[str, str], name: str, default: float, problems: list[str], whole: bool = False
) -> float:
    text = environment.get(name, "").strip()
    try:
        value = (int if whole else float)(text or default)
        good = math.isfinite(value) and value > 0
    except (ValueError, OverflowError):
        good = False
    if not good:
        problems.append(f"{name} is {text!r}; it takes a {'whole ' if whole else ''}number above 0")
        return default
    return value


def _prices(text: str, problems: list[str]) -> tuple[float, float] | None:
    if not text.strip():
        return None
    try:
        read, written = map(float, text.split(","))
        good = all(math.isfinite(price) and price >= 0 for price in (read, written))
    except ValueError:
        good = False
    if not good:
        problems.append(f'HARNESS_JUDGE_PRICES is {text!r}; it takes two prices of a million tokens, e.g. "0.15,0.60"')
        return None
    return read, written
