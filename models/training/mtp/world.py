"""What VITA-Audio is trained on at a small size: sentences and questions of the mini world, written and as codes.

The codes are synthetic: a text is "spoken" as one code for each of its UTF-8 bytes. No sound lies behind them, and
every voice is the same; a model that learns them learns how text and codes go together, not to hear or to speak.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence

from harness.types import Message, Text
from models.text.tokenizer import TURN_END, QwenTokenizer
from models.training.examples import SPEECH, user
from models.training.mtp.stages import Kind, Stage
from models.training.team import ALONE, Team
from models.vita_audio.interleave import Example, example, interleave
from models.vita_audio.loss import Packed, pack
from models.vita_audio.prompts import codes_content, conversation, tokenise
from models.vita_audio.schedule import Mode
from models.vita_audio.tokens import SpecialTokens
from tasks.mini.grammar import sentences
from tasks.mini.training import training_scene

ROWS = 8
"""The embeddings' rows are a multiple of this."""
SPOKEN = Message("system", (Text("Your Name: Omni\nYour Gender: female\nRespond in a text-audio interleaved manner."),))
TO_TEXT, TO_SPEECH = "Convert the speech to text.", "Convert the text to speech."
SCENES = 100_000_000


def rows_of(tokenizer: QwenTokenizer) -> int:
    """How many embeddings a model with that tokenizer has."""
    return -(-len(tokenizer) // ROWS) * ROWS


class AudioWorld:
    """Samples by kind, each of which follows the random numbers that it is given. `mode` is the pattern in which text
    and speech of an answer take turns."""

    recipe = ""
    """What samples follow beside mode and seed."""

    def __init__(self, tokenizer: QwenTokenizer, mode: Mode, seed: int) -> None:
        self.tokenizer, self.mode, self.seed = tokenizer, mode, seed
        self.tokens = SpecialTokens.of(tokenizer)
        self.kinds: Mapping[Kind, Callable[[random.Random], Example]] = {
            "transcript": self.transcript,
            "text": self.text,
            "reading": self.reading,
            "spoken question": self.spoken_question,
        }

    def transcript(self, rng: random.Random) -> Example:
        """Speech to be written down."""
        text = self._sentence(rng)
        return self.example(conversation([user(TO_TEXT, SPEECH)]), self.tokenizer.encode(text), [self.codes_of(text)])

    def reading(self, rng: random.Random) -> Example:
        """A text to be spoken: the answer is the text, its speech in between."""
        text = self._sentence(rng)
        return self.example(conversation([user(TO_SPEECH, text)]), self.spoken(text, self.codes_of(text)))

    def text(self, rng: random.Random) -> Example:
        """A description and a question on it, all written."""
        caption, question, answer = self._question(rng)
        return self.example(conversation([user(caption, question)]), self.tokenizer.encode(answer))

    def spoken_question(self, rng: random.Random) -> Example:
        """The same, asked and answered by speech."""
        caption, question, answer = self._question(rng)
        spoken = self.spoken(answer, self.codes_of(answer))
        return self.example(conversation([SPOKEN, user(SPEECH)]), spoken, [self.codes_of(f"{caption}\n{question}")])

    def codes_of(self, text: str) -> list[int]:
        """Synthetic codes: the bytes of a text in small letters."""
        return [byte % self.tokens.codes for byte in text.lower().encode()]

    def spoken(self, text: str, codes: Sequence[int]) -> list[int]:
        """A text and its speech in turns."""
        begin, end = self.tokens.begin_of_audio, self.tokens.end_of_audio
        content = [*self.tokenizer.encode(text), begin, *codes_content(codes, self.tokens), end]
        return interleave(content, begin, end, self.mode.numbers)

    def example(self, runs: Sequence[str], answer: Sequence[int], heard: Sequence[Sequence[int]] = ()) -> Example:
        """The answer to a conversation, in whose places the codes of what is heard stand."""
        recordings = [codes_content(codes, self.tokens) for codes in heard]
        prompt = tokenise(runs, recordings, self.tokenizer, self.tokens)
        return example(prompt.ids, answer, self.tokenizer.encode(f"{TURN_END}\n"))

    def _sentence(self, rng: random.Random) -> str:
        sentence = next(sentences(rng, "train"))
        return rng.choice((sentence.english.lower(), sentence.chinese))

    def _question(self, rng: random.Random) -> tuple[str, str, str]:
        scene = training_scene(self.seed, rng.randrange(SCENES))
        question = rng.choice(scene.questions)
        return scene.caption, question.text, question.answer


class AudioBatches:
    """Packs of at most the stage's length, each a function of stage, seed and number. The members of a team take turns,
    so that a step has the same packs as without them."""

    def __init__(self, world: AudioWorld, stage: Stage, seed: int, team: Team = ALONE) -> None:
        self.world, self.stage, self.seed, self.team = world, stage, seed, team

    @property
    def recipe(self) -> str:
        """What its packs follow, beside the stage."""
        world = self.world
        return f"{world.tokens.codes} codes, {world.mode}, seed {self.seed} and {world.seed}{world.recipe}"

    def __call__(self, number: int) -> Packed:
        """Samples until the next does not fit. Raises ValueError where the first one does not."""
        rng = random.Random(f"pack {self.stage.name} {self.seed} {number * self.team.size + self.team.rank}")
        kinds, shares = list(self.stage.shares), list(self.stage.shares.values())
        samples: list[Example] = []
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
