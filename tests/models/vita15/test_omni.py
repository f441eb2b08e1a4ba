"""The whole model: the released inventory, media in their places, the loss."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn

from models.vita15.audio_features import num_llm_tokens
from models.vita15.checkpoint import build
from models.vita15.config import Vita15Config
from models.vita15.language import causal_hidden
from models.vita15.omni import AUDIO, IGNORE, IMAGE, LONGER, OmniBatch, Vita15, alike


@pytest.fixture(scope="module")
def model() -> Vita15:
    return build(Vita15Config.tiny(), seed=0)


def released_shapes() -> dict[str, tuple[int, ...]]:
    """The tensors of the released checkpoint, from the print-out of its modules and its config."""
    shapes: dict[str, tuple[int, ...]] = {
        "model.embed_tokens.weight": (152064, 3584),
        "lm_head.weight": (152064, 3584),
        "model.norm.weight": (3584,),
        "model.mm_projector.0.weight": (3584, 4096),
        "model.mm_projector.0.bias": (3584,),
        "model.mm_projector.2.weight": (3584, 3584),
        "model.mm_projector.2.bias": (3584,),
    }
    for i in range(28):
        block = f"model.layers.{i}."
        for part, width in (("q", 3584), ("k", 512), ("v", 512)):
            shapes[f"{block}self_attn.{part}_proj.weight"] = (width, 3584)
            shapes[f"{block}self_attn.{part}_proj.bias"] = (width,)
        shapes[f"{block}self_attn.o_proj.weight"] = (3584, 3584)
        shapes[f"{block}mlp.gate_proj.weight"] = shapes[f"{block}mlp.up_proj.weight"] = (18944, 3584)
        shapes[f"{block}mlp.down_proj.weight"] = (3584, 18944)
        shapes[f"{block}input_layernorm.weight"] = shapes[f"{block}post_attention_layernorm.weight"] = (3584,)
    tower = "model.vision_tower.vision_tower."
    shapes[tower + "embeddings.class_embedding"] = (1, 1, 1024)
    shapes[tower + "embeddings.position_embedding"] = (1, 1025, 1024)
    shapes[tower + "embeddings.patch_embedding.weight"] = (1024, 3, 14, 14)
    shapes[tower + "embeddings.patch_embedding.bias"] = (1024,)
    for i in range(24):
        block = f"{tower}encoder.layers.{i}."
        shapes |= {f"{block}{name}": (1024,) for name in ("ls1", "ls2")}
        shapes |= linear(block + "attn.qkv", 3072, 1024) | linear(block + "attn.proj", 1024, 1024)
        shapes |= linear(block + "mlp.fc1", 4096, 1024) | linear(block + "mlp.fc2", 1024, 4096)
        shapes |= norm(block + "norm1", 1024) | norm(block + "norm2", 1024)
    encoder = "model.audio_encoder.encoder."
    shapes |= {f"{encoder}global_cmvn.{name}": (80,) for name in ("mean", "istd")}
    core = encoder + "enc.0.core."
    shapes |= {core + "conv.0.weight": (1024, 1, 3, 3), core + "conv.0.bias": (1024,)}
    shapes |= {core + "conv.2.weight": (1024, 1024, 3, 3), core + "conv.2.bias": (1024,)}
    shapes |= linear(core + "out.0", 1024, 19456)
    shapes |= linear(encoder + "enc.1.embed.0", 1024, 1024) | norm(encoder + "enc.1.embed.1", 1024)
    shapes |= norm(encoder + "enc.1.after_norm", 1024)
    for i in range(24):
        block = f"{encoder}enc.1.encoders.{i}."
        for part in "q", "k", "v", "out":
            shapes |= linear(f"{block}self_attn.linear_{part}", 1024, 1024)
        shapes[f"{block}self_attn.linear_pos.weight"] = (1024, 1024)
        shapes |= {f"{block}self_attn.pos_bias_{name}": (16, 64) for name in "uv"}
        shapes |= linear(block + "feed_forward.w_1", 4096, 1024) | linear(block + "feed_forward.w_2", 1024, 4096)
        shapes |= norm(block + "norm1", 1024) | norm(block + "norm2", 1024)
    adapter = "model.audio_encoder.adpter."
    shapes |= {adapter + "conv1d2.weight": (2048, 1024, 5), adapter + "conv1d2.bias": (2048,)}
    return shapes | norm(adapter + "bn2", 2048) | linear(adapter + "project", 3584, 2048)


def linear(name: str, rows: int, columns: int) -> dict[str, tuple[int, ...]]:
    return {f"{name}.weight": (rows, columns), f"{name}.bias": (rows,)}


def norm(name: str, width: int) -> dict[str, tuple[int, ...]]:
    return {f"{name}.weight": (width,), f"{name}.bias": (width,)}


def test_published_size_has_the_released_tensors_and_no_other() -> None:
    with torch.device("meta"):
        model = Vita15(Vita15Config.published())
    shapes = {name: tuple(tensor.shape) for name, tensor in model.state_dict().items()}
    assert shapes == released_shapes()
    assert parameters(model) == sum(math.prod(shape) for shape in shapes.values()) - 2 * 80  # but the statistics
    media = ("vision_tower", "mm_projector", "audio_encoder")
    language = parameters(model) - sum(parameters(getattr(model.model, part)) for part in media)
    assert language == 7_615_616_512  # as published for Qwen2.5-7B
    assert parameters(model) == 8_322_947_072


def parameters(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def speech(model: Vita15, frames: int, seed: int = 1) -> Tensor:
    return torch.randn(frames, 80, generator=torch.Generator().manual_seed(seed))


def pixels(count: int) -> Tensor:
    return torch.randn(count, 3, 56, 56, generator=torch.Generator().manual_seed(2))


@torch.inference_mode()
def test_media_stand_in_their_places(model: Vita15) -> None:
    ids = torch.tensor([5, IMAGE, 6, AUDIO, 7])
    clip = speech(model, 43)[None]
    got = model.embed(OmniBatch([ids], pixels(1), clip, torch.tensor([43]))).inputs_embeds[0]
    image, audio = model.encode_images(pixels(1))[0], model.encode_audio(clip, torch.tensor([43]))[0]
    words = model.model.embed_tokens(torch.tensor([5, 6, 7]))
    torch.testing.assert_close(got, torch.cat([words[:1], image, words[1:2], audio, words[2:]]))


@torch.inference_mode()
def test_labels_of_media_and_padding_are_left_out(model: Vita15) -> None:
    rows = [torch.tensor([5, IMAGE, 6]), torch.tensor([8, 9])]
    out = model.embed(OmniBatch(rows, pixels(1)), [torch.tensor([1, 2, 3]), torch.tensor([IGNORE, 4])])
    assert out.labels.tolist() == [[1, *[IGNORE] * 4, 3], [IGNORE, 4, *[IGNORE] * 4]]
    assert out.attention_mask.sum(1).tolist() == [6, 2]
    assert not out.inputs_embeds[1, 2:].any()


@torch.inference_mode()
def test_the_loss_is_the_mean_over_labelled_tokens(model: Vita15) -> None:
    rows = [torch.tensor([5, IMAGE, 6, 7]), torch.tensor([8, 9])]
    labels = [torch.tensor([IGNORE, IGNORE, 6, 7]), torch.tensor([IGNORE, 9])]
    out = model(OmniBatch(rows, pixels(1)), labels)
    predicted = out.logits.log_softmax(-1)
    want = -(predicted[0, 4, 6] + predicted[0, 5, 7] + predicted[1, 0, 9]) / 3
    torch.testing.assert_close(out.loss, want)


def test_the_loss_trains_every_part(model: Vita15) -> None:
    clip = speech(model, 43)[None]
    batch = OmniBatch([torch.tensor([IMAGE, AUDIO, 6])], pixels(1), clip, torch.tensor([43]))
    model.zero_grad()
    model(batch, [torch.tensor([IGNORE, IGNORE, 6])]).loss.backward()
    for part in ("vision_tower", "mm_projector", "audio_encoder", "layers"):
        grads = [p.grad for p in getattr(model.model, part).parameters() if p.grad is not None]
        assert any(bool(grad.any()) for grad in grads), part
    model.zero_grad()


@pytest.mark.parametrize(
    ("ids", "count", "message"),
    [
        ([1, IMAGE, IMAGE], 1, "more pictures"),
        ([1, IMAGE], 2, "1 pictures and 0 clips"),
        ([AUDIO], 0, "clips of speech"),
    ],
)
def test_places_and_media_must_match(model: Vita15, ids: list[int], count: int, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        model.embed(OmniBatch([torch.tensor(ids)], pixels(count) if count else None))


def spoken_batch() -> tuple[OmniBatch, list[Tensor]]:
    ids = [torch.tensor([5, AUDIO, 6, 7]), torch.tensor([8, 9])]
    return OmniBatch(ids, audio=torch.randn(1, 40, 80), audio_lengths=torch.tensor([40])), [ids[0].clamp(min=0), ids[1]]


def test_the_state_head_is_off_as_in_the_release_and_reads_the_end_of_the_speech() -> None:
    plain = build(Vita15Config.tiny(), seed=0)
    headed = build(replace(Vita15Config.tiny(), state_classes=3), seed=0)
    assert set(headed.state_dict()) - set(plain.state_dict()) == {"predictor_head.weight", "predictor_head.bias"}
    batch, labels = spoken_batch()
    embedded = headed.embed(batch)
    n_speech = len(headed.encode_audio(batch.audio, batch.audio_lengths)[0])  # type: ignore[arg-type]
    assert embedded.speech_ends.tolist() == [n_speech, -1]

    losses = {state: headed(batch, labels, torch.tensor([state, 1])).state_loss for state in range(3)}
    hidden = causal_hidden(headed.model, embedded.inputs_embeds)[0, n_speech]
    for state, loss in losses.items():
        assert loss is not None
        assert torch.allclose(loss, -headed.predictor_head(hidden).log_softmax(-1)[state], atol=1e-5)
    with pytest.raises(ValueError, match="no state head"):
        plain(batch, labels, torch.tensor([0, IGNORE]))


def test_prompt_tokens_stand_before_the_speech() -> None:
    tiny = Vita15Config.tiny()
    prompted = build(replace(tiny, audio=replace(tiny.audio, num_prompt_embeddings=2)), seed=0)
    batch, _ = spoken_batch()
    (clip,) = prompted.encode_audio(batch.audio, batch.audio_lengths)  # type: ignore[arg-type]
    table = prompted.model.audio_encoder.prompt_embeddings.weight
    assert torch.equal(clip[:2], table) and len(clip) == 2 + num_llm_tokens(40)


@given(st.lists(st.integers(7, 3000), max_size=20))
def test_clips_are_grouped_by_length_and_none_is_lost(lengths: list[int]) -> None:
    groups = list(alike(lengths))
    assert sorted(place for group in groups for place in group) == list(range(len(lengths)))
    for group in groups:
        assert max(lengths[place] for place in group) <= LONGER * min(lengths[place] for place in group)


def test_a_clip_is_encoded_alike_alone_and_among_others_of_any_length(model: Vita15) -> None:
    lengths = torch.tensor([90, 8, 300, 40, 95])
    features = torch.randn(5, 300, 80, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        together = model.encode_audio(features, lengths)
        for place, length in enumerate(lengths.tolist()):
            alone = model.encode_audio(features[place : place + 1, :length], lengths[place : place + 1])[0]
            assert together[place].shape == alone.shape == (num_llm_tokens(length), 64)
            torch.testing.assert_close(together[place], alone, atol=1e-5, rtol=1e-4)


def test_given_embeddings_stand_where_pictures_would(model: Vita15) -> None:
    embeds = torch.randn(1, model.config.tokens_per_tile, 64, generator=torch.Generator().manual_seed(0))
    batch = OmniBatch([torch.tensor([5, IMAGE, 6])], image_embeds=embeds)
    assert torch.equal(model.embed(batch).inputs_embeds[0, 1:-1], embeds[0])
