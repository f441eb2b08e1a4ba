"""Small archives of the image and video benchmarks in their published layouts, for tests."""

from __future__ import annotations

import base64
import csv
import io
import json
from collections.abc import Sequence
from pathlib import Path

from tests.harness.video_files import Form
from tests.harness.video_files import write as write_video
from tests.tasks.archives import image_bytes, write

LETTERS = "ABCD"
CLIP = Form("mp4", "mpeg4")


def encoded(seed: int = 0) -> str:
    return base64.b64encode(image_bytes(seed)).decode()


def table(path: Path, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> Path:
    text = io.StringIO()
    writer = csv.writer(text, delimiter="\t", lineterminator="\n")
    writer.writerows([columns, *rows])
    write(path, text.getvalue())
    return path


def clip(path: Path, frames: int = 12) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    return write_video(path, CLIP, range(frames), rate=4)


def mmbench(root: Path) -> None:
    """Two questions, of four and of two options, in every rotation."""
    options = (["cat", "dog", "bird", "fish"], ["hot", "cold"])
    kinds = (("ocr", "finegrained_perception (instance-level)"), ("image_scene", "coarse_perception"))
    for name in ("DEV_EN", "DEV_CN", "TEST_EN", "TEST_CN"):
        rows = []
        for k in range(4):
            for q, texts in enumerate(options):
                if k < len(texts):
                    turned = texts[k:] + texts[:k]
                    cells = [*turned, *["" for _ in range(4 - len(texts))]]
                    picture = encoded(q) if k == 0 else str(q)
                    answer = LETTERS[-k % len(texts)] if name.startswith("DEV") else ""
                    rows.append([q + k * 1_000_000, "Which?", "" if q else "Look.", *cells, answer, *kinds[q], picture])
        header = ["index", "question", "hint", *LETTERS, "answer", "category", "l2-category", "image"]
        for version in ("", "_V11"):
            table(root / "MMBench" / f"MMBench_{name}{version}.tsv", header, rows)


def mmstar(root: Path) -> None:
    kinds = (("math", "geometry"), ("coarse perception", "image emotion"))
    rows = [[q, "Which?", "a", "b", "c", "d", LETTERS[q], *kinds[q % 2], encoded(q)] for q in range(4)]
    table(root / "MMStar.tsv", ["index", "question", *LETTERS, "answer", "category", "l2_category", "image"], rows)


def ai2d(root: Path) -> None:
    rows = [[q, "Which?", "a", "b", "c", "d", LETTERS[q], "parts", encoded(q)] for q in range(4)]
    table(root / "AI2D_TEST.tsv", ["index", "question", *LETTERS, "answer", "category", "image"], rows)


def mmmu(root: Path) -> None:
    seven = repr([encoded(k) for k in range(7)])
    rows = [
        [
            1,
            "validation_Math_1",
            "Which <image 1>?",
            "a",
            "b",
            "nan",
            "A",
            "Math",
            "validation",
            "multiple-choice",
            encoded(1),
        ],
        [2, "validation_Art_2", "Which <image 7>?", "a", "b", "c", "C", "Art", "validation", "multiple-choice", seven],
        [3, "validation_Math_3", "How many <image 1>?", "", "", "", "15", "Math", "validation", "open", encoded(3)],
        [4, "validation_Art_4", "Who <image 1>?", "", "", "", "['Anna', 'Ann']", "Art", "validation", "open", "1"],
        [5, "dev_Art_5", "Not asked <image 1>?", "a", "b", "", "A", "Art", "dev", "multiple-choice", encoded(5)],
    ]
    header = ["index", "id", "question", "A", "B", "C", "answer", "category", "split", "question_type", "image"]
    table(root / "MMMU_DEV_VAL.tsv", header, rows)


def mathvista(root: Path) -> None:
    skills = "['arithmetic reasoning', 'statistical reasoning']"
    task = "figure question answering"
    rows = [
        [1, "Which?", "multi_choice", "text", "['a', 'b']", "", "b", "B", task, skills, encoded(1)],
        [2, "How many?", "free_form", "integer", "", "", "14", "", task, skills, encoded(2)],
        [3, "How long?", "free_form", "float", "", "1.0", "2.5", "", task, skills, encoded(3)],
        [4, "When?", "free_form", "list", "", "", "[1, 2]", "", task, skills, encoded(4)],
    ]
    header = ["index", "question", "question_type", "answer_type", "choices", "precision", "answer", "answer_option"]
    table(root / "MathVista_MINI.tsv", [*header, "task", "skills", "image"], rows)


def hallusionbench(root: Path) -> None:
    header = ["index", "question", "answer", "category", "l2-category", "image"]
    rows = []
    for category, kind in (("VD", "illusion"), ("VS", "chart")):
        for number in range(2):
            for figure in range(2):
                name = f"{category}_{kind}_1_{number}_{figure}_0"
                picture = "" if (category, figure) == ("VS", 0) else encoded(figure)
                rows.append([name, "Is it?", "Yes" if figure else "No", category, kind, picture])
    table(root / "HallusionBench.tsv", header, rows)


def ocrbench(root: Path) -> None:
    kinds = ("Regular Text Recognition", "Doc-oriented VQA", "Handwritten Mathematical Expression Recognition")
    golds = ("['CENTRE']", "['12.5', '12,5']", "['x ^ 2']")
    rows = [[q, "What?", gold, kind, encoded(q)] for q, (kind, gold) in enumerate(zip(kinds, golds, strict=True))]
    table(root / "OCRBench.tsv", ["index", "question", "answer", "category", "image"], rows)


def mmvet(root: Path) -> None:
    rows = [[0, "What?", "-1<AND>-5", "ocr,math", encoded(0)], [1, "Who?", "cat<OR>kitten", "rec", encoded(1)]]
    rows += [[2, "Say it.", "yes", "gen", ""]]
    table(root / "MMVet.tsv", ["index", "question", "answer", "category", "image"], rows)


def videomme(root: Path) -> None:
    home = root / "Video-MME"
    rows = []
    for video, duration in (("aa", "short"), ("bb", "long")):
        clip(home / "data" / f"{video}.mp4")
        for k in range(2):
            options = repr([f"{letter}. {word}." for letter, word in zip(LETTERS, "wxyz", strict=True)])
            rows.append(
                [
                    len(rows),
                    video,
                    f"{video}-{k}",
                    duration,
                    "Knowledge",
                    "Law",
                    "Counting",
                    "Which?",
                    options,
                    LETTERS[k],
                ]
            )
    write(home / "subtitle" / "aa.srt", "1\n00:00:00,000 --> 00:00:01,400\nGood morning\n")
    header = ["index", "videoID", "question_id", "duration", "domain", "sub_category", "task_type", "question"]
    table(home / "Video-MME.tsv", [*header, "options", "answer"], rows)


def mvbench(root: Path) -> None:
    from tasks.readers.clips import MVBENCH

    for number, (name, folder) in enumerate(MVBENCH.values()):
        item = {"video": f"{name}.mp4", "question": "Which?", "candidates": ["left", "right", "up"][: 2 + number % 2]}
        item |= {"answer": "right"} | ({"start": 0.5, "end": 2.0} if number % 5 == 0 else {})
        home = root / "MVBench" / "video" / folder
        if name == "episodic_reasoning":
            item["video"] = "scene"
            for k in range(6):
                write(home / "scene" / f"{k:05d}.jpg", jpeg(k))
        else:
            clip(home / f"{name}.mp4")
        write(root / "MVBench" / "json" / f"{name}.json", json.dumps([item]))


def jpeg(seed: int) -> bytes:
    from PIL import Image

    file = io.BytesIO()
    Image.new("RGB", (32, 24), (40 * seed, 90, 20)).save(file, "JPEG")
    return file.getvalue()


def tempcompass(root: Path) -> None:
    home = root / "TempCompass"
    for video in ("11", "12"):
        clip(home / "videos" / f"{video}.mp4")
    captions = "Which caption matches?\nCaption A: It rolls to the left.\nCaption B: It rolls to the right."
    asked = {
        "multi-choice": {"question": "How?\nA. left\nB. right", "answer": "B. right"},
        "yes_no": {"question": "Does it move left?", "answer": "no"},
        "caption_matching": {"question": captions, "answer": "Caption B: It rolls to the right."},
        "captioning": {
            "question": "Tell.",
            "answer": "",
            "mc_question": "How?\nA. left\nB. right",
            "mc_answer": "B. right",
        },
    }
    for kind, item in asked.items():
        content = {video: {dim: [item]} for video, dim in (("11", "direction"), ("12", "order"))}
        write(home / "questions" / f"{kind}.json", json.dumps(content))


def every_vision_archive(root: Path) -> Path:
    for make in (
        mmbench, mmstar, ai2d, mmmu, mathvista, hallusionbench, ocrbench, mmvet, videomme, mvbench, tempcompass,
    ):  # fmt: skip
        make(root)
    return root
