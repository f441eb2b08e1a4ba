"""Where a judge's endpoint is and how it is asked, out of `--judge llm:MODEL` and the environment."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, urlsplit, urlunsplit

from harness.failures import UsageError

URL = "https://api.openai.com/v1"
CONCURRENCY, TIMEOUT_S = 8, 120.0


@dataclass(frozen=True, slots=True)
class Settings:
    """`endpoint` is the base URL without user, password and query; `prices` are of a million tokens, in and out."""

    model: str
    endpoint: str
    key: str = field(repr=False)
    query: Mapping[str, str] = field(default_factory=dict, repr=False)
    """What the base URL has behind its question mark."""
    concurrency: int = CONCURRENCY
    timeout_s: float = TIMEOUT_S
    prices: tuple[float, float] | None = None

    def scrubbed(self, text: str) -> str:
        """The text without the key, and without values of the query, which may be one."""
        for secret in (self.key, *self.query.values()):
            text = text.replace(secret, "***") if secret else text
        return text


def settings(model: str | None, environment: Mapping[str, str]) -> Settings:
    """Raises UsageError that tells everything which is missing or wrong at once, with the remedies."""
    problems: list[str] = []
    model = model or environment.get("HARNESS_JUDGE_MODEL", "")
    if not model:
        problems.append("no model is named: --judge llm:MODEL, or HARNESS_JUDGE_MODEL")
    key = environment.get("OPENAI_API_KEY", "").strip()
    if not key:
        problems.append("no key: set OPENAI_API_KEY (a local server that asks for none takes any text, e.g. none)")
    elif not (key.isascii() and key.isprintable()):
        problems.append("OPENAI_API_KEY holds characters that no HTTP header can carry")
    endpoint, query = _split(environment.get("OPENAI_BASE_URL") or URL, problems)
    concurrency = _number(environment, "HARNESS_JUDGE_CONCURRENCY", CONCURRENCY, problems, whole=True)
    timeout_s = _number(environment, "HARNESS_JUDGE_TIMEOUT_S", TIMEOUT_S, problems)
    prices = _prices(environment.get("HARNESS_JUDGE_PRICES", ""), problems)
    if problems:
        raise UsageError("\n  ".join(["the judge llm cannot be asked:", *problems]))
    return Settings(model, endpoint, key, query, int(concurrency), timeout_s, prices)


def _split(url: str, problems: list[str]) -> tuple[str, dict[str, str]]:
    """A base URL without user, password and query, and the query."""
    try:
        parts = urlsplit(url.strip())
        host, port = parts.hostname or "", parts.port
    except ValueError:
        parts, host, port = urlsplit(""), "", None
    if parts.scheme not in ("http", "https") or not host:
        problems.append("OPENAI_BASE_URL is no http(s) URL; it looks like http://localhost:8000/v1")
        return "", {}
    if parts.username or parts.password:
        problems.append("OPENAI_BASE_URL holds a user or password; put the key into OPENAI_API_KEY")
    place = f"[{host}]" if ":" in host else host
    place += f":{port}" if port else ""
    return urlunsplit((parts.scheme, place, parts.path.rstrip("/"), "", "")), dict(parse_qsl(parts.query))


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
