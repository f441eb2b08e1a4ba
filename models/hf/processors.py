"""The processor of a folder: tokenizer, picture and sound features, chat template.

transformers' video processors need torchvision, which not every machine has. Where it is absent the processor is put
together without one: no model needs it for pictures and sound, and videos are shown as their frames.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

from models.checkpoint_error import CheckpointError
from models.hf.outline import REMEDY, Outline, processor_attributes

LOCAL = {"trust_remote_code": False, "local_files_only": True}


def load_processor(folder: Path, outline: Outline) -> Any:
    """Raises CheckpointError naming what is missing. A model that only reads has a tokenizer for its processor."""
    import transformers

    try:
        if outline.kind == "text":
            return transformers.AutoTokenizer.from_pretrained(folder, **LOCAL)
        if "video_processor" in processor_attributes(outline.model_type) and not has_torchvision():
            return _without_video(folder, outline)
        return transformers.AutoProcessor.from_pretrained(folder, **LOCAL)
    except CheckpointError:
        raise
    except Exception as error:  # a broken or absent file makes the library raise nearly anything
        reason = (str(error).strip() or type(error).__name__).partition("\n")[0]
        raise CheckpointError(f"{folder}: its processor or tokenizer cannot be loaded: {reason}\n{REMEDY}") from error


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
