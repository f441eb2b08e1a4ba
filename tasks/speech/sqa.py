"""What the benchmarks of spoken questions share: asked by voice, answered in text and speech.

One generation is scored twice: its text (S->T) and what a recogniser hears of its speech (S->S). An answer without
speech is wrong as speech, and right or wrong as text (speech protocol 5). Rules: VITA-Audio's containment, and beside
it UltraEval-Audio's, which wants the words of an answer in a row. VITA-Audio's scripts leave an answer without speech
out of both numbers: `vita_contain_dropped` does so too, and its n says how many are left.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import replace

from harness.failures import JudgeError
from harness.task import Preset, Ratio, Row, Task
from harness.types import Answer, Ask, Channel, Doc, Generation, Score, Verdict
from tasks import nexus_o, vita_audio
from tasks.data import Source
from tasks.docs import kept
from tasks.prompts import audio_alone
from tasks.readers.answers import answers_of
from tasks.scoring.containment import token_sequence, vita_contain
from tasks.scoring.dropped import DROPPED, is_dropped
from tasks.scoring.heard import LONG_FORM, RECOGNISERS, transcript

PROFILES: Mapping[str, Callable[[str, Sequence[str]], bool]] = {
    "vita_contain": vita_contain,
    "token_sequence": token_sequence,
    "vita_contain_dropped": vita_contain,
}
GENERATION = Generation(max_new_tokens=512)
NO_GOLD = "the row has no gold answer"
NOBODY_HEARS = "no recogniser hears the speech: name one by --judge"

Channels = Mapping[Channel, Score]


def doc_of(row: Row) -> Doc:
    """With `answers`, a list of texts that may be empty."""
    return kept({**row, "answers": answers_of(row.get("answers"))})


def golds_of(doc: Doc) -> list[str]:
    """Every text that is right, from `answers` or another column of that meaning. One of marks alone is none: once they
    are taken away it is in any answer."""
    columns = ("answers", "answer", "Answer")
    found = next((found for name in columns if (found := answers_of(doc.get(name)))), [])
    return [gold for gold in found if any(map(str.isalnum, gold))]


def scorer(doc: Doc, answer: Answer, profile: str) -> Channels | Generator[Ask, Verdict, Channels]:
    """Text, and speech where speech was asked for."""
    if profile not in PROFILES:
        raise ValueError(f"no profile {profile!r}; there are {', '.join(PROFILES)}")
    golds = golds_of(doc)
    channels: tuple[Channel, ...] = ("text", "speech") if answer.spoken else ("text",)
    if not golds:
        return {channel: Score("correct", None, status="unscored", reason=NO_GOLD) for channel in channels}
    if is_dropped(profile, answer):
        return {channel: Score("correct", None, status="unscored", reason=DROPPED) for channel in channels}
    text = _score(answer.text, golds, profile)
    if not answer.spoken:
        return {"text": text}
    if answer.speech is None:
        return {"text": text, "speech": _silent(answer, golds, profile)}
    return _heard(answer, text, golds, profile)


def _silent(answer: Answer, golds: Sequence[str], profile: str) -> Score:
    """Wrong, where speech is heard at all."""
    if RECOGNISERS["en"] not in answer.judged:
        return Score("correct", None, status="unscored", reason=NOBODY_HEARS)
    return _score(None, golds, profile, silent=1.0)


def _heard(answer: Answer, text: Score, golds: Sequence[str], profile: str) -> Generator[Ask, Verdict, Channels]:
    """The recogniser's failure leaves the text's score as it is."""
    assert answer.speech is not None
    try:
        said = yield from transcript(answer.speech, "en", LONG_FORM)
    except JudgeError as error:
        told = error.failure.message
        if error.failure.kind == "unsupported":
            return {"text": text, "speech": Score("correct", None, status="unscored", reason=NOBODY_HEARS)}
        wrong = _score(None, golds, profile, silent=0.0)
        return {"text": text, "speech": replace(wrong, status="failed", reason=told)}
    return {"text": text, "speech": _score(said, golds, profile, silent=0.0)}


def _score(said: str | None, golds: Sequence[str], profile: str, silent: float | None = None) -> Score:
    right = said is not None and PROFILES[profile](said, golds)
    parts = {"right": float(right), "n": 1.0}
    if silent is not None:
        parts |= {"silent": silent, "spoken": 1.0}
    shown = " | ".join(golds), "no answer" if said is None else said
    return Score("correct", float(right), parts, extracted=said, wrong=not right, shown=shown)


def sqa_task(name: str, source: Source, benchmark: str, citation: str, licence: str) -> Task:
    """A benchmark of spoken questions, named in the papers' tables as `benchmark`."""
    return Task(
        name=name,
        version="1",
        inputs=frozenset({"audio"}),
        more_outputs=("speech",),
        source=source,
        doc=doc_of,
        presets={
            "vita": Preset(audio_alone, GENERATION),
            "vita_audio": vita_audio.spoken_question(),
            "nexus_o": nexus_o.spoken_question(),
        },
        default_preset="vita",
        scorer=scorer,
        metrics=(
            Ratio("accuracy", "%", True, "right", "n", headline=True),
            Ratio("no_speech", "%", False, "silent", "spoken"),
        ),
        profiles=tuple(PROFILES),
        default_profile="vita_contain",
        default_channel="text",
        judges={RECOGNISERS["en"]: "whisper"},
        mini_judges={RECOGNISERS["en"]: "mini-ctc"},
        benchmark=benchmark,
        split="S->T",
        splits={"speech": "S->S"},
        published_metrics={"accuracy": "accuracy %"},
        citation=citation,
        licence=licence,
    )
