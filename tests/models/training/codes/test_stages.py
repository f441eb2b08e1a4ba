"""What each speech stage trains and lowers, and that a stopped phase is not begun again."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from torch import Tensor

from models.training.codes import phases
from models.training.codes.clips import Clip, clips
from models.training.codes.flow_stage import FlowBatches, FlowLearner, Spoken
from models.training.codes.flow_stage import Phase as FlowPhase
from models.training.codes.judged import error_rates
from models.training.codes.mel import pitch, spectrogram
from models.training.codes.phonemes import NAMES
from models.training.codes.run import REPORT, STAGES, SpeechTraining
from models.training.codes.tokenizer_run import load
from models.training.codes.tokenizer_stage import (
    NOT_SPEECH,
    Phase,
    PhonemeHead,
    TokenizerBatches,
    TokenizerLearner,
    collate,
    moving_averages,
    tell,
)
from models.training.codes.vocoder_stage import MARGIN, WINDOW, Sound, VocoderBatches, VocoderLearner, start
from models.training.codes.vocoder_stage import Phase as VocoderPhase
from models.training.loop import LOSSES, Settings
from models.vita_audio.decoder_config import FlowConfig, VocoderConfig
from models.vita_audio.flow import FRAME, SAMPLE_RATE, Flow
from models.vita_audio.speech_tokenizer import SpeechTokenizer, TokenizerConfig
from models.vita_audio.vocoder import Vocoder

CONFIG = TokenizerConfig.tiny()


@pytest.fixture(scope="module")
def some(tmp_path_factory: pytest.TempPathFactory) -> list[Clip]:
    return clips("en", 0, 6, CONFIG.mels, tmp_path_factory.mktemp("clips"))


def learner(quantised: bool) -> TokenizerLearner:
    torch.manual_seed(0)
    return TokenizerLearner(SpeechTokenizer(CONFIG), PhonemeHead(CONFIG.width), Phase("one", quantised, 3e-3))


def stepped(learner: torch.nn.Module, batch: object, steps: int) -> list[float]:
    optimizer = torch.optim.Adam(list(learner.trained().values()), 3e-3)  # type: ignore[operator]
    losses = []
    for _ in range(steps):
        loss = learner(batch)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    return losses


def test_batches_follow_seed_phase_and_number(some: list[Clip]):
    batches = TokenizerBatches(some, 3, 0, "phonemes")
    one, same = batches(4), TokenizerBatches(some, 3, 0, "phonemes")(4)
    assert all(torch.equal(a, b) for a, b in zip(one, same, strict=True))
    for other in (TokenizerBatches(some, 3, 1, "phonemes"), TokenizerBatches(some, 3, 0, "codes")):
        assert not torch.equal(other(4).mel[0, :, :40], one.mel[0, :, :40])
    plain = TokenizerBatches(some, 3, 0, "phonemes", plain=True)(4)
    assert not torch.equal(plain.mel, one.mel) and torch.equal(plain.phonemes, one.phonemes)
    assert torch.equal(one.phonemes[..., 0] != NOT_SPEECH, one.mask[:, ::8])


@pytest.mark.parametrize("quantised", [False, True])
def test_the_tokenizer_learns_and_its_positions_stay(quantised: bool, some: list[Clip]):
    one = learner(quantised)
    before = {name: value.detach().clone() for name, value in one.tokenizer.named_parameters()}
    losses = stepped(one, collate([clip.features.float() for clip in some], some), 12)
    assert losses[-1] < losses[0] - 0.2
    moved = {name for name, value in one.tokenizer.named_parameters() if not value.equal(before[name])}
    still = {"embed_positions.weight", "embed_positions2.weight"} | (set() if quantised else {"codebook.weight"})
    assert moved == set(before) - still


def test_through_the_codebook_only_the_entry_is_known(some: list[Clip]):
    one = learner(True)
    told = tell(one.tokenizer, one.head, some)
    assert 0 <= told.codes <= 1 and 1 <= told.used <= CONFIG.codes and 1 <= told.perplexity <= told.used + 1e-3
    with torch.no_grad():
        one.tokenizer.codebook.weight.copy_(one.tokenizer.codebook.weight[:1].expand(CONFIG.codes, -1))
    assert tell(one.tokenizer, one.head, some)[2:] == pytest.approx((1.0, 1))


def test_moving_averages_are_of_what_falls_to_each_entry():
    tokenizer = SpeechTokenizer(CONFIG)
    features = torch.randn(50, CONFIG.width)
    found = moving_averages(tokenizer, features)
    assert found["ema_count"].sum() == 50
    torch.testing.assert_close(found["ema_weight"].sum(0), features.sum(0))


def tone(hertz: float, frames: int) -> Tensor:
    return 0.3 * torch.sin(2 * torch.pi * hertz * torch.arange(frames * FRAME) / SAMPLE_RATE)


@pytest.mark.parametrize("hertz", [80.0, 110.0, 220.0, 350.0])
def test_the_pitch_of_a_wave_with_overtones_is_found(hertz: float):
    wave = sum((tone(hertz * k, 40) / k for k in (2, 3, 4)), tone(hertz, 40))
    found = pitch(wave)
    assert found.shape == (40,) and (found[4:-4] - hertz).abs().max() < 0.03 * hertz
    noise = 0.1 * torch.randn(40 * FRAME, generator=torch.Generator().manual_seed(0))
    assert (pitch(noise) > 0).float().mean() < 0.1 and not pitch(torch.zeros(10 * FRAME)).any()


def test_a_spectrogram_has_a_column_a_frame_and_is_of_the_size_of_noise():
    mel = spectrogram(tone(200, 20)[None], 8)
    assert mel.shape == (1, 8, 20) and mel.abs().max() < 3


def sounds(count: int = 3) -> list[Sound]:
    waves = [tone(100.0 + 10 * place, 40 + place) for place in range(count)]
    return [Sound(wave, spectrogram(wave[None], 8)[0], pitch(wave)) for wave in waves]


def test_the_vocoder_learns_its_windows():
    batches = VocoderBatches(sounds(), 4, 0)
    batch = batches(1)
    assert torch.equal(batch.mel, batches(1).mel) and batch.waves.shape == (4, WINDOW * FRAME)
    assert not torch.equal(batch.mel, VocoderBatches(sounds(), 4, 1)(1).mel)
    assert all(row[MARGIN:-MARGIN].all() for row in batch.inner)
    torch.manual_seed(0)
    one = VocoderLearner(start(Vocoder(VocoderConfig.tiny())), VocoderPhase("vocoder", 1e-3))
    losses = stepped(one, batch, 8)
    assert losses[-1] < losses[0]


def test_the_flow_learns_both_what_is_expected_and_the_change():
    flow = Flow(FlowConfig.tiny())
    spoken = [Spoken(torch.randint(0, 64, (6 + n,)), torch.randn(8, flow.frames(6 + n))) for n in range(4)]
    batches = FlowBatches(spoken, flow, 3, 0)
    batch = batches(2)
    assert torch.equal(batch.noise, batches(2).noise) and batch.mel.shape[2] == flow.frames(batch.codes.shape[1])
    torch.manual_seed(0)
    one = FlowLearner(flow, FlowPhase("flow", 1e-3))
    losses = stepped(one, batch, 12)
    assert losses[-1] < losses[0]
    assert "spk_embed_affine_layer.weight" not in one.trained()


class Never:
    stage = FlowPhase("one", 1e-3)

    def __init__(self, value: float) -> None:
        self.parameter = torch.nn.Parameter(torch.tensor([value]))

    def trained(self) -> dict[str, torch.nn.Parameter]:
        return {"x": self.parameter}


def test_a_phase_that_is_done_is_read_and_not_done_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(phases, "optimise", lambda *_: 1.5)
    assert phases.run(Never(3.0), None, 1, tmp_path / "one", Settings()) == 1.5  # type: ignore[arg-type]
    monkeypatch.setattr(phases, "optimise", None)
    other = Never(0.0)
    assert phases.run(other, None, 1, tmp_path / "one", Settings()) == 1.5  # type: ignore[arg-type]
    assert other.parameter.item() == 3.0


@pytest.mark.parametrize("name", STAGES)
def test_each_stage_leaves_its_report_losses_and_weights(
    name: str, speech: SpeechTraining, capsys: pytest.CaptureFixture[str]
):
    folder = speech.folder(name)
    report = json.loads((folder / REPORT).read_text())
    assert report["stage"] == name and report["seconds"] >= 0 and report["trained_parameters"] > 0
    assert set(report["held_out_loss"]) == {"true", "blank", "shuffled"}
    assert len((folder / LOSSES).read_text().splitlines()) == 1 + (4 if name == "tokenizer" else 2)
    assert (folder / "losses.svg").exists()
    speech.run(name)
    assert "done before" in capsys.readouterr().err


def test_what_was_trained_is_what_is_read(speech: SpeechTraining):
    tokenizer = load(speech.folder("tokenizer"))
    assert tokenizer.config == speech.size.tokenizer and tokenizer.ema_count.sum() > 0
    assert speech.flow().config == speech.size.flow and speech.vocoder().config == speech.size.vocoder


def test_a_flow_without_a_tokenizer_says_what_it_needs(tmp_path: Path, speech: SpeechTraining):
    with pytest.raises(FileNotFoundError, match="starts from stage tokenizer"):
        SpeechTraining(speech.size, 0, tmp_path).run("flow")


def test_errors_are_words_of_english_and_characters_of_mandarin():
    pairs = [("One big dog.", "one dog"), ("两个苹果。", "两个平果"), ("It is.", "it is")]
    assert error_rates(pairs) == {"wer": 20.0, "cer": 25.0}
    assert len(NAMES) > 50
