"""VITA-1.5's prompts and its whole model against reference outputs.

`prompts`: the vocabulary of Qwen2.5 is no part of this repository, so ids cannot be computed from text. A
lookup tokenizer is made from the golden itself: the prompt, cut at the places of media and at control tokens,
gives runs of text, the ids, cut at theirs, runs of ids. A text must have the same ids wherever it occurs, in
the golden and in the copy that the repository holds of the published one, and single words that are single ids
must be so everywhere; then the assembled prompt must give the golden's ids through that lookup. An id that
neither attests twice (of a new question asked once) has no second witness.

`omni`: every case and the batch with labels. `pool.*`, an older pooling of video frames, is left out: the
released settings never turn it on, and the model here has none.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import regex
import torch
from safetensors import safe_open
from torch import Tensor

from harness.types import Media, Message, Part, Role, Text
from models.decoding import decode
from models.text.tokenizer import CONTROL_TOKENS, CUTS, PLAIN_TOKENS
from models.vita15.config import AudioConfig, LanguageConfig, VisionConfig, Vita15Config
from models.vita15.omni import AUDIO, IGNORE, IMAGE, OmniBatch, Vita15
from models.vita15.prompts import STATE_MARKS, as_text, conversation, tokenise
from tests.parity.check import Check
from tests.parity.goldens import locate

MODEL_TOLERANCE = 5e-5
STATE_IDS = {"☞": 144766, "☟": 146164, "☜": 145789}  # in Qwen2.5's vocabulary each is one token
KNOWN = Path(__file__).resolve().parents[1] / "goldens" / "vita15" / "prompts.json"
FIRST_CONTROL_ID = 151643  # of Qwen2.5's vocabulary; the 22 added tokens follow one another
CONTROL_IDS = {name: FIRST_CONTROL_ID + i for i, name in enumerate(CONTROL_TOKENS + PLAIN_TOKENS)}


# ---------------------------------------------------------------------------------------------- prompts


def prompts(goldens: Path) -> Check:
    check = Check("prompts")
    golden = json.loads(locate(goldens, "vita15", "prompts.json").read_text("utf-8"))
    places = {golden["image_token_index"]: IMAGE, golden["audio_token_index"]: AUDIO}
    for case in golden["cases"]:  # whatever number stands for a place in the file
        case["input_ids"] = [places.get(token, token) for token in case["input_ids"]]
    lookup = Lookup()
    for case in json.loads(KNOWN.read_text(encoding="utf-8"))["cases"]:
        lookup.learn(case["prompt"], case["input_ids"])
    for case in golden["cases"]:
        for problem in lookup.learn(case["prompt"], case["input_ids"]):
            check.equal(f"{case['name']}: tokens", problem, None)
    for case in golden["cases"]:
        name = case["name"]
        asked = _asked(case["prompt"], case["modality"])
        counts = [count for count, kind in zip(asked.places, asked.kinds, strict=True) if kind != "audio"]
        check.equal(f"{name}: tiles", counts, case["tiles_per_image"])
        pieces = conversation(asked.messages, asked.places)
        check.equal(f"{name}: prompt", as_text(pieces), case["prompt"])
        ids = tokenise(pieces, lookup)
        check.equal(f"{name}: ids", ids, case["input_ids"])
        speech = iter(case["audio_llm_lengths"])
        segments = _segments(ids, {IMAGE: lambda: golden["tokens_per_tile"], AUDIO: lambda it=speech: next(it)})
        check.equal(f"{name}: segments", segments, case["expanded_segments_kind_start_len"])
        check.equal(f"{name}: length", segments[-1][1] + segments[-1][2], case["expanded_length"])
        check.equal(f"{name}: audio lengths used", list(speech), [])
    check.equal("state marks", golden["state_token_ids"], {mark: [STATE_IDS[mark]] for mark in STATE_MARKS})
    for mark, ids in golden["state_token_ids"].items():
        answers = [case for case in golden["cases"] if f"assistant\n{mark}" in case["prompt"]]
        for case in answers:
            check.equal(f"{case['name']}: {mark} among the ids", ids[0] in case["input_ids"], True)
    return check


class Asked(NamedTuple):
    messages: tuple[Message, ...]
    places: list[int]
    kinds: list[str]


def _asked(prompt: str, modality: str) -> Asked:
    """The conversation that a golden prompt was made of; its own system prompt is dropped, to be made anew."""
    kind = "video" if modality == "video" else "image"
    messages: list[Message] = []
    places: list[int] = []
    kinds: list[str] = []
    turns = re.findall(r"<\|im_start\|>(system|user|assistant)\n(.*?)(?:<\|im_end\|>\n?|\Z)", prompt, re.DOTALL)
    for role, content in turns:
        if role == "system" or (role == "assistant" and not content):
            continue
        parts: list[Part] = []
        # The newlines after pictures and between a text and speech are the conversation's own.
        for pictures, clip, text in re.findall(
            r"((?:<image>)+)\n|(<audio>)|((?:(?!<image>|\n?<audio>).)+)|\n(?=<audio>)", content, re.S
        ):
            if pictures:
                parts.append(Media(kind, f"{len(places)}"))
                places.append(pictures.count("<image>"))
                kinds.append(kind)
            elif clip:
                parts.append(Media("audio", f"{len(places)}"))
                places.append(1)
                kinds.append("audio")
            elif text:
                parts.append(Text(text))
        speaker: Role = "user" if role == "user" else "assistant"
        messages.append(Message(speaker, tuple(parts)))
    return Asked(tuple(messages), places, kinds)


class Lookup:
    """Text -> ids as the golden has them."""

    def __init__(self) -> None:
        self._runs: dict[str, list[int]] = {}
        self._words: dict[str, int] = {}
        self._ids: dict[int, str] = {}

    def learn(self, prompt: str, ids: Sequence[int]) -> list[str]:
        """Align a prompt with its ids; what contradicts it or what was learnt before is returned."""
        texts = re.split("|".join(re.escape(mark) for mark in ("<image>", "<audio>", *CONTROL_IDS)), prompt)
        runs = _split(ids, lambda token: token < 0 or token >= FIRST_CONTROL_ID)
        marks = re.findall("|".join(re.escape(mark) for mark in ("<image>", "<audio>", *CONTROL_IDS)), prompt)
        found = [token for token in ids if token < 0 or token >= FIRST_CONTROL_ID]
        wanted = [CONTROL_IDS.get(mark, IMAGE if mark == "<image>" else AUDIO) for mark in marks]
        if found != wanted:
            return [f"control tokens and places {found} instead of {wanted}"]
        problems = []
        for text, run in zip(texts, runs, strict=True):
            if self._runs.setdefault(text, run) != run or (not text) != (not run):
                problems.append(f"{text!r} is {run} and {self._runs[text]}")
            # No id spans two words: where there are as many words as ids, each word is one id, here and elsewhere.
            words = regex.findall(CUTS, text)
            if len(words) != len(run):
                continue
            for word, token in zip(words, run, strict=True):
                if self._words.setdefault(word, token) != token or self._ids.setdefault(token, word) != word:
                    problems.append(f"{word!r} is {token} and {self._words[word]}")
        return problems

    def encode(self, text: str) -> list[int]:
        ids: list[int] = []
        for part in re.split("(" + "|".join(re.escape(mark) for mark in CONTROL_IDS) + ")", text):
            if part in CONTROL_IDS:
                ids.append(CONTROL_IDS[part])
            elif part:
                ids += self._runs.get(part, [-1])  # -1: a text that the golden does not hold
        return ids


def _split(ids: Sequence[int], is_mark: Callable[[int], bool]) -> list[list[int]]:
    runs: list[list[int]] = [[]]
    for token in ids:
        if is_mark(token):
            runs.append([])
        else:
            runs[-1].append(token)
    return runs


def _segments(ids: Sequence[int], sizes: dict[int, Callable[[], int]]) -> list[list[Any]]:
    """[kind, start, length] of text, pictures and speech; neighbouring text and pictures are merged."""
    segments: list[list[Any]] = []
    start = 0
    for token in ids:
        kind = "text" if token not in sizes else "image" if token == IMAGE else "audio"
        length = sizes[token]() if token in sizes else 1
        if segments and segments[-1][0] == kind and kind != "audio":
            segments[-1][2] += length
        else:
            segments.append([kind, start, length])
        start += length
    return segments


# ------------------------------------------------------------------------------------------------- omni


def omni(goldens: Path) -> Check:
    check = Check("omni", MODEL_TOLERANCE)
    with safe_open(locate(goldens, "vita15", "omni.safetensors"), "pt") as file:
        config = json.loads(file.metadata()["config"])
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    marks = config.get("tokens", {})
    for name in [name for name in tensors if name.endswith(".in.input_ids")]:
        ids = tensors[name]
        for mark, place in (("image", IMAGE), ("audio", AUDIO)):
            tensors[name] = tensors[name].masked_fill(ids == marks.get(mark, place), place)
    model = _model(config, tensors)
    cases = sorted(
        {name.removesuffix(".in.input_ids") for name in tensors if name.endswith(".in.input_ids")} - {"batch"}
    )
    for case in cases:
        _check_case(check, model, case, tensors)
    if "batch.in.input_ids" in tensors:
        _check_batch(check, model, cases, tensors)
    return check


def _model(config: dict[str, Any], tensors: dict[str, Tensor]) -> Vita15:
    vision, audio = config["vision"], config["audio"]
    weights = {name: tensor for name, tensor in tensors.items() if name.startswith(("model.", "lm_head."))}
    sizes = Vita15Config(
        language=LanguageConfig(**config["llm"]),
        vision=VisionConfig(**({"patch_size": weights[_PATCH].shape[2]} | vision)),
        audio=AudioConfig(
            num_mel_bins=len(weights["model.audio_encoder.encoder.global_cmvn.mean"]),
            hidden_size=audio["dim"],
            num_attention_heads=audio["heads"],
            intermediate_size=audio["ffn"],
            num_hidden_layers=audio["nb"],
            adapter_kernel=config["adapter_kernel"],
        ),
    )
    model = Vita15(sizes)
    model.load_state_dict(weights)
    return model.eval()


_PATCH = "model.vision_tower.vision_tower.embeddings.patch_embedding.weight"


def _media(case: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """The media of a case that are not empty; without a place for them they are the reference's dummies."""
    names = {
        "pixel_values": ("pixel_values", IMAGE),
        "audio": ("audios", AUDIO),
        "audio_lengths": ("audio_lengths", AUDIO),
    }
    ids = tensors[f"{case}.in.input_ids"]
    found = {field: tensors.get(f"{case}.in.{name}") for field, (name, place) in names.items() if (ids == place).any()}
    return {field: tensor for field, tensor in found.items() if tensor is not None and tensor.numel()}


