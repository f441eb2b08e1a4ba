"""Speech with what is said when: espeak-ng tells the first sample of each phoneme that it makes.

GLM-4-Voice's tokenizer is taught by a speech recogniser above its codebook, from hours of transcripts. Here the
synthesiser itself is the teacher, which takes minutes: a code has to tell the phonemes of its 80 ms.
"""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from harness.media import espeak

SILENCE = "_"
NAMES = (
    SILENCE, "(others)", "0", "3", "3:", ";", "@", "@2", "@L", "@r", "A", "A:", "A@", "Au", "D", "E", "I", "I#", "I2",
    "N", "O2", "O:", "O@", "OI", "S", "S;", "T", "U", "U@", "V", "X", "a", "a#", "aI", "aI@", "aU", "aa", "ai", "b",
    "d", "dZ", "e@", "eI", "ei", "f", "g", "h", "i", "i.", "i:", "i@", "i@3", "iA", "iE", "i[", "iou", "j", "k", "kh",
    "l", "m", "n", "o", "o-", "o@", "oU", "ong", "ou", "p", "ph", "r", "r-", "s", "s.", "t", "t#", "t2", "tS", "tS;",
    "tS;h", "th", "ts", "ts.", "ts.h", "tsh", "u", "u:", "u@", "ua", "uai", "uei", "uo", "v", "w", "y", "y&", "yE",
    "z", "z.",
)  # fmt: skip
"""espeak-ng's phonemes in the voices of the mini world, without stress; the same sign is one phoneme in both languages.
What is not among them is `(others)`."""
_PHONEME_EVENTS, _PHONEME, _END = 1, 7, 0
_UTF8 = 1
_SPEED, _PITCH = 1, 3


class Phoneme(NamedTuple):
    start: float
    """Seconds."""
    name: str


class Spoken(NamedTuple):
    samples: NDArray[np.int16]
    """[n] at espeak-ng's rate, those of `harness.media.espeak.speak`."""
    phonemes: list[Phoneme]


class _Id(ctypes.Union):
    _fields_ = (("number", ctypes.c_int), ("name", ctypes.c_char_p), ("string", ctypes.c_char * 8))


class _Event(ctypes.Structure):
    """`espeak_EVENT` of speak_lib.h."""

    _fields_ = (
        ("type", ctypes.c_int),
        ("unique_identifier", ctypes.c_uint),
        ("text_position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("audio_position", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("id", _Id),
    )


_CALLBACK = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event))


def spoken(text: str, voice: str, speed: int, pitch: int) -> Spoken:
    """As `harness.media.espeak.speak`, with the phonemes. Raises SynthesizerError."""
    parts: list[bytes] = []
    found: list[Phoneme] = []

    def keep(samples: ctypes._Pointer[ctypes.c_short], count: int, events: ctypes._Pointer[_Event]) -> int:
        if samples and count > 0:
            parts.append(ctypes.string_at(samples, 2 * count))
        place = 0
        while events[place].type != _END:
            if events[place].type == _PHONEME:
                name = bytes(events[place].id.string).decode(errors="replace")
                found.append(Phoneme(events[place].sample / espeak.RATE, plain(name)))
            place += 1
        return 0

    callback = _CALLBACK(keep)  # named, as the library does not keep it alive
    with espeak.session(voice, _PHONEME_EVENTS) as library:
        library.espeak_SetSynthCallback(callback)
        library.espeak_SetParameter(_SPEED, speed, 0)
        library.espeak_SetParameter(_PITCH, pitch, 0)
        encoded = text.encode()
        status = library.espeak_Synth(encoded, ctypes.c_size_t(len(encoded) + 1), 0, 1, 0, _UTF8, None, None)
        if status or library.espeak_Synchronize() or not parts:
            raise espeak.SynthesizerError(f"espeak-ng says nothing for {text!r} (status {status})")
    return Spoken(np.frombuffer(b"".join(parts), np.int16), found)


def plain(name: str) -> str:
    """A phoneme without its stress; pauses and borders of words are SILENCE."""
    return SILENCE if name.startswith("_") else name.lstrip("',%=")


def numbers(phonemes: Sequence[Phoneme], lead: float, frames: int, rate: float) -> NDArray[np.uint8]:
    """The phoneme, as its place in NAMES, at the middle of each of `frames` frames [frames], `rate` a second.

    `lead` seconds of what was spoken come before the first frame.
    """
    places = {name: place for place, name in enumerate(NAMES)}
    said = [places[SILENCE], *(places.get(phoneme.name, 1) for phoneme in phonemes)]
    starts = np.array([phoneme.start for phoneme in phonemes])
    middles = (np.arange(frames) + 0.5) / rate + lead
    return np.array(said, np.uint8)[np.searchsorted(starts, middles, side="right")]
