"""Parity of VITA-1.5's speech output with recorded reference outputs: decoders, codec, text."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from safetensors import safe_open
from torch import Tensor

from models.nn.weight_norm import fuse_weight_norm
from models.vita15.codec import Codec, CodecTokens
from models.vita15.speech_config import CodecConfig, Sampling, SpeechDecoderConfig
from models.vita15.speech_decoder import SpeechDecoder
from models.vita15.speech_stream import ChunkedVocoder, cut_at_quiet, quiet_segments
from models.vita15.tts_text import demo_sentences, server_text
from tests.parity.check import Check
from tests.parity.goldens import locate

FOLDER = "vita15"
TOLERANCE = 1e-4
GREEDY_LIMIT, SAMPLED_LIMIT = 60, 40
PREFIX_MARK = re.compile(r"_with_prefix|with_prefix[_.]|_prefix$|^prefix[_.]")


class Golden(NamedTuple):
    config: Mapping[str, Any]
    tensors: Mapping[str, Tensor]


def _read(path: Path) -> Golden:
    with safe_open(path, "pt") as file:
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118, not a dict
        return Golden(json.loads(file.metadata()["config"]), tensors)


@torch.no_grad()
def speech_decoder(goldens: Path) -> Check:
    check = Check("speech_decoder", TOLERANCE)
    config, tensors = _read(locate(goldens, FOLDER, "speech_decoder.safetensors"))
    state = {
        name.removeprefix("speech_decoder."): tensor
        for name, tensor in tensors.items()
        if name.startswith("speech_decoder.")
    }
    sizes = SpeechDecoderConfig(
        codes=config["odim"],
        hidden=config["idim"],
        heads=config["heads"],
        inner=config["ffn"],
        ar_layers=config["ar_layers"],
        nar_layers=config["nar_layers"],
        rope_theta=config["rope_theta"],
        rms_eps=config["rms_eps"],
    ).with_layers_of(state)
    for mark in ("bos", "sos", "eos", "pad"):
        check.equal(mark, getattr(sizes, mark), config[mark])
    check.equal("layers", (sizes.nar_layers, sizes.ar_layers), (config["nar_layers"], config["ar_layers"]))
    decoder = SpeechDecoder(sizes).eval()
    decoder.load_state_dict(state)

    embeddings = tensors["in.llm_embeddings"]
    text = decoder.fold(embeddings)
    check.equal("in.hidden", text, tensors["in.hidden"])
    for name, want in tensors.items():
        if not name.startswith("out."):
            continue
        prefix = None
        if "prefix" in name:
            prefix = _prefix(tensors, sizes.hidden)
            check.equal(f"{name}: a prefix among the inputs", prefix is not None, True)
        _check_decoder_output(check, decoder, tensors, name, want, prefix)
    return check


def _prefix(tensors: Mapping[str, Tensor], hidden: int) -> Tensor | None:
    """The language model's hidden states that stand before the prompt [1, p, hidden or a multiple], by their name."""
    found = [
        tensor.reshape(1, *tensor.shape[-2:])
        for name, tensor in sorted(tensors.items())
        if name.startswith("in.") and "prefix" in name and tensor.is_floating_point() and tensor.dim() in (2, 3)
    ]
    return next((tensor for tensor in found if tensor.shape[2] % hidden == 0), None)


