"""MME: yes/no questions on images, two for each image, in 14 categories (Fu et al., arXiv 2306.13394).

A category's score is accuracy over questions plus accuracy over images with both questions right, 0..200 points:
perception is the sum of ten categories, cognition of four, the total (0..2800) of all.

Generation stops after 64 tokens. VITA-1.5's own evaluation allows 2048 and lmms-eval 16; this differs from 2048 only
for answers that have not come to yes or no after 64 tokens.
"""

from __future__ import annotations

from pathlib import Path

from harness.contracts import PromptFn, Row
from harness.types import Doc, Generation, Message, Sample, Score, Text
from tasks.data import Source, media_part
from tasks.image.prompts import MME_PROMPTS
from tasks.readers import mme as reader
from tasks.readers.hub import Hub
from tasks.scoring import yes_no
from tasks.task import Metric, Task

COLUMNS = ("question_id", "image_path", "category", "question", "answer")


def _sample(row: Row, prompt):
    doc = {k: row[k] for k in COLUMNS if k in row}
    return Sample(row["sample_id"], (Message("user", (media_part("image", row.get("image")), Text(prompt(doc)))),), doc, doc.get("image_path"))


MME = Task("mme", "1", frozenset({"image","text"}), Source(reader.read, ("MME","MME.tsv"), "MME/<category>/{images/*.jpg, questions_answers_YN/*.txt}, or MME.tsv", Hub(id="lmms-lab-encoder/MME", revision="d6c9023f017b564f7b3ccccf5348166bce8fdbcd", split="test", columns=("question_id", "image", "question", "answer", "category"), adapt=reader.numbered)), _sample, None, (), MME_PROMPTS, "vita", ("vlmevalkit_vita",), "vlmevalkit_vita", "c", "l")
