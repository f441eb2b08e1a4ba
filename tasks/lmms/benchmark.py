"""A task of lmms-eval as its own code has it: configuration at once, data when they are first needed."""

from __future__ import annotations

import copy
import hashlib
import importlib.util
import io
import math
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, cast

from harness.contracts import DataChoice
from harness.failures import UsageError
from harness.files import encoded
from harness.lmms import VERSION
from harness.media import sha256_of
from harness.task import Row
from tasks.lmms.index import INSTALL

ROW, LEFT_OUT, TARGET = "lmms_row", "lmms_left_out", "lmms_target"
"""Fields of a doc beside the row's columns: its place in the data set, columns that are no JSON, the gold answer."""


class _Enough(Exception):
    """The configuration is read; the data are not wanted yet."""


class Benchmark:
    """One task. Also the `harness.task.RowSource` of its rows."""

    def __init__(self, name: str, path: Path) -> None:
        self.name, self.path = name, path
        self._config = self._read()

    def _read(self) -> dict[str, Any]:
        try:
            from lmms_eval.utils import load_yaml_config

            config = load_yaml_config(str(self.path), mode="full")
        except Exception as error:  # a task file imports what it likes
            raise UsageError(f"lmms:{self.name}: {self.path} cannot be read: {_told(error)}. {INSTALL}") from error
        if "class" in config:
            raise UsageError(f"lmms:{self.name} is a Python class of lmms-eval; only tasks that files describe can run")
        if (kind := config.get("output_type", "generate_until")) != "generate_until":
            raise UsageError(
                f"lmms:{self.name} is of output_type {kind}; models here answer in text: only generate_until runs"
            )
        return dict(config)

    @cached_property
    def described(self) -> Any:
        """Configuration, metrics and filters, without data."""
        import lmms_eval.api.metrics  # noqa: F401  registers the aggregations that task files name
        from lmms_eval.api.task import ConfigurableMessagesTask

        class Described(ConfigurableMessagesTask):  # type: ignore[misc]
            def download(self, dataset_kwargs: Any = None) -> None:
                raise _Enough

        made = Described.__new__(Described)
        try:
            cast(Any, Described).__init__(made, config=copy.deepcopy(self._config))
        except _Enough:
            return made
        except Exception as error:
            raise UsageError(f"lmms:{self.name}: {self.path}: {_told(error)}") from error
        raise AssertionError("a task of lmms-eval was made without its data")

    @cached_property
    def whole(self) -> Any:
        """The task with its data. Raises UsageError where they cannot be had."""
        from lmms_eval.api.task import ConfigurableMessagesTask, ConfigurableTask

        class Whole(ConfigurableMessagesTask):  # type: ignore[misc]
            dataset: Any

            def download(self, dataset_kwargs: Any = None) -> None:
                ConfigurableTask.download.__wrapped__(self, dataset_kwargs)  # at once, not five times
                if importlib.util.find_spec("torchcodec") is None:
                    self.dataset = _undecoded(self.dataset)

        try:
            return Whole(config=copy.deepcopy(self._config))
        except Exception as error:
            data = self._config.get("dataset_path")
            raise UsageError(
                f"lmms:{self.name}: its data ({data}) cannot be had: {_told(error)}. lmms-eval reads them with "
                "Hugging Face datasets: a network or a filled cache is needed, or a dataset_path in a file of your own."
            ) from error

    def row_of(self, place: int) -> dict[str, Any]:
        """A row of the data set with its media."""
        row = dict(self.whole.eval_docs[place])
        return {name: _heard(value) if _is_sound(value) else value for name, value in row.items()}

    @property
    def published(self) -> int:
        return len(self.whole.eval_docs)

    def rows(self, data: DataChoice) -> Iterator[Row]:
        """Rows in the data set's order, read one by one."""
        if data.kind != "hub":
            raise UsageError(f"lmms:{self.name} reads the data named in {self.path.name}; leave out --data {data}")
        count = self.published
        return (self._row(place) for place in range(count))

    def _row(self, place: int) -> Row:
        named: Row = {"sample_id": f"{place:06d}", ROW: place}
        try:
            return named | {"row": self.row_of(place)}
        except Exception as error:
            return named | {"error": _told(error)}

    def fingerprint(self, data: DataChoice) -> Mapping[str, Any]:
        """The task's file and the content of its data set, media left out."""
        digest = hashlib.sha256()
        for row in self.whole.eval_docs_no_media:
            digest.update(encoded(plain_columns(row)))
        config = self.described.config
        return {
            "source": "lmms-eval",
            "version": VERSION,
            "task_file_sha256": sha256_of(self.path),
            "dataset": str(config.dataset_path),
            "name": config.dataset_name,
            "split": config.test_split or config.validation_split,
            "rows": self.published,
            "sha256": digest.hexdigest(),
        }

    def strays(self, data: DataChoice) -> Sequence[str]:
        return ()


def plain_columns(row: Mapping[str, Any]) -> dict[str, Any]:
    """The columns that JSON holds without loss."""
    return {name: value for name, value in row.items() if _is_plain(value)}


def _is_plain(value: Any) -> bool:
    match value:
        case None | bool() | str() | int():
            return True
        case float():
            return math.isfinite(value)
        case list():
            return all(map(_is_plain, value))
        case dict():
            return all(isinstance(key, str) and _is_plain(held) for key, held in value.items())
    return False


def _undecoded(dataset: Any) -> Any:
    """Recordings as the bytes of their files: `datasets` can decode them with torchcodec alone."""
    from datasets import Audio

    for split in dataset:
        for column, feature in dataset[split].features.items():
            if isinstance(feature, Audio):
                dataset[split] = dataset[split].cast_column(column, Audio(decode=False))
    return dataset


def _is_sound(value: Any) -> bool:
    """An undecoded recording."""
    return isinstance(value, dict) and value.keys() == {"bytes", "path"} and (value["bytes"] or value["path"])


def _heard(value: Mapping[str, Any]) -> dict[str, Any]:
    """A recording as `datasets` gives it where it can: samples [n] or [n, channels] in -1..1."""
    import soundfile

    samples, rate = soundfile.read(io.BytesIO(value["bytes"]) if value["bytes"] else value["path"], dtype="float32")
    return {"path": value["path"], "array": samples, "sampling_rate": rate}


def _told(error: BaseException) -> str:
    return f"{type(error).__name__}: {str(error).strip()[:400]}".rstrip(". :")
