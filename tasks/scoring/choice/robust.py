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
    r"\s*(?:\)|\])?\s*(?:(?:is|are|was|seems?|looks?) (?:not\b|wrong|incorrect|false|unlikely|ruled out|excluded)"
    r"|isn.?t\b|can(?:not|.?t)\b|(?:can|could|must|should) be (?:ruled out|excluded)|(?:if|when|unless)\b"
    r"|\?|不对|不正确|不是|错)",
    re.IGNORECASE,
)
"""Behind an option that is named and not chosen."""
_SUPPOSED = re.compile(r"\b(?:if|unless|(?:might|may|would|could) think)\b[^.!?\n]*$", re.IGNORECASE)
_ASKED = re.compile(r"[^.!?\n]*\?")
_REFUSED = re.compile(
    r"(?:\bnot|\bn.?t|\bnever|\bno|cannot|instead of|rather than|不是|不|非|排除)(?: \w+){0,2}\s*$"
    rf"|{_SUPPOSED.pattern}",
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
        if letter is None or refused or _is_dropped(behind, options[letter]):
            continue
        if letter == "A" and _ARTICLE.match(text[match.end(1) :]):
            continue
        if _is_listed(text, match, options):
            continue
        found.append(letter)
        found += _alternatives(behind, options) or _alternatives(_past(behind, options[letter]), options)
    return found + _in_sentences(text, options)


def _is_listed(text: str, match: re.Match[str], options: Options) -> bool:
    """Whether the options are gone through: another follows the text of this one, or it begins a line among others."""
    if text[match.end(1) : match.end(1) + 1] not in (":", ".", ")"):
        return False
    rest = _past(text[match.end() :], options[match[1].upper()]).partition("\n")[0].lstrip(" ,;.")
    begins = match.re is _NAMED or not text[: match.start(1)].rpartition("\n")[2].strip(" (")
    return _LABEL.match(rest) is not None or (begins and len(_labels(text, options)) > 1)


def _is_dropped(behind: str, option: str) -> bool:
    """Whether what follows a letter, or the letter and its text, says that it is not chosen."""
    return any(_NOT_CHOSEN.match(rest) for rest in (behind, _past(behind, option)))


def _past(behind: str, option: str) -> str:
    """What follows a letter without its mark and its option's own text, where they stand there."""
    own = rf"\s*[)\]}}>】:.,;–—-]?\s*{re.escape(bare(plain(option)))}(?![^\W_])"
    found = re.match(own, behind, re.IGNORECASE)
    return behind[found.end() :] if found else behind


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
    if not match or not letter or _is_dropped(text[match.end(1) :], options[letter]):
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
    named = {letter: option for letter, option in texts.items() if option and _names(text.casefold(), option)}
    longest = [a for a in named if not any(named[a] != b and named[a] in b for b in named.values())]
    return longest[0] if len(longest) == 1 else None


def _names(text: str, option: str) -> bool:
    """Whether a text says an option as words (a number as a number), and does not deny it. What is asked or supposed
    ("Is it a cat?", "If it was a cat") is not said."""
    form = _NUMBER if re.fullmatch(r"[-+]?[\d.,]+", option) else _WORD
    found = [
        (re.split(r"[.!?\n]", text[: match.start()])[-1], text[match.end() :])
        for match in re.finditer(form.format(re.escape(option)), text)
    ]
    said = [(before, behind) for before, behind in found if not _SUPPOSED.search(before) and not _ASKED.match(behind)]
    return bool(said) and not any(_DENIED.search(before) or _NOT_CHOSEN.match(behind) for before, behind in said)
