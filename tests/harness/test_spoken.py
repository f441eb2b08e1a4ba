"""Speech in the engine: what is asked of a model that speaks, voices, reference recordings, and their judges."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from harness.contracts import Capabilities
from harness.failures import UsageError
from harness.judging import check_judges
from harness.media import reference
from harness.run import start
from harness.store import RunDir
from harness.task import Row, Task
from harness.types import LoadedRequest, Media, Message, Response, Text, Waveform
from tests.harness.conftest import Call
from tests.harness.toy import TASK, ToyModel, config, numbered, objects, toy_task
from tests.harness.toy_judge import HEARD


@pytest.fixture
def voice(tmp_path: Path) -> Media:
    path = tmp_path / "voice.wav"
    soundfile.write(path, np.full(800, 0.5, np.float32), 16_000)
    return reference("audio", path)


class Speaks(ToyModel):
    """Says what it is asked in the voice that it is given: as loud."""

    capabilities = Capabilities(frozenset({"text", "audio"}), frozenset({"text", "speech"}), clones_voice=True)

    def __init__(self) -> None:
        super().__init__()
        self.voices: list[float] = []

    def prepare(self, loaded: LoadedRequest) -> Any:
        if loaded.voice is not None:
            self.voices.append(float(loaded.voice.samples.max()))
        return loaded

    def answer(self, request: Any) -> Any:
        said = super().answer(request)
        loud = np.full(400, int(request.sample_id) / 10, np.float32)
        return Response(said.text, Waveform(loud, 16_000) if "speech" in request.outputs else None)


class Sings(Speaks):
    capabilities = replace(Speaks.capabilities, clones_voice=False)


def spoken_task(voice: Media, **changes: Any) -> Task:
    def recordings(row: Row) -> dict[str, Media]:
        return {"voice": voice, "reference": voice}

    return replace(toy_task(numbered(4)), name="toy_spoken", recordings=recordings, outputs=("speech",), **changes)


def test_a_voice_goes_to_a_model_that_clones_one_and_to_no_other(voice: Media, tmp_path: Path) -> None:
    task = spoken_task(voice)
    for model, given in ((Speaks(), {"voice", "reference"}), (Sings(), {"reference"})):
        run = start(config(task), tmp_path / type(model).__name__, objects(task, model=model))
        (record, *_) = run.records("toy_spoken")
        assert set(record.recordings) == given
        assert record.recordings["reference"].sha256 == voice.sha256
        assert len(model.voices) == (4 if "voice" in given else 0)


def test_a_voice_is_heard_by_the_channels_that_the_model_hears(tmp_path: Path) -> None:
    path = tmp_path / "stereo.wav"
    soundfile.write(path, np.tile(np.array([0.5, 0.25], np.float32), (800, 1)), 16_000)
    task, loud = spoken_task(reference("audio", path)), {}
    for channels in ("first", "mean"):
        model = Speaks()
        model.capabilities = replace(Speaks.capabilities, channels=channels)
        start(config(task), tmp_path / channels, objects(task, model=model))
        loud[channels] = model.voices[0]
    assert loud == {"first": pytest.approx(0.5, abs=1e-3), "mean": pytest.approx(0.375, abs=1e-3)}


def test_another_voice_is_another_request(voice: Media, tmp_path: Path) -> None:
    other = tmp_path / "other.wav"
    soundfile.write(other, np.full(800, 0.25, np.float32), 16_000)
    prints = []
    for number, media in enumerate((voice, reference("audio", other))):
        task = spoken_task(media)
        run = start(config(task), tmp_path / str(number), objects(task, model=Speaks()))
        prints.append([record.request for record in run.records("toy_spoken")])
    assert not set(prints[0]) & set(prints[1])


def test_a_voice_that_is_missing_fails_its_samples_and_says_so(voice: Media, tmp_path: Path) -> None:
    task = spoken_task(replace(voice, path=str(tmp_path / "gone.wav"), sha256=""))
    run = start(config(task), tmp_path / "run", objects(task, model=Speaks()))
    failures = [record.failure for record in run.records("toy_spoken")]
    assert all(failure is not None and "gone.wav" in failure.message for failure in failures)


def test_speech_is_asked_for_where_a_model_can_give_it(toys: None, tmp_path: Path) -> None:
    task = replace(HEARD, judges={}, without_judge=())
    for model, outputs in ((ToyModel(), ["text"]), (Sings(), ["text", "speech"])):
        run = start(config(task, judge="none"), tmp_path / type(model).__name__, objects(task, model=model))
        assert run.manifest().tasks["toy_heard"].outputs == outputs
        (record, *_) = run.records("toy_heard")
        assert record.response is not None and (record.response.speech is not None) == ("speech" in outputs)


def test_a_judge_for_one_role_comes_before_one_for_several(toys: None) -> None:
    with pytest.raises(UsageError, match="both take the role recogniser-en"):
        check_judges([HEARD.asking(["speech"])], ("toy-ear", "toy-ear:other"))
    assert "recogniser-zh" in check_judges([HEARD.asking(["speech"])], ("toy-ear",))


def test_the_mini_world_has_judges_of_its_own() -> None:
    task = replace(HEARD, mini_judges={"recogniser-en": "small-ear"})
    assert task.asking(["speech"], mini=True).needs == {"recogniser-en": "small-ear"}
    assert task.asking(["speech"]).needs == {"recogniser-en": "toy-ear"}
    assert task.asking(["text"]).needs == {}, "nobody listens where nothing is said"


def test_recordings_of_a_responses_file_reach_the_scorer(call: Call, toys: None, tmp_path: Path) -> None:
    soundfile.write(tmp_path / "said.wav", np.full(800, 0.3, np.float32), 16_000)
    line = {"id": "3", "doc": {"i": 3, "answer": "3"}, "response": "3", "speech": "said.wav",
            "recordings": {"reference": "said.wav"}}  # fmt: skip
    (tmp_path / "f.jsonl").write_text(json.dumps(line))
    told = json.loads(call("score", "--task", "toy_heard", "--responses", tmp_path / "f.jsonl", "--json").out)
    assert told["metrics"]["accuracy"]["value"] == 100
    assert told["scores"]["exact"]["speech"]["metrics"]["accuracy"]["value"] == 100


def test_a_transcript_can_be_cut_by_its_references_length_and_that_is_marked(tmp_path: Path) -> None:
    task = replace(TASK, reference=lambda doc: "x" * doc["i"])
    model = ToyModel()
    run = start(config(task, limit=3, oracle_length_cap=True), tmp_path / "run", objects(task, model=model))
    assert [request.generation.max_new_tokens for request in model.asked] == [10, 11, 12]
    assert run.manifest().config["oracle_length_cap"] is True
    with pytest.raises(UsageError, match="none of the tasks is a transcript"):
        start(config(oracle_length_cap=True), tmp_path / "other", objects(TASK, model=ToyModel()))


def test_seconds_of_sound_asked_about_are_kept(voice: Media, tmp_path: Path) -> None:
    asked = {
        "plain": replace(TASK.presets["plain"], messages=lambda row: (Message("user", (voice, Text("what is 1?"))),))
    }
    task = replace(toy_task(numbered(5)), presets=asked)
    run = start(config(task), tmp_path / "run", objects(task, model=ToyModel()))
    entry = run.results().tasks["toy"]
    assert entry.audio_s == pytest.approx(5 * 800 / 16_000)
    assert entry.seconds > 0 and RunDir.open(tmp_path / "run").results().tasks["toy"].audio_s == entry.audio_s
