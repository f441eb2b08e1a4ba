"""Whether a file holds all the bytes that its own header speaks of.

Decoding libraries read a cut file to its end and say nothing; the sizes that a container declares tell.
Formats: WAV (RIFX, RF64), AVI, AIFF, W64, AU, CAF, NIST Sphere, Ogg, MP4 and kin, Matroska and WebM, MPEG program
and transport streams. Of other formats, and of streams written with no size in their header, nothing is known here.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from itertools import islice
from typing import BinaryIO, Literal

_MAX_CHUNKS = 100_000
_TAIL = 1 << 18
_MAX_PACKS = 32


def fault(file: BinaryIO) -> str:
    """What the end of a file lacks by its own header, e.g. "it has 300 of 500 bytes"; "" when nothing is known."""
    size = file.seek(0, os.SEEK_END)
    head = _at(file, 0, 1024)
    if head[:4] == b"OggS":
        return "" if _ogg_is_ended(_at(file, max(0, size - _TAIL), _TAIL)) else "its last page is cut"
    end = next((declared(file, head, size) for fits, declared in _FORMATS if fits(head)), None)
    return f"it has {size} of {end} bytes" if end is not None and end > size else ""


def _riff(file: BinaryIO, head: bytes, size: int) -> int | None:
    order: Literal["big", "little"] = "big" if head[:4] == b"RIFX" else "little"
    long = None
    for name, start, length in islice(_chunks(file, 12, size, order), _MAX_CHUNKS):
        if name == b"ds64":
            long = int.from_bytes(_at(file, start + 8, 8), "little")
        if name == b"data":
            if length == 0xFFFFFFFF and long is not None:
                return start + long
            return None if _is_placeholder(length) else start + length
    return None


def _avi(file: BinaryIO, head: bytes, size: int) -> int | None:
    end = 0
    for name, start, length in islice(_chunks(file, 0, size, "little"), _MAX_CHUNKS):
        if name != b"RIFF" or _is_placeholder(length):
            break
        end = start + length
    return end or None


def _aiff(file: BinaryIO, head: bytes, size: int) -> int | None:
    for name, start, length in islice(_chunks(file, 12, size, "big"), _MAX_CHUNKS):
        if name == b"SSND":
            return None if _is_placeholder(length) else start + length
    return None


def _w64(file: BinaryIO, head: bytes, size: int) -> int | None:
    position = 40
    for _ in range(_MAX_CHUNKS):
        chunk = _at(file, position, 24)
        length = int.from_bytes(chunk[16:24], "little")  # counts its own 24 bytes
        if len(chunk) < 24 or length < 24:
            return None
        if chunk[:4] == b"data":
            return position + length
        position += (length + 7) // 8 * 8
    return None


def _au(file: BinaryIO, head: bytes, size: int) -> int | None:
    start, length = int.from_bytes(head[4:8], "big"), int.from_bytes(head[8:12], "big")
    return None if _is_placeholder(length) else start + length


def _caf(file: BinaryIO, head: bytes, size: int) -> int | None:
    position = 8
    for _ in range(_MAX_CHUNKS):
        chunk = _at(file, position, 12)
        length = int.from_bytes(chunk[4:12], "big", signed=True)
        if len(chunk) < 12 or length < 0:
            return None
        position += 12 + length
        if chunk[:4] == b"data":
            return position
    return None


def _nist(file: BinaryIO, head: bytes, size: int) -> int | None:
    fields = {}
    for line in head.split(b"\n")[2:]:
        name, _, rest = line.partition(b" ")
        fields[name] = rest.rpartition(b" ")[2].strip()
    if fields.get(b"sample_coding", b"pcm") not in (b"pcm", b"ulaw", b"alaw", b"mu-law"):
        return None
    try:
        counts = [int(fields[name]) for name in (b"sample_count", b"channel_count", b"sample_n_bytes")]
        return int(head[8:16]) + counts[0] * counts[1] * counts[2]
    except (KeyError, ValueError):
        return None


def _mp4(file: BinaryIO, head: bytes, size: int) -> int | None:
    position = 0
    for _ in range(_MAX_CHUNKS):
        box = _at(file, position, 16)
        if len(box) < 8 or not all(32 <= c < 127 or c == 0xA9 for c in box[4:8]):
            return position or None
        length = int.from_bytes(box[:4], "big")
        if length == 1:
            length = int.from_bytes(box[8:16], "big")
        if length < 8:  # 0: to the end of the file
            return position or None
        position += length
        if position >= size:
            break
    return position


def _ebml(file: BinaryIO, head: bytes, size: int) -> int | None:
    length, width = _vint(head[4:12])
    if length is None:
        return None
    segment = 4 + width + length
    if _at(file, segment, 4) != b"\x18\x53\x80\x67":
        return None
    length, width = _vint(_at(file, segment + 4, 8))
    return None if length is None else segment + 4 + width + length


def _vint(raw: bytes) -> tuple[int | None, int]:
    """An EBML size and its width in bytes; None where the size is left open."""
    width = 9 - raw[0].bit_length() if raw and raw[0] else 9
    if width > len(raw):
        return None, width
    value = int.from_bytes(raw[:width], "big") & ((1 << 7 * width) - 1)
    return (None if value == (1 << 7 * width) - 1 else value), width


def _program_stream(file: BinaryIO, head: bytes, size: int) -> int | None:
    """Packets are followed from the first pack near the end whose chain holds."""
    start = max(0, size - _TAIL)
    tail = _at(file, start, _TAIL)
    pack = -1
    for _ in range(_MAX_PACKS):
        pack = tail.find(b"\0\0\1\xba", pack + 1)
        if pack < 0:
            break
        if (end := _packets_end(tail, pack)) is not None:
            return start + end
    return None


def _packets_end(tail: bytes, position: int) -> int | None:
    while position < len(tail):
        code = tail[position + 3 : position + 4]
        if tail[position : position + 3] != b"\0\0\1":
            return position if not any(tail[position:]) else None
        if code == b"\xb9":
            return position + 4
        if code == b"\xba":
            mpeg2 = tail[position + 4 : position + 5] >= b"\x40"
            position += 12 if not mpeg2 else 14 + (tail[position + 13] & 7 if position + 13 < len(tail) else 0)
        elif code >= b"\xbb":
            position += 6 + int.from_bytes(tail[position + 4 : position + 6], "big")
        else:
            return None
    return position


def _transport_stream(file: BinaryIO, head: bytes, size: int) -> int | None:
    return (size + 187) // 188 * 188


def _ogg_is_ended(tail: bytes) -> bool:
    """True when the file ends with a page, or a page that ends the stream is followed by something else.

    A stream that was recorded live may lack the mark of its end (RFC 7845, 4.), so a whole last page is enough.
    """
    page = tail.rfind(b"OggS")
    while page >= 0:
        header = tail[page : page + 27]
        if len(header) == 27 and header[4] == 0:
            lengths = tail[page + 27 : page + 27 + header[26]]
            end = page + 27 + header[26] + sum(lengths)
            if len(lengths) == header[26] and (end == len(tail) or (end < len(tail) and header[5] & 4)):
                return True
        page = tail.rfind(b"OggS", 0, page)
    return False


def _chunks(
    file: BinaryIO, position: int, size: int, order: Literal["big", "little"]
) -> Iterator[tuple[bytes, int, int]]:
    """Name, start and length of each chunk of a RIFF or IFF file; chunks begin at even positions."""
    while position + 8 <= size:
        head = _at(file, position, 8)
        length = int.from_bytes(head[4:], order)
        yield head[:4], position + 8, length
        position += 8 + length + length % 2


def _is_placeholder(length: int) -> bool:
    """What programs write for a size when they stream: 0, or the largest number that they dare, less a header."""
    return length == 0 or 0x7FFFE000 <= length <= 0x80001000 or length >= 0xFFFFE000


def _at(file: BinaryIO, position: int, length: int) -> bytes:
    """What is there; nothing behind the last place that a file can have, where a damaged length may lead."""
    if position > sys.maxsize:
        return b""
    file.seek(position)
    return file.read(length)


_FORMATS: list[tuple[Callable[[bytes], bool], Callable[[BinaryIO, bytes, int], int | None]]] = [
    (lambda head: head[:4] in (b"RIFF", b"RIFX", b"RF64", b"BW64") and head[8:12] == b"WAVE", _riff),
    (lambda head: head[:4] == b"RIFF" and head[8:12] == b"AVI ", _avi),
    (lambda head: head[:4] == b"FORM" and head[8:12] in (b"AIFF", b"AIFC"), _aiff),
    (lambda head: head[:4] == b"riff" and head[24:28] == b"wave", _w64),
    (lambda head: head[:4] == b".snd", _au),
    (lambda head: head[:4] == b"caff", _caf),
    (lambda head: head[:8] == b"NIST_1A\n", _nist),
    (lambda head: head[4:8] in (b"ftyp", b"moov", b"mdat", b"wide", b"styp"), _mp4),
    (lambda head: head[:4] == b"\x1aE\xdf\xa3", _ebml),
    (lambda head: head[:4] == b"\0\0\1\xba", _program_stream),
    (lambda head: head[:1] == b"\x47" and head[188:189] == b"\x47" and head[376:377] == b"\x47", _transport_stream),
]
