"""Whisper (Radford et al., 2212.04356) as a judge: `--judge whisper[:PATH or hub id]`.

A checkpoint of openai-whisper (`*.pt`) is heard through that package, a folder or hub id through transformers; large-v3
from the hub unless named. What a benchmark's protocol says of the recogniser comes with each ask ("window"):

- `30s`: the first 30 s in one window, in the language and as a transcription, greedy, no time stamps (seed-tts-eval);
- `long`: all of it, window by window along its time stamps, in the language that Whisper finds.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from harness.contracts import JudgeOptions
from harness.failures import UsageError
from harness.files import at_home
from harness.needs import Need, says
from harness.texts import unread
from harness.types import Ask
from tasks.judges.speech.hearing import Hearing
from tasks.judges.speech.located import (
    Located,
    located,
    need_files,
    need_package,
    need_whole,
    needed,
    opening,
    package,
    whole,
)
from tasks.judges.speech.sound import RATE, heard, recording

DEFAULT = "openai/whisper-large-v3"
SHORT_NAMES = {f"large{end}": f"openai/whisper-large{end}" for end in ("-v2", "-v3", "-v3-turbo")}
FILES = (
    "config.json",
    "preprocessor_config.json",
    ("tokenizer.json", "vocab.json"),
    ("model.safetensors", "model.safetensors.index.json"),
)
PATTERNS = (
    "config.json", "generation_config.json", "preprocessor_config.json", "model.safetensors", "model-*.safetensors",
    "model.safetensors.index.json", "tokenizer.json", "tokenizer_config.json", "vocab.json", "merges.txt",
    "normalizer.json", "added_tokens.json", "special_tokens_map.json",
)  # fmt: skip
WINDOW_S = 30
LANGUAGES = {"en": "english", "zh": "chinese"}
REQUEST = 1
"""Raised when a recording is put to Whisper in another way: what was judged before is then judged anew."""


def one_window(ask: Ask) -> bool:
    """Whether the protocol hears one window. Raises ValueError for a setting that is unknown."""
    window = dict(ask.settings).get("window", "long")
    if window not in ("30s", "long"):
        raise ValueError(f"no window {window!r}; there are 30s and long")
    return window == "30s"


class Transformers:
    """A folder in transformers' layout, or the hub. Long form runs in half precision on a GPU, one window never."""

    name = "whisper"
    roles: tuple[str, ...] = ("recogniser-en", "recogniser-zh")

    def __init__(self, weights: Located, device: str) -> None:
        self._weights, self._device = weights, device
        if weights.path is not None:
            need_files("whisper", weights.path, FILES)

    def fingerprint(self) -> Mapping[str, Any]:
        half = self._device.startswith("cuda")
        return {
            "model": self._weights.name,
            **self._weights.pin,
            "library": "transformers",
            "half": half,
            "by": REQUEST,
        }

    def load(self) -> _Pair:
        return _Pair(self._weights.folder(), self._device)

    def said(self, loaded: _Pair, ask: Ask) -> str:
        if one_window(ask):
            return loaded.window(heard(recording(ask), "scipy"), dict(ask.settings).get("language"))
        return loaded.long(heard(recording(ask)))


class _Pair:
    """Whisper and its processor."""

    def __init__(self, folder: Path, device: str) -> None:
        from transformers import WhisperForConditionalGeneration, WhisperProcessor

        with opening("whisper", folder):
            model: Any = whole(WhisperForConditionalGeneration, folder)
            self._processor: Any = WhisperProcessor.from_pretrained(folder, local_files_only=True)
        self._model = model.float().to(device).eval()
        self._device = device
        self._pipeline: Any = None

    def window(self, samples: Any, language: str | None) -> str:
        import torch

        cut = samples[: WINDOW_S * RATE]
        features = self._processor(cut, sampling_rate=RATE, return_tensors="pt").input_features.to(self._device)
        with torch.inference_mode():
            ids = self._model.generate(features, **self._told(language))
        return str(self._processor.batch_decode(ids, skip_special_tokens=True)[0]).strip()

    def _told(self, language: str | None) -> dict[str, str]:
        """An English model takes no language."""
        if not getattr(self._model.generation_config, "is_multilingual", True) or language is None:
            return {}
        return {"language": LANGUAGES[language], "task": "transcribe"}

    def long(self, samples: Any) -> str:
        import torch
        from transformers import pipeline

        if self._pipeline is None:
            half = torch.float16 if self._device.startswith("cuda") else torch.float32
            self._pipeline = pipeline(
                "automatic-speech-recognition",
                model=self._model if half == torch.float32 else self._model.half(),
                tokenizer=self._processor.tokenizer,
                feature_extractor=self._processor.feature_extractor,
                device=self._device,
            )
        found = self._pipeline({"raw": samples, "sampling_rate": RATE}, return_timestamps=True)
        return str(found["text"]).strip()


class OpenAi:
    """A checkpoint of openai-whisper, through that package."""

    name = "whisper"
    roles: tuple[str, ...] = ("recogniser-en", "recogniser-zh")

    def __init__(self, weights: Located, device: str) -> None:
        assert weights.path is not None
        need_package("whisper", "whisper")
        need_whole("whisper", weights.path)
        self._weights, self._path, self._device = weights, weights.path, device

    def fingerprint(self) -> Mapping[str, Any]:
        half = self._device.startswith("cuda")
        return {"model": self._path.name, **self._weights.pin, "library": "openai-whisper", "half": half, "by": REQUEST}

    def load(self) -> Any:
        import torch
        import whisper

        try:  # the package's own loader reads the file again, only after it is known to hold nothing but tensors
            torch.load(self._path, map_location="cpu", weights_only=True, mmap=True)
            return whisper.load_model(str(self._path), self._device)
        except Exception as error:
            raise UsageError(
                f"--judge whisper:{self._path}: no checkpoint of openai-whisper ({unread(error)})"
            ) from error

    def said(self, loaded: Any, ask: Ask) -> str:
        import torch
        import whisper

        half = self._device.startswith("cuda")
        if one_window(ask):
            language = dict(ask.settings).get("language") if loaded.is_multilingual else "en"
            samples = whisper.pad_or_trim(heard(recording(ask), "scipy"))
            mel = whisper.log_mel_spectrogram(samples, loaded.dims.n_mels).to(self._device)
            options = whisper.DecodingOptions(language=language, without_timestamps=True, fp16=False)
            return str(whisper.decode(loaded, mel, options).text).strip()
        with torch.random.fork_rng():  # it draws where a window cannot be heard greedily
            torch.manual_seed(0)
            return str(whisper.transcribe(loaded, heard(recording(ask)), fp16=half)["text"]).strip()


def _needs(options: JudgeOptions) -> list[Need]:
    text = options.weights or DEFAULT
    weights = needed("whisper", SHORT_NAMES.get(text, text), PATTERNS, FILES)
    by_openai = weights.place == "folder" and at_home(text).is_file()
    return [weights, *([package("whisper")] if by_openai else [])]


@says(_needs)
def whisper(options: JudgeOptions) -> Hearing[Any]:
    """Raises UsageError where the package, the file or the folder is missing or not whole."""
    text = options.weights or DEFAULT
    weights = located("whisper", SHORT_NAMES.get(text, text), PATTERNS)
    if weights.path is not None and weights.path.is_file():
        return Hearing(OpenAi(weights, options.device))
    return Hearing(Transformers(weights, options.device))
