"""Requests of any origin, answered by the engine; and media that the model does not take."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import soundfile

from harness.contracts import Capabilities
from harness.direct import answers
from harness.media import reference
from harness.run import start
from harness.store import RunDir
from harness.types import Failure, Generation, Message, Request, Response, Text
from tests.harness.toy import ToyModel, config, fake_audio, numbered, objects, toy_task


class Deaf(ToyModel):
    capabilities = Capabilities(frozenset({"text"}), frozenset({"text"}))


def test_every_request_is_answered_once_under_its_place(tmp_path: Path) -> None:
    model = ToyModel()
    model.open()
    soundfile.write(tmp_path / "a.wav", np.zeros(1600), 16000)
    sound = reference("audio", tmp_path / "a.wav")
    asked = [
        Request("", (Message("user", (*([sound] if i % 3 == 0 else []), Text(f"what is {i}?"))),), Generation(4))
        for i in range(20)
    ]
    found = dict(answers(model, asked, 64))
    assert sorted(found) == list(range(20))
    assert all(isinstance(one, Response) and one.text == str(i) for i, one in found.items())


def test_a_medium_that_the_model_does_not_take_is_a_failure_and_not_asked(tmp_path: Path) -> None:
    sound = fake_audio(tmp_path)
    model = Deaf()
    model.open()
    asked = [Request("", (Message("user", (reference("audio", sound), Text("what is 1?"))),), Generation(4))]
    ((_, failure),) = answers(model, asked, 64)
    assert isinstance(failure, Failure) and failure.kind == "unsupported" and "takes no audio" in failure.message

    rows = numbered(4)
    rows[1]["media"] = str(sound)
    run = start(config(), tmp_path / "run", objects(toy_task(rows), model=Deaf()))
    failed = [record.failure for record in RunDir.open(run.path).records("toy") if record.failure]
    assert [(one.stage, one.kind) for one in failed] == [("load", "unsupported")]
    assert failed[0].message == "row 1: model toy-model takes no audio"
