"""Answers without speech, as VITA-Audio's and seed-tts-eval's scripts treat them: they vanish.

Here such an answer counts as wrong. A profile whose name ends in `_dropped` follows the scripts: it leaves the sample
out of every number, so that a model that keeps silent on what it cannot say scores higher. A sample that failed has no
answer at all and stays wrong under it too.
"""

from __future__ import annotations

from harness.types import Answer

ENDING = "_dropped"
DROPPED = "the answer has no speech, and the profile leaves such samples out"


def is_dropped(profile: str, answer: Answer) -> bool:
    """Whether the profile leaves an answer out: speech was asked for, and it has none."""
    return profile.endswith(ENDING) and answer.spoken and answer.text is not None and answer.speech is None


def base_of(profile: str) -> str:
    """The profile that a dropping one scores by.

    >>> base_of("seedtts_dropped"), base_of("seedtts")
    ('seedtts', 'seedtts')
    """
    return profile.removesuffix(ENDING)
