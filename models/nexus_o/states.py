"""What a probe reads out of NEXUS-O: mean token embeddings at the language model's input, or hidden states.

The content stands alone, without chat template or marks, in the order of the request's parts, so that the last token is
the last of picture, audio or text. States are taken at the true length: padding is never read. Features as in the
paper's table 7 and figure 3 (spec section 4.1).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import torch

from harness.contracts import ProbeStage
from harness.failures import SampleError, failure_from, is_out_of_memory
from harness.types import Failure, LoadedRequest, Message, States, Text
from models.nexus_o.omni import Inputs, Kind, Nexus
from models.nexus_o.positions import Grid, Run
from models.nexus_o.processor import Processor
from models.nexus_o.prompts import Assembled, Place, assemble

NAMES: Mapping[Kind, str] = {Kind.TEXT: "text", Kind.IMAGE: "image", Kind.VIDEO: "video", Kind.AUDIO: "audio"}


class ContentProcessor(Processor):
    """Prepares a request's content alone, in the order of its parts."""

    def _assembled(self, messages: Sequence[Message], media: Sequence[Run | Grid]) -> Assembled:
        parts = [part for message in messages for part in message.parts]
        pieces = [part.text if isinstance(part, Text) else Place(part.kind) for part in parts]
        if not any(pieces):
            raise SampleError("the request has no content to take features of")
        return assemble(pieces, media, self.tokenizer, self.marks, around=False)


class _Row(NamedTuple):
    place: int  # in the batch
    inputs: Inputs


def hidden_states(
    model: Nexus, processor: ContentProcessor, batch: Sequence[LoadedRequest], stage: ProbeStage
) -> Iterator[tuple[int, States | Failure]]:
    """States of each request, in the shapes of `harness.types.States`; each index once.

    A request that cannot be prepared, or has no content, fails alone. State 0 is the language model's input, state l
    the output of layer l, the last one after the final norm (as transformers counts them).
    """
    rows: list[_Row] = []
    for index, request in enumerate(batch):
        try:
            rows.append(_Row(index, processor(request)))
        except Exception as error:
            if is_out_of_memory(error):
                raise
            yield index, failure_from(error, "load")
    if rows:
        yield from (_unembedded if stage == "unembedding" else _last_states)(model, rows)


@torch.inference_mode()
def _unembedded(model: Nexus, rows: Sequence[_Row]) -> Iterator[tuple[int, States]]:
    """Mean embedding [D] of each modality's tokens; several media of one modality count as one list of tokens."""
    for row in rows:
        embeds, kinds = model.embed(row.inputs), row.inputs.kinds.to(model.device)
        found = {name: embeds[kinds == kind] for kind, name in NAMES.items() if bool((kinds == kind).any())}
        vectors = {name: tokens.double().mean(dim=0).float().cpu().numpy() for name, tokens in found.items()}
        yield row.place, States(vectors, {name: len(tokens) for name, tokens in found.items()})


@torch.inference_mode()
def _last_states(model: Nexus, rows: Sequence[_Row]) -> Iterator[tuple[int, States]]:
    """The last token's state [layers + 1, D] of every row. Only the last tokens are kept while layers run."""
    last = torch.tensor([row.inputs.n_tokens for row in rows], device=model.device) - 1  # [B]
    numbers = torch.arange(len(rows), device=model.device)
    kept: list[torch.Tensor] = []

    def keep(_: torch.nn.Module, inputs: tuple[torch.Tensor, ...]) -> None:
        kept.append(inputs[0][numbers, last])  # [B, D] of [B, S, D]

    hooks = [layer.register_forward_pre_hook(keep) for layer in model.model.language_model.layers]
    try:
        final = model.hidden([row.inputs for row in rows])  # [B, S, D]
    finally:
        for hook in hooks:
            hook.remove()
    states = torch.stack([*kept, final[numbers, last]], dim=1).float().cpu().numpy()  # [B, layers + 1, D]
    for number, row in enumerate(rows):
        yield row.place, States({"last": states[number]}, {"last": row.inputs.n_tokens})
