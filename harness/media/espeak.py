"""Text to speech by espeak-ng, from the library and voices that the package `espeakng-loader` carries.

espeak-ng remembers what it spoke before (phases, flutter, random numbers), and its interface resets only a part of it.
So the library is loaded afresh for each text, about 5 ms: the same call gives the same samples whatever came before it.
Each load leaves about 2 KB behind, 60 MB after 30,000 texts. Its errors it writes to stderr itself.
"""

from __future__ import annotations

import _ctypes
import ctypes
import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from threading import Lock

import numpy as np
from numpy.typing import NDArray

RATE = 22_050
LANGUAGES = {
    "en-us": "gmw/en-US",
    "en-gb": "gmw/en",
    "en-gb-x-rp": "gmw/en-GB-x-rp",
    "cmn-latn-pinyin": "sit/cmn-Latn-pinyin",
}
"""Name -> file below `lang/`. A file is read at once, a name only after every file was listed."""

_SEED = 1
_RETRIEVAL = 2  # AUDIO_OUTPUT_SYNCHRONOUS: the samples go to the callback, in the caller's thread
_DO_NOT_EXIT = 0x8000  # espeakINITIALIZE_DONT_EXIT: report bad data instead of ending the process
_UTF8 = 1
_SPEED, _PITCH = 1, 3
_CALLBACK = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p)
_lock = Lock()


class SynthesizerError(RuntimeError):
    """espeak-ng is absent, or refused the request."""


@cache
def version() -> str:
    """For example `espeakng-loader 0.2.4 (espeak-ng 1.52.0)`: they decide the samples. Raises SynthesizerError."""
    from importlib.metadata import version as version_of

    library, _ = _installed()
    info = ctypes.CFUNCTYPE(ctypes.c_char_p, ctypes.c_void_p)
    with _lock, _opened(library) as opened:
        said = info(("espeak_Info", opened))(None).decode()
    return f"espeakng-loader {version_of('espeakng-loader')} (espeak-ng {said.split()[0]})"


def speak(text: str, voice: str, speed: int, pitch: int = 50) -> NDArray[np.int16]:
    """The text as samples [n] at 22,050 Hz; none where there is nothing to say. Safe in threads, one at a time.

    `voice` is one of LANGUAGES, or with a variant LANGUAGE+VARIANT; `speed` in words a minute; `pitch` 0 to 99.
    Raises SynthesizerError, also for an unknown voice or variant, for which espeak-ng itself takes another.
    """
    parts: list[bytes] = []

    def keep(samples: ctypes._Pointer[ctypes.c_short], count: int, events: int) -> int:
        if samples and count > 0:
            parts.append(ctypes.string_at(samples, 2 * count))
        return 0

    callback = _CALLBACK(keep)  # named, as the library does not keep it alive
    with session(voice) as library:
        library.espeak_SetSynthCallback(callback)
        _do("the speed", library.espeak_SetParameter(_SPEED, speed, 0))
        _do("the pitch", library.espeak_SetParameter(_PITCH, pitch, 0))
        encoded = text.replace("\0", " ").encode()
        size = ctypes.c_size_t(len(encoded) + 1)
        _do(repr(text), library.espeak_Synth(encoded, size, 0, 1, 0, _UTF8, None, None))
        _do(repr(text), library.espeak_Synchronize())
    return np.frombuffer(b"".join(parts), np.int16)


@contextmanager
def session(voice: str, options: int = 0) -> Iterator[ctypes.CDLL]:
    """The library as it is in a new process, set to a voice; no other thread has it meanwhile. `options` are those of
    `espeak_Initialize`, beside the one that reports bad data."""
    path, folder = _installed()
    name = _file_of(voice, folder)
    with _lock, _opened(path) as library:
        if library.espeak_Initialize(_RETRIEVAL, 0, os.fsencode(folder), _DO_NOT_EXIT | options) != RATE:
            raise SynthesizerError(
                f"espeak-ng cannot read its data in {folder} (a path of over 150 letters is too long for it): "
                "install espeakng-loader again, or the environment in another folder"
            )
        try:
            library.espeak_ng_SetRandSeed(ctypes.c_long(_SEED))
            ctypes.CDLL(None).srand(_SEED)  # Klatt voices take their noise from C's own generator
            _do(f"voice {voice!r}", library.espeak_SetVoiceByName(name.encode()))
            yield library
        finally:
            library.espeak_Terminate()


@cache
def _installed() -> tuple[Path, Path]:
    """The library and its data folder."""
    try:
        import espeakng_loader
    except ImportError as error:
        raise SynthesizerError(
            "espeakng-loader is not installed: espeak-ng, which it brings, makes the speech "
            "(pip install 'omni-harness[espeak]')"
        ) from error
    return Path(espeakng_loader.get_library_path()), Path(espeakng_loader.get_data_path())


@contextmanager
def _opened(path: Path) -> Iterator[ctypes.CDLL]:
    if _loaded(path):
        raise SynthesizerError(f"{path} is loaded by another part of this process: its samples would depend on that")
    try:
        library = ctypes.CDLL(str(path))
    except OSError as error:
        raise SynthesizerError(f"cannot load espeak-ng: {error}") from error
    try:
        yield library
    finally:
        _ctypes.dlclose(library._handle)


def _loaded(path: Path) -> bool:
    try:
        handle = _ctypes.dlopen(str(path), os.RTLD_NOLOAD | os.RTLD_NOW)
    except OSError:
        return False
    _ctypes.dlclose(handle)
    return True


def _file_of(voice: str, folder: Path) -> str:
    language, plus, variant = voice.partition("+")
    if language not in LANGUAGES:
        raise SynthesizerError(f"voice {voice!r}: there is no language {language!r}, only {', '.join(LANGUAGES)}")
    if plus and variant not in _variants(folder):
        raise SynthesizerError(f"voice {voice!r}: espeak-ng has no variant {variant!r} in {folder / 'voices' / '!v'}")
    return LANGUAGES[language] + plus + variant


@cache
def _variants(folder: Path) -> frozenset[str]:
    return frozenset(path.name for path in (folder / "voices" / "!v").iterdir())


def _do(what: str, status: int) -> None:
    if status:
        raise SynthesizerError(f"espeak-ng refused {what} (status {status})")
