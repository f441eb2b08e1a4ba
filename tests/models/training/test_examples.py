"""A training example reads as the request that a benchmark sends, and teaches the answer alone."""

from __future__ import annotations

import numpy as np
import torch

from harness.types import Generation, LoadedRequest, Message, Picture, Request, Text, Waveform
from models.text.tokenizer import byte_tokenizer
from models.training.examples import PICTURE, SPEECH, assistant, collate, example, user
from models.vita15.config import Vita15Config
from models.vita15.omni import IGNORE, IMAGE
from models.vita15.processor import Processor

TOKENIZER = byte_tokenizer()
QUESTION = "Is there a star in this image? Please answer yes or no."


def test_the_prompt_is_the_one_that_the_processor_makes():
    picture = Picture(np.zeros((56, 56, 3), np.uint8))
    sound = Waveform(np.zeros(16_000, np.float32), 16_000)
    messages = (Message("user", (PICTURE, Text(QUESTION), SPEECH)),)
    request = LoadedRequest(Request("1", messages, Generation()), (picture, sound))
    asked = Processor(Vita15Config.tiny(), TOKENIZER)(request).input_ids.tolist()
    made = example([user(PICTURE, QUESTION, SPEECH), assistant("Yes")], TOKENIZER)
    assert made.ids.tolist()[: len(asked)] == asked
    assert made.labels.tolist()[: len(asked)] == [IGNORE] * len(asked)


def test_the_answer_and_the_end_of_its_turn_are_learnt():
    made = example([user(QUESTION), assistant("☜Yes")], TOKENIZER)
    learnt = made.labels[made.labels != IGNORE].tolist()
    assert learnt == [*TOKENIZER.encode("☜Yes"), TOKENIZER.id_of("<|im_end|>")]


def test_every_answer_of_a_longer_conversation_is_learnt():
    made = example([user("one"), assistant("two"), user("three"), assistant("four")], TOKENIZER)
    learnt = TOKENIZER.backend.decode(made.labels[made.labels != IGNORE].tolist(), skip_special_tokens=False)
    assert learnt == "two<|im_end|>four<|im_end|>"
    assert torch.equal(made.labels[made.labels != IGNORE], made.ids[made.labels != IGNORE])


def test_a_batch_keeps_media_in_the_order_of_their_places():
    pixels, clip = torch.ones(1, 3, 56, 56), torch.ones(20, 80)
    batch = collate(
        [
            example([user(PICTURE, "a"), assistant("b")], TOKENIZER, pixels),
            example([user(SPEECH), assistant("c")], TOKENIZER, audio=clip),
            example([user(PICTURE, SPEECH), assistant("d")], TOKENIZER, 2 * pixels, 2 * torch.ones(30, 80)),
        ]
    )
    assert batch.pixel_values is not None and batch.audio is not None and batch.audio_lengths is not None
    assert batch.pixel_values[:, 0, 0, 0].tolist() == [1, 2]
    assert batch.audio_lengths.tolist() == [20, 30]
    assert batch.audio[0, 20:].abs().sum() == 0
    assert [int((ids == IMAGE).sum()) for ids in batch.input_ids] == [1, 0, 1]
