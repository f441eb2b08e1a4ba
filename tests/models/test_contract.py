"""What the engine relies on, of every model that the registry has under a name of its own."""

from __future__ import annotations

import json
import random
import shutil
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import cycle, islice
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
import soundfile
import torch
from PIL import Image
from safetensors.torch import load_file, save_file

from harness import media as media_files
from harness.contracts import Model, ModelOptions
from harness.engines.local import LocalEngine, prepared
from harness.plan import Planned
from harness.registry import get_model, names
from harness.schedule import Group
from harness.types import (
    Failure,
    Generation,
    LoadedRequest,
    Media,
    Message,
    Request,
    Response,
    Sample,
    Text,
)
from models.released.files import SINGLE
from models.vita15 import checkpoint
from models.vita15.adapter import MINI
from tests.models.asking import ready, responses
from tests.models.contract import FREE, NAMES, RELEASED, SPOKEN, asked, model_of


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("media")
    rng = np.random.default_rng(0)
    Image.fromarray(rng.integers(0, 256, (90, 150, 3), dtype=np.uint8)).save(folder / "a.png")
    soundfile.write(folder / "a.wav", rng.normal(0, 0.1, 16_000), 16_000)
    return {path.name: path for path in folder.iterdir()}


def of_all_kinds(model: Model, files: dict[str, Path], **settings: Any) -> list[LoadedRequest]:
    """Requests of every kind that the model takes; one that sees nothing hears more."""
    sound = media_files.reference("audio", files["a.wav"])
    sees = "image" in model.capabilities.inputs
    shown = media_files.reference("image", files["a.png"]) if sees else sound
    return [
        asked("say hello", key="0", **settings),
        asked(shown, "what is this?", key="1", **settings),
        asked(sound, key="2", **settings),
        asked("a much longer question, " * 20, key="3", **settings),
        asked(sound, shown, "and this?", key="4", **settings),
    ]


# What a model says of itself.


def test_every_name_of_the_registry_is_held_to_the_contract() -> None:
    assert set(names("models")) == {*NAMES, *RELEASED}


def test_it_says_who_it_is(model: Model) -> None:
    said = model.fingerprint()
    assert model.label == model.name and isinstance(model.note, str) and model.note
    assert len(said["digest"]) == 64 and said["released"] is False
    assert all(isinstance(line, str) for line in said["told"])
    json.dumps(said), json.dumps(model.effective(Generation()))
    assert {"text"} <= model.capabilities.inputs and {"text"} <= model.capabilities.outputs
    assert model.capabilities.channels in ("first", "mean")
    assert all(isinstance(style, str) for style in model.prompt_styles)


@pytest.mark.parametrize("name", NAMES)
def test_it_plans_before_it_is_opened_and_can_be_closed_twice(name: str, files: dict[str, Path]) -> None:
    fresh = get_model(name)(ModelOptions())
    for loaded in of_all_kinds(fresh, files):
        extents = [media_files.probe(media) for media in loaded.request.media]
        planned = fresh.prompt_tokens(loaded.request, extents)
        read = responses(model_of(name), [loaded])[0].usage.prompt_tokens
        assert abs(planned - read) <= 2 if name != "echo" else planned <= 80  # which looks at no media
    fresh.close()
    fresh.close()


# One weight, one answer of a table: another model.


def test_the_fingerprint_changes_with_one_row_of_a_table(tmp_path: Path) -> None:
    digests = set()
    for answer in ("yes", "no"):
        table = tmp_path / "table.jsonl"
        table.write_text(json.dumps({"id": "1", "response": answer}), encoding="utf-8")
        digests.add(get_model("echo")(ModelOptions(weights=str(table))).fingerprint()["digest"])
    assert len(digests) == 2


def test_the_fingerprint_changes_with_one_weight_on_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = get_model("vita15-mini")(ModelOptions()).fingerprint()["digest"]
    folder = Path(shutil.copytree(MINI, tmp_path / "weights"))
    state = load_file(folder / SINGLE)
    state["lm_head.weight"][7, 11] += 0.25
    save_file(state, folder / SINGLE, metadata={"format": "pt"})
    monkeypatch.setattr("models.vita15.adapter.MINI", folder)
    changed = get_model("vita15-mini")(ModelOptions())
    assert changed.fingerprint()["digest"] != before
    assert changed.label != "vita15-mini"


def test_the_fingerprint_changes_with_one_weight_in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    build, before = checkpoint.build, get_model("vita15-tiny")(ModelOptions()).fingerprint()["digest"]

    def nudged(*arguments: Any) -> Any:
        built = build(*arguments)
        with torch.no_grad():
            built.lm_head.weight[7, 11] += 0.25
        return built

    monkeypatch.setattr(checkpoint, "build", nudged)
    changed = get_model("vita15-tiny")(ModelOptions())
    assert changed.fingerprint()["digest"] != before


# Whatever is asked beside it, in whatever order: the same answer.


