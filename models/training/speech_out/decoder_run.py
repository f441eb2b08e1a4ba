"""Stage 3.2 run: codes of all readings are made once, then the decoder learns them; what it leaves and measures."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import torch
from safetensors import SafetensorError, safe_open

from harness.progress import track
from models.checkpoint_error import CheckpointError
from models.training.controls import Controls
from models.training.loop import optimise
from models.training.recipes import Effort, Stage
from models.training.speech_out.acoustics import Acoustics
from models.training.speech_out.codec_run import CODEC, FIRST_HELD_OUT, save_acoustics
from models.training.speech_out.codec_stage import true_codes
from models.training.speech_out.decoder_stage import SETTINGS, Coded, DecoderBatch, DecoderBatches, DecoderLearner
from models.training.speech_out.readings import as_tensor, reading
from models.training.speech_out.sizes import SpeechSize
from models.training.whole import save_whole
from models.vita15.checkpoint import SPEECH_FOLDER, Loaded
from models.vita15.codec import Codec
from models.vita15.speech_checkpoint import save_speech
from models.vita15.speech_decoder import SpeechDecoder

CODES = "codes.safetensors"


class Task(NamedTuple):
    """What is to be done, and where: the losses and the codes are left in `folder`, and what ships below it."""

    size: SpeechSize
    effort: Effort
    stage: Stage
    seed: int
    folder: Path
    device: str


class Trained(NamedTuple):
    decoder: SpeechDecoder
    seconds: float
    found: Controls


def train_decoder(
    task: Task, loaded: Loaded, codec: Codec, acoustics: Acoustics, begin: SpeechDecoder | None
) -> Trained:
    """Train the decoder on a language model's embeddings and write it and the codec to `vita_tts_ckpt`.

    `begin`: a decoder to go on from; None: random weights. Raises SynthesizerError without the extra `espeak`,
    CheckpointError on a codec or decoder of another size, and what `optimise` raises.
    """
    table = loaded.model.model.embed_tokens.weight
    config = task.size.decoder(table.shape[1])
    if codec.config.codes != config.codes:
        raise CheckpointError(
            f"the codec has {codec.config.codes} codes, this size {config.codes}: take another --size"
        )
    if begin is not None and begin.config != config:
        raise CheckpointError(f"the decoder to go on from has {begin.config}, this size {config}: take another --size")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(task.seed)
        decoder = SpeechDecoder(config) if begin is None else begin
    learner = DecoderLearner(decoder, table, task.stage).to(task.device)
    origin = codes_digest(codec, acoustics)

    def batches(first: int, n: int, path: Path) -> DecoderBatches:
        made = coded(codec, acoustics, task.seed, first, n, path)
        tokenize, (steps, size) = loaded.tokenizer.encode, task.effort
        return DecoderBatches(made, tokenize, config.codes, size, steps, task.seed, origin[:16])

    kept = batches(0, task.size.decoder_readings, task.folder / CODES)
    seconds = optimise(learner, kept, task.effort.steps, task.folder, SETTINGS)
    held_out = batches(FIRST_HELD_OUT, task.size.held_out, task.folder / f"held-out-{CODES}")
    decoder = decoder.to("cpu").eval()
    save_speech(task.folder / SPEECH_FOLDER, decoder, codec)
    save_acoustics(acoustics, task.folder / SPEECH_FOLDER / CODEC)
    return Trained(decoder, seconds, decoder_controls(learner.to("cpu"), held_out.as_they_are()))


@torch.no_grad()
def coded(codec: Codec, acoustics: Acoustics, seed: int, first: int, n: int, path: Path) -> list[Coded]:
    """`n` readings from number `first` on with their codes. Read from `path` where they were made before alike."""
    recipe = f"{codes_digest(codec, acoustics)} {seed} {first} {n}"
    if _stated(path) != recipe:
        texts, codes = [], []
        with track("codes of readings", n) as progress:
            for number in range(first, first + n):
                one = reading(seed, number, codec.config.sample_rate, codec.config.hop)
                texts.append(one.text)
                codes.append(true_codes(codec, acoustics, as_tensor(one.wave)[None])[0, :, 0].to(torch.int32))
                progress.advance()
        tensors = {"codes": torch.cat(codes), "lengths": torch.tensor([len(one) for one in codes])}
        save_whole(tensors, path, {"recipe": recipe, "texts": json.dumps(texts, ensure_ascii=False)})
    with safe_open(path, "pt") as file:
        lengths = file.get_tensor("lengths").tolist()
        rows = file.get_tensor("codes").long().split(lengths)
        return [Coded(*pair) for pair in zip(json.loads(file.metadata()["texts"]), rows, strict=True)]


def _stated(path: Path) -> str | None:
    """Of what a file says that it was made; None where there is none, or it cannot be read."""
    try:
        with safe_open(path, "pt") as file:
            return (file.metadata() or {}).get("recipe")
    except (FileNotFoundError, SafetensorError):
        return None


def codes_digest(codec: Codec, acoustics: Acoustics) -> str:
    """Of what makes codes, as a hash."""
    table = codec.quantizer.quantizer_modules[0].embedding.weight.detach().cpu()
    digest = hashlib.sha256()
    for tensor in (table, acoustics.mean, acoustics.axes):
        digest.update(tensor.contiguous().numpy().tobytes())
    return digest.hexdigest()


@torch.no_grad()
def decoder_controls(learner: DecoderLearner, batches: Sequence[DecoderBatch]) -> Controls:
    """Loss of held-out readings with their text, with none (zeros), and with the next reading's text."""
    learner.eval()

    def mean(change: Callable[[DecoderBatch], DecoderBatch]) -> float:
        return math.fsum(float(learner(change(batch))) for batch in batches) / len(batches)

    return Controls(mean(lambda batch: batch), mean(lambda batch: batch._replace(blank=True)), mean(swapped))


def swapped(batch: DecoderBatch) -> DecoderBatch:
    """Each row gets the text of the one before it."""
    return batch._replace(tokens=batch.tokens.roll(1, 0), token_lengths=batch.token_lengths.roll(1, 0))
