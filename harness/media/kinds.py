"""What a file's first bytes say it is."""

from __future__ import annotations

_MAGICS = {
    b"RIFF": ".wav",
    b"RF64": ".wav",
    b"FORM": ".aiff",
    b"riff": ".w64",
    b"fLaC": ".flac",
    b"OggS": ".ogg",
    b"ID3": ".mp3",
    b"#!AMR": ".amr",
    b"\x1aE\xdf\xa3": ".mkv",
    b"\x89PNG": ".png",
    b"\xff\xd8": ".jpg",
    b"GIF8": ".gif",
    b"BM": ".bmp",
    b"II*\0": ".tif",
    b"MM\0*": ".tif",
}
_RIFFS = {b"WEBP": ".webp", b"AVI ": ".avi"}
_BRANDS = {b"avif": ".avif", b"avis": ".avif", b"M4A ": ".m4a", b"qt  ": ".mov"}
_MP3_HEADS = (b"\xff\xfb", b"\xff\xfa", b"\xff\xf3", b"\xff\xf2", b"\xff\xe3", b"\xff\xe2")


def suffix_of(content: bytes) -> str:
    """The usual file ending for a content, ".bin" when it is not known."""
    if content[:4] == b"RIFF" and content[8:12] in _RIFFS:
        return _RIFFS[content[8:12]]
    if content[4:8] == b"ftyp":
        return _BRANDS.get(content[8:12], ".mp4")
    if content[:2] in _MP3_HEADS:
        return ".mp3"
    if content[:2] in (b"\xff\xf1", b"\xff\xf9"):
        return ".aac"
    if content[:4] == b"\x1aE\xdf\xa3" and b"webm" in content[:64]:
        return ".webm"
    return next((suffix for magic, suffix in _MAGICS.items() if content.startswith(magic)), ".bin")
