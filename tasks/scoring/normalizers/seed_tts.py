"""How seed-tts-eval cleans a sentence before it is compared: punctuation is deleted, nothing else is normalised.

From the behaviour of `run_wer.py` at 752f429: each Chinese and ASCII mark goes except the ASCII apostrophe, so that
"well-known" becomes one word and a typographic apostrophe is lost; a double blank becomes one, once.
Written anew. The Chinese marks are those that zhon 2.1.1 calls punctuation.
"""

from __future__ import annotations

import string

CHINESE_PUNCTUATION = (
    "＂＃＄％＆＇（）＊＋，－／：；＜＝＞＠［＼］＾＿｀｛｜｝～｟｠｢｣､　、〃〈〉《》「」『』【】〔〕〖〗〘〙〚〛〜〝"
    "〞〟〰〾〿–—‘’‛“”„‟…‧﹏﹑﹔·．！？｡。"
)
_DELETED = str.maketrans("", "", CHINESE_PUNCTUATION + string.punctuation.replace("'", ""))


def clean_english(text: str) -> str:
    """Lower case without punctuation.

    >>> clean_english("Well-known, isn't it?")
    "wellknown isn't it"
    """
    return text.translate(_DELETED).replace("  ", " ").lower()


def clean_chinese(text: str) -> str:
    """Every character by itself, without punctuation; case stays.

    >>> clean_chinese("用APP，好。")
    '用 A P P 好'
    """
    return " ".join(text.translate(_DELETED).replace("  ", " "))
