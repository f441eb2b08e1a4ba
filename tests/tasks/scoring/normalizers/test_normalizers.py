"""The text normalisers, on examples of each rule and on properties that hold for any text."""

from __future__ import annotations

import string

import jiwer
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sacrebleu.tokenizers.tokenizer_13a import Tokenizer13a
from sacrebleu.tokenizers.tokenizer_zh import TokenizerZh
from word2number import w2n

from tasks.scoring.normalizers import (
    chinese_textnorm,
    jiwer_words,
    open_asr,
    sacrebleu_tokens,
    seed_tts,
    wenet,
    whisper_basic,
    whisper_english,
)
from tasks.scoring.normalizers.english_numbers import normalize_numbers
from tasks.scoring.normalizers.number_words import read_number

texts = st.text(max_size=60)
# fmt: off
WORDS = [
    "one", "two", "ten", "twenty", "five", "hundred", "thousand", "million", "point", "and", "a", "half", "oh",
    "double", "dollars", "cents", "percent", "minus", "first", "colour", "it's", "don't", "st.", "mr", "3.5",
    "21st", "$5", "007", "1,000", "um", "(x)", "[y]",
]
# fmt: on
spoken = st.lists(st.sampled_from(WORDS), max_size=12).map(" ".join)
numeric_chinese = st.text("0123456789年月日元块个%/.-两二点AB万千 ", max_size=30)


@pytest.mark.parametrize(
    ("text", "normalized"),
    [
        ("Mr. O'Neil won't pay, um, £20!", "mister 0 neil will not pay £20"),
        ("he'd been there and she's got it", "he had been there and she has got it"),
        ("'sn't", " is not"),
        ("<unk> the cat [laughs] sat (softly)", "the cat sat"),
        ("the colour of grey theatres", "the color of gray theaters"),
        ("café Æsop ﬁne", "cafe aesop fine"),
        ("john 's dog", "john is dog"),
        ("St. James St.", "saint james saint"),
        ("and a half% more", "% more"),
        ("", ""),
    ],
)
def test_whisper_english(text: str, normalized: str) -> None:
    assert whisper_english.normalize(text).split() == normalized.split()


@pytest.mark.parametrize(
    ("spoken_number", "written"),
    [
        ("twenty one thousand three hundred and five", "21305"),
        ("nineteen eighty four", "1984"),
        ("one oh one", "101"),
        ("zero twenty five", "025"),
        ("double o seven and triple five", "007 and 555"),
        ("three point one four", "3.14"),
        ("two and a half percent", "2.5%"),
        ("five dollars and twenty cents", "$5.20"),
        ("zero dollars and seven cents", "¢7"),
        ("minus twenty degrees", "-20 degrees"),
        ("the twenty first of june", "the 21st of june"),
        ("nineteen sixties", "1960s"),
        ("point five million", "500000"),
        ("per cent of ten per cent", "per cent of 10%"),
        ("one of the ones is 1", "one of the ones is one"),
        ("2 nd 3rd x2y", "2nd 3rd x 2 y"),
        ("point hundred", "100"),
        ("no numbers and nothing", "no numbers and nothing"),
        ("ninth", "ninth"),
    ],
)
def test_english_numbers(spoken_number: str, written: str) -> None:
    assert normalize_numbers(spoken_number) == written


def test_a_digit_run_beyond_the_interpreter_limit_is_kept() -> None:
    digits = "7" * 5000
    assert whisper_english.normalize(f"{digits} thousand") == f"{digits} 1000"


@pytest.mark.parametrize(
    ("text", "normalized"),
    [
        ("The King's son, it's here and that's all right", "the king s son it is here and that is alright"),
        ("the B B C on 5 G", "the bbc on 5g"),
        ("A I is new, I B M is not", "a i is new ibm is not"),
        ("UH HUH we got Wi-Fi, e-mail and OK", "we got wifi email and okay"),
        ("Katherine and Stephen like colour", "catherine and steven like color"),
        ("an archaeological flyer", "an archeological flier"),
        ("three P M, 25 per cent", "3 pm 25%"),
        ("it's been John's", "it has been john s"),
        ("", ""),
    ],
)
def test_open_asr(text: str, normalized: str) -> None:
    assert open_asr.normalize(text).split() == normalized.split()


@given(st.lists(st.sampled_from(["the", "cat", "mats", "with", "people", "gray", "1984"]), max_size=10))
def test_open_asr_and_whisper_agree_on_plain_words(words: list[str]) -> None:
    text = " ".join(words)
    assert open_asr.normalize(text) == whisper_english.normalize(text)


@given(st.lists(st.sampled_from("bcdxyz"), min_size=2, max_size=6))
def test_open_asr_joins_single_letters(letters: list[str]) -> None:
    assert open_asr.normalize(f"the {' '.join(letters)} end") == f"the {''.join(letters)} end"


@given(texts)
def test_seed_tts_deletes_marks_and_nothing_else(text: str) -> None:
    kept = [c for c in text if c == "'" or (c not in string.punctuation and c not in seed_tts.CHINESE_PUNCTUATION)]
    assert seed_tts.clean_chinese(text).replace(" ", "") == "".join(kept).replace(" ", "")
    assert seed_tts.clean_english(text).replace(" ", "") == "".join(kept).replace(" ", "").lower()


def test_there_are_82_chinese_marks() -> None:
    assert len(set(seed_tts.CHINESE_PUNCTUATION)) == len(seed_tts.CHINESE_PUNCTUATION) == 82


pieces = st.sampled_from(
    [*"a1 .,-'\"!&;</~\n\t。“—天好é²Ⅳ𠀀ａ", "&quot;", "&amp;", "<skipped>", "-\n", "3.5", "1,000", "2-3"]
)


