"""Where the rows of the generated-speech, translation and spoken-question benchmarks come from.

What evaluation scripts read, by the published protocols: VITA-Audio's for LibriTTS and the questions, Qwen2-Audio's and
lmms-eval's for CoVoST 2. A revision is "main" where none is known to be the one in use.
"""

from __future__ import annotations

from functools import partial

from tasks.data import Source
from tasks.readers.covost2 import MIRROR, PAIRS, covost2, hub_translations
from tasks.readers.hub import Hub, copies_of
from tasks.readers.libritts import hub_libritts, libritts
from tasks.readers.seedtts import LISTS, seedtts, seedtts_repository
from tasks.readers.spoken_qa import MIRRORS, hub_questions, spoken_qa


def _seedtts(name: str, published: int) -> Source:
    language, table = LISTS[name]
    root = f"seedtts_testset/{language}"
    return Source(
        partial(seedtts, name=name),
        (f"{root}/{table}", f"{root}/prompt-wavs", f"{root}/wavs"),
        f"{root}/{table} (utt|prompt_text|prompt_wav|target_text[|gt_wav]), prompt-wavs/ and wavs/ beside it; "
        f"or the same below seed-tts-eval/{language}/",
        Hub(
            id="zhaochenyang20/seed-tts-eval",
            revision="8f5e1aa2a35d42f42e940074c1983358b9491f89",
            split=name,
            columns=(),
            folder=partial(seedtts_repository, name=name),
        ),
        published,
        pooled=True,
    )


SEEDTTS = {"zh": _seedtts("zh", 2020), "en": _seedtts("en", 1088), "hard": _seedtts("hard", 400)}
"""By set. Rows: utt, prompt_text, prompt_wav, target_text, reference_wav (`tasks.readers.seedtts`)."""

LIBRITTS = Source(
    partial(libritts, split="test-clean"),
    ("LibriTTS/test-clean",),
    "LibriTTS/test-clean/<speaker>/<chapter>/<utterance>.wav with .normalized.txt and .original.txt beside it",
    Hub(
        id="mythicinfinity/libritts",
        split="test.clean",
        files="data/test.clean/*.parquet",
        columns=("audio", "text_normalized", "text_original", "speaker_id", "chapter_id", "id"),
        adapt=hub_libritts,
    ),
    published=4837,
)
"""Rows: text_normalized, text_original, speaker_id, chapter_id, id, reference_wav."""


def _covost2(pair: str, hub: Hub, published: int) -> Source:
    """Its files are the tables alone: the recordings lie among a million of other splits and languages."""
    source, target = PAIRS[pair]
    name = f"covost_v2.{source}_{target}"
    tables = [f"CoVoST2/{place}{name}{end}" for place in (f"{source}/", "") for end in (".test.tsv", ".tsv")]
    return Source(
        partial(covost2, pair=pair),
        (*tables, *(f"{copy}/**/{pair}-*.parquet" for copy in copies_of(MIRROR))),
        f"CoVoST2/{source}/{name}.test.tsv (path, sentence, translation, client_id) and the recordings in clips/ "
        "beside it",
        hub,
        published,
        pooled=True,
    )


COVOST2 = {
    "zh_en": _covost2(
        "zh_en",
        Hub(
            id="lmms-lab-audio/covost2",
            config="zh_en",
            split="test",
            columns=("audio",),
            adapt=hub_translations,
        ),
        4898,
    ),
    "en_zh": _covost2(
        "en_zh",
        Hub(id="lmms-lab-audio/covost2_en-zh", split="test", columns=("audio",), adapt=hub_translations),
        15531,
    ),
}
"""By pair. Rows: audio, sentence, translation, client_id."""


def _spoken_qa(name: str, hub: Hub, published: int) -> Source:
    root = f"OpenAudioBench/eval_datas/{name}"
    copies = copies_of(MIRRORS[name]) if name in MIRRORS else ()
    return Source(
        partial(spoken_qa, name=name),
        (root, f"eval_datas/{name}", *copies),
        f"{root}/{name}.csv (a question, its answer, audio_filename) and the recordings in audios/ beside it",
        hub,
        published,
    )


SPOKEN_QA = {
    "llama_questions": _spoken_qa(
        "llama_questions",
        Hub(
            id="fixie-ai/llama-questions",
            revision="b5d4ac372a3cb23680ac89f0c278ababc9227fa7",
            split="test",
            files="data/test-*.parquet",
            columns=("audio",),
            adapt=hub_questions,
        ),
        300,
    ),
    "trivia_qa": _spoken_qa(
        "trivia_qa",
        Hub(
            id="fixie-ai/trivia_qa-audio",
            revision="81d5ffc9c378e944e2876226ef2ed6bdb55d1091",
            config="rc.wikipedia",
            split="validation",
            files="rc.wikipedia/validation-*.parquet",
            columns=("question_audio", "question", "answer"),
            adapt=hub_questions,
        ),
        1000,
    ),
    "web_questions": _spoken_qa(
        "web_questions",
        Hub(
            id="fixie-ai/spoken-web-questions",
            split="test",
            files="data/test-*.parquet",
            columns=("audio", "question", "answers"),
            adapt=hub_questions,
        ),
        2032,
    ),
}
"""By set. Rows: audio, question, answers, published_answer. OpenAudioBench has 1000 of the 2032 web questions."""
