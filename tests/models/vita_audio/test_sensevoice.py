"""SenseVoice and the projector: properties on small random models, and strict loading."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file
from torch import Tensor

from models.checkpoint_error import CheckpointError
from models.released.files import fill, read_shapes, weight_files
from models.vita_audio.config import MtpConfig
from models.vita_audio.hearing import Hearing
from models.vita_audio.language import MtpModel
from models.vita_audio.sensevoice import SenseVoice, sinusoids
from models.vita_audio.sensevoice_config import FrontEndConfig, SenseVoiceConfig
from models.vita_audio.sensevoice_features import Cmvn, FrontEnd

GOLDENS = Path(__file__).parents[2] / "goldens" / "vita_audio"
WEIGHTS, META = GOLDENS / "plus_model.safetensors", GOLDENS / "plus_meta.json"
REMEDY = "Download it again."
CONFIG, HIDDEN = SenseVoiceConfig.tiny(), 32
FRONT = FrontEnd(FrontEndConfig(mels=4), Cmvn.none(28))


def _noise(*shape: int, seed: int = 5) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


@pytest.fixture(scope="module")
def hearing() -> Hearing:
    return Hearing.tiny(HIDDEN)


@settings(max_examples=8, deadline=None)
@given(st.lists(st.integers(1, 30), min_size=1, max_size=4))
def test_a_clip_of_a_batch_has_the_embeddings_it_has_alone(hearing: Hearing, lengths: list[int]) -> None:
    clips = [_noise(length, 28, seed=length) for length in lengths]
    with torch.no_grad():
        together = hearing(clips)
        for clip, heard in zip(clips, together, strict=True):
            assert heard.shape == (len(clip) + 4, HIDDEN)
            torch.testing.assert_close(heard, hearing([clip])[0], rtol=1e-4, atol=1e-5)


@torch.no_grad()
def test_what_stands_in_the_padding_is_not_heard(hearing: Hearing) -> None:
    encoder, lengths = hearing.audio_model.model, torch.tensor([9, 5])
    features = _noise(2, 9, 28)
    other = features.clone()
    other[1, 5:] = 1000.0
    before = encoder(features, lengths).states[1, :9]  # 4 query frames and 5 of the clip
    torch.testing.assert_close(before, encoder(other, lengths).states[1, :9])
    other[1, 4, 0] += 3.0
    assert float((before - encoder(other, lengths).states[1, :9]).abs().max()) > 1e-3


@torch.no_grad()
def test_each_of_the_four_queries_is_heard_and_no_other_row(hearing: Hearing) -> None:
    encoder, lengths = hearing.audio_model.model, torch.tensor([6])
    features, table = _noise(1, 6, 28), encoder.embed.weight
    before = encoder(features, lengths).states
    for row in range(len(table)):
        kept = table[row].clone()
        table[row, 0] += 3.0
        change = float((before - encoder(features, lengths).states).abs().max())
        table[row] = kept
        assert change > 1e-3 if row in (0, 1, 2, 15) else change == 0


@settings(max_examples=20, deadline=None)
@given(st.integers(400, 30_000))
def test_a_wave_has_the_announced_number_of_embeddings(hearing: Hearing, samples: int) -> None:
    with torch.no_grad():
        (heard,) = hearing.hear([0.1 * _noise(samples)])
    assert heard.shape == (hearing.n_tokens(samples), HIDDEN)
    assert heard.isfinite().all()


def test_positions_start_at_one() -> None:
    table = sinusoids(3, 8, torch.device("cpu"), torch.float32)
    for row, position in enumerate((1, 2, 3)):
        for column in range(4):
            angle = position / 10_000 ** (column / 3)
            assert table[row, column].item() == pytest.approx(math.sin(angle), abs=1e-6)
            assert table[row, 4 + column].item() == pytest.approx(math.cos(angle), abs=1e-6)


def test_no_clip_gives_no_embedding(hearing: Hearing) -> None:
    assert hearing([]) == [] and hearing.hear([]) == []


@pytest.mark.parametrize("shape", [(0, 28), (3, 27), (28,), (1, 3, 28)])
def test_features_of_another_shape_are_refused(hearing: Hearing, shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"expected \[T, 28\], T at least 1"):
        hearing([torch.zeros(2, 28), torch.zeros(*shape)])


def test_a_short_wave_is_refused(hearing: Hearing) -> None:
    with pytest.raises(ValueError, match="audio of 20 ms is shorter than 25 ms"):
        hearing.hear([torch.zeros(16_000), torch.zeros(320)])


def test_random_weights_repeat_with_their_seed() -> None:
    state = torch.get_rng_state()
    first, again, other = (Hearing.tiny(HIDDEN, seed).state_dict() for seed in (1, 1, 2))
    assert torch.equal(torch.get_rng_state(), state)
    assert all(torch.equal(first[name], again[name]) for name in first)
    name = "audio_projection.mlp.0.weight"
    assert not torch.equal(first[name], other[name])


def test_a_front_end_of_another_width_is_refused() -> None:
    with pytest.raises(ValueError, match="gives 560 numbers a frame and its statistics are 28 and 28 wide"):
        Hearing(CONFIG, HIDDEN, FrontEnd(FrontEndConfig(), Cmvn.none(28)))


def test_published_sizes() -> None:
    """Counted from the specification's shapes."""
    with torch.device("meta"):
        model = SenseVoice(SenseVoiceConfig.published())
    count = sum(parameter.numel() for parameter in model.parameters())

    def layer(inputs: int) -> int:
        attention = (inputs + 1) * 1536 + 513 * 512 + 512 * 11
        return attention + 513 * 2048 + 2049 * 512 + 2 * inputs + 2 * 512

    assert count == layer(560) + 69 * layer(512) + 4 * 512 + 16 * 560 + 513 * 25_055


