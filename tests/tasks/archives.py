"""Small archives in the published layouts, for tests."""

from __future__ import annotations

import base64
import io
import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import soundfile
from PIL import Image

ENGLISH = ("MISTER QUILTER IS THE APOSTLE", "NOR IS HIS MANNER LESS INTERESTING", "THE END")
MANDARIN = ("今天 天气 很好", "我们 去 北京", "再见")
CATEGORIES = ("existence", "OCR", "code_reasoning")
QUESTIONS = (
    ("Is there a dog? Please answer yes or no.", "Yes"),
    ("Is there a cat? Please answer yes or no.", "No"),
)


def audio_bytes(kind: str = "WAV", seed: int = 0) -> bytes:
    buffer = io.BytesIO()
    samples = np.random.default_rng(seed).uniform(-0.1, 0.1, 800).astype(np.float32)
    soundfile.write(buffer, samples, 16_000, format=kind, subtype=None if kind == "MP3" else "PCM_16")
    return buffer.getvalue()


def image_bytes(seed: int = 0) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (16, 12), (seed % 256, 40, 90)).save(buffer, "PNG")
    return buffer.getvalue()


def write(path: Path, content: bytes | str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)


def librispeech(root: Path) -> None:
    for split in ("dev-clean", "dev-other", "test-clean", "test-other"):
        for speaker, chapter in ((1272, 128104), (84, 121123)):
            folder = root / "LibriSpeech" / split / str(speaker) / str(chapter)
            names = [f"{speaker}-{chapter}-{i:04d}" for i in range(len(ENGLISH))]
            for i, name in enumerate(names):
                write(folder / f"{name}.flac", audio_bytes("FLAC", i))
            lines = (f"{name} {text}\n" for name, text in zip(names, ENGLISH, strict=True))
            write(folder / f"{speaker}-{chapter}.trans.txt", "".join(lines))


def aishell1(root: Path) -> None:
    base, lines = root / "data_aishell", ["BAC009S0002W0122 而 对 楼市\n"]
    for speaker in ("S0764", "S0765"):
        for i, text in enumerate(MANDARIN):
            name = f"BAC009{speaker}W{i + 121:04d}"
            write(base / "wav" / "test" / speaker / f"{name}.wav", audio_bytes(seed=i))
            lines.append(f"{name} {text}\n")
    write(base / "transcript" / "aishell_transcript_v0.8.txt", "".join(lines))


def aishell2(root: Path) -> None:
    for channel, letter in (("iOS", "I"), ("Android", "A"), ("Mic", "M")):
        base, scp, trans = root / "AISHELL-2" / channel / "test", "", ""
        for i, text in enumerate(MANDARIN):
            name = f"{letter}T0011W{i:04d}"
            write(base / "wav" / "T0011" / f"{name}.wav", audio_bytes(seed=i))
            scp += f"{name}\twav/T0011/{name}.wav\n"
            trans += f"{name}\t{text.replace(' ', '')}\n"
        write(base / "wav.scp", scp)
        write(base / "trans.txt", trans)


def metadata(folder: Path, column: str, texts: tuple[str, ...]) -> None:
    lines = ""
    for i, text in enumerate(texts):
        write(folder / "audio" / f"utt{i}.wav", audio_bytes(seed=i))
        lines += json.dumps({"file_name": f"audio/utt{i}.wav", column: text}, ensure_ascii=False) + "\n"
    write(folder / "metadata.jsonl", lines)


def mme(root: Path) -> None:
    for n, category in enumerate(CATEGORIES):
        for side_by_side in (False, True):
            name = "0001" if side_by_side else "0002"
            base = root / "MME" / f"{category}"
            if n == 0:  # the published archive mixes both layouts, one for each category
                image, text = base / "images" / f"{name}.jpg", base / "questions_answers_YN" / f"{name}.txt"
            else:
                image, text = base / f"{name}.png", base / f"{name}.txt"
            write(image, image_bytes(n))
            write(text, "".join(f"{question}\t{answer}\n" for question, answer in QUESTIONS))


def mme_tsv(path: Path, by_reference: bool = True) -> None:
    """Two rows on each image; the second refers to the first row's image when `by_reference`."""
    lines = ["index\timage\timage_path\tquestion\tanswer\tcategory"]
    for n, category in enumerate(CATEGORIES):
        for k, (question, answer) in enumerate(QUESTIONS):
            image = base64.b64encode(image_bytes(n)).decode()
            cell = str(2 * n) if k and by_reference else image
            lines.append(f"{2 * n + k}\t{cell}\t{category}/{n}.png\t{question}\t{answer}\t{category}")
    write(path, "\n".join(lines) + "\n")


def every_archive(root: Path) -> Path:
    librispeech(root)
    aishell1(root)
    aishell2(root)
    for split in ("test_net", "test_meeting"):
        metadata(root / "WenetSpeech" / split, "text", MANDARIN)
    metadata(root / "FLEURS" / "en_us", "transcription", ENGLISH)
    metadata(root / "FLEURS" / "cmn_hans_cn", "transcription", MANDARIN)
    mme(root)
    return root


def every_layout(root: Path) -> Path:
    """Those of recognition and MME, of the other speech benchmarks, and of the other image and video ones."""
    from tests.tasks.archives_speech import every_speech_archive
    from tests.tasks.archives_vision import every_vision_archive

    return every_speech_archive(every_vision_archive(every_archive(root)))


def parquet(path: Path, columns: dict[str, list[object]]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table(columns), path)
    return path


def mme_parquet(path: Path, categories: tuple[str, ...] = CATEGORIES) -> Path:
    rows = [(c, n, question, answer) for n, c in enumerate(categories) for question, answer in QUESTIONS]
    return parquet(
        path,
        {
            "question_id": [f"{c}/{n}.png" for c, n, _, _ in rows],
            "image": [{"bytes": image_bytes(n), "path": f"{n}.png"} for _, n, _, _ in rows],
            "question": [question for _, _, question, _ in rows],
            "answer": [answer for _, _, _, answer in rows],
            "category": [c for c, _, _, _ in rows],
        },
    )


def speech_parquet(path: Path, column: str, texts: tuple[str, ...], **more: list[object]) -> Path:
    audio = [{"bytes": audio_bytes(seed=i), "path": f"utt{i}.wav"} for i in range(len(texts))]
    return parquet(path, {"audio": audio, column: list(texts), **more})
