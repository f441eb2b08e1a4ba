"""The judges that hear, with small random weights in the layouts of the released ones."""

from __future__ import annotations

import json
import math
import shutil
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf
import torch
from safetensors.torch import load_file, save_file

from harness.contracts import Judge, JudgeOptions
from harness.failures import UsageError
from harness.judging import check_judges
from harness.media import reference
from harness.registry import get_judge, get_task
from harness.types import Ask, Failure, Verdict
from tasks.scoring.heard import LONG_FORM, ONE_WINDOW, SPEAKER, cosine
from tests.tasks.judges import hearing_models as made

FULL = {"whisper checkpoint": "whisper", "paraformer": "funasr"}
"""Judges that need a package of the extra `judges`, which `make test-full` installs."""
KINDS = {
    "whisper folder": ("whisper", "recogniser-en", made.whisper_folder),
    "whisper checkpoint": ("whisper", "recogniser-en", lambda folder: made.whisper_checkpoint(folder / "tiny.pt")),
    "wavlm": ("wavlm-sv", SPEAKER, made.wavlm_folder),
    "paraformer": ("paraformer-zh", "recogniser-zh", made.paraformer_folder),
}
FOLDERS = [kind for kind in KINDS if kind != "whisper checkpoint"]
UNHEARD = {"no sound", "missing", "nan"}


def of(kind: str, folder: Path) -> tuple[Judge, str]:
    if package := FULL.get(kind):
        pytest.importorskip(package)
    name, role, make = KINDS[kind]
    return get_judge(name)(JudgeOptions(str(make(folder)))), role