@torch.inference_mode()
def _check_case(check: Check, model: Vita15, case: str, tensors: dict[str, Tensor]) -> None:
    media = _media(case, tensors)
    embedded = model.embed(OmniBatch(list(tensors[f"{case}.in.input_ids"]), **media))
    check.close(f"{case}: inputs_embeds", embedded.inputs_embeds, tensors[f"{case}.out.inputs_embeds"])
    check.close(f"{case}: logits", model.logits(embedded.inputs_embeds), tensors[f"{case}.out.logits"])
    if f"{case}.in.lengths_for_llm" in tensors and "audio" in media:
        clips = model.encode_audio(media["audio"], media["audio_lengths"])
        check.equal(f"{case}: speech lengths", [len(clip) for clip in clips], _ints(tensors, case, "lengths_for_llm"))
    for name in [name for name in tensors if re.fullmatch(rf"{re.escape(case)}\.out\.greedy\d*", name)]:
        want = tensors[name].flatten().tolist()
        got = decode(model, embedded.inputs_embeds, embedded.attention_mask, max_new_tokens=len(want))
        check.equal(name, got[0].ids, want)


def _ints(tensors: dict[str, Tensor], case: str, name: str) -> list[int]:
    return [int(value) for value in tensors[f"{case}.in.{name}"].tolist()]


