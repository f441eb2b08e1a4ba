"""The decoders learn to say texts: what they are given, what they come to, and that a stopped training goes on."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from models.text.tokenizer import byte_tokenizer
from models.training import loop
from models.training.recipes import STAGES
from models.training.speech_out.decoder_run import decoder_controls, swapped
from models.training.speech_out.decoder_stage import (
    SETTINGS,
    SPAN,
    Coded,
    DecoderBatch,
    DecoderBatches,
    DecoderLearner,
    misheard,
)
from models.vita15.speech_config import Sampling, SpeechDecoderConfig
from models.vita15.speech_decoder import SpeechDecoder

WIDTH, ENTRIES = 24, 20
CONFIG = SpeechDecoderConfig(ENTRIES, WIDTH, heads=2, inner=48, ar_layers=2, nar_layers=1)
TOKENIZE = byte_tokenizer().encode
STAGE = STAGES["3.2"]


def said(text: str) -> Coded:
    """Two codes a letter, a function of it."""
    letters = [ord(letter) - ord("a") for letter in text]
    return Coded(text, torch.tensor([code for letter in letters for code in (letter, (letter + 7) % ENTRIES)]))


TEXTS = [said(text) for text in ("abc", "cab", "bed", "dead", "fade", "head", "badge", "cabbage")]


def learner(seed: int = 1) -> DecoderLearner:
    torch.manual_seed(seed)
    embeddings = torch.randn(len(byte_tokenizer()), WIDTH, generator=torch.Generator().manual_seed(0))
    return DecoderLearner(SpeechDecoder(CONFIG), embeddings, STAGE)


def batches(cls: type[DecoderBatches] = DecoderBatches) -> DecoderBatches:
    return cls(TEXTS, TOKENIZE, ENTRIES, 4, 400, 0, "here")


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> DecoderLearner:
    made = learner()
    folder = tmp_path_factory.mktemp("decoder")
    loop.optimise(made, batches(), 400, folder, SETTINGS)
    return made


def spoken(made: DecoderLearner, text: str, sampling: Sampling) -> list[int]:
    embeddings = made.embeddings[torch.tensor(TOKENIZE(text))][None]
    return list(made.decoder.generate(embeddings, sampling, torch.Generator().manual_seed(0)))


@pytest.mark.parametrize("top_k", [1, 2])
def test_what_was_learnt_is_said_and_ended(trained: DecoderLearner, top_k: int):
    right = sum(spoken(trained, one.text, Sampling(top_k, max_tokens=40)) == one.codes.tolist() for one in TEXTS)
    assert right >= (len(TEXTS) if top_k == 1 else len(TEXTS) - 3)


def test_a_decoder_that_reads_loses_by_no_text_and_by_another(trained: DecoderLearner):
    found = decoder_controls(trained, batches().as_they_are())
    assert found.true < 0.3 * min(found.blank, found.shuffled)


def test_the_embeddings_of_the_language_model_stay(trained: DecoderLearner):
    assert trained.embeddings.equal(learner().embeddings)
    assert "embeddings" not in trained.trained() and not trained.embeddings.requires_grad
    assert trained.trained().keys() == trained.decoder.state_dict().keys()


def test_a_batch_holds_texts_with_their_codes():
    made = batches()
    for number in range(20):
        batch = made(number)
        for tokens, length, codes, size in zip(
            batch.tokens, batch.token_lengths.tolist(), batch.codes, batch.code_lengths.tolist(), strict=True
        ):
            text = byte_tokenizer().decode(tokens[:length].tolist())
            assert codes[:size].equal(said(text).codes)
    assert all(made(number).heard.equal(made(number).heard) for number in range(8))
    assert not all(made(number).heard.equal(made(number).codes) for number in range(8))


def test_all_rows_once():
    rows = batches().as_they_are()
    assert sum(len(batch.tokens) for batch in rows) == len(TEXTS)
    assert all(batch.heard.equal(batch.codes) for batch in rows)


@given(st.floats(0, 1), st.integers(0, 1000))
def test_so_many_codes_are_misheard(share: float, seed: int):
    codes = torch.zeros(40_000, dtype=torch.long)
    found = misheard(codes, 100, share, torch.Generator().manual_seed(seed))
    assert float((found != codes).double().mean()) == pytest.approx(0.99 * share, abs=0.05)
    assert int(found.min()) >= 0 and int(found.max()) < 100


def test_codes_are_misheard_in_spans():
    codes = torch.full((40_000,), -1)
    wrong = misheard(codes, 100, 0.2, torch.Generator().manual_seed(0)) >= 0
    spans = int((wrong[1:] & ~wrong[:-1]).sum())
    assert SPAN <= int(wrong.sum()) / spans <= 1.5 * SPAN  # some lie side by side


def test_what_is_misheard_is_not_what_is_to_be_said():
    made = learner()
    batch = batches()(0)
    text, lengths = made.decoder.fold(made.embeddings[batch.tokens]), batch.token_lengths
    codes, sizes = batch.codes, batch.code_lengths
    heard = (codes + 1) % ENTRIES
    logits = made.decoder.teacher_logits(text, lengths, heard, sizes)
    total: Tensor = torch.zeros(())
    for row, size in enumerate(sizes.tolist()):
        goal = torch.cat([codes[row, :size], torch.tensor([CONFIG.eos])])
        total = total + torch.nn.functional.cross_entropy(logits[row, : size + 1], goal, reduction="sum")
    found = made.decoder.teacher_loss(text, lengths, codes, sizes, heard=heard)
    assert found.total.allclose(total, rtol=1e-5) and int(found.targets) == int(sizes.sum()) + len(sizes)


def test_swapped_texts_stay_with_their_lengths():
    batch = batches()(0)
    turned = swapped(batch)
    assert turned.tokens[1].equal(batch.tokens[0]) and turned.token_lengths[1] == batch.token_lengths[0]
    assert turned.codes.equal(batch.codes)


class Stopped(Exception):
    pass


class Stops(DecoderBatches):
    def __call__(self, number: int) -> DecoderBatch:
        if number == 3:
            raise Stopped
        return super().__call__(number)


def test_a_stopped_training_goes_on_as_if_it_had_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(loop, "SAVE_EVERY", 2)
    whole, stopped = tmp_path / "whole", tmp_path / "stopped"
    whole.mkdir()
    stopped.mkdir()
    straight, first, resumed = learner(), learner(), learner()
    loop.optimise(straight, batches(), 5, whole, SETTINGS)
    with pytest.raises(Stopped):
        loop.optimise(first, batches(Stops), 5, stopped, SETTINGS)
    loop.optimise(resumed, batches(), 5, stopped, SETTINGS)
    for (name, value), other in zip(straight.state_dict().items(), resumed.state_dict().values(), strict=True):
        assert value.equal(other), name
    assert (whole / loop.LOSSES).read_bytes() == (stopped / loop.LOSSES).read_bytes()
