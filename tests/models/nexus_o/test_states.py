"""Features for probes: content alone, mean embeddings a modality, the last token's state of every layer."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from harness.contracts import ProbeStage
from harness.types import Failure, Generation, LoadedRequest, Media, Message, Picture, Request, States, Text, Waveform
from models.nexus_o.config import NexusConfig
from models.nexus_o.omni import Kind, Nexus, build
from models.nexus_o.states import ContentProcessor, hidden_states
from models.text.tokenizer import byte_tokenizer

TINY = NexusConfig.tiny()
TOKENIZER = byte_tokenizer()
PROCESS = ContentProcessor(TINY, TOKENIZER)
PICTURE = Picture(np.random.default_rng(0).integers(0, 256, (56, 84, 3), dtype=np.uint8))
SOUND = Waveform(np.sin(np.arange(8000) * 0.1).astype(np.float32), 16_000)


def loaded(*parts: str | Picture | Waveform) -> LoadedRequest:
    shown = [
        Text(part) if isinstance(part, str) else Media("image" if isinstance(part, Picture) else "audio", "x")
        for part in parts
    ]
    contents = tuple(part for part in parts if not isinstance(part, str))
    return LoadedRequest(Request("1", (Message("user", tuple(shown)),), Generation()), contents)


@pytest.fixture(scope="module")
def model() -> Nexus:
    return build(TINY, 0)


def states(model: Nexus, batch: list[LoadedRequest], stage: ProbeStage) -> list[States | Failure]:
    return [found for _, found in sorted(hidden_states(model, PROCESS, batch, stage), key=lambda item: item[0])]


@torch.inference_mode()
def test_each_modality_has_the_mean_of_its_embeddings(model: Nexus) -> None:
    (found,) = states(model, [loaded(PICTURE, SOUND, "a cat", PICTURE)], "unembedding")
    assert isinstance(found, States)
    assert found.tokens == {"text": 5, "image": 12, "audio": 5}
    inputs = PROCESS(loaded(PICTURE, SOUND, "a cat", PICTURE))
    ids = torch.tensor(TOKENIZER.encode("a cat"))
    want = {
        "text": model.model.language_model.embed_tokens(ids).mean(0),
        "image": model.encode_picture(inputs.pictures[0]).mean(0),
        "audio": model.encode_audio(inputs.audio[0]).mean(0),
    }
    for name, vector in want.items():
        np.testing.assert_allclose(found.vectors[name], vector.numpy(), atol=1e-6)


@torch.inference_mode()
def test_states_of_the_last_token_do_not_depend_on_the_batch(model: Nexus) -> None:
    batch = [loaded("a cat"), loaded(PICTURE), loaded(PICTURE, SOUND)]
    together = states(model, batch, "embedding")
    for request, found in zip(batch, together, strict=True):
        (alone,) = states(model, [request], "embedding")
        assert isinstance(found, States) and isinstance(alone, States)
        assert found.vectors["last"].shape == (TINY.language.num_hidden_layers + 1, TINY.language.hidden_size)
        np.testing.assert_allclose(found.vectors["last"], alone.vectors["last"], atol=1e-5)
        inputs = PROCESS(request)
        assert found.tokens == {"last": inputs.n_tokens}
        np.testing.assert_allclose(found.vectors["last"][0], model.embed(inputs)[-1].numpy(), atol=1e-6)
        np.testing.assert_allclose(found.vectors["last"][-1], model.hidden([inputs])[0, -1].numpy(), atol=1e-5)


def test_the_last_token_is_the_contents(model: Nexus) -> None:
    assert PROCESS(loaded("a cat", PICTURE)).kinds[-1] == Kind.IMAGE
    assert PROCESS(loaded(PICTURE, "a cat")).ids[-1] == TOKENIZER.encode("t")[0]


def test_a_request_without_content_fails_alone(model: Nexus) -> None:
    found = states(model, [loaded(""), loaded("a cat")], "unembedding")
    assert isinstance(found[0], Failure) and "no content" in found[0].message
    assert isinstance(found[1], States)
