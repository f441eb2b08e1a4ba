"""What a judge is asked, in the words of each benchmark's protocol (protocols/vision.md)."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from harness.types import Doc
from tasks.scoring.choice import Options

_KINDS = {"multi-choice": "multi-choice", "yes_no": "Yes/No", "caption_matching": "caption matching"}
_TITLES = {"multi-choice": "Multi-Choice", "yes_no": "Yes/No", "caption_matching": "Caption Matching"}


@cache
def _text(name: str) -> str:
    return files(__name__).joinpath(f"{name}.txt").read_text("utf-8")


def mmvet(question: str, gold: str, answer: str) -> str:
    """A table of seven graded answers and a row to be graded."""
    spaced = gold.replace("<AND>", " <AND> ").replace("<OR>", " <OR> ")
    return f"{_text('mmvet')}\n{question} | {spaced} | {answer} | "


def mathvista(query: str, answer: str) -> str:
    """Five worked extractions, then the question as it was asked and the answer to extract from."""
    return f"{_text('mathvista')}\n{query}\n\n{answer}\n\nExtracted answer: "


def tempcompass(kind: str, question: str, gold: str, answer: str) -> str:
    """Whether an answer is correct; `kind` is multi-choice, yes_no or caption_matching."""
    return (
        f"You will receive a {_KINDS[kind]} question, the ground-truth answer and the prediction from a question "
        "answering (QA) model. Your task is to determine whether QA model prediction is correct, based on the question "
        'and ground-truth answer. If the prediction is correct, respond "Correct". If the prediction is incorrect, '
        f'respond "Incorrect".\n{_TITLES[kind]} Question:\n{question}\nGround-Truth Answer: {gold}\n'
        f"Model Prediction: {answer}"
    )


def tempcompass_caption(caption: str, question: str) -> str:
    """The option that a caption answers a question with."""
    return (
        f"{_text('tempcompass_captioning')}\nVideo Description:{caption}\nMulti-Choice Question:\n{question}\nAnswer:"
    )


def hallusionbench(question: str, details: str, answer: str) -> str:
    """Whether an answer conflicts with the reference: correct, incorrect or unclear."""
    return (
        "Imagine you are an intelligent teacher. Thoroughly read the question, reference answer and the prediction "
        "answer to ensure a clear understanding of the information provided. Assess the correctness of the "
        "predictions. If the prediction answer does not conflict with the reference answer, please generate "
        "“correct”. If the prediction answer conflict with the reference answer, please generate “incorrect”. If the "
        f'prediction answer is unclear about the answer, please generate "unclear". \n\n Question:{question}'
        f"\nReference answer: {details}\nPrediction answer:{answer}\nOutput:"
    )


def choice(question: str, options: Options, answer: str) -> str:
    """Which option an answer means; our own words."""
    listed = "\n".join(f"{letter}. {text}" for letter, text in options.items())
    return (
        "Below are a question with its options and what somebody answered. Say which option the answer means. Judge "
        "the meaning only, not whether it is right. Reply with one capital letter and nothing else; reply Z if the "
        f"answer means none of the options or more than one.\n\nQuestion: {question}\n{listed}\n\nAnswer: {answer}\n"
        "\nLetter:"
    )


def choice_of(doc: Doc, options: Options, answer: str) -> str:
    hint = f"{doc['hint']}\n" if doc.get("hint") else ""
    return choice(f"{hint}{doc.get('question', '')}", options, answer)
