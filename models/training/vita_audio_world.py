"""What VITA-Audio is trained on at a small size: sentences and questions of the mini world, written and as codes.

The codes are synthetic: a text is "spoken" as one code for each of its UTF-8 bytes. No sound lies behind them, and
every voice is the same; a model that learns them learns how text and codes go together, not to hear or to speak.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from tokenizers import AddedToken

from models.training.vita_audio_stages import Kind, Stage
from models.vita15.tokenizer import TURN_END, TURN_START, VitaTokenizer
from models.vita_audio.loss import IGNORE, Packed, pack
from models.vita_audio.schedule import Mode
from tasks.mini.grammar import sentences
from tasks.mini.training import training_scene

BEGIN, END = "<|begin_of_audio|>", "<|end_of_audio|>"
_PARTS = ("begin_of_{}", "end_of_{}", "context_of_{}")
SPECIAL_TOKENS = (
    *(f"<|{part.format(medium)}|>" for medium in ("image", "video", "patch") for part in _PARTS),
    BEGIN, END,
    *(f"<|{edge}_of_{medium}|>" for medium in ("quad", "ref", "box") for edge in ("begin", "end")),
    "<|image|>", "<|video|>", "<|audio|>",
)  # fmt: skip
ROWS = 8
"""The embeddings' rows are a multiple of this."""
SPOKEN_SYSTEM = "Your Name: Omni\nYour Gender: female\nRespond in a text-audio interleaved manner."
TO_TEXT, TO_SPEECH = "Convert the speech to text.\n", "Convert the text to speech.\n"
SCENES = 100_000_000

Piece = str | list[int]
"""Text, or ids as they are."""


def speaking_tokenizer(text: VitaTokenizer, codes: int) -> VitaTokenizer:
    """A text tokenizer with VITA-Audio's special tokens and `codes` speech tokens behind its own (spec section 1.3)."""
    backend = type(text.backend).from_str(text.backend.to_str())
    backend.add_special_tokens([AddedToken(token, normalized=False) for token in SPECIAL_TOKENS])
    backend.add_tokens([AddedToken(f"<|audio_{code}|>", normalized=False) for code in range(codes)])
    return VitaTokenizer(backend)


