"""The test data as the benchmarks publish theirs, one function for each archive."""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Callable
from functools import partial
from pathlib import Path

from tasks.mini.ai2d import ai2d
from tasks.mini.archives_speech import covost2, libritts, openaudiobench, seedtts
from tasks.mini.clips import mvbench, tempcompass, video_mme
from tasks.mini.dice import Dice
from tasks.mini.hallusion import hallusion
from tasks.mini.mathvista import mathvista
from tasks.mini.mmbench import mmbench
from tasks.mini.mmmu import mmmu
from tasks.mini.mmstar import mmstar
from tasks.mini.mmvet import mmvet
from tasks.mini.ocrbench import ocrbench
from tasks.mini.recording import SEED, cased, say, store, turns, unique, write_lines
from tasks.mini.scenes import CATEGORIES, scenes
from tasks.mini.speech import Channel, through, with_noise
from tasks.mini.voices import Group, Language

NOISE_SNR_DB = {"other": (14.0, 20.0), "net": (16.0, 24.0), "meeting": (14.0, 20.0)}

LIBRISPEECH: dict[Group, tuple[int, int]] = {
    "dev-clean": (40, 8000),
    "dev-other": (40, 8100),
    "test-clean": (100, 8200),
    "test-other": (100, 8300),
}
"""Utterances, and the number of the first speaker."""
AISHELL1, AISHELL2, WENETSPEECH, FLEURS, MME = 100, 20, 20, 20, 10
"""Utterances in a split; for MME pictures in a category."""


def librispeech(out: Path) -> int:
    rng = random.Random(f"librispeech {SEED}")
    for group, (count, first) in LIBRISPEECH.items():
        texts = unique("test" if group.startswith("test") else "dev", random.Random(f"librispeech {group} {SEED}"))
        transcripts: dict[Path, list[str]] = {}
        for number, speaker in turns(group, "en", count):
            sentence = next(texts)
            name = f"{first + number}-1"
            folder = out / "LibriSpeech" / group / str(first + number) / "1"
            lines = transcripts.setdefault(folder / f"{name}.trans.txt", [])
            utterance = f"{name}-{len(lines):04d}"
            wave = say(sentence, speaker, rng)
            if group.endswith("other"):
                wave = with_noise(wave, rng.uniform(*NOISE_SNR_DB["other"]), rng)
            store(folder / f"{utterance}.flac", wave)
            lines.append(f"{utterance} {sentence.english}")
        for path, lines in transcripts.items():
            write_lines(path, lines)
    return sum(count for count, _ in LIBRISPEECH.values())


def aishell1(out: Path) -> int:
    rng = random.Random(f"aishell1 {SEED}")
    texts, lines = unique("test", rng), []
    for i, (number, speaker) in enumerate(turns("test-clean", "zh", AISHELL1)):
        sentence, person = next(texts), f"S{764 + number:04d}"
        utterance = f"BAC009{person}W{i + 121:04d}"
        store(out / "data_aishell" / "wav" / "test" / person / f"{utterance}.flac", say(sentence, speaker, rng))
        lines.append(f"{utterance} {' '.join(sentence.chinese_words)}")
    write_lines(out / "data_aishell" / "transcript" / "aishell_transcript_v0.8.txt", lines)
    return AISHELL1


def aishell2(out: Path) -> int:
    """The same utterances over three microphones."""
    rng = random.Random(f"aishell2 {SEED}")
    texts = unique("test", rng)
    spoken = []
    for number, speaker in turns("test-clean", "zh", AISHELL2):
        sentence = next(texts)
        spoken.append((number, sentence.chinese, say(sentence, speaker, rng)))
    channels: tuple[tuple[str, str, Channel], ...] = (
        ("iOS", "I", "wide"), ("Android", "A", "telephone"), ("Mic", "M", "far"),
    )  # fmt: skip
    for channel, letter, microphone in channels:
        folder, paths, lines = out / "AISHELL-2" / channel / "test", [], []
        for i, (number, text, wave) in enumerate(spoken):
            person = f"T{11 + number:04d}"
            utterance = f"{letter}{person}W{i + 1:04d}"
            store(folder / "wav" / person / f"{utterance}.flac", through(microphone, wave))
            paths.append(f"{utterance}\twav/{person}/{utterance}.flac")
            lines.append(f"{utterance}\t{text}")
        write_lines(folder / "wav.scp", paths)
        write_lines(folder / "trans.txt", lines)
    return AISHELL2 * len(channels)


