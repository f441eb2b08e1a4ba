"""One of our models behind the interface that lmms-eval asks (0.7.3, `lmms_eval.api.model.lmms`)."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from lmms_eval.api.instance import GenerationResult, TokenCounts
from lmms_eval.api.model import lmms
from loguru import logger

from harness import registry
from harness.config import resolve_device, resolve_dtype
from harness.contracts import ModelOptions
from harness.direct import answers
from harness.failures import UsageError
from harness.lmms import generation_of, messages_of, simple_messages
from harness.types import Message, Request, Response
from models.lmms_plugin.manifests import ANY

BATCH_TOKENS = 16384


class Adapter(lmms):
    """Answers `generate_until`. `batch_size` means nothing to it: batches are made by length, under `batch_tokens`.

    Settings that are not named here are the model's own, as `--option` gives them.
    """

    harness_model = ANY

    def __init__(
        self,
        model: str | None = None,
        weights: str | None = None,
        device: str | None = None,
        dtype: str = "auto",
        seed: int = 0,
        threads: int | None = None,
        batch_tokens: int = BATCH_TOKENS,
        batch_size: Any = None,
        max_batch_size: Any = None,
        **own: Any,
    ) -> None:
        super().__init__()
        if (processes := int(os.environ.get("WORLD_SIZE", "1"))) > 1:
            raise UsageError(f"{processes} processes; our models answer in one, which makes batches of its own")
        name = model if self.harness_model == ANY else self.harness_model
        if name is None:
            raise UsageError(f"--model {ANY} needs --model_args model=NAME; there are {registry.names('models')}")
        where = resolve_device(device or "auto")
        options = ModelOptions(
            weights, where, resolve_dtype(dtype, where, name), int(seed), threads, {k: str(v) for k, v in own.items()}
        )
        self.model = registry.get_model(name)(options)
        self.model.open()
        self.batch_tokens = int(batch_tokens)
        if self.model.note:
            logger.warning(f"model {self.model.label}: {self.model.note}")

    def generate_until(self, requests: Sequence[Any]) -> list[GenerationResult]:
        """In the order asked. lmms-eval knows no failures: one is an empty answer, and told."""
        made = [self._request(place, request) for place, request in enumerate(requests)]
        found: list[GenerationResult] = [GenerationResult("")] * len(made)
        failures: Counter[str] = Counter()
        for place, outcome in answers(self.model, made, self.batch_tokens):
            if isinstance(outcome, Response):
                counts = TokenCounts(outcome.usage.prompt_tokens, outcome.usage.new_tokens)
                found[place] = GenerationResult(outcome.text, counts)
            else:
                failures[f"{outcome.stage}/{outcome.kind}: {outcome.message}"] += 1
        if failures and failures.total() == len(made):
            raise UsageError(f"none of {len(made)} samples was answered: {next(iter(failures))}")
        for why, count in failures.most_common():
            logger.warning(f"{count} of {len(made)} samples without an answer, scored as an empty one: {why}")
        return found

    def _request(self, place: int, request: Any) -> Request:
        """Raises ValueError naming task and row for what cannot be put to a model."""
        chat, settings, (doc_id, task, split) = self._asked(request.args)
        try:
            return Request(str(place), chat(self.task_dict[task][split][doc_id]), generation_of(settings))
        except ValueError as error:
            raise ValueError(f"task {task}, row {doc_id}: {error}") from error

    def _asked(self, args: tuple[Any, ...]) -> tuple[Callable[[Any], tuple[Message, ...]], Any, tuple[Any, ...]]:
        raise NotImplementedError

    def loglikelihood(self, requests: Sequence[Any]) -> list[Any]:
        raise UsageError(
            f"model {self.model.name} answers in text and gives no log-likelihoods; choose tasks of output_type "
            "generate_until"
        )

    def generate_until_multi_round(self, requests: Sequence[Any]) -> list[Any]:
        raise UsageError(f"model {self.model.name} is asked once a sample here; tasks in rounds are not supported")


class Chat(Adapter):
    """Takes conversations: a task's `doc_to_messages`."""

    is_simple = False

    def _asked(self, args: tuple[Any, ...]) -> tuple[Callable[[Any], tuple[Message, ...]], Any, tuple[Any, ...]]:
        _, doc_to_messages, settings, *place = args
        return lambda doc: messages_of(doc_to_messages(doc)), settings, tuple(place)


class Simple(Adapter):
    """Takes a text and media: `--force_simple`."""

    is_simple = True

    def _asked(self, args: tuple[Any, ...]) -> tuple[Callable[[Any], tuple[Message, ...]], Any, tuple[Any, ...]]:
        text, settings, doc_to_visual, *place = args
        return lambda doc: simple_messages(text, doc_to_visual(doc)), settings, tuple(place)


def class_of(base: type[Adapter], name: str) -> type[Adapter]:
    """The class of one of our models, named as the model is. Raises AttributeError for a name that is none."""
    if name != ANY and name not in registry.names("models"):
        raise AttributeError(f"no model of the harness is called {name}")
    return type(name, (base,), {"harness_model": name})