@settings(max_examples=300)
@given(st.lists(pieces | st.characters(codec="utf-8"), max_size=16).map("".join))
def test_tokens_are_those_of_sacrebleu(text: str) -> None:
    assert sacrebleu_tokens.tokenize_13a(text) == Tokenizer13a()(text)
    assert sacrebleu_tokens.tokenize_zh(text) == TokenizerZh()(text)


@settings(max_examples=200)
@given(st.text(st.sampled_from("ab \t\n\u3000\xa0") | st.characters(exclude_categories=("Cs",)), max_size=20))
def test_words_are_those_of_jiwer(text: str) -> None:
    theirs = jiwer.process_words("x", text).hypotheses
    assert [jiwer_words.words(text)] == theirs


# fmt: off
NUMBER_WORDS = [
    "zero", "one", "three", "five", "ten", "twelve", "twenty", "ninety", "hundred", "thousand", "million", "billion",
    "point", "and", "a", "-", "12", "²", "٣",
]
# fmt: on


@settings(max_examples=400)
@given(st.lists(st.sampled_from(NUMBER_WORDS), max_size=8), st.sampled_from([" ", "-", "  "]), st.booleans())
def test_number_words_are_read_as_by_word2number(words: list[str], joint: str, upper: bool) -> None:
    text = joint.join(words).upper() if upper else joint.join(words)
    try:
        theirs = w2n.word_to_num(text)
    except (ValueError, IndexError):  # it ends with the second where a scale stands first
        with pytest.raises(ValueError):
            read_number(text)
    else:
        assert (read_number(text), type(read_number(text))) == (theirs, type(theirs))


def test_whisper_basic() -> None:
    assert whisper_basic.normalize("Ｈello, [x] Wörld!") == "hello wörld "
    assert whisper_basic.normalize_split_letters("今天A好") == "今 天 a 好"


@pytest.mark.parametrize(
    ("text", "normalized"),
    [
        ("2024年5月6日", "二零二四年五月六日"),
        ("08年", "零八年"),
        ("50%的人", "百分之五十的人"),
        ("2500块", "两千五百块"),
        ("22万元", "二十二万元"),
        ("5块5毛", "五块五毛"),
        ("电话13800138000。", "电话一三八零零一三八零零零 "),
        ("010-12345678", "零一零一二三四五六七八"),
        ("2/3", "三分之二"),
        ("1.75米", "一点七五米"),
        ("35600", "三五六零零"),
        ("12个110", "十二个一百一十"),
        ("8:05", "八 零五"),
        ("B2B和A二O", "B2B和A2O"),
        ("0.5", "零点五"),
        ("第１２３号", "第一百二十三号"),
        ("100000000元", "一亿元"),
        ("00元", "元"),
        ("^你好$", "你好"),
        ("没有数字，对。", "没有数字 对 "),
    ],
)
def test_chinese_textnorm(text: str, normalized: str) -> None:
    assert chinese_textnorm.normalize(text) == normalized


def test_a_number_is_replaced_at_its_first_occurrence() -> None:
    # The rule for counted things finds "25", which first stands at the end of "1725".
    assert chinese_textnorm.normalize("1725和25个") == "十七二十五和二十五个"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("hello, world", ["HELLO,", "WORLD"]),
        (", hello", ["HELLO"]),
        ("你好WiFi。再见", ["你", "好", "WIFI", "再", "见"]),
        ("<unk>hi<noise>", ["HI"]),
        ("<tag with blank>x", ["WITH", "BLANK>X"]),
        ("café x", ["CAF", "É", "X"]),
        ("straße", ["STRA", "SSE"]),
    ],
)
def test_wenet_words(text: str, words: list[str]) -> None:
    assert wenet.word_tokens(text) == words


def test_wenet_characters_split_only_alphanumeric_tokens() -> None:
    assert wenet.character_tokens("ab it's 12") == ["A", "B", "IT'S", "1", "2"]


@settings(max_examples=150)
@given(texts | spoken | numeric_chinese)
def test_no_text_makes_a_normaliser_fail(text: str) -> None:
    for normalize in (
        whisper_english.normalize, open_asr.normalize, whisper_basic.normalize, chinese_textnorm.normalize,
        seed_tts.clean_english, seed_tts.clean_chinese,
    ):  # fmt: skip
        assert isinstance(normalize(text), str)
    assert all(wenet.word_tokens(text)) and all(wenet.character_tokens(text))


@given(texts)
def test_whisper_basic_leaves_no_punctuation_and_no_double_space(text: str) -> None:
    normalized = whisper_basic.normalize(text)
    assert "  " not in normalized
    assert not any(whisper_basic.is_mark_symbol_or_punctuation(c) for c in normalized)


@given(numeric_chinese)
def test_chinese_textnorm_leaves_no_ascii_digit_but_between_latin_letters(text: str) -> None:
    normalized = chinese_textnorm.normalize(text)
    assert not any(digit in normalized for digit in "013456789")


@given(st.text("你好abc 。，", max_size=30))
def test_chinese_textnorm_is_idempotent_without_digits(text: str) -> None:
    once = chinese_textnorm.normalize(text)
    assert chinese_textnorm.normalize(once) == once


@given(st.lists(st.sampled_from(["the", "cat", "gray", "mats", "with", "1984", "people", "21st"]), max_size=10))
def test_whisper_english_is_idempotent_on_plain_words(words: list[str]) -> None:
    once = whisper_english.normalize(" ".join(words))
    assert whisper_english.normalize(once) == once