def _check_decoder_output(
    check: Check,
    decoder: SpeechDecoder,
    tensors: Mapping[str, Tensor],
    name: str,
    want: Tensor,
    prefix: Tensor | None,
) -> None:
    """Compare one output; its name tells which."""
    kind = PREFIX_MARK.sub("", name.removeprefix("out."))
    embeddings = tensors["in.llm_embeddings"]
    text, codes = decoder.fold(embeddings), tensors["in.teacher_tokens"]
    lengths = torch.tensor([text.shape[1]]), torch.tensor([codes.shape[1]])
    if kind == "nar":
        check.close(name, decoder.nar(text), want)
    elif kind == "ar_prefill_hidden_no_norm":
        folded = None if prefix is None else decoder.fold(prefix)
        check.close(name, decoder.prefill(text, 1, folded).hidden, want)
    elif kind == "ar_prefill_hidden":  # does not tell on which side of the norm it was taken
        hidden = decoder.prefill(text, 1, None if prefix is None else decoder.fold(prefix)).hidden
        sides = hidden, decoder.norm(hidden)
        check.close(name, min(sides, key=lambda side: _distance(side, want)), want)
    elif kind == "teacher_logits" and prefix is None:
        check.close(name, decoder.teacher_logits(text, lengths[0], codes, lengths[1]), want)
    elif kind == "teacher_loss_sum" and prefix is None:
        loss = decoder.teacher_loss(text, lengths[0], codes, lengths[1])
        check.close(name, loss.total[None], want, tolerance=TOLERANCE * int(loss.targets))
    elif kind in ("teacher_logits", "step_logits"):
        check.close(name, _cached_logits(decoder, text, codes, prefix), want)
    elif kind == "teacher_loss_sum":
        logits = _cached_logits(decoder, text, codes, prefix)[0]
        targets = F.pad(codes[0], (0, 1), value=decoder.config.eos)
        loss = F.cross_entropy(logits, targets, reduction="sum")
        check.close(name, loss[None], want, tolerance=TOLERANCE * len(targets))
    elif kind.startswith("batch_") and prefix is None:
        batch = [tensors[f"in.batch_{part}"] for part in ("hidden", "hidden_lens", "y", "y_lens")]
        if kind == "batch_logits":
            logits = decoder.teacher_logits(*batch, positions="padded")
            check.equal(f"{name} shape", tuple(logits.shape), tuple(want.shape))
            for row, length in enumerate(batch[3].tolist()):  # rows past the codes and EOS are undefined
                check.close(f"{name}[{row}]", logits[row, : length + 1], want[row, : length + 1])
        elif kind == "batch_loss_sum":
            loss = decoder.teacher_loss(*batch, positions="padded")
            check.close(name, loss.total[None], want, tolerance=TOLERANCE * int(loss.targets))
        else:
            _unknown(name)
    elif "tokens" in kind or kind.startswith(("greedy", "top")):
        sampling, generator = _sampling(kind, want.numel())
        check.equal(name, list(decoder.generate(embeddings, sampling, generator, prefix)), want.tolist())
    else:
        _unknown(name)


def _distance(got: Tensor, want: Tensor) -> float:
    return float((got - want).abs().max()) if got.shape == want.shape else float("inf")


def _cached_logits(decoder: SpeechDecoder, text: Tensor, codes: Tensor, prefix: Tensor | None) -> Tensor:
    """Logits after SOS and each code, one cached step after the other."""
    inputs = F.pad(codes, (1, 0), value=decoder.config.sos)
    cache = decoder.prefill(text, inputs.shape[1], None if prefix is None else decoder.fold(prefix)).cache
    steps = [
        decoder.step(inputs[:, i : i + 1], torch.tensor([cache.prompt_end + i]), cache) for i in range(inputs.shape[1])
    ]
    return torch.cat(steps, dim=1)


def _sampling(kind: str, length: int) -> tuple[Sampling, torch.Generator | None]:
    """Settings from a name such as `greedy_tokens_penalty_window8_1.3` or `top2_seed1234_tokens`.

    A round number of tokens may be all that were asked for; after any other the decoder has to end by itself.
    """
    whole = length > 0 and (length % 10 == 0 or length % 8 == 0)
    if drawn := re.search(r"top_?k?(\d+)_seed(\d+)", kind):
        limit = length if whole else max(SAMPLED_LIMIT, length)
        generator = torch.Generator().manual_seed(int(drawn[2]))
        return Sampling(top_k=int(drawn[1]), max_tokens=limit, restrict_to_codec=False), generator
    penalty = re.search(r"window(\d+)_([\d.]+)", kind)
    return Sampling(
        top_k=1,
        max_tokens=length if whole else max(GREEDY_LIMIT, length),
        restrict_to_codec=False,
        penalty=float(penalty[2]) if penalty else 1.0,
        penalty_window=int(penalty[1]) if penalty else -1,
    ), None


