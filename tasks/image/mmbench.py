"""MMBench: multiple choice in 20 categories, asked with the options in every rotation (Liu et al., 2307.06281).

A question counts once, and only if it is answered rightly in all its rotations (rows with one index modulo a million).
The answers of the test splits are not public: their runs are exported for the benchmark's server.
"""

from __future__ import annotations

from harness.task import Ratio, Row, Task
from harness.types import Doc, Generation
from tasks.data import Source
from tasks.docs import kept
from tasks.prompts import (
    LETTER_ONLY,
    VITA_TILES,
    VLMEVALKIT_TOKENS,
    field,
    hint_of,
    option_lines,
    preset,
    vita_asks,
    vlmevalkit_asks,
)
from tasks.readers.download import Download
from tasks.readers.hub import Hub
from tasks.readers.pictures import hub_pictures, table_in
from tasks.scoring.cells import options_of
from tasks.scoring.choice import scored
from tasks.scoring.mmbench import OF_HIDDEN, SCORER, question_of, rotations

ADDRESS = "https://opencompass.openxlab.space/utils/benchmarks/MMBench"
MD5 = {
    "MMBench_DEV_EN_V11": "30c05be8f2f347a50be25aa067248184",
    "MMBench_DEV_CN_V11": "593f9b5f6bea453d870a798b34ae4f37",
    "MMBench_TEST_EN_V11": "26f0f15381a21720255091d3e0316ce6",
    "MMBench_TEST_CN_V11": "74bbe4556dac745613c7cbe5ad787050",
}
"""Of version 1.1 as VITA-1.5 was evaluated on it; it is not on the hub."""
SUBMISSION = ("index", "question", "hint", "A", "B", "C", "D", "category", "l2-category", "split")


def doc_of(row: Row) -> Doc:
    """Raises ValueError naming the field at fault."""
    doc = kept(row, "question", "index")
    question_of(doc)
    if len(options_of(doc)) < 2:
        raise ValueError(f"the row has fewer than two options (A, B, ...); its fields are {', '.join(doc)}")
    return doc


def scored_doc(row: Row) -> Doc:
    doc = doc_of(row)
    scored.lettered(doc)
    return doc


def _lmms_eval(row: Row) -> str:
    hint = f"{hint_of(row)} " if hint_of(row) else ""
    options = option_lines(options_of(row))
    return f"{hint}{field(row, 'question')} There are several options:{options}\n\n{LETTER_ONLY}"


PRESETS = {
    "vita": preset(vita_asks, VLMEVALKIT_TOKENS, VITA_TILES),
    "lmms_eval": preset(_lmms_eval, Generation(max_new_tokens=1024, stop=("ASSISTANT:",))),
    "vlmevalkit": preset(vlmevalkit_asks, VLMEVALKIT_TOKENS),
}


def _task(language: str, split: str, version: str, published: int | None) -> Task:
    old = version == "1.0"
    name = f"mmbench_{language}" + ("_test" if split == "test" else "") + ("_v10" if old else "")
    table = f"MMBench_{split.upper()}_{language.upper()}" + ("" if old else "_V11")
    hub = Hub(
        "lmms-lab-encoder/MMBench", split, ("index", "image", "question", "A", "B"), hub_pictures("index"), language
    )
    return Task(
        name=name,
        version="1",
        inputs=frozenset({"text", "image"}),
        source=Source(
            table_in("MMBench", f"{table}.tsv"),
            (f"MMBench/{table}.tsv", f"{table}.tsv", f"LMUData/{table}.tsv"),
            f"{table}.tsv or MMBench/{table}.tsv (VLMEvalKit's table)",
            hub if old else Download(f"{ADDRESS}/{table}.tsv", MD5[table]),
            published=published,
        ),
        doc=doc_of if split == "test" else scored_doc,
        presets=PRESETS,
        default_preset="vlmevalkit",
        scorer=OF_HIDDEN if split == "test" else SCORER,
        metrics=(Ratio("accuracy", "%", True, "right", "n", headline=True, by=("l2_category", "category")),),
        profiles=scored.PROFILES,
        default_profile="vlmevalkit_vita",
        judges=scored.JUDGES,
        without_judge=scored.RULE_PROFILES,
        submission=SUBMISSION if split == "test" else (),
        benchmark="MMBench" if (name, split) == ("mmbench_en_test", "test") else None,
        split="test EN V1.1 (inferred)",
        published_metrics={"accuracy": "acc % (circular)"},
        cluster_name="question",
        cluster=question_of,
        group=rotations,
        citation="Liu et al., MMBench: is your multi-modal model an all-around player?, ECCV 2024",
        licence="Apache-2.0; the images keep the licences of their sources",
    )


EN, CN = _task("en", "dev", "1.1", None), _task("cn", "dev", "1.1", None)
EN_V10, CN_V10 = _task("en", "dev", "1.0", 4329), _task("cn", "dev", "1.0", 4329)
EN_TEST, CN_TEST = _task("en", "test", "1.1", None), _task("cn", "test", "1.1", None)
EN_TEST_V10, CN_TEST_V10 = _task("en", "test", "1.0", 6666), _task("cn", "test", "1.0", 6666)
