"""VITA-Audio's speech tokenizer, flow and vocoder: properties on small random models."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from models.checkpoint_error import CheckpointError
from models.nn.whisper_features import log_mel
from models.vita_audio.decoder_config import EstimatorConfig, FlowConfig, VocoderConfig
from models.vita_audio.flow import Flow, Prompt, time_grid
from models.vita_audio.flow_encoder import relative_positions
from models.vita_audio.speech_checkpoint import load_decoder, load_tokenizer, parameter_counts
from models.vita_audio.speech_features import SEGMENT, segments, speech_features
from models.vita_audio.speech_tokenizer import SpeechTokenizer, TokenizerConfig, block_mask
from models.vita_audio.vocoder import Vocoder

GOLDENS = Path(__file__).parents[2] / "goldens" / "vita_audio"
TOKENIZER = TokenizerConfig(16, 2, 24, 2, 8, 64, 32, 16, 4, 2)
FLOW = FlowConfig(32, 12, 6, 8, 16, 2, 24, 2, 4, 4, 0.7, 12.5, EstimatorConfig(32, 8, (16, 16), 1, 1, 2, 8))
VOCODER = replace(VocoderConfig.published(), mels=8, base=16, predictor=8)


@pytest.fixture(scope="module")
def tokenizer() -> SpeechTokenizer:
    return _seeded(SpeechTokenizer(TOKENIZER))


@pytest.fixture(scope="module")
def flow() -> Flow:
    return _seeded(Flow(FLOW))


@pytest.fixture(scope="module")
def vocoder() -> Vocoder:
    return _seeded(Vocoder(VOCODER))


def _seeded(model: nn.Module) -> nn.Module:
    """Random weights; the periods of the vocoder's activations stay, as small ones make it chaotic."""
    generator = torch.Generator().manual_seed(3)
    for name, parameter in model.named_parameters():
        if not name.endswith("alpha"):
            nn.init.normal_(parameter, std=0.1 if isinstance(model, Vocoder) else 0.3, generator=generator)
    return model.eval()


def _noise(*shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(5))


