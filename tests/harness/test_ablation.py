"""Blank inputs are as long and as large as what they stand for, and the run says so."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile

from harness.ablation import GREY, blank, blanked
from harness.failures import UsageError
from harness.media import Clip
from harness.run import start
from harness.types import (
    Failure,
    Generation,
    LoadedRequest,
    Media,
    Message,
    Picture,
    Ready,
    Request,
    Response,
    Waveform,
)
from tests.harness.test_media import write_video
from tests.harness.toy import ToyModel, accuracy, config, objects, toy_task

NOISE = np.random.default_rng(0).normal(size=800).astype(np.float32)


def test_only_the_named_kind_is_blanked() -> None:
    picture = Picture(np.zeros((4, 6, 3), np.uint8))
    messages = (Message("user", (Media("image", "a.png"), Media("audio", "a.wav"))),)
    request = LoadedRequest(Request("1", messages, Generation()), (picture, Waveform(NOISE, 8000)))
    image, audio = blanked(request, "image").media
    assert isinstance(image, Picture) and image.pixels.shape == (4, 6, 3) and (image.pixels == GREY).all()
    assert audio is request.media[1]
    image, audio = blanked(request, "audio").media
    assert image is picture
    assert isinstance(audio, Waveform) and audio.rate == 8000 and len(audio.samples) == 800
    assert not audio.samples.any()


def test_a_blank_clip_keeps_its_length(tmp_path: Path) -> None:
    write_video(tmp_path / "a.mp4")
    with Clip.open(Media("video", str(tmp_path / "a.mp4"))) as clip:
        grey = blank(clip)
        assert not isinstance(grey, (Waveform, Picture))
        assert (grey.fps, grey.n_frames) == (clip.fps, clip.n_frames)
        assert all((frame == GREY).all() and frame.shape == (32, 32, 3) for frame in grey.frames([0, 7]))


class Hears(ToyModel):
    """Answers right when it hears anything."""

    def generate(self, batch: Iterable[Ready], rows: int) -> Iterator[tuple[int, Response | Failure]]:
        for index, ready in enumerate(batch):
            heard = any(isinstance(m, Waveform) and m.samples.any() for m in ready.inputs.media)
            yield index, self.answer(ready.request) if heard else Response("?")


def test_a_run_without_its_audio_says_so(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", NOISE, 8000)
    rows = [{"i": i, "sample_id": str(i), "media": str(tmp_path / "a.wav")} for i in range(9)]
    spoken = toy_task(rows, inputs=frozenset({"audio"}))
    scores, asked = {}, {}
    for ablate in (None, "audio"):
        run = start(config(ablate=ablate), tmp_path / f"run-{ablate}", objects(spoken, model=Hears()))
        assert run.manifest().config["ablate"] == ablate
        scores[ablate] = accuracy(run.results())
        asked[ablate] = {record.request for record in run.records("toy")}
    assert scores == {None: 100, "audio": 0}
    assert not asked[None] & asked["audio"], "what is asked for without its sound is another request"
    with pytest.raises(UsageError, match="none of the tasks takes image"):
        start(config(ablate="image"), tmp_path / "other", objects(spoken, model=Hears()))
