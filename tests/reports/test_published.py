"""Which of the papers' values stand beside a model's numbers, and what is said of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.registry import ASR, SUITES, get_task
from harness.types import Channel
from reports.leaderboard import published
from reports.published import Published, find, records
from reports.published.models import OWN
from reports.runs import load
from tests.reports.fake_run import entry, metric, numbers, write_run
from tests.reports.test_tables import printed


def of_task(model: str, name: str, channel: Channel | None = None) -> Published | None:
    """The paper's value of the task's first number that has one there."""
    task = get_task(name)
    split = task.split if channel in (None, task.default_channel) else task.splits[channel]
    ((_, theirs), *_) = task.published_metrics.items()
    return find(model, task.benchmark, split, theirs)


def values(model: str, names: tuple[str, ...], channel: Channel | None = None) -> list[float | None]:
    return [None if (one := of_task(model, name, channel)) is None else one.value for name in names]


def test_plus_vanilla_has_a_value_for_every_task_of_its_tables() -> None:
    model = "vita-audio-plus-vanilla"
    read = ("librispeech_test_clean", "librispeech_test_other", "fleurs_en", "fleurs_zh", "aishell1", "aishell2_ios")
    assert values(model, read) == [2.0, 4.6, 4.54, 3.69, 1.94, 3.29]
    assert values(model, ("wenetspeech_net", "wenetspeech_meeting")) == [6.9, 7.12]
    spoken = ("seedtts_zh", "seedtts_en", "seedtts_hard")
    assert values(model, spoken) == [1.13, 1.85, 10.21]
    assert (found := find(model, "LibriTTS", "test-clean", "WER %")) is not None and found.value == 1.89


def test_text_and_speech_have_values_of_their_own() -> None:
    questions = SUITES["sqa"]
    assert values("vita-audio-boost", questions) == [68.7, 30.5, 32.9]
    assert values("vita-audio-boost", questions, "speech") == [60.3, 29.3, 30.4]
    assert values("vita-audio-plus-vanilla", questions) == [75.6, 45.9, 45.0]
    assert values("vita-audio-plus-vanilla", questions, "speech") == [68.0, 42.7, 41.7]


def test_turbo_stands_beside_boost_as_what_it_is() -> None:
    found = of_task("vita-audio-boost", "aishell1")
    assert found is not None and (found.value, found.comparable) == (7.7, False)
    assert found.note.startswith("a row of VITA-Audio-Turbo: the mode")
    own = of_task("vita-audio-boost", "llama_questions")
    assert own is not None and own.comparable and "Turbo" not in own.note


@pytest.mark.parametrize("name", [*ASR, *SUITES["tts"], *SUITES["sqa"]])
def test_weights_without_rows_have_no_value_and_no_row_of_others(name: str) -> None:
    task = get_task(name)
    if not task.published_metrics:  # LibriTTS without WeTextProcessing
        return
    for model in ("vita-audio-balance", "vita-audio-plus-boost", "vita-audio-tiny"):
        assert of_task(model, name) is None


def test_what_a_table_rests_on_is_said_of_each_of_its_values() -> None:
    sampled, scored, silent = (
        of_task("vita-audio-plus-vanilla", name) for name in ("seedtts_en", "aishell1", "llama_questions")
    )
    assert sampled is not None and "sampled" in sampled.note
    assert scored is not None and "does not name the scorer" in scored.note
    assert silent is not None and "without audio" in silent.note
    assert ".;" not in silent.note and "Header damaged" in silent.note, "what the cell itself has stays"


def test_rows_of_another_mode_are_in_the_paper() -> None:
    modes = {(own.source, name) for own in OWN.values() for name in own.modes}
    assert modes and modes <= {(one["source"], one["model"]) for one in records()}


def spoken_run(folder: Path) -> Path:
    task = get_task("llama_questions")
    made = entry({"accuracy": metric(70.0, None, "%", True)}, "vita_contain", channel="text")
    text, speech = made.scores["vita_contain"][""], numbers({"accuracy": metric(55.0, None, "%", True)})
    made.scores = {
        "vita_contain": {"text": text, "speech": speech},
        "vita_contain_dropped": {
            "text": numbers({"accuracy": metric(75.0)}, n_scored=2, n_unscored=1),
            "speech": numbers({"accuracy": metric(60.0)}, n_scored=2, n_unscored=1),
        },
    }
    described = {
        "benchmark": task.benchmark,
        "split": task.split,
        "splits": dict(task.splits),
        "published_metrics": dict(task.published_metrics),
    }
    options = {"model": "vita-audio-boost", "released": True}
    return write_run(folder, {task.name: made}, described={task.name: described}, **options)  # type: ignore[arg-type]


def test_each_channel_is_shown_with_its_own_value(tmp_path: Path) -> None:
    path = spoken_run(tmp_path / "r")
    run = load(path)
    found = [published(run, "llama_questions", "accuracy", channel) for channel in (None, "text", "speech")]  # type: ignore[arg-type]
    assert [one and one.value for one in found] == [68.7, 68.7, 60.3]
    text = printed(path)
    assert "speech channel: accuracy 55.00 % (paper 60.3*)" in text and "68.7*" in text
    assert text.count("* llama_questions: ") == 1, "both values have the same note"


def test_a_profile_that_counts_fewer_samples_says_so(tmp_path: Path) -> None:
    text = printed(spoken_run(tmp_path / "r"))
    assert "70.00 % vita_contain; 70.00–75.00 % over 2 profiles, n = 2 under vita_contain_dropped" in text


def test_nexus_o_has_a_value_for_what_its_tables_measure() -> None:
    pictures = ("mmmu", "mathvista", "ai2d", "ocrbench", "mme")
    assert values("nexus-o", pictures) == [53.2, 62.1, 81.2, 882.0, 2315.5]
    speech = ("librispeech_test_clean", "librispeech_test_other", "covost2_zh_en", "covost2_en_zh", "llama_questions")
    assert values("nexus-o", speech) == [3.5, 5.29, 23.17, 40.21, 67.33]
    assert values("nexus-o", ("seedtts_zh", "seedtts_en")) == [7.55, 13.02], "by the vocoder that is implemented"
    assert values("nexus-o", ("aishell2_ios", "mmvet", "seedtts_hard")) == [None] * 3, "one number for three channels"
    assert values("nexus-o", ("llama_questions",), "speech") == [None], "its answers were read, not heard"
    assert values("nexus-o-tiny", pictures) == [None] * 5


@pytest.mark.parametrize(("name", "said"), [("videomme", "MMStar"), ("hallusionbench", "aAcc")])
def test_columns_of_nexus_o_that_hold_something_else_are_no_targets(name: str, said: str) -> None:
    found = of_task("nexus-o", name)
    assert found is not None and not found.comparable and said in found.note


def test_what_nexus_o_is_said_to_measure_elsewhere_is_a_place_of_a_task_and_of_the_paper() -> None:
    own = OWN["nexus-o"]
    tasks = [
        get_task(name) for name in ("videomme", "mathvista", "hallusionbench", "ocrbench", "mme", "llama_questions")
    ]
    ours = {(task.benchmark, task.split, metric) for task in tasks for metric in task.published_metrics.values()}
    assert own.elsewhere.keys() <= ours
    printed = {(one["benchmark"], one["split"], one["metric"]) for one in records() if one["source"] == own.source}
    assert {(key[0], there.split, there.metric) for key, there in own.elsewhere.items()} <= printed
