"""An answer without its dress, for the `robust` rules: what stays is what a reader takes from it (docs/robust.md).

Reasoning blocks are cut; full-width forms become plain; LaTeX and Markdown marks go; what stands in `\\boxed{}` is the
answer where something does.
"""

from __future__ import annotations

import re
import unicodedata

from harness.steps import without_reasoning

_BOXED = re.compile(r"\\(?:boxed|fbox)\s*\{((?:[^{}]|\{[^{}]*\})*)\}")
_WRAPPED = re.compile(r"\\(?:text|textbf|mathrm|mathbf|textit|operatorname)\s*\{([^{}]*)\}")
_MARKDOWN = re.compile(r"[*`~]+|(?<!\w)_+|_+(?!\w)|\$+|\\[()\[\]]")
_TAG = re.compile(r"</?[a-z_]+>", re.IGNORECASE)
_LINE_START = re.compile(r"^[ \t]*(?:#+|>+|[-+•])[ \t]+", re.MULTILINE)
_QUOTES = str.maketrans(dict.fromkeys("\"'“”‘’「」『』《》", " ") | {"。": ".", "、": ",", "\u3000": " "})
_BLANKS = re.compile(r"[^\S\n]+")
_CLOSING = " \t\n.,;:!?"


def plain(answer: str) -> str:
    """The answer without reasoning, marks of Markdown and LaTeX, quotes and full-width forms; "" where none is left.

    Lines stay lines, each without blanks at its ends.

    >>> plain("<think>two, so B</think> **Answer:** “Ｂ”。")
    'Answer: B .'
    """
    text = unicodedata.normalize("NFKC", without_reasoning(answer) or "").translate(_QUOTES)
    text = _MARKDOWN.sub("", _LINE_START.sub("", _WRAPPED.sub(r"\1", _TAG.sub(" ", text))))
    lines = (_BLANKS.sub(" ", line).strip() for line in text.splitlines())
    return "\n".join(line for line in lines if line)


def boxed(answer: str) -> list[str]:
    r"""What stands in `\boxed{}`, each once, in order, plain.

    >>> boxed(r"so \boxed{\text{B}}, that is \boxed{B}")
    ['B']
    """
    text = unicodedata.normalize("NFKC", without_reasoning(answer) or "")
    return list(dict.fromkeys(bare(plain(found)) for found in _BOXED.findall(text)))


def bare(text: str) -> str:
    """A short text without what stands around it: blanks, closing marks, brackets that hold all of it."""
    before = None
    while text != before:
        before, text = text, text.strip(_CLOSING)
        if len(text) > 1 and (text[0], text[-1]) in {("(", ")"), ("[", "]"), ("{", "}"), ("<", ">"), ("【", "】")}:
            text = text[1:-1]
    return text
