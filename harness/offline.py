"""Nothing is asked of a network: what `--offline` and HARNESS_OFFLINE=1 do.

The switches of the hub's libraries are set before these are imported, and every connection that Python code of this
process still tries (also that of a library, or the look-up of a host's name) is refused. Addresses of the machine
itself are no network. Processes that this one starts inherit the switch.
"""

from __future__ import annotations

import ipaddress
import os
import sys
from typing import Annotated, Any

import typer

VARIABLE = "HARNESS_OFFLINE"
SWITCHES = ("HF_HUB_OFFLINE", "HF_DATASETS_OFFLINE", "TRANSFORMERS_OFFLINE", VARIABLE)
"""What the hub's libraries read when they are imported, and our own."""
_LISTENING = False


class Refused(OSError):
    """A connection was tried while the network is switched off."""


def is_offline() -> bool:
    """Whether no network may be asked."""
    return os.environ.get(VARIABLE, "").upper() in {"1", "ON", "YES", "TRUE"}


def switch_off() -> None:
    """Refuse every connection from now on. Called before anything that has a network is imported."""
    global _LISTENING
    os.environ.update(dict.fromkeys(SWITCHES, "1"))
    if "huggingface_hub.constants" in sys.modules:  # read when it was imported
        sys.modules["huggingface_hub.constants"].HF_HUB_OFFLINE = True  # type: ignore[attr-defined]
    if not _LISTENING:
        sys.addaudithook(_refuse)  # cannot be taken back, so it asks whether the switch is on
        _LISTENING = True


def switch_off_if_told() -> None:
    """For a program's start: HARNESS_OFFLINE=1 is `--offline` for every command."""
    if is_offline():
        switch_off()


def is_local(host: object) -> bool:
    """Whether a host's name or address is the machine's own.

    >>> is_local("127.0.0.1"), is_local("localhost"), is_local("::1"), is_local("huggingface.co")
    (True, True, True, False)
    """
    text = host.decode("ascii", "replace") if isinstance(host, bytes) else str(host)
    if text == "localhost":
        return True
    try:
        return ipaddress.ip_address(text.partition("%")[0]).is_loopback
    except ValueError:
        return False


def _refuse(event: str, arguments: tuple[Any, ...]) -> None:
    match event, arguments:
        case (("socket.connect" | "socket.sendto"), (_, (host, *_))):
            pass  # a path is the machine's own: such an address is no tuple
        case (("socket.getaddrinfo" | "socket.gethostbyname"), (host, *_)) if host:
            pass
        case _:
            return
    if is_offline() and not is_local(host):
        raise Refused(f"the network is switched off (--offline or {VARIABLE}), but {host} was asked for")


def _told(value: bool) -> bool:
    if value:
        switch_off()
    return value


OfflineOption = Annotated[
    bool,
    typer.Option("--offline", callback=_told, is_eager=True, help="Ask nothing of a network: what is here, or stop."),
]
