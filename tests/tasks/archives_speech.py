"""Small archives of the generated-speech, translation and spoken-question benchmarks in the published layouts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from harness.contracts import DataChoice
from tasks.data import Source
from tests.tasks.archives import audio_bytes, write

ENGLISH = ("the end", "mister quilter is the apostle")
MANDARIN = ("再见", "我们去北京")
PRINTED = ("The end.", "Mr. Quilter is the apostle.")


def seedtts(root: Path, folder: str = "seedtts_testset") -> None:
    """Two lines a list: the first with a person's recording; both on one prompt."""
    for language, texts in (("en", ENGLISH), ("zh", MANDARIN)):
        place = root / folder / language
        write(place / "prompt-wavs" / "p0.wav", audio_bytes(seed=7))
        write(place / "wavs" / f"{language}-0.wav", audio_bytes(seed=8))
        line = "{0}-{1}|hello|prompt-wavs/p0.wav|{2}\n"
        write(place / "meta.lst", "".join(line.format(language, i, text) for i, text in enumerate(texts)))
    write(root / folder / "zh" / "hardcase.lst", "hard-0|你好|prompt-wavs/p0.wav|八百标兵奔北坡\n")


def libritts(root: Path) -> None:
    for speaker in ("1089", "121"):
        folder = root / "LibriTTS" / "test-clean" / speaker / "1"
        for i, (read, printed) in enumerate(zip(ENGLISH, PRINTED, strict=True)):
            name = f"{speaker}_1_000000_{i:06d}"
            write(folder / f"{name}.wav", audio_bytes(seed=i))
            write(folder / f"{name}.normalized.txt", read)
            write(folder / f"{name}.original.txt", printed)
        write(folder / f"{speaker}_1.trans.tsv", "not read\n")


def covost2(root: Path) -> None:
    pairs = (("zh-CN", "en", MANDARIN, ENGLISH), ("en", "zh-CN", ENGLISH, MANDARIN))
    for source, target, texts, translations in pairs:
        folder, lines = root / "CoVoST2" / source, "path\tsentence\ttranslation\tclient_id\n"
        for i, (text, translation) in enumerate(zip(texts, translations, strict=True)):
            name = f"common_voice_{source}_{i}"
            write(folder / "clips" / f"{name}.mp3", audio_bytes("MP3", seed=i))
            lines += f"{name}.mp3\t{text}\t{translation}\tspeaker{i}\n"
        write(folder / f"covost_v2.{source}_{target}.test.tsv", lines)


QUESTIONS = {
    "llama_questions": ("Questions,Answer,audio_filename", '"Capital of France, please?",Paris,q0.wav'),
    "trivia_qa": (
        "question,answer,audio_filename",
        """Who?,"{""value"": ""Paris"", ""aliases"": [""Paree""]}",q0.wav""",
    ),
    "web_questions": ("question,answers,audio_filename", """Where?,"['Paris', 'Paree']",q0.wav"""),
}


def spoken_qa(root: Path) -> None:
    for name, rows in QUESTIONS.items():
        folder = root / "OpenAudioBench" / "eval_datas" / name
        write(folder / f"{name}.csv", "\n".join(rows) + "\n")
        write(folder / "audios" / "q0.wav", audio_bytes())


def every_speech_archive(root: Path) -> Path:
    for make in (seedtts, libritts, covost2, spoken_qa):
        make(root)
    return root


def rows(source: Source, folder: Path) -> list[dict[str, Any]]:
    return list(source.rows(DataChoice("folder", folder)))


def faults(source: Source, folder: Path) -> dict[str, str]:
    return {row["sample_id"]: row["error"] for row in rows(source, folder) if "error" in row}
