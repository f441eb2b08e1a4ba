"""What a folder of transformers' own format holds, read from its config.json before any weight is.

Which architectures there are is the library's own table; a configuration whose code lives in the folder or on the hub
(`auto_map`) is refused, because that code would be run.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from harness.contracts import Capabilities, DType
from harness.types import Modality, Output
from models.checkpoint_error import CheckpointError
from models.released.files import read_json

Kind = Literal["chat", "text", "seq2seq", "ctc", "transducer"]
"""A chat model that sees or hears, one that reads only, and three sorts of recognisers."""

REMEDY = "Name a folder that transformers' save_pretrained wrote, or a release in that format (often called NAME-hf)."
_TABLES: tuple[tuple[Kind, str, str], ...] = (
    ("chat", "MODEL_FOR_MULTIMODAL_LM_MAPPING_NAMES", "AutoModelForMultimodalLM"),
    ("chat", "MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING_NAMES", "AutoModelForImageTextToText"),
    ("seq2seq", "MODEL_FOR_SPEECH_SEQ_2_SEQ_MAPPING_NAMES", "AutoModelForSpeechSeq2Seq"),
    ("ctc", "MODEL_FOR_CTC_MAPPING_NAMES", "AutoModelForCTC"),
    ("transducer", "MODEL_FOR_TDT_MAPPING_NAMES", "AutoModelForTDT"),
    ("transducer", "MODEL_FOR_RNNT_MAPPING_NAMES", "AutoModelForRNNT"),
    ("text", "MODEL_FOR_CAUSAL_LM_MAPPING_NAMES", "AutoModelForCausalLM"),
)


@dataclass(frozen=True)
class Outline:
    """`auto` is the class of transformers that loads it."""

    model_type: str
    kind: Kind
    auto: str
    capabilities: Capabilities

    @property
    def recognises(self) -> bool:
        """Whether it hears and reads nothing."""
        return self.kind in ("seq2seq", "ctc", "transducer")


def outlined(folder: Path) -> Outline:
    """Raises CheckpointError on a folder without a config.json, an unknown architecture, and one that needs code of
    its own."""
    config = read_json(folder / "config.json", REMEDY)
    model_type = config.get("model_type")
    kind, auto = _architecture(folder, model_type, config)
    assert isinstance(model_type, str)
    if kind in ("seq2seq", "ctc", "transducer"):
        _parsed(folder)
        return Outline(model_type, kind, auto, Capabilities(frozenset({"text", "audio"}), frozenset({"text"})))
    parsed = _parsed(folder)
    inputs = frozenset({"text"}) if kind == "text" else _inputs(model_type, parsed)
    spoken: frozenset[Output] = frozenset(
        {"text", "speech"} if getattr(parsed, "enable_audio_output", False) else {"text"}
    )
    return Outline(model_type, kind, auto, Capabilities(inputs, spoken, stream=True))


def stated_dtype(config: Mapping[str, Any]) -> DType:
    """The number type that a config.json states, of the whole or of a part; bfloat16 where it states none."""
    parts = [part for part in config.values() if isinstance(part, Mapping)]
    for section in (config, *parts):
        found = section.get("dtype") or section.get("torch_dtype")
        if found in ("float32", "bfloat16", "float16"):
            return found  # type: ignore[no-any-return]
    return "bfloat16"


def _architecture(folder: Path, model_type: Any, config: Mapping[str, Any]) -> tuple[Kind, str]:
    from transformers.models.auto import modeling_auto

    for kind, table, auto in _TABLES:
        if isinstance(model_type, str) and model_type in getattr(modeling_auto, table, {}):
            return kind, auto
    path = folder / "config.json"
    if config.get("auto_map"):
        raise CheckpointError(
            f"{path}: model_type {model_type!r} needs code that comes with the weights (auto_map), and no such code is "
            f"run here.\n{REMEDY}"
        )
    import transformers

    raise CheckpointError(
        f"{path}: model_type is {model_type!r}, which transformers {transformers.__version__} has neither as a chat "
        f"model nor as a speech recogniser.\n{REMEDY}"
    )


def _parsed(folder: Path) -> Any:
    """The configuration with its defaults, which a file may leave out."""
    from transformers import AutoConfig

    try:
        return AutoConfig.from_pretrained(folder, trust_remote_code=False, local_files_only=True)
    except Exception as error:  # a broken file makes the library raise nearly anything
        raise CheckpointError(f"{folder / 'config.json'}: {_first_line(error)}\n{REMEDY}") from error


def _inputs(model_type: str, config: Any) -> frozenset[Modality]:
    """By the encoders that the configuration has; videos where the model's processor knows them."""
    thinker = getattr(config, "thinker_config", config)
    has = {
        name for name in ("vision_config", "audio_config", "encoder_config") if getattr(thinker, name, None) is not None
    }
    found: set[Modality] = {"text"}
    if has & {"audio_config", "encoder_config"}:
        found.add("audio")
    if "vision_config" in has:
        found.add("image")
        if "video_processor" in processor_attributes(model_type):
            found.add("video")
    return frozenset(found)


def processor_attributes(model_type: str) -> list[str]:
    """The parts of the processor that belongs to an architecture; none where it has no processor."""
    import transformers
    from transformers.models.auto.processing_auto import PROCESSOR_MAPPING_NAMES

    name = PROCESSOR_MAPPING_NAMES.get(model_type)
    if name is None:
        return []
    return list(getattr(transformers, name).get_attributes())


def _first_line(error: BaseException) -> str:
    return (str(error).strip() or type(error).__name__).partition("\n")[0]