def _filled(folder: Path, dtype: torch.dtype = torch.float32) -> tuple[Hearing, list[str]]:
    """An ear whose weights came with the language model's, and the names of tensors that were left out."""
    files = weight_files(folder, REMEDY)
    with torch.device("meta"):
        hearing = Hearing(CONFIG, HIDDEN, FRONT)
        model = MtpModel(
            MtpConfig.from_json(json.loads(META.read_text(encoding="utf-8"))["llm_config"]), hearing.parts()
        )
    unknown = fill(model, folder, files, read_shapes(files, REMEDY), "cpu", dtype, REMEDY)
    return hearing.eval(), unknown


@torch.no_grad()
def test_the_ear_is_filled_with_the_language_model(tmp_path: Path) -> None:
    save_file(load_file(WEIGHTS), tmp_path / "model.safetensors")
    exact, unknown = _filled(tmp_path)
    assert unknown == []
    rounded, _ = _filled(tmp_path, torch.bfloat16)
    features = _noise(12, 28)
    (heard,), (nearly,) = exact([features]), rounded([features])
    assert nearly.dtype == torch.bfloat16
    assert torch.nn.functional.cosine_similarity(heard, nearly.float()).min() > 0.99


@pytest.mark.parametrize(
    "name",
    ["audio_model.model.ctc.ctc_lo.bias", "audio_model.model.embed.weight", "audio_projection.mlp.2.weight"],
)
def test_a_missing_or_misshapen_tensor_is_named(tmp_path: Path, name: str) -> None:
    state = load_file(WEIGHTS)
    tensor = state.pop(f"model.{name}")
    save_file(state | {"model.audio_model.model.extra": tensor}, tmp_path / "model.safetensors")
    with pytest.raises(
        CheckpointError, match=rf"missing model\.{name}(.|\n)*unknown: model\.audio_model\.model\.extra"
    ):
        _filled(tmp_path)
    save_file(state | {f"model.{name}": tensor[None]}, tmp_path / "model.safetensors")
    with pytest.raises(CheckpointError, match=rf"model\.{name} has shape \[1"):
        _filled(tmp_path)
