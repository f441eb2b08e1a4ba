"""States of VITA-1.5 for probes: what they are the mean or the last of, and what must not change them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose

from harness.contracts import ModelOptions, ProbeStage
from harness.types import (
    Decoded,
    Failure,
    Generation,
    LoadedRequest,
    Media,
    Message,
    Part,
    Picture,
    Pictures,
    Request,
    States,
    Text,
    Waveform,
)
from models.text.tokenizer import byte_tokenizer
from models.vita15 import checkpoint
from models.vita15.adapter import vita15_tiny
from models.vita15.config import Vita15Config
from models.vita15.omni import Vita15
from models.vita15.processor import collate
from models.vita15.states import ContentProcessor, hidden_states

TOLERANCE = 1e-5


@pytest.fixture(scope="module")
def model() -> Vita15:
    return checkpoint.build(Vita15Config.tiny(), 0, "cpu", torch.float32)


@pytest.fixture(scope="module")
def processor(model: Vita15) -> ContentProcessor:
    return ContentProcessor(model.config, byte_tokenizer())


def request(*parts: Part, media: Sequence[Decoded] = ()) -> LoadedRequest:
    return LoadedRequest(
        Request("r", (Message("user", tuple(parts)),), Generation(), pictures=Pictures(1)), tuple(media)
    )


def mixed(count: int) -> list[LoadedRequest]:
    """Pictures, speech and captions of unequal sizes and lengths."""
    rng = np.random.default_rng(3)
    made = []
    for i in range(count):
        picture = Picture(rng.integers(0, 255, (40 + 11 * i, 60, 3), dtype=np.uint8))
        speech = Waveform(rng.normal(0, 0.1, 6000 + 4000 * ((3 * i) % count)).astype(np.float32), 16_000)
        parts = (Media("image", "i.png"), Media("audio", "a.wav"), Text("a red ring" + "!" * ((2 * i) % count)))
        made.append(request(*parts, media=(picture, speech)))
    return made


def states_of(
    model: Vita15, processor: ContentProcessor, batch: Sequence[LoadedRequest], stage: ProbeStage
) -> list[States]:
    found = dict(hidden_states(model, processor, batch, stage))
    assert sorted(found) == list(range(len(batch)))
    return [states for place in range(len(batch)) if isinstance(states := found[place], States)]


@pytest.mark.parametrize("stage", ["unembedding", "embedding"])
def test_batch_size_and_sample_order_change_no_feature(
    model: Vita15, processor: ContentProcessor, stage: ProbeStage
) -> None:
    batch = mixed(5)
    together = states_of(model, processor, batch, stage)
    backwards = states_of(model, processor, batch[::-1], stage)[::-1]
    alone = [states_of(model, processor, [one], stage)[0] for one in batch]
    for first, second, third in zip(together, backwards, alone, strict=True):
        assert first.tokens == second.tokens == third.tokens
        for name, vector in first.vectors.items():
            assert_allclose(second.vectors[name], vector, atol=TOLERANCE)
            assert_allclose(third.vectors[name], vector, atol=TOLERANCE)


def test_padding_on_the_left_gives_the_same_last_states(model: Vita15, processor: ContentProcessor) -> None:
    batch = mixed(4)
    found = states_of(model, processor, batch, "embedding")
    with torch.inference_mode():
        embedded = model.embed(collate([processor(one) for one in batch]))
        lengths = embedded.attention_mask.sum(dim=1).tolist()
        width = embedded.inputs_embeds.shape[1]
        left = torch.stack(
            [row.roll(width - n, dims=0) for row, n in zip(embedded.inputs_embeds, lengths, strict=True)]
        )
        mask = torch.stack([torch.arange(width) >= width - n for n in lengths]).long()
        output = model.model(
            inputs_embeds=left,
            attention_mask=mask,
            position_ids=(mask.cumsum(dim=1) - 1).clamp_min(0),
            output_hidden_states=True,
            use_cache=False,
        )
    expected = torch.stack([state[:, -1] for state in output.hidden_states], dim=1)  # [B, layers + 1, D]
    assert len(set(lengths)) > 1
    assert_allclose(np.stack([states.vectors["last"] for states in found]), expected.numpy(), atol=TOLERANCE)


def test_unembedding_is_the_mean_of_a_modality_s_embeddings(model: Vita15, processor: ContentProcessor) -> None:
    one = mixed(3)[2]
    (states,) = states_of(model, processor, [one], "unembedding")
    inputs = processor(one)
    with torch.inference_mode():
        embeds = model.embed(collate([inputs])).inputs_embeds[0]  # picture, speech, text, in this order
    tiles, clip = model.config.tokens_per_tile, states.tokens["audio"]
    assert len(embeds) == inputs.n_tokens == sum(states.tokens.values())
    pieces = {"image": embeds[:tiles], "audio": embeds[tiles : tiles + clip], "text": embeds[tiles + clip :]}
    for name, piece in pieces.items():
        assert_allclose(states.vectors[name], piece.mean(dim=0).numpy(), atol=TOLERANCE)


def test_content_stands_without_template_or_separator(processor: ContentProcessor) -> None:
    text = "red ring"
    assert processor(request(Text(text))).input_ids.tolist() == byte_tokenizer().encode(text)


def test_a_request_that_cannot_be_prepared_fails_alone(model: Vita15, processor: ContentProcessor) -> None:
    short = request(Media("audio", "short.wav"), media=(Waveform(np.zeros(10, np.float32), 16_000),))
    empty = request(Text(""))
    found = dict(hidden_states(model, processor, [short, mixed(1)[0], empty], "embedding"))
    assert isinstance(found[1], States)
    for place, said in ((0, "shorter"), (2, "no content")):
        failure = found[place]
        assert isinstance(failure, Failure)
        assert said in failure.message


def test_the_adapter_announces_and_gives_states() -> None:
    adapter = vita15_tiny(ModelOptions())
    assert adapter.capabilities.hidden_states
    ((_, states),) = adapter.hidden_states([request(Text("cup"))], "embedding")
    assert isinstance(states, States)
    assert states.vectors["last"].shape == (adapter.n_layers + 1, Vita15Config.tiny().language.hidden_size)
    assert states.vectors["last"].dtype == np.float32
