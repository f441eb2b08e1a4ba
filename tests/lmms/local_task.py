"""A task of lmms-eval's own form on disk, made of the mini world: one YAML file, one table, one module."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from harness import registry
from harness.contracts import DataChoice
from harness.task import Row
from tasks.readers.media import media_part

NAME = "mini_world"
YAML = """
task: mini_world
dataset_path: json
dataset_kwargs:
  data_files:
    test: {table}
test_split: test
output_type: generate_until
doc_to_visual: !function mini_world_code.visual
doc_to_text: !function mini_world_code.text
doc_to_target: answer
process_results: !function mini_world_code.process
generation_kwargs:
  max_new_tokens: 24
  temperature: 0
  do_sample: false
filter_list:
  - name: none
    filter:
      - function: take_first
metric_list:
  - metric: right
    aggregation: mean
    higher_is_better: true
  - metric: pairs
    aggregation: !function mini_world_code.both
    higher_is_better: true
metadata:
  - version: 0.0
"""
CODE = """
from collections import defaultdict

import soundfile
from PIL import Image


def visual(doc):
    if doc["sound"]:
        array, rate = soundfile.read(doc["sound"], dtype="float32")
        return [{"array": array, "sampling_rate": rate}]
    return [Image.open(doc["picture"]).convert("RGB")]


def text(doc, kwargs=None):
    return doc["question"]


def process(doc, results):
    right = float(results[0].strip().lower().startswith(doc["answer"].lower()))
    return {"right": right, "pairs": {"picture": doc["key"], "right": right, "said": results[0]}}


def both(items):
    pictures = defaultdict(list)
    for item in items:
        pictures[item["picture"]].append(item["right"])
    return 100 * sum(all(rights) for rights in pictures.values()) / len(pictures)
"""


SAID = "Convert the speech to text."


def write(folder: Path) -> None:
    """The task's files in `folder`: pairs of questions of the mini world's MME, and some of its recordings."""
    questions = [row for place, row in enumerate(_rows("mme")) if place // 2 % 8 == 0]
    lines = [
        {
            "picture": media_part("image", row["image"]).path,
            "sound": "",
            "key": row["image_key"],
            "question": row["question"],
            "answer": row["answer"],
        }
        for row in questions
    ]
    lines += [
        {
            "picture": "",
            "sound": media_part("audio", row["audio"]).path,
            "key": row["sample_id"],
            "question": SAID,
            "answer": row["text"],
        }
        for row in islice(_rows("librispeech_test_clean"), 6)
    ]
    table = folder / "rows.jsonl"
    table.write_text("".join(json.dumps(line) + "\n" for line in lines))
    (folder / f"{NAME}.yaml").write_text(YAML.format(table=table))
    (folder / "mini_world_code.py").write_text(CODE)


def _rows(task: str) -> Iterator[Row]:
    return registry.get_task(task).rows(DataChoice("mini"))
