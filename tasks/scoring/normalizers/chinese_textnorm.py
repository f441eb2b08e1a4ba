"""Chinese text normalisation as speechio's `TextNorm` does it with every option off.

Numbers are read out as Chinese words, then each Chinese or ASCII punctuation mark becomes a blank. No
width, case, filler, erhua or traditional-to-simplified conversion takes place. This is the normaliser
that the Qwen2-Audio, Kimi-Audio and UltraEval evaluations share; results are equal to theirs, oddities
included ("35600" is read digit by digit, "5/1" as a fraction). Written anew.

A number found by a rule is replaced at its FIRST occurrence in the text, which need not be where the
rule found it: in "125和25个" the rule for counted things finds "25" and rewrites the end of "125".
"""

from __future__ import annotations

import re
import string
from collections.abc import Callable

_DIGITS = "零一二三四五六七八九"
_POINT = "点"
_POWERS = {"十": 1, "百": 2, "千": 3, "万": 4} | {unit: 8 + 4 * n for n, unit in enumerate("亿兆京垓秭穰沟涧正载")}
_UNITS_DOWNWARDS = sorted(_POWERS, key=_POWERS.__getitem__, reverse=True)

_CHINESE_PUNCTUATION = (
    "！？｡。＂＃＄％＆＇（）＊＋，－／：；＜＝＞＠［＼］＾＿｀｛｜｝～｟｠｢｣､、〃《》「」『』【】〔〕〖〗〘〙〚〛〜〝〞〟"
    "〰〾〿–—‘’‛“”„‟…‧﹏·〈〉"
)
_BLANKED = str.maketrans(dict.fromkeys(_CHINESE_PUNCTUATION + string.punctuation, " "))

# Counting words that may follow a cardinal; the compound ones are weights and lengths.
_COUNTERS = (
    "匹张座回场尾条个首阙阵网炮顶丘棵只支袭辆挑担颗壳窠曲墙群腔砣客贯扎捆刀令打手罗坡山岭江溪钟队单双对出口头脚板跳枝件贴"
    "针线管名位身堂课本页家户层丝毫厘分钱两斤铢石钧锱忽寸尺丈里寻常铺程撮勺合升斗盘碗碟叠桶笼盆盒杯斛锅簋篮罐瓶壶卮盏箩箱"
    "煲啖袋钵年月日季刻时周天秒旬纪岁世更夜春夏秋冬代伏辈丸泡粒幢堆根道面片块"
)
_NUMBER = r"\d+(?:\.\d+)?"
_MONEY_UNIT = "(?:亿|千万|百万|[万千百元块角毛分])"

_HAS_DIGIT = re.compile(r"\d")
_DATE = re.compile(
    r"\D+(?P<found>(?:(?P<year>[089]\d|(?:19|20)\d{2})年)?(?:(?P<month>\d{1,2})月(?:(?P<day>\d{1,2})(?P<unit>[日号]))?)?)"
)
_MONEY = re.compile(rf"\D+(?P<found>{_NUMBER}[多余几]?{_MONEY_UNIT}(?:\d{_MONEY_UNIT}?)?)")
_MOBILE = re.compile(r"\D(?P<found>(?:\+?86 ?)?1(?:[38]\d|5[0-35-9]|7[678]|9[89])\d{8})\D")
_LANDLINE = re.compile(r"\D(?P<found>(?:0(?:10|2[1-3]|[3-9]\d{2})-?)?[1-9]\d{6,7})\D")
_FRACTION = re.compile(r"(?P<found>(?P<over>\d+)/(?P<under>\d+))")
_PERCENT = re.compile(rf"(?P<found>(?P<number>{_NUMBER})%)")
_COUNTED = re.compile(rf"(?P<found>{_NUMBER})[多余几]?(?:[{_COUNTERS}]|[千毫微]克|[千分厘毫微]米)")
_CODE = re.compile(r"(?P<found>\d{4,32})")
_CARDINAL = re.compile(rf"(?P<found>{_NUMBER})")
_ANY_NUMBER = re.compile(_NUMBER)
# "B2B" was read out as "B二B" by the rules above (or spoken so): the digit comes back.
_BETWEEN_LATIN = re.compile(r"(?P<found>(?P<left>[a-zA-Z]+)二(?P<right>[a-zA-Z]+))")