@given(st.integers(1, 40), st.integers(1, 12))
def test_a_place_sees_the_past_and_its_own_block(length: int, block: int) -> None:
    mask = block_mask(length, block)
    for query in range(length):
        end = min(length, (query // block + 1) * block)
        assert mask[query].tolist() == [key < end for key in range(length)]


@torch.no_grad()
def test_codes_do_not_change_with_what_comes_after_their_block(tokenizer: SpeechTokenizer) -> None:
    mel, mask = _noise(1, 8, 96), torch.ones(1, 96, dtype=torch.bool)
    later = mel.clone()
    later[:, :, 64:] += 1.0  # 64 frames are 32 after the convolutions, two blocks of 16
    before, after = tokenizer(mel, mask).features, tokenizer(later, mask).features
    torch.testing.assert_close(before[:, :8], after[:, :8])
    assert not torch.allclose(before[:, 8:], after[:, 8:])
    own = mel.clone()
    own[:, :, 60:64] += 1.0
    assert not torch.allclose(before[:, 4], tokenizer(own, mask).features[:, 4])


@torch.no_grad()
def test_a_shorter_row_of_a_batch_has_the_codes_it_has_alone(tokenizer: SpeechTokenizer) -> None:
    mel, mask = _noise(2, 8, 80), torch.ones(2, 80, dtype=torch.bool)
    mask[1, 48:] = False
    both = tokenizer(mel, mask)
    alone = tokenizer(mel[1:, :, :48], mask[1:, :48])
    assert both.mask[1].tolist() == [True] * 6 + [False] * 4
    torch.testing.assert_close(both.features[1:, :6], alone.features)
    assert both.codes[1, :6].tolist() == alone.codes[0].tolist()


@settings(deadline=None, max_examples=20)
@given(st.integers(1, 20_000))
def test_a_code_stands_for_80_ms_rounded_up(samples: int) -> None:
    model = _seeded(SpeechTokenizer(TOKENIZER))
    codes = model.encode([_noise(samples), _noise(1280)])
    assert [len(row) for row in codes] == [math.ceil(samples / 1280), 1]


def test_long_speech_is_cut_into_pieces_of_30_seconds() -> None:
    assert [len(piece) for piece in segments(torch.zeros(2 * SEGMENT + 7))] == [SEGMENT, SEGMENT, 7]


@pytest.mark.parametrize("samples", [1, 399, 1280, 9000])
def test_features_are_whole_codes_long(samples: int) -> None:
    features = speech_features([_noise(samples)])
    assert features.mel.shape == (1, 128, 8 * math.ceil(samples / 1280))
    assert int(features.mask.sum()) == math.ceil(samples / 160)


def test_features_reach_8_decades_down() -> None:
    mel = log_mel(_noise(1, 3200))
    assert float(mel.max() - mel.min()) <= 2.0 + 1e-6
    torch.testing.assert_close(log_mel(10 * _noise(1, 3200)), mel + 0.5)


def test_empty_or_too_long_speech_is_refused(tokenizer: SpeechTokenizer) -> None:
    with pytest.raises(ValueError, match="at least one sample"):
        tokenizer.encode([torch.zeros(0)])
    with pytest.raises(ValueError, match="no speech given"):
        speech_features([])
    for frames in (0, 130):
        with pytest.raises(ValueError, match="expected 1 to 128"):
            tokenizer(torch.zeros(1, 8, frames), torch.ones(1, frames, dtype=torch.bool))


@torch.no_grad()
def test_flow_codes_do_not_see_later_blocks(flow: Flow) -> None:
    codes = torch.arange(12)[None]
    later = codes.clone()
    later[:, 8:] += 5
    torch.testing.assert_close(flow.encode(codes)[:, :8], flow.encode(later)[:, :8])
    assert not torch.allclose(flow.encode(codes)[:, 8:], flow.encode(later)[:, 8:])


def test_distances_run_from_the_past_to_the_future() -> None:
    table = relative_positions(3, 4, torch.zeros(1))
    torch.testing.assert_close(table[:, 0], torch.tensor([2.0, 1.0, 0.0, -1.0, -2.0]).sin())
    torch.testing.assert_close(table[:, 3], (torch.tensor([2.0, 1.0, 0.0, -1.0, -2.0]) / 100).cos())


@pytest.mark.parametrize("steps", [1, 3, 10])
def test_a_flow_row_equals_itself_alone(flow: Flow, steps: int) -> None:
    codes = torch.tensor([[1, 2, 3, 4, 5], [9, 8, 7, 6, 5]])
    voices = _noise(2, 6)
    both = flow(codes, steps, voices)
    for row in range(2):
        alone = flow(codes[row : row + 1], steps, voices[row : row + 1])
        torch.testing.assert_close(both[row : row + 1], alone, rtol=1e-4, atol=1e-4)
    assert both.shape == (2, 8, int(5 * 6.890625))


@given(st.integers(1, 4096))
def test_frames_of_codes(codes: int) -> None:
    with torch.device("meta"):
        assert Flow(FLOW).frames(codes) == codes * 441 // 64


def test_a_prompt_is_cut_off_and_changes_what_follows(flow: Flow) -> None:
    prompt = Prompt(torch.tensor([[3, 4]]), _noise(1, 13, 8))
    codes = torch.tensor([[1, 2, 3]])
    mel = flow(codes, 3, prompt=prompt)
    assert mel.shape == (1, 8, flow.frames(5) - 13)
    assert not torch.allclose(mel, flow(codes, 3, prompt=prompt._replace(mel=-prompt.mel)))
    with pytest.raises(ValueError, match="the prompt has 40 mel frames"):
        flow(codes, 3, prompt=Prompt(prompt.codes, _noise(1, 40, 8)))


@given(st.integers(1, 50))
def test_the_grid_goes_from_0_to_1_with_growing_steps(steps: int) -> None:
    grid = time_grid(steps).double()
    assert grid[0] == 0 and abs(float(grid[-1]) - 1) < 1e-6
    assert bool((grid.diff().diff() > -1e-6).all())


@pytest.mark.parametrize("code", [-1, 32])
def test_a_code_out_of_range_is_named(flow: Flow, code: int) -> None:
    with pytest.raises(ValueError, match=rf"speech code {code} is out of range: expected 0 to 31"):
        flow(torch.tensor([[1, code]]))
    with pytest.raises(ValueError, match=rf"speech code {code} is out of range"):
        flow(torch.tensor([[1]]), prompt=Prompt(torch.tensor([[code]]), torch.zeros(1, 6, 8)))


def test_no_code_no_step_and_no_frame_are_refused(flow: Flow, vocoder: Vocoder) -> None:
    with pytest.raises(ValueError, match="at least one code"):
        flow(torch.zeros(1, 0, dtype=torch.long))
    with pytest.raises(ValueError, match="0 flow steps"):
        flow(torch.tensor([[1]]), steps=0)
    with pytest.raises(ValueError, match="at least one frame"):
        vocoder(torch.zeros(1, 8, 0))


@pytest.mark.parametrize("frames", [1, 2, 7])
def test_a_frame_is_256_samples_within_the_limit(vocoder: Vocoder, frames: int) -> None:
    wave = vocoder(_noise(1, 8, frames), torch.Generator().manual_seed(1))
    assert wave.shape == (1, 256 * frames)
    assert float(wave.abs().max()) <= torch.tensor(0.99)


@torch.no_grad()
def test_a_wave_of_a_batch_equals_itself_alone(vocoder: Vocoder) -> None:
    mel = 0.1 * _noise(2, 8, 5)
    source = 0.1 * _noise(2, 1, 5 * 256)
    both = vocoder.decode(mel, source)
    torch.testing.assert_close(both[1:], vocoder.decode(mel[1:], source[1:]), rtol=1e-4, atol=1e-4)


def test_the_wave_repeats_with_its_seed(vocoder: Vocoder) -> None:
    mel = _noise(1, 8, 4)
    first, again, other = (vocoder(mel, torch.Generator().manual_seed(seed)) for seed in (1, 1, 2))
    assert torch.equal(first, again) and not torch.equal(first, other)


def test_published_sizes() -> None:
    counts = parameter_counts(TokenizerConfig.published(), FlowConfig.published(), VocoderConfig.published())
    width, inner = 1280, 5120
    layer = 4 * width**2 + 3 * width + 2 * width * inner + inner + width + 4 * width
    convolutions = 3 * 128 * width + 3 * width**2 + 2 * width
    assert counts.tokenizer == 16 * layer + convolutions + (1500 + 375 + 16384) * width
    assert (counts.flow, counts.vocoder) == (_flow_size(), _vocoder_size())


def _conv(width_in: int, width: int, kernel: int = 1) -> int:
    return width_in * width * kernel + width


def _flow_size() -> int:
    """Counted from the specification's shapes."""
    attention = 4 * _conv(512, 512) + 512 * 512 + 2 * 8 * 64
    block = attention + _conv(512, 2048) + _conv(2048, 512) + 2 * 1024
    encoder = _conv(512, 512) + 1024 + 6 * block + 1024
    regulator = 4 * (_conv(80, 80, 3) + 160) + _conv(80, 80)

    def resnet(width: int) -> int:
        blocks = _conv(width, 256, 3) + _conv(256, 256, 3) + 2 * 512
        return blocks + _conv(1024, 256) + _conv(width, 256)

    transformers = 4 * (2 * 512 + 3 * 256 * 512 + _conv(512, 256) + _conv(256, 1024) + _conv(1024, 256))
    estimator = (
        _conv(320, 1024)
        + _conv(1024, 1024)
        + resnet(320)
        + 13 * resnet(256)
        + 2 * resnet(512)
        + 16 * transformers
        + 4 * _conv(256, 256, 3)  # a step down, two level ones and the last block
        + _conv(256, 256, 4)
        + 512
        + _conv(256, 80)
    )
    return 16384 * 512 + _conv(192, 80) + encoder + _conv(512, 80) + regulator + estimator


def _vocoder_size() -> int:
    """Counted from the specification's shapes."""

    def block(width: int, kernel: int) -> int:
        return 6 * (_conv(width, width, kernel) + width)

    pitch = _conv(80, 512, 3) + 4 * _conv(512, 512, 3) + _conv(512, 1)
    ups = _conv(512, 256, 16) + _conv(256, 128, 16)
    source = _conv(9, 1) + _conv(18, 256, 16) + _conv(18, 128) + block(256, 7) + block(128, 11)
    blocks = sum(block(width, kernel) for width in (256, 128) for kernel in (3, 7, 11))
    return pitch + _conv(80, 512, 7) + ups + source + blocks + _conv(128, 18, 7)


def _tokenizer_folder(folder: Path) -> dict[str, Tensor]:
    (folder / "config.json").write_bytes((GOLDENS / "glm_tokenizer_config.json").read_bytes())
    return load_file(GOLDENS / "glm_tokenizer_model.safetensors")


def _decoder_folder(folder: Path) -> None:
    (folder / "decoder_config.json").write_bytes((GOLDENS / "decoder_config.json").read_bytes())
    for name in ("flow", "hift"):
        torch.save(load_file(GOLDENS / f"{name}_model.safetensors"), folder / f"{name}.pt")


def test_released_folders_load(tmp_path: Path) -> None:
    save_file(_tokenizer_folder(tmp_path), tmp_path / "model.safetensors")
    _decoder_folder(tmp_path)
    codes = load_tokenizer(tmp_path).model
    assert codes.config.codes == 64
    decoder = load_decoder(tmp_path)
    mel = decoder.flow(torch.tensor([[1, 2, 3]]), steps=1)
    assert decoder.vocoder(mel).shape == (1, 256 * 20)
    assert decoder.unknown == ()


def test_a_missing_tensor_is_named(tmp_path: Path) -> None:
    state = _tokenizer_folder(tmp_path)
    del state["conv1.bias"]
    save_file(state | {"extra": torch.zeros(1)}, tmp_path / "model.safetensors")
    with pytest.raises(CheckpointError, match=r"missing conv1\.bias \[32\](.|\n)*glm-4-voice-tokenizer"):
        load_tokenizer(tmp_path)
    _decoder_folder(tmp_path)
    vocoder = load_file(GOLDENS / "hift_model.safetensors")
    del vocoder["ups.1.weight_g"]
    save_file(vocoder, tmp_path / "hift.safetensors")
    with pytest.raises(
        CheckpointError, match=r"hift\.safetensors: the weights do not fit the model\n  missing ups\.1\.weight "
    ):
        load_decoder(tmp_path)


def test_a_pickle_of_other_things_is_not_opened(tmp_path: Path) -> None:
    _decoder_folder(tmp_path)
    torch.save({"weights": Path("x")}, tmp_path / "flow.pt")
    with pytest.raises(CheckpointError, match=r"flow\.pt: cannot be read as tensors only: it holds more") as error:
        load_decoder(tmp_path)
    assert "weights_only" not in str(error.value) and "will likely succeed" not in str(error.value)
    (tmp_path / "flow.pt").unlink()
    with pytest.raises(CheckpointError, match=r"neither flow\.safetensors nor flow\.pt"):
        load_decoder(tmp_path)


@pytest.mark.parametrize(
    ("field", "value"),
    [("d_model", "x"), ("quantize_vocab_size", 0), ("pooling_position", 9), ("encoder_causal_convolution", False)],
)
def test_a_bad_setting_is_named(field: str, value: object, tmp_path: Path) -> None:
    save_file(_tokenizer_folder(tmp_path), tmp_path / "model.safetensors")
    config = json.loads((tmp_path / "config.json").read_text(encoding="utf-8")) | {field: value}
    (tmp_path / "config.json").write_text(json.dumps(config), encoding="utf-8")
    with pytest.raises(CheckpointError, match=field):
        load_tokenizer(tmp_path)
