"""What the headers of an MP3 say: whether it is one, how many frames it has, how long a frame is."""

from __future__ import annotations

from pathlib import Path

_KBITS = {
    True: (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    False: (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
"""Of layer III, for MPEG 1 and for MPEG 2 and 2.5 (ISO 11172-3, 13818-3)."""
_RATES = (44100, 48000, 32000)
_HALVINGS = {3: 0, 2: 1, 0: 2}


def is_mp3(path: Path) -> bool:
    """True when the file's sound begins with a frame of MPEG layer III."""
    return frame_length(_sound(path)) > 0


def frames_declared(path: Path) -> int:
    """Frames by the Xing, Info or VBRI header, itself not counted; 0 without one, or where the file is no MP3."""
    data = _sound(path)
    if not frame_length(data):
        return 0
    mpeg1, mono = data[1] & 0x18 == 0x18, data[3] & 0xC0 == 0xC0
    side = (17 if mono else 32) if mpeg1 else (9 if mono else 17)
    header = data[4 + side :]
    if header[:4] in (b"Xing", b"Info") and header[7] & 1:
        return int.from_bytes(header[8:12], "big")
    return int.from_bytes(data[50:54], "big") if data[36:40] == b"VBRI" else 0


def frame_length(head: bytes) -> int:
    """Bytes of the frame that these bytes begin, 0 when they begin none of layer III with a stated bit rate."""
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE6 != 0xE2:
        return 0
    version, kbits, rate = head[1] >> 3 & 3, head[2] >> 4, head[2] >> 2 & 3
    if version == 1 or rate == 3 or not 0 < kbits < 15:
        return 0
    mpeg1 = version == 3
    hertz = _RATES[rate] >> _HALVINGS[version]
    return (144 if mpeg1 else 72) * _KBITS[mpeg1][kbits - 1] * 1000 // hertz + (head[2] >> 1 & 1)


def _sound(path: Path) -> bytes:
    """The first bytes after the ID3v2 tags."""
    start = 0
    with path.open("rb") as file:
        for _ in range(16):
            file.seek(start)
            head = file.read(256)
            if not (size := _tag_size(head)):
                break
            start += size
        return head


def _tag_size(head: bytes) -> int:
    if head[:3] != b"ID3" or len(head) < 10:
        return 0
    size = 0
    for byte in head[6:10]:
        size = size << 7 | byte & 0x7F
    return 10 + size + (10 if head[5] & 0x10 else 0)