def normalize(text: str) -> str:
    """Numbers as Chinese words and punctuation as blanks.

    >>> normalize("2024年5月6日，50%的人")
    '二零二四年五月六日 百分之五十的人'
    """
    if _HAS_DIGIT.search(text):
        text = _verbalize(f"^{text}$")  # the rules need a non-digit at both ends
    if "二" in text:
        text = _rewrite(text, _BETWEEN_LATIN, lambda m: f"{m['left']}2{m['right']}")
    return text.lstrip("^").rstrip("$").translate(_BLANKED)


def _verbalize(text: str) -> str:
    text = _rewrite(text, _DATE, _read_date)
    text = _rewrite(text, _MONEY, _read_money)
    text = _rewrite(text, _MOBILE, lambda m: read_digits(m["found"].replace("+", "").replace(" ", "")))
    text = _rewrite(text, _LANDLINE, lambda m: read_digits(m["found"].replace("-", "")))
    text = _rewrite(text, _FRACTION, lambda m: f"{read_number(m['under'])}分之{read_number(m['over'])}")
    text = _rewrite(text.replace("％", "%"), _PERCENT, lambda m: "百分之" + read_number(m["number"]))
    text = _rewrite(text, _COUNTED, lambda m: read_number(m["found"]))
    text = _rewrite(text, _CODE, lambda m: read_digits(m["found"]))
    return _rewrite(text, _CARDINAL, lambda m: read_number(m["found"]))


def _rewrite(text: str, rule: re.Pattern[str], reading: Callable[[re.Match[str]], str]) -> str:
    """Find all matches in `text` as it stands, then replace each at the first place that reads alike."""
    for match in list(rule.finditer(text)):
        if match["found"]:
            text = text.replace(match["found"], reading(match), 1)
    return text


def _read_date(match: re.Match[str]) -> str:
    year, month, day = match["year"], match["month"], match["day"]
    return (
        (f"{read_digits(year)}年" if year else "")
        + (f"{read_number(month)}月" if month else "")
        + (f"{read_number(day)}{match['unit']}" if day else "")
    )


def _read_money(match: re.Match[str]) -> str:
    amount = match["found"]
    for number in _ANY_NUMBER.findall(amount):
        amount = amount.replace(number, read_number(number))
    return amount


def read_digits(digits: str) -> str:
    """The digits one by one (any Unicode decimal digits): "110" is "一一零"."""
    return "".join([_DIGITS[int(digit)] for digit in digits])


def read_number(number: str) -> str:
    """A number with at most one point as a cardinal: "2500" is "两千五百", "0.5" is "零点五".

    Zeros before a number of several digits are read once ("05" is "零五"); zeros alone give "".
    """
    whole, _, decimals = number.partition(".")
    symbols = _cardinal(whole) if len(whole) > 1 else [read_digits(whole)]
    if decimals:
        symbols += [_POINT, *read_digits(decimals)]
    reading = "".join(_with_liang(symbols))
    if reading.startswith(_POINT):
        return _DIGITS[0] + reading
    return reading.removeprefix("一") if reading.startswith("一十") else reading


def _cardinal(digits: str) -> list[str]:
    """Digit and unit characters of a whole number, the largest unit first."""
    lower: list[str] = []  # what stands after the part of `digits` that is still to be read
    while len(significant := digits.lstrip("0")) > 1:
        unit = next(u for u in _UNITS_DOWNWARDS if _POWERS[u] < len(significant))
        lower = [unit, *_cardinal(significant[-_POWERS[unit] :]), *lower]
        digits = digits[: -_POWERS[unit]]
    if not significant:
        return lower
    zero = [_DIGITS[0]] if len(digits) > 1 else []
    return [*zero, _DIGITS[int(significant)], *lower]


def _with_liang(symbols: list[str]) -> list[str]:
    """二 is 两 before 百, 千, 万 and above, if it is the whole count of that unit (not in 十二万)."""
    before, after = [None, *symbols], [*symbols[1:], None]
    return [
        "两" if symbol == "二" and _power(follows) > 1 and (precedes is None or _power(precedes) > 1) else symbol
        for symbol, precedes, follows in zip(symbols, before, after, strict=False)
    ]


def _power(symbol: str | None) -> int:
    """The power of ten of a unit; 0 for digits, the point and the ends."""
    return _POWERS.get(symbol or "", 0)
