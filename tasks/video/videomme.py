"""Video-MME: 2,700 questions on 900 videos of three lengths, with and without subtitles (Fu et al., 2405.21075)."""

from __future__ import annotations

from functools import partial

from harness.task import Preset, Ratio, Row, Task
from harness.types import Doc, Generation
from tasks.data import Source
from tasks.docs import kept, tagged
from tasks.prompts import preset
from tasks.readers.clips import below, videomme
from tasks.readers.hub import Hub
from tasks.scoring import outcome
from tasks.scoring.choice import scored
from tasks.scoring.videomme import RULES
from tasks.video.prompts import FRAMES, lmms_eval, vita, vlmevalkit_wording

LIMITS = {
    "vita": Generation(max_new_tokens=10),
    "lmms_eval": Generation(max_new_tokens=16),
    "vlmevalkit": Generation(max_new_tokens=2048),
}


def doc_of(row: Row) -> Doc:
    doc = kept(row, "question", "answer", "duration", "domain")
    scored.lettered(doc)
    return doc


def _video_of(doc: Doc) -> str | None:
    """Three questions are on one video."""
    named = next((doc[name] for name in ("videoID", "video_id", "video_path") if doc.get(name)), None)
    return None if named is None else str(named)


WORDINGS = {"vita": vita, "lmms_eval": lmms_eval, "vlmevalkit": vlmevalkit_wording}


def presets(subtitled: bool) -> dict[str, Preset]:
    return {
        name: preset(partial(wording, subtitled=subtitled), LIMITS[name], FRAMES[name])
        for name, wording in WORDINGS.items()
    }


def _task(name: str, split: str, *, subtitled: bool) -> Task:
    return Task(
        name=name,
        version="1",
        inputs=frozenset({"text", "video"}),
        source=Source(
            below("Video-MME", videomme),
            ("Video-MME",),
            "Video-MME/{Video-MME.tsv or test-*.parquet, data/*.mp4, subtitle/*.srt}",
            Hub(
                "lmms-lab/Video-MME",
                "test",
                ("video_id", "duration", "domain", "videoID", "question_id", "question", "options", "answer"),
                config="videomme",
                folder=videomme,
            ),
            published=2700,
        ),
        doc=doc_of,
        presets=presets(subtitled),
        default_preset="vlmevalkit",
        scorer=outcome.scorer(
            RULES, lambda doc: tagged(doc, "duration", "domain", "sub_category", "task_type"), scored.lettered
        ),
        metrics=(
            Ratio(
                "accuracy", "%", True, "right", "n", headline=True,
                by=("duration", "domain", "task_type", "sub_category"),
            ),
        ),
        profiles=tuple(RULES),
        default_profile="vita_parse_answer",
        judges=scored.JUDGES,
        without_judge=tuple(name for name in RULES if name != "judged"),
        benchmark="Video-MME",
        split=split,
        published_metrics={"accuracy": "acc %"},
        cluster_name="video",
        cluster=_video_of,
        citation="Fu et al., Video-MME: the first comprehensive benchmark of multi-modal LLMs in video analysis, 2024",
        licence="for research use only; the videos keep the licences of their makers",
    )  # fmt: skip


VIDEOMME = _task("videomme", "w/o subtitles", subtitled=False)
SUBTITLED = _task("videomme_subtitles", "w/ subtitles", subtitled=True)