@pytest.fixture(scope="module")
def sounds(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return made.recordings(tmp_path_factory.mktemp("sounds"))


@pytest.mark.parametrize("kind", KINDS)
def test_each_recording_has_a_verdict_or_a_failure_of_its_own(
    kind: str, sounds: dict[str, Path], tmp_path: Path
) -> None:
    judge, role = of(kind, tmp_path)
    judge.open()
    how = () if role == SPEAKER else (("language", role[-2:]), *ONE_WINDOW)
    names = [name for name in sounds if name != "long" or role == SPEAKER]
    asks = [Ask(role, reference("audio", sounds[name]), how) for name in names]
    found = dict(judge.judge(asks))
    again = dict(judge.judge(asks[:1]))
    judge.close()
    said = {name: found[place] for place, name in enumerate(names)}
    assert isinstance(said["good"], Verdict) and again[0] == said["good"]
    assert all(isinstance(said[name], Failure) for name in UNHEARD)
    assert all(said[name].stage == "judge" for name in said if isinstance(said[name], Failure))  # type: ignore[union-attr]
    assert role == SPEAKER or isinstance(said["one sample"], Verdict)
    assert isinstance(said["clipped"], Verdict) and isinstance(said["other rate"], Verdict)


@pytest.mark.parametrize("kind", ["whisper folder", "whisper checkpoint"])
def test_whisper_hears_a_recording_of_more_than_a_window(kind: str, sounds: dict[str, Path], tmp_path: Path) -> None:
    judge, role = of(kind, tmp_path)
    judge.open()
    long = reference("audio", sounds["long"])
    asks = [Ask(role, long, LONG_FORM), Ask(role, long, (("language", "en"), *ONE_WINDOW))]
    assert all(isinstance(said, Verdict) for _, said in judge.judge(asks))


def test_an_unknown_window_and_a_text_are_failures(tmp_path: Path, sounds: dict[str, Path]) -> None:
    judge, role = of("whisper folder", tmp_path)
    judge.open()
    odd = Ask(role, reference("audio", sounds["good"]), (("window", "60s"),))
    said = [verdict for _, verdict in judge.judge([odd, Ask(role, "a text")])]
    assert [isinstance(verdict, Failure) and verdict.message for verdict in said] == [
        "no window '60s'; there are 30s and long",
        "the role recogniser-en takes a recording; it was asked about a text or a picture",
    ]


def test_a_voice_is_like_itself(tmp_path: Path, sounds: dict[str, Path]) -> None:
    judge, role = of("wavlm", tmp_path)
    judge.open()
    asks = [Ask(role, reference("audio", sounds[name])) for name in ("good", "good", "clipped")]
    one, same, other = (json.loads(said.text) for _, said in judge.judge(asks) if isinstance(said, Verdict))
    assert math.isclose(math.hypot(*one), 1, abs_tol=1e-5)
    assert math.isclose(cosine(one, same), 1, abs_tol=1e-5) and cosine(one, other) < 0.9999


@pytest.mark.parametrize(("samples", "said"), [(1_600, Failure), (4_880, Failure), (5_199, Failure), (5_200, Verdict)])
def test_a_voice_that_is_too_short_for_the_released_head_is_a_failure(samples: int, said: type, tmp_path: Path) -> None:
    made.wavlm_folder(tmp_path, released=True)
    sf.write(tmp_path / "short.wav", np.sin(np.arange(samples) * 0.3) * 0.3, 16_000)
    judge = get_judge("wavlm-sv")(JudgeOptions(str(tmp_path)))
    judge.open()
    ((_, found),) = judge.judge([Ask(SPEAKER, reference("audio", tmp_path / "short.wav"))])
    assert isinstance(found, said)
    if isinstance(found, Verdict):
        assert all(map(math.isfinite, json.loads(found.text)))
    elif isinstance(found, Failure):
        assert "has no voice to be compared" in found.message


def test_weights_are_known_by_their_content(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    judge, _ = of("whisper folder", tmp_path / "one")
    shutil.copytree(tmp_path / "one", tmp_path / "one again" / "one")
    copy = get_judge("whisper")(JudgeOptions(str(tmp_path / "one again" / "one")))
    assert copy.fingerprint() == judge.fingerprint()
    (tmp_path / "one again" / "one" / "generation_config.json").write_text("{}")
    changed = get_judge("whisper")(JudgeOptions(str(tmp_path / "one again" / "one")))
    assert changed.fingerprint() != judge.fingerprint()
    assert str(tmp_path) not in json.dumps(dict(judge.fingerprint()))


def cut_off(folder: Path) -> str:
    file = next(file for file in folder.iterdir() if file.name in ("model.safetensors", "model.pt"))
    file.write_bytes(file.read_bytes()[:-100])
    return file.name


def without(folder: Path) -> str:
    (folder / "config.json" if (folder / "config.json").exists() else folder / "tokens.json").unlink()
    return "lacks"


def emptied(folder: Path) -> str:
    shutil.rmtree(folder)
    folder.mkdir()
    return "lacks"


@pytest.mark.parametrize("damage", [cut_off, without, emptied])
@pytest.mark.parametrize("kind", FOLDERS)
def test_a_folder_that_is_not_whole_is_told_at_once(kind: str, damage: Callable[[Path], str], tmp_path: Path) -> None:
    of(kind, tmp_path)
    told = damage(tmp_path)
    started = time.process_time()
    with pytest.raises(UsageError, match=told) as found:
        get_judge(KINDS[kind][0])(JudgeOptions(str(tmp_path)))
    assert time.process_time() - started < 2 and str(tmp_path) in str(found.value)


@pytest.mark.parametrize(
    ("kind", "file"), [("whisper folder", "tokenizer.json"), ("wavlm", "preprocessor_config.json")]
)
def test_a_damaged_file_is_told_with_its_folder_when_the_judge_is_opened(kind: str, file: str, tmp_path: Path) -> None:
    judge, _ = of(kind, tmp_path)
    (tmp_path / file).write_text("{]")
    with pytest.raises(UsageError, match=r"is damaged or does not fit \(\w+.*download it again") as found:
        judge.open()
    assert str(tmp_path) in str(found.value)


def test_weights_of_another_kind_than_tensors_are_not_run(tmp_path: Path) -> None:
    of("wavlm", tmp_path)
    (tmp_path / "model.safetensors").unlink()
    torch.save({"x": Path("x")}, tmp_path / "pytorch_model.bin")
    with pytest.raises(UsageError, match=r"does not fit"):
        get_judge("wavlm-sv")(JudgeOptions(str(tmp_path))).open()


@pytest.mark.parametrize("kind", ["whisper folder", "wavlm"])
def test_weights_that_lack_a_tensor_are_not_made_up(kind: str, tmp_path: Path) -> None:
    judge, _ = of(kind, tmp_path)
    path = tmp_path / "model.safetensors"
    tensors = load_file(path)
    gone = sorted(name for name in tensors if "classifier" in name or "encoder.layers.0" in name)[0]
    del tensors[gone]
    save_file(tensors, path, {"format": "pt"})
    with pytest.raises(UsageError, match=rf"tensors are missing, e\.g\. {gone}"):
        judge.open()


def test_a_name_below_a_folder_that_is_there_is_no_name_on_a_hub(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "weights").mkdir()
    with pytest.raises(UsageError, match="no file or folder weights/large"):
        get_judge("whisper")(JudgeOptions("weights/large"))


@pytest.mark.parametrize("name", ["whisper", "paraformer-zh", "wavlm-sv"])
@pytest.mark.parametrize("where", ["nowhere/at/all", "./gone", "/gone.pt"])
def test_a_path_that_is_not_there_is_no_name_on_a_hub(name: str, where: str) -> None:
    if name == "paraformer-zh":
        pytest.importorskip("funasr")
    with pytest.raises(UsageError, match=r"no (such folder|file or folder)"):
        get_judge(name)(JudgeOptions(where))


def test_a_checkpoint_that_holds_more_than_tensors_is_refused(tmp_path: Path) -> None:
    pytest.importorskip("whisper")
    torch.save({"dims": Path("x")}, tmp_path / "odd.pt")
    judge = get_judge("whisper")(JudgeOptions(str(tmp_path / "odd.pt")))
    with pytest.raises(UsageError, match=r"odd\.pt"):
        judge.open()


@pytest.mark.skipif(find_spec("funasr") is not None, reason="the extra is installed")
def test_a_package_that_is_not_installed_is_told_with_its_extra() -> None:
    with pytest.raises(UsageError, match=r"needs the package funasr.*omni-harness\[judges\]"):
        check_judges([get_task("seedtts_zh")], ())
