"""The option that an answer states, as a reader takes it (docs/robust.md). An answer that states two, or none, is none.

The first of these that is there decides; within it all that is stated must agree:

1. `\\boxed{B}`
2. the option declared: "the answer is B", "Answer: b", "option B", "B is correct", "so B.", "答案是B", "选B"
3. a line that is only a letter: "B", "(B)", "b."
4. a letter at the beginning with its mark: "B. dog", "(B) dog", "B) dog", "B: dog", "B, because", "B because"
5. option texts: the answer is one of them, or names exactly one of them as words
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from tasks.scoring.choice import Options
from tasks.scoring.plain import bare, boxed, plain

_DECLARED = re.compile(
    r"(?:\b(?:answers?|ans\b\.?|choose|select|pick|go (?:for|with)"
    r"|(?:option|choice|letter)(?= (?:is|would be|should be|must be)\b|\s*[:=])"
    r"|(?:correct|right|best|final|selected|chosen|my) (?:option|choice|letter))(?: s\b)?"
    r"(?:[:=]? (?:option|choice|letter|is|would be|should be|must be|might be|may be|the|correct|right|best|answer))*"
    r"|(?:答案|选项|选择|应选|选)(?:应该|应)?(?:是|为|选)?)"
    r"\s*[:=]?\s*[(\[{<【]?\s*([A-Za-z])\s*(?![A-Za-z'])",
    re.IGNORECASE,
)
_NAMED = re.compile(r"(?:^|[.!?]\s+)(?:the )?option\s+\(?([A-Za-z])\)?(?=\s*(?:[.:,]|$))", re.IGNORECASE | re.MULTILINE)
"""A sentence that begins with an option: "Option C.", "Option C: red bird"."""
_CALLED_RIGHT = re.compile(
    r"(?<![A-Za-z'])([A-Z])\)? (?:is|could be|might be|may be|seems) (?:also )?(?:the )?"
    r"(?:correct|right|best|possible|plausible|likely|true|answer)\b|([A-Z])(?:项|选项)?是?(?:正确|对)"
)
"""In a sentence: "B is correct", "B is also possible"."""
_CONCLUDED = re.compile(
    r"(?:\bit(?: is| s)|\b(?:so|thus|hence|therefore|actually|wait|sorry|因此|所以),?)\s+\(?([A-Z])\)?"
    r"(?=\s*[.!,;]|\s*$)",
    re.IGNORECASE | re.MULTILINE,
)
"""At a sentence's end: "it's B", "so B.", "wait, B"."""
_ALTERNATIVE = re.compile(
    r"\s*[)\]}]?\s*(?:[,;]?\s*\(?(?:and/or|or|and|as well as|plus|then|/|&|\+|或|和)|[,;、])\s*"
    r"(?:maybe |perhaps |possibly |even )?(?:option )?[(\[]?\s*([A-Za-z])(?![A-Za-z'])"
)
"""More letters in the same breath: "or C", "and D", "/ C"."""
_NOT_CHOSEN = re.compile(
    r"\s*(?:\)|\])?\s*(?:(?:is|are|was|seems?|looks?) (?:not\b|wrong|incorrect|false|unlikely)|(?:if|when|unless)\b"
    r"|\?|不对|不正确|不是|错)",
    re.IGNORECASE,
)
"""Behind a letter that is named and not chosen."""
_REFUSED = re.compile(
    r"(?:\bnot|\bn.?t|\bnever|\bno|cannot|instead of|rather than|不是|不|非|排除)(?: \w+){0,2}\s*$"
    r"|\b(?:if|unless|(?:might|may|would|could) think)\b[^.!?\n]*$",
    re.IGNORECASE,
)
"""Before it."""
_ARTICLE = re.compile(r" (?!because\b|since\b|as\b|and\b|or\b|with\b|is\b|if\b|then\b|plus\b)[a-z]")
"""Behind an A that is no letter: "the answer is a dog", "Answer: A dog"."""
_LED = re.compile(
    r"[(\[{<【]?\s*([A-Za-z])\s*(?:[)\]}>】:,;]|[.\-–—](?!\w)|\.(?=\w{2})|(?=\s+(?:because|since|-|–|—)\b)|$)"
)
_LABEL = re.compile(r"(?:^|\s)\(?([A-Z])(?:[:)]|\.(?=\s))\s*\w", re.MULTILINE)
"""A letter before its text, as options are listed: "A: cat", "(B) dog"."""
_WORD = r"(?<![^\W_]){}(?![^\W_])"
_NUMBER = r"(?<![\w.,/-]){}(?![\w%]|[.,/]\d)"
_DENIED = re.compile(
    r"(?:\b(?:no|not|never|without|neither|nor|cannot|no longer|(?:more|less|fewer) than)|n t|不是|不|没有|没)"
    r"(?:\W+\w+){0,2}\W*$"
)


