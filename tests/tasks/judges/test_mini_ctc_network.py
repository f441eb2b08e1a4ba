"""Filter banks, network, units and best path of the small recogniser."""

from __future__ import annotations

from itertools import groupby

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tasks.judges.mini_ctc.alphabet import BLANK, LATIN, Alphabet
from tasks.judges.mini_ctc.decode import Words, best_path, best_spelling, collapse
from tasks.judges.mini_ctc.features import BANDS, HOP, RATE, log_mel
from tasks.judges.mini_ctc.network import Network, Shape

ALPHABET = Alphabet("一二三红")
PATHS = st.lists(st.integers(0, 4), max_size=40)


@pytest.fixture(scope="module")
def network() -> Network:
    torch.manual_seed(3)
    return Network(Shape(len(ALPHABET), width=16, blocks=3, kernel=5)).eval()


@pytest.mark.parametrize("samples", [0, 1, HOP, HOP + 1, RATE])
def test_a_frame_for_each_10_ms_begun(samples: int):
    found = log_mel(np.full(samples, 0.1, np.float32))
    assert found.shape == (-(-samples // HOP), BANDS) and np.isfinite(found).all()


def test_loudness_changes_no_filter_bank_of_clear_speech():
    wave = np.random.default_rng(0).uniform(-0.5, 0.5, RATE).astype(np.float32)
    assert np.allclose(log_mel(wave), log_mel(wave * np.float32(0.5)), atol=0.02)


def test_a_higher_tone_lights_a_higher_band():
    at = np.arange(RATE // 2) / RATE
    quiet = np.random.default_rng(0).normal(0, 1e-3, RATE // 2)
    bands = []
    for tone in (300, 1000, 4000):
        wave = np.concatenate([quiet, np.sin(2 * np.pi * tone * at)]).astype(np.float32)
        bands.append(int(log_mel(wave)[-20].argmax()))
    assert bands == sorted(set(bands))


@pytest.mark.parametrize("frames", [1, 2, 7, 100])
def test_scores_for_each_20_ms_are_log_probabilities(network: Network, frames: int):
    scores, lengths = network(torch.randn(2, frames, BANDS), torch.tensor([frames, frames]))
    assert scores.shape == (2, -(-frames // 2), len(ALPHABET)) and lengths.tolist() == [-(-frames // 2)] * 2
    assert scores.exp().sum(-1).allclose(torch.ones(2, -(-frames // 2)), atol=1e-5)


def test_padding_and_neighbours_change_no_scores(network: Network):
    short, long = torch.randn(31, BANDS), torch.randn(90, BANDS)
    both = torch.zeros(2, 90, BANDS)
    both[0, :31], both[1] = short, long
    scores, lengths = network(both, torch.tensor([31, 90]))
    for row, alone in enumerate((short, long)):
        own, _ = network(alone[None], torch.tensor([len(alone)]))
        assert scores[row, : lengths[row]].allclose(own[0], atol=1e-5)


@pytest.mark.parametrize("wrong", [{"kernel": 4}, {"width": 0}, {"blocks": 1.5}, {"units": 10**9}])
def test_a_shape_that_is_none_names_its_field(wrong: dict[str, int]):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        Shape(**{"units": 30, **wrong}).check()


@pytest.mark.parametrize(
    ("path", "said"), [([], []), ([0, 0], []), ([1, 1, 0, 1], [1, 1]), ([2, 2, 3], [2, 3]), ([0, 4, 4, 4], [4])]
)
def test_best_path_by_example(path: list[int], said: list[int]):
    assert collapse(np.array(path, np.int64)) == said
    assert best_path(np.eye(5, dtype=np.float32)[np.array(path, int)]) == said


@given(PATHS)
def test_best_path_is_runs_taken_as_one_without_blanks(path: list[int]):
    assert collapse(np.array(path, np.int64)) == [unit for unit, _ in groupby(path) if unit != BLANK]


@given(st.lists(st.integers(1, 4), max_size=20), st.data())
def test_any_path_of_a_text_gives_the_text_back(units: list[int], data: st.DataObject):
    path: list[int] = []
    for unit in units:
        same = bool(path) and path[-1] == unit
        path += [BLANK] * data.draw(st.integers(int(same), 2)) + [unit] * data.draw(st.integers(1, 3))
    assert collapse(np.array(path, np.int64)) == units


@given(st.text(alphabet=LATIN + "".join(ALPHABET.characters), max_size=30))
def test_texts_of_its_units_come_back(text: str):
    assert ALPHABET.decode(ALPHABET.encode(text)) == text


def test_a_language_bars_the_units_of_the_other():
    every = set(range(1, len(ALPHABET)))
    english, mandarin = ALPHABET.barred("en"), ALPHABET.barred("zh")
    assert ALPHABET.decode(english) == "一二三红" and ALPHABET.decode(mandarin) == LATIN
    assert {*english, *mandarin} == every and not ALPHABET.barred(None)
    with pytest.raises(ValueError, match="'de'"):
        ALPHABET.barred("de")


@pytest.mark.parametrize("characters", ["一一", "一a", ["一二"]])
def test_an_alphabet_has_single_and_different_characters(characters: str):
    with pytest.raises(ValueError, match="single, different"):
        Alphabet(characters)


def scores_of(units: list[int], sure: float = 0.9) -> np.ndarray:
    """Each unit for two frames and a blank after it, as the network scores what it hears clearly."""
    path = [unit for said in units for unit in (said, said, BLANK)]
    scores = np.full((len(path), 1 + len(LATIN)), np.log((1 - sure) / len(LATIN)), np.float32)
    scores[np.arange(len(path)), path] = np.log(sure)
    return scores


TEXTS = st.lists(st.text(st.sampled_from("abcxyz'"), min_size=1, max_size=5), min_size=1, max_size=3).map(" ".join)


@given(TEXTS)
def test_what_is_heard_clearly_is_spelt_whether_it_is_known_or_not(text: str):
    scores = scores_of(Alphabet("").encode(text), sure=0.9999)
    assert best_spelling(scores, LATIN, Words([])) == best_spelling(scores, LATIN, Words(text.split())) == text


@given(st.lists(st.lists(st.floats(-200, 0), min_size=1 + len(LATIN), max_size=1 + len(LATIN)), max_size=12))
def test_any_scores_have_a_spelling(rows: list[list[float]]):
    scores = np.array(rows, np.float32).reshape(len(rows), 1 + len(LATIN))
    text = best_spelling(scores, LATIN, Words(["cat"]))
    assert len(text) <= len(rows) and set(text) <= set(LATIN)


def test_of_two_spellings_the_known_word_is_meant():
    scores = scores_of(Alphabet("").encode("cet"))
    scores[3:5, 1 + LATIN.index("a")] = np.log(0.3)
    assert best_spelling(scores, LATIN, Words(["dog"])) == "cet"
    assert best_spelling(scores, LATIN, Words(["cat", "dog"])) == "cat"


def test_nothing_is_spelt_of_blanks_and_of_no_frames():
    assert best_spelling(scores_of([]), LATIN, Words(["cat"])) == ""
    assert best_spelling(np.log(np.eye(1 + len(LATIN), dtype=np.float32)[[0] * 5] + 1e-6), LATIN, Words([])) == ""


@given(TEXTS, st.sets(st.text(st.sampled_from("abcxyz'"), min_size=1, max_size=3)))
def test_a_text_costs_no_more_while_its_last_word_may_go_on(text: str, known: set[str]):
    words = Words(known)
    assert words.unknown(text, whole=False) <= words.unknown(text, whole=True) <= len(text.split())
