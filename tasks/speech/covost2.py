"""CoVoST 2: spoken sentences to be translated, Mandarin to English and English to Mandarin (Wang et al., 2007.10310).

BLEU over the corpus as Qwen2-Audio computes it (speech protocol 4); lmms-eval, which normalises both sides first, is
another number. Rebuilt from another version of Common Voice the set scores differently.
"""

from __future__ import annotations

from collections.abc import Sequence

from harness.task import Preset, Row, Statistic, Task
from harness.types import Answer, Doc, Generation, Message, Score, Text
from tasks import nexus_o
from tasks.data import media_part
from tasks.docs import kept
from tasks.prompts import text_of
from tasks.scoring.bleu import PROFILES, bleu, prepared, signature, statistics, unscored
from tasks.scoring.conventions import Language
from tasks.speech.sources import COVOST2

GENERATION = Generation(max_new_tokens=256)
_INTO = {"en": ("English", "English", "zh"), "zh": ("Mandarin", "Chinese", "en")}
"""What a language is called by Qwen2-Audio and by lmms-eval, and the language that is spoken."""


def instruction(target: Language) -> str:
    """lmms-eval's, to translate into a language."""
    return f"Translate the speech into {_INTO[target][1]} and only output the translation:"


def doc_of(row: Row) -> Doc:
    """With a `translation`, which may be empty. Raises ValueError where there is none."""
    text_of(row, "translation")
    return kept(row)


def _preset(text: str) -> Preset:
    def messages(row: Row) -> Sequence[Message]:
        return (Message("user", (media_part("audio", row.get("audio")), Text(text))),)

    return Preset(messages, GENERATION)


def _speaker(doc: Doc) -> str | None:
    return None if doc.get("client_id") is None else str(doc["client_id"])


def _task(pair: str, target: Language) -> Task:
    def scorer(doc: Doc, answer: Answer, profile: str) -> Score:
        if profile not in PROFILES:
            raise ValueError(f"no profile {profile!r}; there are {', '.join(PROFILES)}")
        reference = text_of(doc, "translation")
        if (reason := unscored(reference)) is not None:
            return Score("bleu", None, status="unscored", reason=reason)
        said = answer.text or ""
        counts = statistics(profile, target, reference, said)
        shown = prepared(profile, target, reference), prepared(profile, target, said)
        return Score("bleu", bleu(counts), counts, extracted=answer.text, wrong=shown[0] != shown[1], shown=shown)

    qwen2, lmms_eval, spoken = _INTO[target]
    return Task(
        name=f"covost2_{pair}",
        version="2",
        inputs=frozenset({"audio"}),
        source=COVOST2[pair],
        doc=doc_of,
        presets={
            "lmms_eval": _preset(instruction(target)),
            "qwen2": _preset(f"Detect the language and translate the speech into {qwen2}: <|{spoken}|>"),
            "nexus_o": nexus_o.translation(lmms_eval),
        },
        default_preset="lmms_eval",
        scorer=scorer,
        metrics=(Statistic("bleu", "", True, bleu, over="ref_len", headline=True),),
        profiles=tuple(PROFILES),
        default_profile="sacrebleu",
        signatures={profile: signature(profile, target) for profile in PROFILES},
        benchmark="CoVoST2",
        split=f"{spoken}->{target}",
        published_metrics={"bleu": "BLEU"},
        cluster_name="speaker",
        cluster=_speaker,
        citation="Wang et al., CoVoST 2 and massively multilingual speech translation, Interspeech 2021",
        licence="CC-BY-NC-4.0; the recordings are Common Voice's (CC0)",
    )


ZH_EN, EN_ZH = _task("zh_en", "en"), _task("en_zh", "zh")