@pytest.mark.parametrize("generation", [FREE, Generation(max_new_tokens=12), replace(FREE, temperature=1.0, top_k=20)])
def test_alone_together_and_shuffled_are_the_same(model: Model, files: dict[str, Path], generation: Generation) -> None:
    batch = [
        replace(loaded, request=replace(loaded.request, generation=replace(generation, seed=10 + i)))
        for i, loaded in enumerate(of_all_kinds(model, files))
    ]
    alone = {loaded.request.sample_id: responses(model, [loaded])[0] for loaded in batch}
    assert len({answer.text for answer in alone.values()}) > 1
    for rows in (1, 2, len(batch)):
        order = random.Random(rows).sample(batch, len(batch))
        for loaded, answer in zip(order, responses(model, order, rows), strict=True):
            want = alone[loaded.request.sample_id]
            assert (answer.text, answer.raw_text, answer.truncated, answer.usage) == (
                want.text, want.raw_text, want.truncated, want.usage,
            )  # fmt: skip


def test_speech_alone_together_and_shuffled_is_the_same(speaking: Model) -> None:
    texts = ("say hello", "and good bye", "a longer question, with more words")
    settings: dict[str, Any] = {"outputs": SPOKEN, "generation": Generation(max_new_tokens=12)}
    batch = [asked(text, key=text, **settings) for text in texts]
    alone = {loaded.request.sample_id: responses(speaking, [loaded])[0] for loaded in batch}
    for loaded, answer in zip(batch[::-1], responses(speaking, batch[::-1], 2), strict=True):
        want = alone[loaded.request.sample_id]
        assert answer.text == want.text
        assert answer.speech is not None and want.speech is not None
        np.testing.assert_allclose(answer.speech.samples, want.speech.samples, atol=1e-5)


def test_items_are_pulled_as_rows_become_free(model: Model) -> None:
    """No model takes in a whole benchmark: the second half is not touched before an answer of the first is there."""
    pulled = 0
    answered = 0
    ahead: list[int] = []

    def feed() -> Any:
        nonlocal pulled
        for item in islice(cycle(ready(model, [asked("one"), asked("another one")])), 12):
            pulled += 1
            ahead.append(pulled - answered)
            yield item

    for _ in model.generate(feed(), 3):
        answered += 1
    assert pulled == answered == 12 and max(ahead) <= 4


def test_preparing_in_several_threads_gives_the_same(model: Model, files: dict[str, Path]) -> None:
    batch = of_all_kinds(model, files) * 4
    with ThreadPoolExecutor(4) as pool:
        items = list(pool.map(lambda loaded: prepared(model, loaded), batch))
    found = dict(model.generate(items, 4))
    want = responses(model, batch[:5])
    for index in range(len(batch)):
        answer = found[index]
        assert isinstance(answer, Response) and answer.text == want[index % 5].text


def test_one_bad_request_fails_alone(model: Model, files: dict[str, Path], tmp_path: Path) -> None:
    torn = tmp_path / "torn.wav"
    torn.write_bytes(files["a.wav"].read_bytes()[:1000])
    good = of_all_kinds(model, files)
    bad = [
        Request("absent", (Message("user", (Media("image", str(tmp_path / "absent.png")),)),), FREE),
        Request("torn", (Message("user", (Media("audio", str(torn)),)),), FREE),
    ]
    if model.name != "echo":  # which reads no text
        bad.append(Request("long", (Message("user", (Text("x y " * 50_000),)),), FREE))
        bad.append(Request("half", (Message("user", (Text("half \udc00"),)),), FREE))
    requests = [bad[0], good[0].request, *bad[1:], *(loaded.request for loaded in good[1:])]
    items = [Planned(cast(Any, None), Sample(r.sample_id, r.messages, {}), r, "", 0) for r in requests]
    found = {each.planned.sample.id: each.outcome for each in LocalEngine(model).answers([Group(items, 3)])}
    for request in bad:
        failure = found[request.sample_id]
        assert isinstance(failure, Failure) and failure.stage == "load" and failure.message, request.sample_id
    for loaded, want in zip(good, responses(model, good), strict=True):
        answer = found[loaded.request.sample_id]
        assert isinstance(answer, Response) and answer.text == want.text


def test_nothing_to_say_is_an_answer_without_speech(speaking: Model) -> None:
    """Of answers of one token some hold nothing to speak: a mark, half a character, a word of a model that speaks in
    tokens of its own."""
    short = Generation(max_new_tokens=1, min_new_tokens=1, temperature=2.0)
    batch = [asked("say hello", outputs=SPOKEN, generation=replace(short, seed=seed)) for seed in range(24)]
    found = responses(speaking, batch)
    assert any(answer.speech is not None for answer in found)
    if speaking.name != "nexus-o-tiny":  # which makes a sound of any token
        assert any(answer.speech is None for answer in found)
    assert all((answer.speech is None) == (answer.usage.speech_tokens == 0) for answer in found)