@torch.no_grad()
def codec(goldens: Path) -> Check:
    check = Check("codec", TOLERANCE)
    config, tensors = _read(locate(goldens, FOLDER, "codec.safetensors"))
    weights = {name: t for name, t in tensors.items() if name.startswith(("generator.", "quantizer.", "encoder."))}
    state = fuse_weight_norm(weights)
    sizes = CodecConfig.from_json(config).with_widths_of(state)
    check.equal("widths", (sizes.code_dim, sizes.global_dim), (config["D"], config["G"]))
    model = Codec(sizes).eval()
    model.load_state_dict(state)

    codes, voice = tensors["in.codes"], tensors["in.global_tokens"]
    check.close("code_embedding", model.quantizer.embed_codes(codes), tensors["out.code_embedding"])
    check.close("global_embedding", model.quantizer.embed_voice(voice), tensors["out.global_embedding"])
    check.close("wav", model.decode(codes, voice), tensors["out.wav"])
    features = model.encoder(tensors["in.wav"])
    tokens = CodecTokens(model.quantizer.quantize_codes(features.codes), model.quantizer.quantize_voice(features.voice))
    if tensors["in.wav"].shape[1] % sizes.hop == 0:  # a wave of whole tokens is not filled up
        tokens = model.encode(tensors["in.wav"])
    check.close("encoder", features.codes, tensors["out.encoder"])
    check.close("global_feature", features.voice, tensors["out.global_feature"])
    check.equal("enc_codes", tokens.codes, tensors["out.enc_codes"])
    check.equal("enc_global_tokens", tokens.voice, tensors["out.enc_global_tokens"])

    for index, settings in enumerate(config.get("stream", [])):
        vocoder = ChunkedVocoder(model, chunk=settings["chunk"], context=settings["pad"])
        pieces = vocoder.stream(tensors[f"stream.{index}.tokens"].tolist())
        segments = list(quiet_segments(pieces, settings["threshold"], settings["N"]))
        lengths = [segment.shape[-1] for segment in segments]
        check.equal(f"stream.{index} lengths", lengths, tensors[f"stream.{index}.segment_lengths"].tolist())
        check.equal(f"stream.{index} config lengths", lengths, settings["segment_lengths"])
        check.close(f"stream.{index} wav", torch.cat(segments, dim=-1), tensors[f"stream.{index}.wav"])

    for name in sorted(n for n in tensors if re.fullmatch(r"cut\.\d+\.in", n)):
        case = name.removesuffix(".in")
        window, threshold = tensors[f"{case}.params_N_thr"].tolist()
        cut = cut_at_quiet(tensors[f"{case}.buffer"], tensors[name], int(window), threshold)
        got = [cut.buffer.shape[-1], -1 if cut.segment is None else cut.segment.shape[-1]]
        check.equal(case, got, tensors[f"{case}.result_lengths_buffer_segment"].tolist())
    return check


def tts_text(goldens: Path) -> Check:
    check = Check("tts_text")
    for case in json.loads(locate(goldens, FOLDER, "tts_text.json").read_text("utf-8")):
        check.equal(f"server {case['in']!r}", server_text(case["in"]), case["server_tts_text"])
        check.equal(f"demo {case['in']!r}", demo_sentences(case["in"]), case["demo_sentences"])
    return check


def _unknown(name: str) -> None:
    print(f"speech_decoder: no rule for the golden {name!r}, not compared", file=sys.stderr)


COMPONENTS = {"speech_decoder": speech_decoder, "codec": codec, "tts_text": tts_text}
