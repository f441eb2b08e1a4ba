"""What a probe reads out of VITA-1.5: mean token embeddings at the language model's input, or hidden states.

The content stands alone, without chat template or separators, in the order of the request's parts: the last
token is the last picture, speech or text token. Batches are padded on the right and states are taken at the
true length, so that padding is never read. Features as in the NEXUS-O paper, table 7 and figure 3.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from harness.contracts import ProbeStage
from harness.failures import SampleError, failure_from, is_out_of_memory
from harness.types import Failure, LoadedRequest, Media, Message, States
from models.vita15.language import causal_hidden
from models.vita15.omni import AUDIO, IMAGE, Vita15
from models.vita15.processor import ModelInputs, Processor, collate


class ContentProcessor(Processor):
    """Prepares a request's content alone, in the order of its parts."""

    def _tokens(self, messages: Sequence[Message], places: Sequence[int]) -> list[int]:
        counts = iter(places)
        ids: list[int] = []
        for part in (part for message in messages for part in message.parts):
            if isinstance(part, Media):
                ids += [AUDIO if part.kind == "audio" else IMAGE] * next(counts)
            else:
                ids += self.tokenizer.encode(part.text)
        return ids


class _Row(NamedTuple):
    place: int  # in the batch
    kinds: tuple[str, ...]  # modality of each medium, in order
    inputs: ModelInputs


def hidden_states(
    model: Vita15, processor: ContentProcessor, batch: Sequence[LoadedRequest], stage: ProbeStage
) -> Iterator[tuple[int, States | Failure]]:
    """States of each request, in the shapes of `harness.types.States`; each index once.

    A request that cannot be prepared, or has no content, fails alone. State 0 is the language model's input,
    state l the output of layer l, the last one after the final norm (as transformers counts them).
    """
    rows: list[_Row] = []
    for index, request in enumerate(batch):
        try:
            inputs = processor(request)
            kinds = tuple(medium.kind for medium in request.request.media)
            if not inputs.n_tokens:
                raise SampleError("the request has no content to take features of")
            if {"image", "video"} <= {*kinds}:
                raise SampleError("the request shows both an image and a video; probe them one at a time")
            rows.append(_Row(index, kinds, inputs))
        except Exception as error:
            if is_out_of_memory(error):
                raise
            yield index, failure_from(error, "load")
    if rows:
        yield from (_unembedded if stage == "unembedding" else _last_states)(model, rows)


@torch.inference_mode()
def _unembedded(model: Vita15, rows: Sequence[_Row]) -> Iterator[tuple[int, States]]:
    """Mean embedding [D] of each modality's tokens; several media of one modality count as one list of tokens."""
    batch = collate([row.inputs for row in rows])
    tiles: Iterator[Tensor] = iter(() if batch.pixel_values is None else model.encode_images(batch.pixel_values))
    clips: Iterator[Tensor] = iter(())
    if batch.audio is not None and batch.audio_lengths is not None:
        clips = iter(model.encode_audio(batch.audio, batch.audio_lengths))
    for row in rows:
        ids = row.inputs.input_ids
        found: dict[str, list[Tensor]] = {}
        if bool((ids >= 0).any()):
            found["text"] = [model.model.embed_tokens(ids[ids >= 0].to(model.device))]
        visual = next((kind for kind in row.kinds if kind != "audio"), "image")
        for token in ids[ids < 0].tolist():
            source, kind = (clips, "audio") if token == AUDIO else (tiles, visual)
            found.setdefault(kind, []).append(next(source))
        embeddings = {kind: torch.cat(pieces) for kind, pieces in found.items()}  # [tokens, D] each
        vectors = {kind: tokens.double().mean(dim=0).float().cpu().numpy() for kind, tokens in embeddings.items()}
        yield row.place, States(vectors, {kind: len(tokens) for kind, tokens in embeddings.items()})


@torch.inference_mode()
def _last_states(model: Vita15, rows: Sequence[_Row]) -> Iterator[tuple[int, States]]:
    """The last token's state [layers + 1, D] of every row. Only the last tokens are kept while layers run."""
    embedded = model.embed(collate([row.inputs for row in rows]))
    last = embedded.attention_mask.sum(dim=1) - 1  # [B]
    row_numbers = torch.arange(len(rows), device=last.device)
    kept: list[Tensor] = []

    def keep(_: torch.nn.Module, inputs: tuple[Tensor, ...]) -> None:
        kept.append(inputs[0][row_numbers, last])  # [B, D] of [B, S, D]

    hooks = [layer.register_forward_pre_hook(keep) for layer in model.model.layers]
    try:
        final = causal_hidden(model.model, embedded.inputs_embeds)  # [B, S, D]
    finally:
        for hook in hooks:
            hook.remove()
    states = torch.stack([*kept, final[row_numbers, last]], dim=1).float().cpu().numpy()  # [B, layers + 1, D]
    for number, row in enumerate(rows):
        yield row.place, States({"last": states[number]}, {"last": int(last[number]) + 1})
