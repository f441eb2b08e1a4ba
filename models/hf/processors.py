"""The processor of a folder: tokenizer, picture and sound features, chat template.

transformers' video processors need torchvision, which not every machine has. Where it is absent the processor is put
together without one: no model needs it for pictures and sound, and videos are shown as their frames.
"""

from __future__ import annotations

import importlib.util
import inspect
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from harness.failures import SampleError
from models.checkpoint_error import CheckpointError
from models.hf.outline import REMEDY, Outline, processor_attributes

LOCAL = {"trust_remote_code": False, "local_files_only": True}


def load_processor(folder: Path, outline: Outline) -> Any:
    """Raises CheckpointError naming what is missing. A model that only reads has a tokenizer for its processor."""
    try:
        processor = _loaded(folder, outline)
        words = _words(tokenizer_of(processor))
    except Exception as error:  # a broken or absent file makes the library raise nearly anything
        reason = (str(error).strip() or type(error).__name__).partition("\n")[0]
        raise CheckpointError(f"{folder}: its processor or tokenizer cannot be loaded: {reason}\n{REMEDY}") from error
    if words == 0:
        raise CheckpointError(
            f"{folder}: its tokenizer knows no words: tokenizer.json, or the files that take its place, are missing or "
            f"empty.\n{REMEDY}"
        )
    if not outline.recognises and not _has_template(processor):
        raise CheckpointError(
            f"{folder}: there is no chat template (chat_template.jinja, or chat_template in tokenizer_config.json), so "
            f"that nothing can be asked. A base model is none that chats: name its instruct or chat version.\n{REMEDY}"
        )
    return processor


def _loaded(folder: Path, outline: Outline) -> Any:
    import transformers

    if outline.kind == "text":
        return transformers.AutoTokenizer.from_pretrained(folder, **LOCAL)
    if "video_processor" in processor_attributes(outline.model_type) and not has_torchvision():
        return _without_video(folder, outline)
    return transformers.AutoProcessor.from_pretrained(folder, **LOCAL)


def _words(tokenizer: Any) -> int | None:
    """Tokens but for those that are added to a vocabulary; None where it does not say.

    Some tokenizers of the library are made without a complaint where their files are missing, and read nothing.
    """
    try:
        return len(tokenizer.get_vocab().keys() - tokenizer.get_added_vocab().keys())
    except (AttributeError, NotImplementedError):  # that of mistral-common
        return None


def _has_template(processor: Any) -> bool:
    tokenizer = tokenizer_of(processor)
    its_own = type(tokenizer).__name__ == "MistralCommonBackend"
    return its_own or any(getattr(one, "chat_template", None) for one in (processor, tokenizer))


def has_torchvision() -> bool:
    return importlib.util.find_spec("torchvision") is not None


def _without_video(folder: Path, outline: Outline) -> Any:
    import transformers
    from transformers.models.auto.processing_auto import PROCESSOR_MAPPING_NAMES

    base: Any = getattr(transformers, PROCESSOR_MAPPING_NAMES[outline.model_type])

    class WithoutVideo(base):  # type: ignore[misc]
        def check_argument_for_proper_class(self, argument_name: str, argument: Any) -> Any:
            if argument_name == "video_processor" and argument is None:
                return None
            return super().check_argument_for_proper_class(argument_name, argument)

    loaders = {
        "tokenizer": transformers.AutoTokenizer,
        "image_processor": transformers.AutoImageProcessor,
        "feature_extractor": transformers.AutoFeatureExtractor,
    }
    parts = [
        None if name == "video_processor" else loaders[name].from_pretrained(folder, **LOCAL)
        for name in base.get_attributes()
    ]
    settings, _ = base.get_processor_dict(folder, local_files_only=True)
    processor = WithoutVideo.from_args_and_dict(parts, settings)
    if processor.chat_template is None:
        processor.chat_template = getattr(processor.tokenizer, "chat_template", None)
    return processor


def tokenizer_of(processor: Any) -> Any:
    return getattr(processor, "tokenizer", processor)


def sampling_rate(processor: Any) -> int:
    """Hz that the model hears; 16000 where its features do not say."""
    return int(getattr(getattr(processor, "feature_extractor", None), "sampling_rate", None) or 16_000)


def check_whole(processor: Any, features: Mapping[str, Any], sounds: Sequence[npt.NDArray[np.float32]]) -> None:
    """Raises SampleError where features [N, ...] of sounds (float32 [n] at the model's rate) are of their beginnings.

    Whisper's extractor and its like (Qwen2-Audio 30 s, Qwen2.5-Omni 300 s) cut what is longer and do not tell.
    """
    extractor = getattr(processor, "feature_extractor", None)
    most, hop = _longest_sound(extractor), getattr(extractor, "hop_length", None)
    made, longest = features.get("input_features"), max(map(len, sounds), default=0)
    if most is None or hop is None or made is None or longest <= most + hop or len(made) != len(sounds):
        return  # nothing that could be cut, or features of windows, which are more than there are sounds
    if max(made.shape[1:]) * hop <= most:
        rate = sampling_rate(processor)
        raise SampleError(
            f"a recording has {longest / rate:.1f} s, of which the model's processor keeps the first {most / rate:g} s",
            "limit",
        )


def _longest_sound(extractor: Any) -> int | None:
    """Samples of the longest sound that an extractor takes whole; None where it does not say."""
    stated = getattr(extractor, "n_samples", None)
    if stated is None and extractor is not None:
        named = inspect.signature(type(extractor).__call__).parameters.get("max_length")
        stated = named.default if named is not None and isinstance(named.default, int) else None
    return stated