def wenetspeech(out: Path) -> int:
    sets: tuple[tuple[str, Group, Channel, str], ...] = (
        ("test_net", "test-clean", "wide", "net"), ("test_meeting", "test-other", "far", "meeting"),
    )  # fmt: skip
    for name, group, microphone, noise in sets:
        rng = random.Random(f"wenetspeech {name} {SEED}")
        texts, folder, lines = unique("test", rng), out / "WenetSpeech" / name, []
        for i, (_, speaker) in enumerate(turns(group, "zh", WENETSPEECH)):
            sentence, utterance = next(texts), f"{name.upper()}_{i:05d}"
            wave = through(microphone, say(sentence, speaker, rng))
            store(folder / "audio" / f"{utterance}.flac", with_noise(wave, rng.uniform(*NOISE_SNR_DB[noise]), rng))
            row = {"id": utterance, "file_name": f"audio/{utterance}.flac", "text": sentence.chinese}
            lines.append(json.dumps(row, ensure_ascii=False))
        write_lines(folder / "metadata.jsonl", lines)
    return WENETSPEECH * len(sets)


def fleurs(out: Path) -> int:
    languages: tuple[tuple[str, Language], ...] = (("en_us", "en"), ("cmn_hans_cn", "zh"))
    for name, language in languages:
        rng = random.Random(f"fleurs {name} {SEED}")
        texts, folder, lines = unique("test", rng), out / "FLEURS" / name, []
        for i, (_, speaker) in enumerate(turns("test-clean", language, FLEURS)):
            sentence, utterance = next(texts), f"{name}_{i:04d}"
            store(folder / "audio" / f"{utterance}.flac", say(sentence, speaker, rng))
            english = sentence.english.lower()
            row = {
                "id": utterance,
                "file_name": f"audio/{utterance}.flac",
                "transcription": english if language == "en" else sentence.chinese,
                "raw_transcription": f"{cased(english)}." if language == "en" else f"{sentence.chinese}。",
            }
            lines.append(json.dumps(row, ensure_ascii=False))
        write_lines(folder / "metadata.jsonl", lines)
    return FLEURS * len(languages)


def mme(out: Path) -> int:
    for category in CATEGORIES:
        folder, seen, kept = out / "MME" / category, set(), 0
        for item in scenes(Dice(f"mme {category} {SEED}"), category, "test"):
            digest = hashlib.sha256(item.image.tobytes()).digest()
            if digest in seen:
                continue
            seen.add(digest)
            kept += 1
            path = folder / "images" / f"{kept:04d}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            item.image.save(path, optimize=True)
            lines = [f"{question.text}\t{question.answer}" for question in item.questions]
            write_lines(folder / "questions_answers_YN" / f"{kept:04d}.txt", lines)
            if kept == MME:
                break
    return MME * len(CATEGORIES)


TABLES: dict[str, Callable[..., int]] = {
    "MMBench": mmbench,
    "MMStar": mmstar,
    "MMMU": mmmu,
    "MathVista": mathvista,
    "HallusionBench": hallusion,
    "AI2D": ai2d,
    "OCRBench": ocrbench,
    "MMVet": mmvet,
}
"""Those that are written as VLMEvalKit's tables."""
ARCHIVES: dict[str, Callable[[Path], int]] = {
    "LibriSpeech": librispeech,
    "data_aishell": aishell1,
    "AISHELL-2": aishell2,
    "WenetSpeech": wenetspeech,
    "FLEURS": fleurs,
    "seedtts_testset": seedtts,
    "LibriTTS": libritts,
    "CoVoST2": covost2,
    "OpenAudioBench": openaudiobench,
    "MME": mme,
    **{name: partial(write, seed=SEED) for name, write in TABLES.items()},
    "Video-MME": video_mme,
    "MVBench": mvbench,
    "TempCompass": tempcompass,
}
"""Each writes its archive below a folder and tells how many utterances, pictures or questions it holds."""
