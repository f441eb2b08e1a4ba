"""Paraformer (Gao et al., Interspeech 2022) as a judge of Mandarin: `--judge paraformer-zh[:FOLDER]`, through funasr.

As seed-tts-eval calls it: no voice activity detection, no punctuation, `batch_size_s=300`. Without a folder funasr
fetches it from ModelScope (`iic/speech_seaco_paraformer_large_asr_nat-zh-cn-16k-common-vocab8404-pytorch`).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from harness.contracts import JudgeOptions
from harness.failures import UsageError
from harness.files import at_home
from harness.needs import Need, says
from harness.offline import is_offline
from harness.supply.places import Places, scope_folders
from harness.texts import unread
from harness.types import Ask
from tasks.judges.speech.hearing import Hearing
from tasks.judges.speech.located import located, need_files, need_package, needed, package
from tasks.judges.speech.sound import RATE, heard, recording

DEFAULT = "iic/speech_seaco_paraformer_large_asr_nat-zh-cn-16k-common-vocab8404-pytorch"
REVISION = "v2.0.4"
FILES = (("config.yaml", "configuration.json"), "model.pt", "tokens.json", "am.mvn")
REQUEST = 1


FRAME = 400
"""Samples of a frame of 25 ms."""
_REMEDY = "name a local copy: --judge paraformer-zh:FOLDER"


def _kept() -> list[Path]:
    """Where ModelScope's library may have put the default."""
    return scope_folders(DEFAULT, Places.of().modelscope)


class Paraformer:
    name = "paraformer-zh"
    roles: tuple[str, ...] = ("recogniser-zh",)

    def __init__(self, folder: str | None, device: str) -> None:
        need_package("paraformer-zh", "funasr")
        self._folder = None if folder is None else at_home(folder)
        self._device = device
        if self._folder is None:
            self._pin: Mapping[str, str] = {"hub": DEFAULT, "revision": REVISION}
            if is_offline() and not any(map(Path.is_dir, _kept())):
                raise UsageError(
                    f"the judge paraformer-zh is not in ModelScope's cache, and the network is switched off: {_REMEDY}"
                )
            return
        if not self._folder.is_dir():  # funasr would take it for the name of a model and ask for it for a long time
            raise UsageError(f"--judge paraformer-zh:{folder}: there is no such folder")
        need_files("paraformer-zh", self._folder, FILES)
        self._pin = located("paraformer-zh", str(self._folder)).pin

    def fingerprint(self) -> Mapping[str, Any]:
        model = DEFAULT if self._folder is None else self._folder.name
        return {"model": model, **self._pin, "library": "funasr", "by": REQUEST}

    def load(self) -> Any:
        import torch
        from funasr import AutoModel

        folder = self._folder
        if folder is None and is_offline():  # its library would ask ModelScope also for what is there
            folder = next(filter(Path.is_dir, _kept()), None)
        named = {"model": str(folder)} if folder else {"model": DEFAULT, "model_revision": REVISION}
        try:  # the library's own loader reads the file again, only after it is known to hold nothing but tensors
            if folder:
                torch.load(folder / "model.pt", map_location="cpu", weights_only=True, mmap=True)
            return AutoModel(**named, device=self._device, disable_update=True, disable_pbar=True, log_level="ERROR")
        except Exception as error:
            where = self._folder or DEFAULT
            raise UsageError(f"the judge paraformer-zh cannot be opened from {where}: {unread(error)}") from error

    def said(self, loaded: Any, ask: Ask) -> str:
        samples = heard(recording(ask), "scipy")
        if len(samples) < FRAME:  # at one sample the library's features end the whole process
            samples = np.pad(samples, (0, FRAME - len(samples)))
        (found,) = loaded.generate(input=samples, fs=RATE, batch_size_s=300)
        return str(found["text"])


def _needs(options: JudgeOptions) -> list[Need]:
    local = needed("paraformer-zh", options.weights or DEFAULT, (), FILES)
    if options.weights is None:
        local = Need("judge", "modelscope", DEFAULT, REVISION, (), local.lacks, "", _REMEDY)
    elif local.place != "folder":
        raise UsageError(f"--judge paraformer-zh:{options.weights}: there is no such folder")
    return [local, package("funasr")]


@says(_needs)
def paraformer_zh(options: JudgeOptions) -> Hearing[Any]:
    """Raises UsageError where the package or the folder is missing or not whole."""
    return Hearing(Paraformer(options.weights, options.device))
