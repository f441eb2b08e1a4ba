"""Which rows of the papers' tables are a registry model's own: the rows of its own paper, and of its final stage.

A row of another paper about the same model is not its own. A model whose paper has rows for several of its weights
names those of the weights that are released under it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class Elsewhere(NamedTuple):
    """Where the paper prints what a task measures, if not under the task's own split and metric."""

    split: str
    metric: str
    note: str = ""
    comparable: bool = True


class OwnRows(NamedTuple):
    """A paper and the names that its tables give the model.

    `notes` say how a whole table was made, by the table's name. `modes` are the names of the same weights run in
    another way, with what is different: such a row is shown where the paper has none of `names`, never as an own one.
    `elsewhere` has the cells of what a task measures (benchmark, split, metric) where this paper names it otherwise.
    """

    source: str
    names: frozenset[str]
    notes: Mapping[str, str] = {}
    modes: Mapping[str, str] = {}
    elsewhere: Mapping[tuple[str, str, str], Elsewhere] = {}


_VITA_AUDIO = "VITA-Audio"
_HEARD = "the paper does not name the scorer; VITA-Audio's script ends an answer 10 tokens after its reference's length"
_MADE: Mapping[str, str] = {
    "Table 4": "the paper's script leaves questions out that were answered without audio: profile vita_contain_dropped",
    "Table 5": "sampled, one run; texts for which no audio was made are left out (profiles seedtts_dropped, "
    "libritts_dropped)",
    "Table 6": _HEARD,
    "Table 7": _HEARD,
}
_TURBO = (
    "a row of VITA-Audio-Turbo: the mode that asks the language model once for ten modules, which is no release of its "
    "own; that it was made by these weights the paper does not say"
)
_NEXUS_O_MADE: Mapping[str, str] = {
    "Table 3": "the paper does not say how answers are judged",
    "Table 4": "the paper names neither prompt nor normaliser",
    "Table 5": "the paper names neither prompt nor BLEU's tokeniser",
    "Table 6": "the paper does not give its prompt",
}
_MMSTAR = (
    "13 of the 16 values in the paper's column Video-MME are other models' MMStar values, and whether subtitles were "
    "shown it does not say"
)
_NEXUS_O: Mapping[tuple[str, str, str], Elsewhere] = {
    ("Video-MME", "w/o subtitles", "acc %"): Elsewhere("-", "acc %", _MMSTAR, comparable=False),
    ("MathVista", "testmini", "acc %"): Elsewhere("mini", "acc %"),
    ("HallusionBench", "image", "mean of aAcc,fAcc,qAcc %"): Elsewhere(
        "-", "acc %", "ours is the mean of aAcc, fAcc and qAcc", comparable=False
    ),
    ("OCRBench", "all 1000", "score /1000"): Elsewhere("1000", "score /1000"),
    ("MME", "all", "score /2800 (perception+cognition)"): Elsewhere("all", "score /2800"),
    ("Llama Questions", "S->T", "accuracy %"): Elsewhere("-", "accuracy %"),
}

OWN: Mapping[str, OwnRows] = {
    "vita15": OwnRows(
        "VITA-1.5 (arXiv:2501.01957)",
        frozenset({"VITA-1.5", "VITA-1.5 (Stage 3)", "VITA-1.5-Audio (Stage 3)"}),
    ),
    "vita-audio-boost": OwnRows(
        _VITA_AUDIO,
        frozenset({"VITA-Audio-Boost", "VITA-Audio Boost"}),
        _MADE,
        {"VITA-Audio-Turbo": _TURBO},
    ),
    "vita-audio-balance": OwnRows(_VITA_AUDIO, frozenset({"VITA-Audio Balance"}), _MADE),
    "vita-audio-plus-vanilla": OwnRows(_VITA_AUDIO, frozenset({"VITA-Audio-Plus-Vanilla"}), _MADE),
    # its vocoder is that of Fish-Speech 1.4
    "nexus-o": OwnRows("NEXUS-O", frozenset({"NEXUS-O", "NEXUS-O (Fishspeech1.4)"}), _NEXUS_O_MADE, {}, _NEXUS_O),
}
"""Model -> its rows. VITA-Audio's paper prints speeds alone for Balance and nothing for Plus-Boost; the weights of its
rows VITA-Audio-Vanilla are not released."""
