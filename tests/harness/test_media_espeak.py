"""The synthesiser: what it says depends on the call alone, and it says what it cannot do."""

import hashlib
import multiprocessing
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.media import espeak
from harness.media.espeak import SynthesizerError, speak, version

CALLS = (
    ("the red ball is on the table", "en-us+f2", 180, 50),
    ("老师在学校", "cmn-latn-pinyin+max", 205, 40),
    ("what is the capital of france", "en-gb-x-rp+whisper", 160, 60),
    ("noise from the generator of the c library", "en-gb+caleb", 180, 50),
    ("hello", "en-us", 200, 99),
)


def digest(call: tuple[str, str, int, int]) -> str:
    return hashlib.sha256(speak(*call).tobytes()).hexdigest()


def in_order(order: list[int]) -> list[str]:
    return [digest(CALLS[i]) for i in order]


@pytest.fixture(scope="module")
def alone() -> list[str]:
    """Each call's samples as the first of a new process."""
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(2, mp_context=spawn, max_tasks_per_child=1) as pool:
        return list(pool.map(digest, CALLS))


@settings(max_examples=15, deadline=None)
@given(order=st.lists(st.integers(0, len(CALLS) - 1), min_size=1, max_size=6))
def test_what_was_spoken_before_changes_nothing(alone: list[str], order: list[int]) -> None:
    assert in_order(order) == [alone[i] for i in order]


def test_threads_do_not_disturb_one_another(alone: list[str]) -> None:
    order = [i % len(CALLS) for i in range(30)]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(lambda i: digest(CALLS[i]), order)) == [alone[i] for i in order]


def test_voice_speed_and_pitch_are_heard() -> None:
    text = "the red ball is on the table"
    base = speak(text, "en-us+f2", 180)
    assert len(speak(text, "en-us+f2", 260)) < 0.8 * len(base)
    others = [speak(text, voice, 180, pitch) for voice, pitch in (("en-us+m1", 50), ("en-gb+f2", 50), ("en-us+f2", 90))]
    assert len({wave.tobytes() for wave in (base, *others)}) == 4
    assert base.dtype == np.int16 and 1.0 < len(base) / espeak.RATE < 2.5


def test_many_texts_leave_little_behind() -> None:
    def resident() -> int:
        return int(Path("/proc/self/statm").read_text().split()[1]) * 4096

    for _ in range(50):
        speak("one", "en-us+f2", 300)
    before = resident()
    for _ in range(400):
        speak("one", "en-us+f2", 300)
    assert resident() - before < 400 * 8_000


@pytest.mark.parametrize(
    ("voice", "said"),
    [
        ("xx", "no language 'xx', only en-us"),
        ("cmn+f2", "no language 'cmn'"),
        ("en-us+no-such", "no variant 'no-such'"),
        ("en-us+F2", "no variant 'F2'"),
        ("en-us+", "no variant ''"),
        ("en-us+../f2", "no variant"),
    ],
)
def test_a_voice_that_does_not_exist_is_refused(voice: str, said: str) -> None:
    with pytest.raises(SynthesizerError, match=said):
        speak("hello", voice, 180)


def test_nothing_to_say_gives_no_samples() -> None:
    assert not np.any(speak("", "en-us", 180))


def test_the_version_names_package_and_library() -> None:
    assert version() == "espeakng-loader 0.2.4 (espeak-ng 1.52.0)"


def test_data_that_cannot_be_read_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    library, _ = espeak._installed()
    (tmp_path / "voices" / "!v").mkdir(parents=True)
    monkeypatch.setattr(espeak, "_installed", lambda: (library, tmp_path))
    with pytest.raises(SynthesizerError, match=r"cannot read its data in .*install espeakng-loader again"):
        speak("hello", "en-us", 180)
