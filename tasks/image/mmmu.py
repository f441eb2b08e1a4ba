"""MMMU, validation split: 900 college questions in 30 subjects, with up to seven pictures (Yue et al., 2311.16502)."""

from __future__ import annotations

from harness.task import Ratio, Row, Task
from harness.types import Doc, Generation, Pictures
from tasks.data import Source
from tasks.docs import kept
from tasks.prompts import (
    LETTER_ONLY,
    SHORT_ANSWER,
    VLMEVALKIT_TOKENS,
    field,
    interleaved,
    option_lines,
    preset,
    vita_asks,
    vlmevalkit_asks,
)
from tasks.readers.hub import Hub
from tasks.readers.pictures import hub_pictures, table_in
from tasks.scoring import outcome
from tasks.scoring.cells import options_of
from tasks.scoring.choice import scored
from tasks.scoring.mmmu import RULES, gold_of, is_open

DISCIPLINES = {
    "Art and Design": ("Art", "Art_Theory", "Design", "Music"),
    "Business": ("Accounting", "Economics", "Finance", "Manage", "Marketing"),
    "Science": ("Biology", "Chemistry", "Geography", "Math", "Physics"),
    "Health and Medicine": (
        "Basic_Medical_Science", "Clinical_Medicine", "Diagnostics_and_Laboratory_Medicine", "Pharmacy",
        "Public_Health",
    ),
    "Humanities and Social Science": ("History", "Literature", "Psychology", "Sociology"),
    "Tech and Engineering": (
        "Agriculture", "Architecture_and_Engineering", "Computer_Science", "Electronics", "Energy_and_Power",
        "Materials", "Mechanical_Engineering",
    ),
}  # fmt: skip
SUBJECTS = {subject: discipline for discipline, subjects in DISCIPLINES.items() for subject in sorted(subjects)}


def doc_of(row: Row) -> Doc:
    doc = kept(row, "question", "answer")
    if not is_open(doc):
        scored.lettered(doc)
    return doc


def subject_of(doc: Doc) -> str:
    """Out of the category, else the id: `validation_Art_Theory_7` is Art_Theory."""
    in_id = str(doc.get("id", "")).partition("_")[2].rpartition("_")[0]
    named = str(doc.get("category") or doc.get("subject") or in_id)
    return named.replace(" ", "_")


def _tags(doc: Doc) -> outcome.Tags:
    subject = subject_of(doc)
    tags = {"subject": (subject,), "question_type": ("open" if is_open(doc) else "multiple-choice",)}
    return tags | ({"discipline": (SUBJECTS[subject],)} if subject in SUBJECTS else {})


def _lmms_eval(row: Row) -> str:
    tail = SHORT_ANSWER if is_open(row) else LETTER_ONLY
    return f"{field(row, 'question')}{option_lines(options_of(row))}\n\n{tail}"


MMMU = Task(
    name="mmmu",
    version="1",
    inputs=frozenset({"text", "image"}),
    source=Source(
        table_in("MMMU", "MMMU_DEV_VAL.tsv", split="validation"),
        ("MMMU_DEV_VAL.tsv", "MMMU/MMMU_DEV_VAL.tsv", "LMUData/MMMU_DEV_VAL.tsv"),
        "MMMU_DEV_VAL.tsv (VLMEvalKit's table)",
        Hub("lmms-lab-encoder/MMMU", "validation", ("id", "question", "options", "answer"), hub_pictures("id")),
        published=900,
    ),
    doc=doc_of,
    presets={
        "vita": preset(vita_asks, VLMEVALKIT_TOKENS, Pictures(max_tiles=12)),
        "lmms_eval": interleaved(_lmms_eval, Generation(max_new_tokens=128)),
        "vlmevalkit": interleaved(vlmevalkit_asks, VLMEVALKIT_TOKENS),
    },
    default_preset="vlmevalkit",
    scorer=outcome.scorer(RULES, _tags, gold_of),
    metrics=(Ratio("accuracy", "%", True, "right", "n", headline=True, by=("discipline", "subject", "question_type")),),
    profiles=scored.PROFILES,
    default_profile="vlmevalkit_vita",
    judges=scored.JUDGES,
    without_judge=scored.RULE_PROFILES,
    benchmark="MMMU",
    split="val",
    published_metrics={"accuracy": "acc %"},
    citation="Yue et al., MMMU: a massive multi-discipline multimodal understanding and reasoning benchmark, CVPR 2024",
    licence="Apache-2.0; the images keep the licences of their sources",
)