def rows_of(tokenizer: VitaTokenizer) -> int:
    return -(-len(tokenizer) // ROWS) * ROWS


class Sample(NamedTuple):
    ids: list[int]
    labels: list[int]
    """The assistant's tokens and the line break behind them, IGNORE elsewhere."""


class AudioWorld:
    """Samples by kind, each of which follows the random numbers that it is given. `mode` is the pattern in which text
    and speech of an answer take turns."""

    def __init__(self, tokenizer: VitaTokenizer, codes: int, mode: Mode, seed: int) -> None:
        self.tokenizer, self.codes, self.mode, self.seed = tokenizer, codes, mode, seed
        self._begin, self._end = tokenizer.id_of(BEGIN), tokenizer.id_of(END)
        self._first = tokenizer.id_of("<|audio_0|>")
        self.kinds: Mapping[Kind, Callable[[random.Random], Sample]] = {
            "transcript": self.transcript,
            "text": self.text,
            "reading": self.reading,
            "spoken question": self.spoken_question,
        }

    def transcript(self, rng: random.Random) -> Sample:
        """Speech to be written down."""
        text = self._sentence(rng)
        return self._sample([TO_TEXT, self._speech(text)], self.tokenizer.encode(text))

    def reading(self, rng: random.Random) -> Sample:
        """A text to be spoken: the answer is the text, its speech in between."""
        text = self._sentence(rng)
        return self._sample([TO_SPEECH, text], self._spoken(text))

    def text(self, rng: random.Random) -> Sample:
        """A description and a question on it, all written."""
        caption, question, answer = self._question(rng)
        return self._sample([f"{caption}\n{question}"], self.tokenizer.encode(answer))

    def spoken_question(self, rng: random.Random) -> Sample:
        """The same, asked and answered by speech."""
        caption, question, answer = self._question(rng)
        return self._sample([self._speech(f"{caption}\n{question}")], self._spoken(answer), SPOKEN_SYSTEM)

    def codes_of(self, text: str) -> list[int]:
        """Synthetic codes: the bytes of a text in small letters."""
        return [byte % self.codes for byte in text.lower().encode()]

    def _sentence(self, rng: random.Random) -> str:
        sentence = next(sentences(rng, "train"))
        return rng.choice((sentence.english.lower(), sentence.chinese))

    def _question(self, rng: random.Random) -> tuple[str, str, str]:
        scene = training_scene(self.seed, rng.randrange(SCENES))
        question = rng.choice(scene.questions)
        return scene.caption, question.text, question.answer

    def _speech(self, text: str) -> list[int]:
        return [self._begin, *(self._first + code for code in self.codes_of(text)), self._end]

    def _spoken(self, text: str) -> list[int]:
        return interleaved(self.tokenizer.encode(text), self._speech(text), self.mode)

    def _sample(self, asks: Sequence[Piece], answer: list[int], system: str = "") -> Sample:
        opening = f"{TURN_START}system\n{system}{TURN_END}\n" if system else ""
        pieces = [f"{opening}{TURN_START}user\n", *asks, f"{TURN_END}\n{TURN_START}assistant\n"]
        asked = [token for piece in pieces for token in self._ids(piece)]
        learnt = [*answer, *self._ids(f"{TURN_END}\n")]
        return Sample(asked + learnt, [IGNORE] * len(asked) + learnt)

    def _ids(self, piece: Piece) -> list[int]:
        return self.tokenizer.encode(piece) if isinstance(piece, str) else piece


def interleaved(text: Sequence[int], speech: Sequence[int], mode: Mode) -> list[int]:
    """Text and speech (with its begin and end tokens) in turns (spec section 3).

    A pair (t, n) of the mode is t text tokens and n tokens of speech, of which two are begin and end; the last pair
    goes on for ever. What is left of the longer one goes with the last turn.
    """
    begin, codes, end = speech[0], speech[1:-1], speech[-1]
    turns = []
    at_text, at_code = 0, 0
    for number in range(len(text) + len(codes)):
        main, more = mode.pairs[min(number, len(mode.pairs) - 1)]
        turns.append((at_text, at_code))
        at_text, at_code = at_text + main, at_code + max(1, more - 2)
        if at_text >= len(text) or at_code >= len(codes):
            break
    made: list[int] = []
    for (start, first), (stop, last) in zip(turns, [*turns[1:], (len(text), len(codes))], strict=True):
        made += [*text[start:stop], begin, *codes[first:last], end]
    return made


class AudioBatches:
    """Packs of at most the stage's length, each a function of stage, seed and number."""

    def __init__(self, world: AudioWorld, stage: Stage, seed: int) -> None:
        self.world, self.stage, self.seed = world, stage, seed

    @property
    def recipe(self) -> str:
        """What its packs follow, beside the stage."""
        return f"{self.world.codes} codes, {self.world.mode}, seed {self.seed} and {self.world.seed}"

    def __call__(self, number: int) -> Packed:
        """Samples until the next does not fit. Raises ValueError where the first one does not."""
        rng = random.Random(f"pack {self.stage.name} {self.seed} {number}")
        kinds, shares = list(self.stage.shares), list(self.stage.shares.values())
        samples: list[Sample] = []
        room = self.stage.length
        while True:
            kind = rng.choices(kinds, shares)[0]
            sample = self.world.kinds[kind](rng)
            room -= len(sample.ids)
            if room < 0:
                break
            samples.append(sample)
        if not samples:
            raise ValueError(
                f"stage {self.stage.name}: a sample ({kind}) has {len(sample.ids)} tokens, but a pack only "
                f"{self.stage.length}: raise the length"
            )
        return pack(samples)
