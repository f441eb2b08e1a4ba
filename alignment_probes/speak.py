"""Captions as speech, made by espeak-ng where the data bring no recordings, and kept by what was asked for."""

from __future__ import annotations

import hashlib
import io
import os
import re
import shutil
import subprocess
from functools import cache
from pathlib import Path

import numpy as np
import soundfile
import soxr

from harness.failures import UsageError
from harness.media import cache_folder, encode_flac
from harness.types import Waveform

RATE = 16_000
SPEED = 175  # words a minute
ENGLISH, MANDARIN = "en-us", "cmn-latn-pinyin"
_HAN = re.compile(r"[\u3400-\u9fff]")


@cache
def synthesizer() -> str:
    """Name and version of espeak-ng, which decide the samples. Raises UsageError with the remedies."""
    program = shutil.which("espeak-ng")
    if program is None:
        raise UsageError(
            "the captions have no recordings, and espeak-ng, which would speak them, is not installed. Install it "
            "(apt-get install espeak-ng, brew install espeak-ng), or give the table a column named audio."
        )
    said = subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout
    found = re.search(r"\d+(\.\d+)+", said)
    return f"espeak-ng {found.group() if found else said.strip()}"


def voice_for(text: str) -> str:
    """Mandarin for a text with Chinese characters, else American English."""
    return MANDARIN if _HAN.search(text) else ENGLISH


def spoken(text: str) -> Path:
    """A FLAC file (16 kHz) in which the text is spoken; made once for each text, voice and version.

    Raises UsageError without espeak-ng, ValueError where it has nothing to say.
    """
    voice = voice_for(text)
    key = hashlib.sha256("\0".join((synthesizer(), voice, str(SPEED), text)).encode()).hexdigest()
    path = cache_folder() / "spoken" / key[:2] / f"{key}.flac"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_name(f"{path.name}.{os.getpid()}.part")
        partial.write_bytes(encode_flac(synthesize(text, voice)))
        partial.replace(path)
    return path


def synthesize(text: str, voice: str) -> Waveform:
    """The text in espeak-ng's voice, 16 kHz. Raises ValueError where nothing comes out of it."""
    synthesizer()
    command = ["espeak-ng", "-v", voice, "-s", str(SPEED), "--stdout", "--", text]
    done = subprocess.run(command, capture_output=True, check=False)
    try:
        samples, rate = soundfile.read(io.BytesIO(done.stdout), dtype="float32")
    except soundfile.LibsndfileError:
        samples, rate = np.zeros(0, np.float32), RATE
    if done.returncode or not np.any(samples):
        reason = done.stderr.decode(errors="replace").strip() or "it is silent"
        raise ValueError(f"espeak-ng cannot speak the caption {text[:60]!r} with voice {voice}: {reason}")
    return Waveform(soxr.resample(samples, rate, RATE).astype(np.float32), RATE)
