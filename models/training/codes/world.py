"""What VITA-Audio's language model is trained on at size mini: as in `mtp/world.py`, with codes of real sound.

Transcripts and spoken questions are by the mini world's training voices, readings and spoken answers by the one voice
that the model speaks with. Codes are made once, by the trained tokenizer.
"""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Literal, NamedTuple

from models.released.files import SINGLE
from models.released.identity import content_hash
from models.text.tokenizer import QwenTokenizer
from models.training.codes import tokenizer_run
from models.training.codes.clips import Clip
from models.training.codes.sizes import SpeechSize
from models.training.examples import SPEECH, user
from models.training.loop import REPORT
from models.training.mtp.world import SPOKEN, TO_SPEECH, TO_TEXT, AudioWorld
from models.training.tokenizer import closed_tokenizer
from models.training.whole import write_whole
from models.vita_audio.interleave import Example
from models.vita_audio.prompts import VOICE, conversation
from models.vita_audio.schedule import Mode
from models.vita_audio.speech_tokenizer import SpeechTokenizer
from models.vita_audio.tokens import with_speech
from tasks.mini.facts import facts
from tasks.mini.grammar import sentences
from tasks.mini.recording import printed
from tasks.mini.training import training_fact

Input = Literal["true", "blank", "swapped"]
VOICED = 0.35
"""Share of readings that are asked for with a recording of somebody's voice, as Seed-TTS does."""
SENTENCES = 20_000
"""Whose words make the tokenizer; more add none."""
CONVERSING = "Your Name: Luke\nYour Gender: male\n\nRespond in a text-audio interleaved manner."
PHRASES = (TO_TEXT, TO_SPEECH, SPOKEN.parts[0].text, CONVERSING, VOICE[0])
"""What the benchmarks and the demo put around every question: a token each."""


class Said(NamedTuple):
    codes: list[int]
    text: str
    meaning: str


class Codes(NamedTuple):
    sentences: list[Said]
    facts: list[Said]
    readings: list[Said]


def speaking_tokenizer(codes: int) -> QwenTokenizer:
    """A token for each word and Hanzi of what is said in the mini world, and one for each code of speech."""
    return with_speech(closed_tokenizer(_texts(), PHRASES), codes=codes)


def _texts() -> Iterator[str]:
    yield from ("system\n", "user\n", "assistant\n")
    for sentence in islice(sentences(random.Random("words"), "train"), SENTENCES):
        yield from (f" {sentence.english.lower()}", sentence.english.lower(), sentence.chinese)
        yield from (printed(sentence.english, "en"), printed(sentence.chinese, "zh"))
    for fact in facts():
        yield from (text for answer in fact.answers for text in (answer, f" {answer}"))
        yield from (text for asked in fact.wordings for text in (asked, f" {asked}", f"{asked[0].upper()}{asked[1:]}?"))


def made_codes(size: SpeechSize, seed: int, out: Path) -> tuple[Codes, Codes]:
    """All speech of a training below `out` as codes, and what is held out; made once. Raises FileNotFoundError where
    there is no tokenizer yet."""
    stage = out / "stage-tokenizer"
    if not (stage / REPORT).exists():
        raise FileNotFoundError(f"codes are made by stage tokenizer, which {out} does not hold: run --stage tokenizer")
    weights = content_hash(stage / tokenizer_run.FOLDER / SINGLE)
    path = out / "speech" / f"codes-{weights[:12]}.json"
    if not path.exists():
        tokenizer = tokenizer_run.load(stage)
        parts = [_coded(tokenizer, part) for part in tokenizer_run.speech(size, seed, out / "speech")]
        write_whole(json.dumps(parts, ensure_ascii=False), path)
    parts = json.loads(path.read_text(encoding="utf-8"))
    first, second = (Codes(*([Said(*said) for said in kind] for kind in kinds)) for kinds in parts)
    return first, second


def _coded(tokenizer: SpeechTokenizer, part: tokenizer_run.Speech) -> Codes:
    def said(clips: Sequence[Clip]) -> list[Said]:
        found = tokenizer_run.codes_of(tokenizer, clips)
        return [Said(codes, clip.text, clip.meaning) for codes, clip in zip(found, clips, strict=True)]

    return Codes(said([*part.en, *part.zh]), said(part.facts), said([reading.clip for reading in part.readings]))


class CodeWorld(AudioWorld):
    """`made` is what is heard and read; `answers` has readings of all answers. `hears`: for controls, what stands in
    the places of recordings: they themselves, as many codes of silence, or another one."""

    def __init__(
        self, tokenizer: QwenTokenizer, mode: Mode, seed: int, made: Codes, answers: Sequence[Said],
        hears: Input = "true",
    ) -> None:  # fmt: skip
        super().__init__(tokenizer, mode, seed)
        self.made, self.hears = made, hears
        self.answers = {said.text: said.codes for said in answers}
        self.silence = Counter(said.codes[0] for said in made.readings).most_common(1)[0][0]
        self.recipe = f", {'/'.join(str(len(part)) for part in made)} clips heard by {hears} input"

    def transcript(self, rng: random.Random) -> Example:
        """Speech to be written down."""
        said = rng.choice(self.made.sentences)
        heard = self._heard(said, self.made.sentences, rng)
        return self.example(conversation([user(TO_TEXT, SPEECH)]), self.tokenizer.encode(said.text), [heard])

    def reading(self, rng: random.Random) -> Example:
        """A text to be spoken, at times with a voice to speak in, which changes nothing."""
        said, voiced = rng.choice(self.made.readings), rng.random() < VOICED
        heard = [rng.choice(self.made.sentences).codes] if voiced else []
        return self.example(
            conversation([user(TO_SPEECH, said.text)], voice=voiced), self.spoken(said.text, said.codes), heard
        )

    def text(self, rng: random.Random) -> Example:
        """A question about a general fact and its answer, all written."""
        question, answer = training_fact(rng)
        asked = rng.choice((question, f"{question[0].upper()}{question[1:]}?"))
        return self.example(conversation([user(asked)]), self.tokenizer.encode(answer))

    def spoken_question(self, rng: random.Random) -> Example:
        """Such a question, asked and answered by speech."""
        said = rng.choice(self.made.facts)
        heard = self._heard(said, self.made.facts, rng)
        spoken = self.spoken(said.meaning, self.answers[said.meaning])
        return self.example(conversation([SPOKEN, user(SPEECH)]), spoken, [heard])

    def _heard(self, said: Said, others: Sequence[Said], rng: random.Random) -> list[int]:
        if self.hears == "true":
            return said.codes
        other = rng.choice(others)
        return other.codes if self.hears == "swapped" else [self.silence] * len(said.codes)
