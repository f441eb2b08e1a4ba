"""`python -m models.nexus_o.card`: the model card, CARD.md; its table is made from the choices themselves."""

from __future__ import annotations

from pathlib import Path

from models.nexus_o.choices import card_table

CARD = Path(__file__).with_name("CARD.md")

_HEAD = """\
# NEXUS-O in this repository

An implementation of NEXUS-O (arXiv 2503.01879) from its paper, its figures and the pages of
`HiThink-Research/NEXUS-O`, whose modelling code and tensor index are not public. It sees with Qwen2.5-VL-7B-Instruct,
hears through Whisper-large-v3's encoder and an adapter that makes one token of five frames (10 a second), answers in
text, and says the answer: a decoder reads the language model's last states and makes eight streams of codes, 21.5
frames a second, which the FireFly codec turns into sound at 44.1 kHz.

Published and taken as it is: the base models, 128 mel bins, windows of 30 s, the stack of five frames, a speech decoder
of 6 layers over 8 streams of 1024 codes, the limits of an image's pixels.

Not published, and therefore chosen. Each can be set with `--option NAME=VALUE`; what was used stands in the run's
manifest. Weights that were trained with other choices will not give the numbers of the paper, or will not load.

"""

_TAIL = """
Also not known: how the release names the tensors of its audio parts (here `audio_tower`, `audio_adapter` and
`audio_decoder`), whether the speech decoder is among the other weights (both are read: a folder `audio_decoder`, or
tensors `audio_decoder.*`), the sizes of its blocks (here Qwen2.5-7B's for the width: heads of 128, 4 of them with keys
and values, 37/7 of the width inside), whether its output layers have a bias (here none), what the start is (here the
embeddings of the special code in all streams), how long speech may get, and how many frames of a video it sees (here as
Qwen2.5-VL's own tools do: two a second, 4 to 768 of them, each of 100,352 to 602,112 pixels).
Of the choices of the alignment study neighbours (`--k`) and fusion (`--fuse`) are options of `harness probe`; L2 and
clamp come with `--profile platonic`.
"""


def card() -> str:
    return _HEAD + card_table() + _TAIL


if __name__ == "__main__":
    print(card(), end="")
