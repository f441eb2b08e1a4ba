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
    r"(?:\b(?:answer|choice|option|letter|choose|select|pick|go (?:for|with))\b(?: (?:option|choice|letter|is|would be"
    r"|should be|must be|might be|may be|the|correct|right|best|answer))*"
    r"|(?:答案|选项|选择|应选|选)(?:应该|应)?(?:是|为|选)?)"
    r"\s*[:=]?\s*[(\[{<【]?\s*([A-Za-z])\s*(?![A-Za-z'])",
    re.IGNORECASE,
)
_CALLED_RIGHT = re.compile(
    r"(?<![A-Za-z'])([A-Z])\)? (?:is|could be|might be|may be|seems) (?:also )?(?:the )?"
    r"(?:correct|right|best|possible|plausible|likely|true|answer)\b|选项?([A-Z])(?:是)?(?:正确|对)"
)
"""In a sentence: "B is correct", "B is also possible"."""
_CONCLUDED = re.compile(
    r"(?:\bit(?: is| s)|\b(?:so|thus|hence|therefore|因此|所以),?)\s+\(?([A-Z])\)?(?=\s*[.!,;]|\s*$)", re.I | re.M
)
"""At a sentence's end: "it's B", "so B." """
_ALTERNATIVE = re.compile(
    r"\s*[)\]}]?\s*(?:,?\s*(?:and/or|or|and|/|&|或|和)|,)\s*(?:maybe |perhaps |possibly |even )?(?:option )?"
    r"[(\[]?\s*([A-Za-z])(?![A-Za-z'])"
)
_NOT_CHOSEN = re.compile(
    r"\s*(?:\)|\])?\s*(?:is|are|was|seems?|looks?) (?:not\b|wrong|incorrect|false|unlikely)|\s*(?:不对|错)",
    re.IGNORECASE,
)
_REFUSED = re.compile(r"(?:\bnot|\bn't|\bnever|不是|不选|非)\s*$", re.IGNORECASE)
_LED = re.compile(r"[(\[{<【]?\s*([A-Za-z])\s*(?:[)\]}>】.:,;\-–—]|(?=\s+(?:because|since|as|for|is|-|–|—)\b)|$)")
_WORD = r"(?<![^\W_]){}(?![^\W_])"


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
    return _letter(bare(text), options) or _agreed(_led(text, options)) or _by_text(text, options)


def _letter(text: str, options: Options) -> str | None:
    return text.upper() if len(text) == 1 and text.upper() in options else None


def _agreed(letters: Iterable[str | None]) -> str | None:
    found = set(letters)
    return found.pop() if len(found) == 1 else None


def _declared(text: str, options: Options) -> list[str | None]:
    """Letters that are declared; "not B" and "option B is wrong" declare nothing, "B or C" declares two."""
    found: list[str | None] = []
    for match in _DECLARED.finditer(text):
        letter, behind = _letter(match[1], options), text[match.end() :]
        if letter is None or _NOT_CHOSEN.match(behind) or _REFUSED.search(text[: match.start()]):
            continue
        if match[1] == "a" and re.match(r"\w", behind.lstrip()) and behind[:1] == " ":
            continue  # "the answer is a dog"
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
    own = [letter, *_alternatives(text[match.end(1) :], options)]
    others = [m for line in text.split("\n")[1:] if (m := _LED.match(line)) and m[0][-1:] in ")].:"]
    return own + [other for m in others if (other := _letter(m[1], options))]


def _by_text(text: str, options: Options) -> str | None:
    lowered = bare(text).casefold()
    texts = {letter: bare(plain(option)).casefold() for letter, option in options.items()}
    if exact := [letter for letter, option in texts.items() if option and option == lowered]:
        return _agreed(exact)
    named = {
        letter: option
        for letter, option in texts.items()
        if option and re.search(_WORD.format(re.escape(option)), lowered)
    }
    longest = [a for a in named if not any(named[a] != b and named[a] in b for b in named.values())]
    return longest[0] if len(longest) == 1 else None