def stated(answer: str, options: Options) -> str | None:
    r"""The letter of the option that the answer states; None where it states several or none.

    >>> stated("**(b)**", {"A": "cat", "B": "dog"}), stated("A or B", {"A": "cat", "B": "dog"})
    ('B', None)
    """
    if inside := boxed(answer):
        return _agreed(_named(text, options) for text in inside)
    text = plain(answer)
    for found in (_declared(text, options), _lines(text, options), _led(text, options)):
        if found:
            return _agreed(found)
    return _by_text(text, options)


def _named(text: str, options: Options) -> str | None:
    letter = _letter(bare(text), options) or _agreed(_declared(text, options)) or _agreed(_led(text, options))
    return letter or _by_text(text, options)


def _letter(text: str, options: Options) -> str | None:
    return text.upper() if len(text) == 1 and text.upper() in options else None


def _agreed(letters: Iterable[str | None]) -> str | None:
    found = set(letters)
    return found.pop() if len(found) == 1 else None


def _declared(text: str, options: Options) -> list[str | None]:
    """Letters that are declared; "not B" and "option B is wrong" declare nothing, "B or C" declares two."""
    found: list[str | None] = []
    for match in sorted((*_DECLARED.finditer(text), *_NAMED.finditer(text)), key=lambda match: match.start(1)):
        letter, behind = _letter(match[1], options), text[match.end() :]
        refused = _REFUSED.search(text[: match.start()].rpartition("\n")[2])
        if letter is None or refused or _NOT_CHOSEN.match(behind):
            continue
        if letter == "A" and _ARTICLE.match(text[match.end(1) :]):
            continue
        if text[match.end(1) : match.end(1) + 1] in (":", ".", ")") and len(_labels(text, options)) > 1:
            continue  # the options are gone through
        found.append(letter)
        found += _alternatives(behind, options)
    return found + _in_sentences(text, options)


def _in_sentences(text: str, options: Options) -> list[str | None]:
    """Capital letters that a sentence calls right ("B is correct") or ends with ("so B.", "it's B")."""
    called = [match[1] or match[2] for match in _CALLED_RIGHT.finditer(text)]
    concluded = [
        letter
        for match in _CONCLUDED.finditer(text)
        for letter in [match[1], *_alternatives(text[match.end() :], options)]
        if match[1].isupper()
    ]
    return [letter for letter in called + concluded if letter in options]


def _alternatives(behind: str, options: Options) -> list[str]:
    """More letters in the same breath: "or C", "and D", "/ C"."""
    match = _ALTERNATIVE.match(behind)
    letter = _letter(match[1], options) if match and match[1] != "a" else None
    return [letter, *_alternatives(behind[match.end() :], options)] if match and letter else []


def _lines(text: str, options: Options) -> list[str]:
    found = (_letter(bare(line), options) for line in text.split("\n"))
    return [letter for letter in found if letter]


def _led(text: str, options: Options) -> list[str]:
    match = _LED.match(text)
    letter = _letter(match[1], options) if match else None
    if not match or not letter or _NOT_CHOSEN.match(text[match.end(1) :]):
        return []
    return [letter, *_alternatives(text[match.end(1) :], options), *_labels(text, options)]


def _labels(text: str, options: Options) -> set[str]:
    """Letters that stand before a text of their own."""
    return {match[1] for match in _LABEL.finditer(text)} & options.keys()


def _by_text(text: str, options: Options) -> str | None:
    lowered = bare(text).casefold()
    texts = {letter: bare(plain(option)).casefold() for letter, option in options.items()}
    if exact := [letter for letter, option in texts.items() if option and option == lowered]:
        return _agreed(exact)
    named = {letter: option for letter, option in texts.items() if option and _names(lowered, option)}
    longest = [a for a in named if not any(named[a] != b and named[a] in b for b in named.values())]
    return longest[0] if len(longest) == 1 else None


def _names(text: str, option: str) -> bool:
    """Whether a text has an option as words (a number as a number), and does not deny it."""
    form = _NUMBER if re.fullmatch(r"[-+]?[\d.,]+", option) else _WORD
    found = list(re.finditer(form.format(re.escape(option)), text))
    return bool(found) and not any(_DENIED.search(re.split(r"[.\n]", text[: match.start()])[-1]) for match in found)