@torch.inference_mode()
def _check_batch(check: Check, model: Vita15, cases: Sequence[str], tensors: dict[str, Tensor]) -> None:
    """The batch holds rows that are cases of their own; their media are found by their ids."""
    mask = tensors["batch.in.attention_mask"].bool()
    rows = [ids[kept] for ids, kept in zip(tensors["batch.in.input_ids"], mask, strict=True)]
    labels = [label[kept] for label, kept in zip(tensors["batch.in.labels"], mask, strict=True)]
    media: defaultdict[str, list[Tensor]] = defaultdict(list)
    for index, row in enumerate(rows):
        same = [case for case in cases if torch.equal(tensors[f"{case}.in.input_ids"][0], row)]
        check.equal(f"batch row {index}: a case of the same ids", bool(same), True)
        for field, tensor in _media(same[0], tensors).items() if same else ():
            media[field].append(tensor)
    stacked = {field: _padded(values) if field == "audio" else torch.cat(values) for field, values in media.items()}
    batch = OmniBatch(rows, **stacked)
    try:
        embedded, output = model.embed(batch, labels), model(batch, labels)
    except ValueError as error:  # a row whose media are unknown cannot be embedded
        check.equal("batch", str(error), "embedded")
        return
    check.close("batch: inputs_embeds", embedded.inputs_embeds, tensors["batch.out.inputs_embeds"])
    check.equal("batch: attention_mask", embedded.attention_mask, tensors["batch.out.attention_mask"])
    check.equal("batch: labels", embedded.labels, tensors["batch.out.labels"])
    check.equal("batch: labels of padding", embedded.labels[~embedded.attention_mask].ne(IGNORE).sum().item(), 0)
    check.close("batch: loss", output.loss.reshape(-1), tensors["batch.out.loss"].reshape(-1))


def _padded(clips: Sequence[Tensor]) -> Tensor:
    """[n, T, mel] of several T -> [sum of n, longest T, mel]."""
    longest = max(clip.shape[1] for clip in clips)
    return torch.cat([torch.nn.functional.pad(clip, (0, 0, 0, longest - clip.shape[1])) for clip in clips])


COMPONENTS: dict[str, Callable[[Path], Check]] = {"prompts": prompts, "omni": omni}
