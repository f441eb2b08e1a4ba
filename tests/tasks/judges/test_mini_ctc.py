"""The judge mini-ctc through the registry and the judging pass: what it hears, what it cannot, and its weights."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile

from harness.contracts import DataChoice, Judge, JudgeOptions
from harness.failures import UsageError
from harness.judging import open_bench
from harness.media import load_audio, sha256_of
from harness.registry import ASR, get_judge, get_task
from harness.types import Ask, Failure, Media, Verdict, Waveform
from tasks.judges.mini_ctc import store
from tasks.judges.mini_ctc.hearing import FRAME, NotSound, joined, phrases, transcribe, windows
from tasks.judges.mini_ctc.measure import MOST, measure
from tasks.scoring.error_rate import ErrorCounts, score_pair
from tests.harness.toy_judge import HEARD
from tests.tasks.judges.ctc_weights import random_weights

RATE = 16_000
EN, ZH = "recogniser-en", "recogniser-zh"


@pytest.fixture(scope="module")
def shipped() -> Iterator[Judge]:
    judge = get_judge("mini-ctc")(JudgeOptions())
    judge.open()
    yield judge
    judge.close()


def media(path: Path) -> Media:
    return Media("audio", str(path), sha256_of(path))


def written(path: Path, samples: np.ndarray, rate: int = RATE) -> Media:
    soundfile.write(path, samples, rate, subtype="FLOAT")
    return media(path)


def rows(name: str, n: int) -> list[tuple[Media, str]]:
    """The first recordings of a task of the shipped data, with what is said."""
    task, found = get_task(name), []
    for row in list(task.source.rows(DataChoice("mini")))[:n]:
        part = next(part for part in task.presets["vita"].messages(row)[0].parts if isinstance(part, Media))
        found.append((media(Path(part.path)), str(row.get("text") or row.get("transcription"))))
    return found


def heard(judge: Judge, *asks: Ask) -> list[Verdict | Failure]:
    said = dict(judge.judge(asks))
    assert set(said) == set(range(len(asks)))
    return [said[index] for index in range(len(asks))]


def carded() -> dict[str, tuple[int, int]]:
    """Set -> errors and units, as the card states them."""
    lines = (store.SHIPPED / "README.md").read_text("utf-8").splitlines()
    cells = [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines if line.startswith("|")]
    pairs = {row[0]: row[3].split(" / ") for row in cells[2:]}
    return {name: (int(errors), int(units)) for name, (errors, units) in pairs.items()}


@pytest.fixture(scope="module")
def recogniser() -> store.Recogniser:
    return store.load(store.SHIPPED)


@pytest.mark.parametrize("name", ASR)
def test_the_card_states_its_errors_on_the_shipped_data(recogniser: store.Recogniser, name: str):
    measured = measure(recogniser, get_task(name)).counts
    errors, units = carded()[name]
    assert measured.ref_len == units and abs(measured.errors - errors) <= 2  # sums differ a little between machines


def test_the_card_states_totals_that_are_the_sums_of_the_test_sets():
    said = carded()
    for language, names in (("en", ("librispeech_test", "fleurs_en")), ("zh", ("aishell", "wenet", "fleurs_zh"))):
        chosen = [counts for name, counts in said.items() if name.startswith(names)]
        assert said[f"test, {language}"] == tuple(map(sum, zip(*chosen, strict=True)))


@pytest.mark.parametrize("language", ["en", "zh"])
def test_it_hears_the_test_voices_within_what_was_aimed_at(language: str):
    errors, units = carded()[f"test, {language}"]
    assert errors / units <= MOST


@pytest.mark.parametrize("name", ["librispeech_test_clean", "aishell1"])
def test_the_judge_hears_as_the_card_says(shipped: Judge, name: str):
    pairs, counts = rows(name, 30), ErrorCounts()
    role = ZH if name == "aishell1" else EN
    for (_, text), said in zip(pairs, heard(shipped, *(Ask(role, r) for r, _ in pairs)), strict=True):
        assert isinstance(said, Verdict)
        counts += score_pair("whisper", "zh" if name == "aishell1" else "en", text, said.text).counts
    errors, units = carded()[name]
    assert counts.rate <= errors / units + 0.03


def test_the_same_is_heard_whatever_else_is_asked(shipped: Judge):
    asks = [Ask(EN, recording) for recording, _ in rows("fleurs_en", 4)]
    together = heard(shipped, *asks)
    assert together == [heard(shipped, ask)[0] for ask in asks] == heard(shipped, *reversed(asks))[::-1]


def test_sound_of_another_rate_is_heard_alike(shipped: Judge, tmp_path: Path):
    import soxr

    for place, (recording, _) in enumerate(rows("librispeech_test_clean", 3)):
        wave = load_audio(Path(recording.path))
        again = written(tmp_path / f"{place}.wav", soxr.resample(wave.samples, wave.rate, 24_000), 24_000)
        assert heard(shipped, Ask(EN, again)) == heard(shipped, Ask(EN, recording))


def test_bad_recordings_fail_alone(shipped: Judge, tmp_path: Path):
    good, _ = rows("fleurs_en", 1)[0]
    nan = np.full(RATE, 0.1, np.float32)
    nan[7] = np.nan
    torn = tmp_path / "torn.wav"
    torn.write_bytes(b"RIFF not a sound")
    contents = [
        written(tmp_path / "nan.wav", nan),
        written(tmp_path / "empty.wav", np.zeros(0, np.float32)),
        media(torn),
        Media("audio", str(tmp_path / "absent.wav")),
        "a text",
        Media("image", str(torn), "0" * 64),
        good,
    ]
    said = heard(shipped, *(Ask(EN, content) for content in contents))
    told = ["not finite", "no samples", "torn.wav", "absent.wav", "about text", "about image"]
    for failure, words in zip(said, told, strict=False):
        assert isinstance(failure, Failure) and failure.stage == "judge" and words in failure.message
    assert isinstance(said[-1], Verdict) and said[-1].text


def test_an_unknown_language_is_a_failure(shipped: Judge):
    good, _ = rows("fleurs_en", 1)[0]
    failure, verdict = heard(shipped, Ask("recogniser-de", good), Ask(EN, good))
    assert isinstance(failure, Failure) and "'de'" in failure.message and isinstance(verdict, Verdict)


@pytest.mark.parametrize("loudness", [0.0, 1e-6])
def test_silence_says_nothing(shipped: Judge, tmp_path: Path, loudness: float):
    noise = loudness * np.random.default_rng(0).standard_normal(3 * RATE)
    assert heard(shipped, Ask(EN, written(tmp_path / "a.wav", noise))) == [Verdict("")]


@pytest.mark.parametrize("samples", [1, 160, RATE // 50])
def test_a_click_has_some_transcript(shipped: Judge, tmp_path: Path, samples: int):
    (said,) = heard(shipped, Ask(EN, written(tmp_path / "a.wav", np.full(samples, 0.3))))
    assert isinstance(said, Verdict) and len(said.text) <= 2


@pytest.mark.parametrize(
    ("wave", "why"),
    [
        (Waveform(np.zeros(0, np.float32), RATE), "no samples"),
        (Waveform(np.array([0.1, np.inf], np.float32), RATE), "not finite"),
        (Waveform(np.ones(9, np.float32), 0), "rate 0"),
    ],
)
def test_what_is_no_sound_says_why(tmp_path: Path, wave: Waveform, why: str):
    with pytest.raises(NotSound, match=why):
        transcribe(store.load(random_weights(tmp_path)), wave, None)


def test_samples_far_outside_are_heard_as_clipped(tmp_path: Path):
    recogniser = store.load(random_weights(tmp_path))
    noise = np.random.default_rng(0).standard_normal(RATE).astype(np.float32)
    loud, clipped = (Waveform(samples, RATE) for samples in (1e30 * noise, np.sign(noise)))
    assert transcribe(recogniser, loud, None) == transcribe(recogniser, clipped, None)


@pytest.mark.parametrize("seconds", [0.02, 19.99, 20.0, 20.01, 36.0, 61.3])
def test_windows_score_each_frame_once_and_in_order(seconds: float):
    samples = np.arange(round(seconds * RATE), dtype=np.float32)
    starts: list[float] = []
    for piece, first, last in windows(samples):
        assert len(piece) <= 20 * RATE and 0 <= first < last
        starts += [float(piece[frame * FRAME]) for frame in range(first, last)]
    assert starts == list(np.arange(0, len(samples), FRAME))


def test_a_sound_is_cut_at_its_pauses():
    loud = np.full(RATE, 0.5, np.float32)
    pause, gap = np.full(RATE // 2, 0.001, np.float32), np.zeros(RATE // 8, np.float32)
    found = [len(phrase) / RATE for phrase in phrases(np.concatenate([pause, loud, gap, loud, pause, loud]))]
    assert found == pytest.approx([2.25, 1.0625], abs=0.05)
    assert not list(phrases(np.zeros(RATE, np.float32))) and len(list(phrases(loud[:1]))) == 1


@pytest.mark.parametrize(
    ("said", "text"),
    [([], ""), (["a b ", " c"], "a b c"), (["一", "", "二"], "一二"), (["a", "", "b"], "a b"), (["a", "一"], "a一")],
)
def test_phrases_are_joined_as_their_language_is_written(said: list[str], text: str):
    assert joined(said) == text


def test_ten_minutes_without_a_pause_are_heard_in_windows(shipped: Judge, tmp_path: Path):
    one = np.concatenate([load_audio(Path(media.path)).samples for media, _ in rows("aishell1", 5)])
    noise = np.random.default_rng(0).normal(0, 0.02, 600 * RATE)
    long = np.resize(one, 600 * RATE) + noise
    (said,) = heard(shipped, Ask(ZH, written(tmp_path / "long.wav", long)))
    assert isinstance(said, Verdict) and len(said.text) > 600


def test_ten_minutes_are_heard_phrase_by_phrase(shipped: Judge, tmp_path: Path):
    """Sentences with pauses between them: each is heard about as well as alone."""
    pairs = rows("librispeech_test_clean", 20)
    one = np.concatenate([np.pad(load_audio(Path(m.path)).samples, RATE // 4) for m, _ in pairs])
    times = -(-600 * RATE // len(one))
    (said,) = heard(shipped, Ask(EN, written(tmp_path / "long.wav", np.tile(one, times))))
    assert isinstance(said, Verdict)
    text = " ".join([text for _, text in pairs] * times)
    assert score_pair("whisper", "en", text, said.text).counts.rate < 0.1


def test_it_is_pinned_by_the_content_of_its_weights(tmp_path: Path):
    prints = []
    for name, seed in (("a", 0), ("b", 0), ("c", 1)):
        judge = get_judge("mini-ctc")(JudgeOptions(str(random_weights(tmp_path / name, seed))))
        prints.append(judge.fingerprint())
        json.dumps(prints[-1])
    assert prints[0] == prints[1] != prints[2]


def _without(name: str, folder: Path) -> None:
    (folder / name).unlink()


def _cut(name: str, folder: Path) -> None:
    content = (folder / name).read_bytes()
    (folder / name).write_bytes(content[: len(content) // 2])


@pytest.mark.parametrize("spoil", [_without, _cut])
@pytest.mark.parametrize("name", [store.CONFIG, store.WEIGHTS])
def test_damaged_weights_are_told_at_once(tmp_path: Path, spoil, name: str):
    folder = random_weights(tmp_path / "weights")
    spoil(name, folder)
    started = time.monotonic()
    with pytest.raises(UsageError) as told:
        get_judge("mini-ctc")(JudgeOptions(str(folder))).open()
    assert time.monotonic() - started < 2
    assert str(folder) in str(told.value) and name in str(told.value) and "models.training.mini_ctc" in str(told.value)


def test_a_config_of_another_network_is_told(tmp_path: Path):
    folder = random_weights(tmp_path)
    config = json.loads((folder / store.CONFIG).read_text("utf-8"))
    config["shape"]["width"] = 17
    (folder / store.CONFIG).write_text(json.dumps(config), "utf-8")
    with pytest.raises(UsageError, match=r"weights\.safetensors is damaged or of another network"):
        store.load(folder)


def test_no_folder_is_told(tmp_path: Path):
    with pytest.raises(UsageError, match=r"config\.json is missing"):
        get_judge("mini-ctc")(JudgeOptions(str(tmp_path / "nonesuch")))


def test_making_the_judge_imports_no_torch():
    code = (
        "import sys; from harness.registry import ASR, get_judge; from harness.contracts import JudgeOptions; "
        "get_judge('mini-ctc')(JudgeOptions()).fingerprint(); print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_the_judging_pass_asks_it_once_for_each_recording(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("HARNESS_CACHE", str(tmp_path / "cache"))
    pairs = rows("librispeech_test_clean", 2)
    asks = [Ask(EN, recording) for recording, _ in (*pairs, pairs[0])]
    with open_bench([HEARD], ["mini-ctc"], None, "cpu") as bench:
        said = bench.ask(asks)
        assert bench.name(EN).startswith("mini-ctc (")
        assert said[0] == said[2] and bench.spent()[EN].judgements == 2
    with open_bench([HEARD], ["mini-ctc"], None, "cpu") as bench:
        assert bench.ask(asks) == said  # from the store that runs share


def test_what_ships_is_small_and_halved():
    from safetensors import safe_open

    assert sum(path.stat().st_size for path in store.SHIPPED.iterdir()) <= 4 << 20
    with safe_open(store.SHIPPED / store.WEIGHTS, "pt") as file:
        assert {file.get_slice(name).get_dtype() for name in file.keys()} == {"F16"}  # noqa: SIM118


def test_a_copy_of_the_weights_is_the_same_judge(tmp_path: Path):
    shutil.copytree(store.SHIPPED, tmp_path / "copy")
    assert store.digest(tmp_path / "copy") == store.digest(store.SHIPPED)
