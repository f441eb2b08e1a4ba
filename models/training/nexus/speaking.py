"""The voice that ships, out of a training; and what the judge mini-ctc hears of it, from the codec to whole replies.

    python -m models.training.nexus.speaking --training DIR [--count N]

Prints JSON: English word and Mandarin character error rates, in %, of held-out readings themselves, of the same made
again from their codes, and, where the last stage is done, of replies whose states are the frozen model's own: of texts
that are read aloud and of answers to spoken questions, each beside what their true codes give.
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from harness.types import Waveform
from models.checkpoint_error import CheckpointError
from models.nexus_o import checkpoint
from models.nexus_o.code_rows import CodeDecoding, Utterance
from models.nexus_o.codec_folder import CODEC
from models.nexus_o.decoder_checkpoint import load_decoder, save_decoder
from models.nexus_o.decoder_config import code_sampling
from models.nexus_o.firefly_checkpoint import load_firefly, save_firefly
from models.nexus_o.voice import Voice
from models.training.arguments import positive
from models.training.codes.judged import error_rates
from models.training.loop import REPORT
from models.training.nexus.codec_run import STAGE, codes_of
from models.training.nexus.speech import reply
from models.training.nexus.stages import Kind
from models.training.nexus_o import Training
from models.training.rounding import FEWER_BITS, round_weights
from models.training.speech_out.codec_run import FIRST_HELD_OUT
from models.training.speech_out.readings import as_tensor, readings
from tasks.judges.mini_ctc import store
from tasks.judges.mini_ctc.hearing import transcribe

LAST = "stage-3"
LONGEST_S = 12.0
"""Of a reply, at most."""


def save_voice(training_out: Path, weights: Path) -> None:
    """Put the voice of a finished training into the folder of weights that it speaks for: the speech decoder, rounded
    as the other weights are, its sizes, and the codec in half precision.

    Raises CheckpointError where the last stage is not done, or learnt to speak for other weights.
    """
    source = training_out / LAST
    understood, shipped = checkpoint.load(source).model, checkpoint.load(weights).model.state_dict()
    round_weights(understood, FEWER_BITS)
    if any(not tensor.float().equal(shipped[name]) for name, tensor in understood.state_dict().items()):
        raise CheckpointError(
            f"{source}: its voice is not of the weights {weights}\nTrain stage 3 again, with --understanding {weights}."
        )
    decoder = load_decoder(source, checkpoint.outline(source)).model
    codec = load_firefly(source / CODEC.name).model
    round_weights(decoder)
    save_decoder(decoder, weights)
    shutil.copyfile(source / checkpoint.CONFIG, weights / checkpoint.CONFIG)
    save_firefly(codec, weights / CODEC.name, torch.float16)


def judged(rate: int, spoken: Iterable[tuple[str, Tensor]]) -> Mapping[str, float]:
    """Error rates of texts and the waves [n] that say them, at `rate` samples a second."""
    recogniser, pairs = store.load(store.SHIPPED), []
    for said, samples in spoken:
        wave = Waveform(samples.numpy() if len(samples) else np.zeros(rate, np.float32), rate)
        pairs.append((said, transcribe(recogniser, wave, "en" if said.isascii() else "zh")))
    return error_rates(pairs)


@torch.no_grad()
def codec_floors(training: Training, count: int) -> dict[str, Mapping[str, float]]:
    """Error rates of held-out readings and of what the codec makes of them."""
    codec = load_firefly(training.folder(STAGE) / CODEC.name).model
    rate, effort = codec.config.mel.sample_rate, training.size.voice
    if effort is None:
        raise ValueError("this size's codec has random weights: nothing can be heard of it")
    cache = training.folder(STAGE) / "readings"
    kept = readings(training.seed, FIRST_HELD_OUT, effort.held_out, rate, codec.config.samples, cache)[:count]
    texts = [one.text for one in kept]
    waves = [as_tensor(one.wave) for one in kept]
    again = [codec.decode(codes_of(codec, one)).waves[0, 0] for one in kept]
    return {
        "readings": judged(rate, zip(texts, waves, strict=True)),
        "codes of readings": judged(rate, zip(texts, again, strict=True)),
    }


@torch.no_grad()
def replies_heard(
    training: Training, folder: Path, kinds: Sequence[Kind], count: int
) -> dict[str, Mapping[str, float]]:
    """Error rates of held-out replies by their own codes and by those that the decoder of a folder makes."""
    loaded = checkpoint.load(folder)
    voice = Voice(load_decoder(folder, loaded.model.config).model, load_firefly(folder / CODEC.name).model)
    how = CodeDecoding(voice.frames(LONGEST_S), code_sampling(loaded.model.config))
    found: dict[str, Mapping[str, float]] = {}
    for kind in kinds:
        said = [
            training.world.spoken[kind](random.Random(f"judged {kind} {training.seed} {number}"))
            for number in range(count)
        ]
        made = [reply(loaded.model, voice.codec, one) for one in said]
        texts = [loaded.tokenizer.decode(one.inputs.ids[one.answer].tolist()) for one in said]
        spoken = voice.speak([Utterance(one.hidden) for one in made], how)
        true = voice.sound([one.codes for one in made])
        found[f"{kind}, true codes"] = judged(voice.sample_rate, zip(texts, true, strict=True))
        found[kind] = judged(voice.sample_rate, zip(texts, (one.samples for one in spoken), strict=True))
        found[f"{kind}, seconds"] = {
            "true": round(sum(len(one) for one in true) / voice.sample_rate / count, 2),
            "made": round(sum(len(one.samples) for one in spoken) / voice.sample_rate / count, 2),
        }
    return found


def heard(training_out: Path, seed: int, count: int) -> dict[str, Mapping[str, float]]:
    """All of these of a training of size mini, as far as it is done."""
    training = Training("mini", seed, training_out, "cpu")
    found = codec_floors(training, count)
    if (training_out / LAST / REPORT).exists():
        found |= replies_heard(training, training_out / LAST, ("reading", "spoken answer"), count)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description="What the judge hears of NEXUS-O's codec and voice.")
    parser.add_argument("--training", type=Path, required=True, help="folder of a training of size mini")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--count", type=positive, default=50, help="of readings, and of replies of each kind")
    options = parser.parse_args()
    print(json.dumps(heard(options.training, options.seed, options.count), indent=1))


if __name__ == "__main__":
    main()
