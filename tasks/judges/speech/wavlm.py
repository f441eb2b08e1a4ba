"""WavLM (Chen et al., 2110.13900) with a speaker verification head as a judge of voices: `--judge wavlm-sv[:FOLDER]`.

It is asked about one recording at a time and says its embedding, a JSON list of unit length; scorers compare two. The
papers' SIM is by another head (WavLM large fine-tuned with ECAPA-TDNN), so that its values do not compare with theirs.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from harness.contracts import JudgeOptions
from harness.needs import Need, says
from harness.types import Ask
from tasks.judges.speech.hearing import Hearing
from tasks.judges.speech.located import Located, located, need_files, needed, opening, whole
from tasks.judges.speech.sound import RATE, heard, recording

DEFAULT = "microsoft/wavlm-base-plus-sv"
FILES = ("config.json", "preprocessor_config.json", ("model.safetensors", "pytorch_model.bin"))
PATTERNS = ("config.json", "preprocessor_config.json", "model.safetensors", "pytorch_model.bin")
DIGITS = 7
SHORTEST = 5_200
"""Samples (0.325 s): fewer leave less than two frames behind the head's convolutions, which have no deviation."""
REQUEST = 1


class WavLm:
    name = "wavlm-sv"
    roles: tuple[str, ...] = ("speaker",)

    def __init__(self, weights: Located, device: str) -> None:
        self._weights, self._device = weights, device
        if weights.path is not None:
            need_files("wavlm-sv", weights.path, FILES)

    def fingerprint(self) -> Mapping[str, Any]:
        return {"model": self._weights.name, **self._weights.pin, "library": "transformers", "by": REQUEST}

    def load(self) -> tuple[Any, Any]:
        from transformers import Wav2Vec2FeatureExtractor, WavLMForXVector

        folder = self._weights.folder()
        with opening(self.name, folder):
            model: Any = whole(WavLMForXVector, folder)
            extractor = Wav2Vec2FeatureExtractor.from_pretrained(folder, local_files_only=True)
        return model.float().to(self._device).eval(), extractor

    def said(self, loaded: tuple[Any, Any], ask: Ask) -> str:
        import torch

        model, extractor = loaded
        samples = heard(recording(ask))
        if len(samples) < SHORTEST or not samples.any():
            raise ValueError(f"{len(samples) / RATE:.3f} s of sound, or silence, has no voice to be compared")
        inputs = extractor(samples, sampling_rate=RATE, return_tensors="pt").to(self._device)
        with torch.inference_mode():
            embedding = torch.nn.functional.normalize(model(**inputs).embeddings, dim=-1)[0]
        if not embedding.isfinite().all():
            raise ValueError(f"the model made no embedding of {len(samples) / RATE:.3f} s of sound: it is not finite")
        return json.dumps([round(value, DIGITS) for value in embedding.cpu().tolist()])


def _needs(options: JudgeOptions) -> list[Need]:
    return [needed("wavlm-sv", options.weights or DEFAULT, PATTERNS, FILES)]


@says(_needs)
def wavlm_sv(options: JudgeOptions) -> Hearing[Any]:
    """Raises UsageError where the folder is missing or not whole."""
    return Hearing(WavLm(located("wavlm-sv", options.weights or DEFAULT, PATTERNS), options.device))
