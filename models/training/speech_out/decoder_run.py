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
from safetensors.torch import save_file

from harness.progress import track
from models.training.controls import Controls
from models.training.loop import optimise
from models.training.recipes import Effort, Stage
from models.training.speech_out.codec_run import FIRST_HELD_OUT
from models.training.speech_out.decoder_stage import SETTINGS, Coded, DecoderBatch, DecoderBatches, DecoderLearner
from models.training.speech_out.readings import as_tensor, reading
from models.training.speech_out.sizes import SpeechSize
from models.vita15.checkpoint import Loaded
from models.vita15.codec import Codec
from models.vita15.speech_checkpoint import save_speech
from models.vita15.speech_decoder import SpeechDecoder

CODES = "codes.safetensors"


class Trained(NamedTuple):
    decoder: SpeechDecoder
    seconds: float
    found: Controls


def train_decoder(
    size: SpeechSize,
    effort: Effort,
    stage: Stage,
    seed: int,
    loaded: Loaded,
    codec: Codec,
    begin: SpeechDecoder | None,
    folder: Path,
    device: str,
) -> Trained:
    """Train the decoder on a language model's embeddings and write it and the codec to `folder`/vita_tts_ckpt.

    `begin`: a decoder to go on from, of the same sizes; None: random weights. Raises SynthesizerError without
    espeak-ng, ValueError on a codec or decoder of other sizes, and what `optimise` raises.
    """
    table = loaded.model.model.embed_tokens.weight
    config = size.decoder(table.shape[1])
    if codec.config.codes != config.codes:
        raise ValueError(
            f"the codec holds {codec.config.codes} codes, this size has {config.codes}: take another --size"
        )
    if begin is not None and begin.config != config:
        raise ValueError(f"the decoder to go on from has {begin.config}, this size {config}: take another --size")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        decoder = SpeechDecoder(config) if begin is None else begin
    learner = DecoderLearner(decoder, table, stage).to(device)
    origin = codec_digest(codec)
    tokenize = loaded.tokenizer.encode

    def batches(first: int, n: int, path: Path) -> DecoderBatches:
        made = coded(codec, seed, first, n, path, origin)
        return DecoderBatches(made, tokenize, config.codes, effort.batch, seed, origin[:16])

    seconds = optimise(learner, batches(0, size.decoder_readings, folder / CODES), effort.steps, folder, SETTINGS)
    held_out = batches(FIRST_HELD_OUT, size.held_out, folder / f"held-out-{CODES}")
    decoder = decoder.to("cpu").eval()
    save_speech(folder / "vita_tts_ckpt", decoder, codec)
    return Trained(decoder, seconds, decoder_controls(learner.to("cpu"), held_out.as_they_are()))


@torch.no_grad()
def coded(codec: Codec, seed: int, first: int, n: int, path: Path, origin: str) -> list[Coded]:
    """`n` readings from number `first` on with their codes. Read from `path` where the same codec made them before."""
    recipe = f"{origin} {seed} {first} {n}"
    if _stated(path) != recipe:
        texts, codes = [], []
        with track("codes of readings", n) as progress:
            for number in range(first, first + n):
                one = reading(seed, number, codec.config.sample_rate, codec.config.hop)
                texts.append(one.text)
                codes.append(codec.encode(as_tensor(one.wave)[None]).codes[0, :, 0].to(torch.int32))
                progress.advance()
        tensors = {"codes": torch.cat(codes), "lengths": torch.tensor([len(one) for one in codes])}
        new = path.with_suffix(".new")
        save_file(tensors, new, metadata={"recipe": recipe, "texts": json.dumps(texts, ensure_ascii=False)})
        new.replace(path)
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


def codec_digest(codec: Codec) -> str:
    """Of the weights that make codes, as a hash."""
    digest = hashlib.sha256()
    for name, tensor in codec.state_dict().items():
        if name.startswith(("encoder.", "quantizer.")):
            digest.update(name.encode())
            digest.update(tensor.detach().cpu().contiguous().view(torch.uint8).numpy().tobytes())
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
