"""Spoken questions: LLaMA Questions (Nachmani et al., 2305.15255), TriviaQA and Web Questions, read aloud."""

from __future__ import annotations

from tasks.speech.sources import SPOKEN_QA
from tasks.speech.sqa import sqa_task

LLAMA_QUESTIONS = sqa_task(
    "llama_questions",
    SPOKEN_QA["llama_questions"],
    "Llama Questions",
    "Nachmani et al., Spoken question answering and speech continuation using spectrogram-powered LLM, ICLR 2024",
    "not stated",
)
TRIVIA_QA = sqa_task(
    "trivia_qa_audio",
    SPOKEN_QA["trivia_qa"],
    "TriviaQA",
    "Joshi et al., TriviaQA: a large scale distantly supervised challenge dataset for reading comprehension, ACL 2017",
    "Apache-2.0",
)
WEB_QUESTIONS = sqa_task(
    "web_questions_audio",
    SPOKEN_QA["web_questions"],
    "Web Questions",
    "Berant et al., Semantic parsing on Freebase from question-answer pairs, EMNLP 2013",
    "CC-BY-4.0",
)
