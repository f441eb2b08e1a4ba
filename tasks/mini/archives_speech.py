"""The test data of generated speech, translation and spoken questions, one function for each archive."""

from __future__ import annotations

import csv
import io
import json
import random
import re
from collections.abc import Sequence
from pathlib import Path

from tasks.mini.facts import Fact, facts
from tasks.mini.grammar import Sentence
from tasks.mini.recording import SEED, printed, say, store, turns, unique, write_lines
from tasks.mini.speech import synthesize
from tasks.mini.vocabulary import english_number
from tasks.mini.voices import Language, speakers

ROWS = 100
"""In each set."""
SHORT = {"en": 6, "zh": 8}
"""At most this many words, or characters, as the whole folder has to stay small."""
PARAGRAPH = 10
"""Sentences of LibriTTS in one."""
_NUMBERS = {english_number(value).lower(): str(value) for value in range(1, 100)}
_NUMBER = re.compile(rf"\b({'|'.join(sorted(_NUMBERS, key=len, reverse=True))})\b")
_LANGUAGES: tuple[tuple[Language, str], ...] = (("en", "en"), ("zh", "zh-CN"))
"""Ours and Common Voice's names."""


def _sentences(rng: random.Random, language: Language, count: int) -> list[Sentence]:
    found: list[Sentence] = []
    for sentence in unique("test", rng):
        length = len(sentence.english.split()) if language == "en" else len(sentence.chinese)
        if length <= SHORT[language]:
            found.append(sentence)
        if len(found) == count:
            return found
    raise AssertionError("the sentences are endless")


def _printed(sentence: Sentence, language: Language) -> str:
    return printed(sentence.english if language == "en" else sentence.chinese, language)


def seedtts(out: Path) -> int:
    """A prompt of each test speaker; what is to be said in their voice has been said by them too, but for the hard."""
    root = out / "seedtts_testset"
    for language, _ in _LANGUAGES:
        rng = random.Random(f"seedtts {language} {SEED}")
        place, people = root / language, speakers("test-clean", language)
        prompts, targets = _sentences(rng, language, len(people)), _sentences(rng, language, ROWS + len(people))
        targets = [sentence for sentence in targets if sentence not in prompts][:ROWS]
        heads = []
        for number, (person, sentence) in enumerate(zip(people, prompts, strict=True)):
            store(place / "prompt-wavs" / f"{number + 10:04d}.flac", say(sentence, person, rng))
            heads.append(f"{_printed(sentence, language)}|prompt-wavs/{number + 10:04d}.flac")
        lines = []
        for i, (number, person) in enumerate(turns("test-clean", language, ROWS)):
            utterance = f"{number + 10:04d}-{i:08d}"
            store(place / "wavs" / f"{utterance}.flac", say(targets[i], person, rng))
            lines.append(f"{utterance}|{heads[number]}|{_printed(targets[i], language)}")
        write_lines(place / "meta.lst", lines)
        if language == "zh":
            write_lines(place / "hardcase.lst", _hard(rng, heads))
    return 3 * ROWS


def _hard(rng: random.Random, heads: Sequence[str]) -> list[str]:
    """Sentences again and again, which makes speech models stumble, skip and loop."""
    pool = _sentences(rng, "zh", 2 * ROWS)
    lines = []
    for i in range(ROWS):
        first, second = pool[2 * i].chinese, pool[2 * i + 1].chinese
        parts = [first] * rng.randint(2, 4) + [second] * rng.randint(2, 4) + [first]
        lines.append(f"hard-{i:04d}|{heads[i % len(heads)]}|{'，'.join(parts)}。")
    return lines


def libritts(out: Path) -> int:
    """The printed text has digits where the read one has words."""
    rng = random.Random(f"libritts {SEED}")
    texts = _sentences(rng, "en", ROWS)
    for i, (number, speaker) in enumerate(turns("test-clean", "en", ROWS)):
        person, read = str(8200 + number), _printed(texts[i], "en")
        folder = out / "LibriTTS" / "test-clean" / person / "1"
        name = f"{person}_1_{i // PARAGRAPH:06d}_{i % PARAGRAPH:06d}"
        store(folder / f"{name}.flac", say(texts[i], speaker, rng))
        printed = _NUMBER.sub(lambda match: _NUMBERS[match[0].lower()], read[0].lower() + read[1:])
        write_lines(folder / f"{name}.normalized.txt", [read])
        write_lines(folder / f"{name}.original.txt", [printed[0].upper() + printed[1:]])
    return ROWS


def covost2(out: Path) -> int:
    for (language, source), (other, target) in zip(_LANGUAGES, reversed(_LANGUAGES), strict=True):
        rng = random.Random(f"covost2 {source} {SEED}")
        texts, folder = _sentences(rng, language, ROWS), out / "CoVoST2" / source
        lines = ["path\tsentence\ttranslation\tclient_id"]
        for i, (number, speaker) in enumerate(turns("test-clean", language, ROWS)):
            clip = f"common_voice_{source}_{i:08d}.flac"
            store(folder / "clips" / clip, say(texts[i], speaker, rng))
            cells = (clip, _printed(texts[i], language), _printed(texts[i], other), f"speaker-{number}")
            lines.append("\t".join(cells))
        write_lines(folder / f"covost_v2.{source}_{target}.test.tsv", lines)
    return ROWS * len(_LANGUAGES)


def openaudiobench(out: Path) -> int:
    """Each set asks in a wording of its own and keeps its answers in a form of its own; all test speakers ask."""
    root = out / "OpenAudioBench" / "eval_datas"
    for wording, name in enumerate(("llama_questions", "trivia_qa", "web_questions")):
        rng = random.Random(f"{name} {SEED}")
        asked, file = rng.sample(facts(), ROWS), io.StringIO()
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("question", "answers" if name == "web_questions" else "answer", "audio_filename"))
        voices = [*turns("test-clean", "en", ROWS // 2), *turns("test-other", "en", ROWS // 2)]
        for i, (_, speaker) in enumerate(voices):
            question, recording = asked[i].wordings[wording], f"{name}_{i}.flac"
            store(root / name / "audios" / recording, synthesize(question, speaker, rng))
            mark = "?" if wording < 2 else "."
            writer.writerow((question[0].upper() + question[1:] + mark, _answer(asked[i], name), recording))
        path = root / name / f"{name}.csv"
        path.write_bytes(file.getvalue().encode())
    return 3 * ROWS


def _answer(fact: Fact, name: str) -> str:
    if name == "trivia_qa":
        return json.dumps({"value": fact.answers[0], "aliases": list(fact.answers)})
    return json.dumps(list(fact.answers)) if name == "web_questions" else fact.answers[0]
