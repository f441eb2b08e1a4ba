"""Where an endpoint is and the key that it takes; both kept out of everything that is shown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlsplit, urlunsplit

if TYPE_CHECKING:
    from openai import OpenAI

HOSTED = "https://api.openai.com/v1"
NO_KEY = "none"
"""What servers of one's own are told that ask for no key; no secret."""
SECRET = 16
"""Characters of the shortest key that is taken out of an answer: "EMPTY" or "1" may be what was asked for."""


@dataclass(frozen=True, slots=True)
class Place:
    """`url` is the base URL without user, password and query, so that it may be shown."""

    url: str
    key: str = field(repr=False)
    query: Mapping[str, str] = field(default_factory=dict, repr=False)
    """What the base URL has behind its question mark."""

    def scrubbed(self, message: str) -> str:
        """What an endpoint says of itself, without the key, and without values of the query, which may be one."""
        return _without(message, self._secrets())

    def answer(self, text: str) -> str:
        """What a model says, without the key: only what is too long to stand there by itself is taken out."""
        shown = self.answers()
        return shown(text) + shown.rest()

    def answers(self) -> Scrubbed:
        """The same for what comes piece by piece."""
        return Scrubbed([secret for secret in self._secrets() if len(secret) >= SECRET])

    def _secrets(self) -> list[str]:
        return [secret for secret in (self.key, *self.query.values()) if secret and secret != NO_KEY]

    def client(self, timeout_s: float) -> OpenAI:
        """A client that tries once; it may be used by several threads. `timeout_s` is of each wait for bytes."""
        import openai

        return openai.OpenAI(
            api_key=self.key, base_url=self.url, default_query=self.query, timeout=timeout_s, max_retries=0
        )


class Scrubbed:
    """Takes secrets out of a text that comes in pieces: an end that a secret may begin with waits for the next one."""

    def __init__(self, secrets: list[str]) -> None:
        self._secrets, self._held = secrets, ""

    def __call__(self, piece: str) -> str:
        """What of the text so far can be shown now."""
        text = _without(self._held + piece, self._secrets)
        held = max((_overlap(text, secret) for secret in self._secrets), default=0)
        shown, self._held = text[: len(text) - held], text[len(text) - held :]
        return shown

    def rest(self) -> str:
        """What was held back, once nothing more comes."""
        shown, self._held = self._held, ""
        return shown


def _overlap(text: str, secret: str) -> int:
    """Characters of the longest end of a text that a secret begins with."""
    return next((size for size in range(min(len(text), len(secret) - 1), 0, -1) if secret.startswith(text[-size:])), 0)


def _without(text: str, secrets: list[str]) -> str:
    for secret in secrets:
        text = text.replace(secret, "***")
    return text


def split_url(url: str, name: str, key_name: str, problems: list[str]) -> tuple[str, dict[str, str]]:
    """A base URL without user, password and query, and the query. What is wrong is added to `problems` under `name`."""
    try:
        parts = urlsplit(url.strip())
        host, port = parts.hostname or "", parts.port
    except ValueError:
        parts, host, port = urlsplit(""), "", None
    if parts.scheme not in ("http", "https") or not host:
        problems.append(f"{name} is no http(s) URL; it looks like http://localhost:8000/v1")
        return "", {}
    if parts.username or parts.password:
        problems.append(f"{name} holds a user or password; put the key into {key_name}")
    place = f"[{host}]" if ":" in host else host
    place += f":{port}" if port else ""
    return urlunsplit((parts.scheme, place, parts.path.rstrip("/"), "", "")), dict(parse_qsl(parts.query))


def unsendable(key: str) -> bool:
    """Whether a key has characters that no HTTP header can carry."""
    return not (key.isascii() and key.isprintable())
