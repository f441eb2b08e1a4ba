"""Names of tasks, models and suites -> where they live.

A name maps to "package.module:attribute" and is imported when it is asked for, so that listing names costs
nothing. Other packages add theirs with entry points in the groups `harness.tasks`, `harness.models` and
`harness.judges` (recognisers and language models that score answers); an entry point's value has the same form.
"""

from __future__ import annotations

import difflib
import importlib
import importlib.util
from collections.abc import Mapping
from functools import cache, partial
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, Literal, cast

from harness.contracts import DType, JudgeFactory, ModelFactory
from harness.exporting import Exporter
from harness.failures import UsageError
from harness.task import Task

Group = Literal["tasks", "models", "judges", "exporters"]

ASR = (
    "librispeech_dev_clean",
    "librispeech_dev_other",
    "librispeech_test_clean",
    "librispeech_test_other",
    "aishell1",
    "aishell2_ios",
    "aishell2_android",
    "aishell2_mic",
    "wenetspeech_net",
    "wenetspeech_meeting",
    "fleurs_en",
    "fleurs_zh",
)

_BUILT_IN: dict[Group, dict[str, str]] = {
    "tasks": {
        "librispeech_dev_clean": "tasks.speech.librispeech:DEV_CLEAN",
        "librispeech_dev_other": "tasks.speech.librispeech:DEV_OTHER",
        "librispeech_test_clean": "tasks.speech.librispeech:TEST_CLEAN",
        "librispeech_test_other": "tasks.speech.librispeech:TEST_OTHER",
        "aishell1": "tasks.speech.aishell1:AISHELL1",
        "aishell2_ios": "tasks.speech.aishell2:IOS",
        "aishell2_android": "tasks.speech.aishell2:ANDROID",
        "aishell2_mic": "tasks.speech.aishell2:MIC",
        "wenetspeech_net": "tasks.speech.wenetspeech:NET",
        "wenetspeech_meeting": "tasks.speech.wenetspeech:MEETING",
        "fleurs_en": "tasks.speech.fleurs:EN",
        "fleurs_zh": "tasks.speech.fleurs:ZH",
        "seedtts_zh": "tasks.speech.seedtts:ZH",
        "seedtts_en": "tasks.speech.seedtts:EN",
        "seedtts_hard": "tasks.speech.seedtts:HARD",
        "libritts_test_clean": "tasks.speech.libritts:TEST_CLEAN",
        "covost2_zh_en": "tasks.speech.covost2:ZH_EN",
        "covost2_en_zh": "tasks.speech.covost2:EN_ZH",
        "llama_questions": "tasks.speech.spoken_qa:LLAMA_QUESTIONS",
        "trivia_qa_audio": "tasks.speech.spoken_qa:TRIVIA_QA",
        "web_questions_audio": "tasks.speech.spoken_qa:WEB_QUESTIONS",
        "mme": "tasks.image.mme:MME",
        "mmbench_en": "tasks.image.mmbench:EN",
        "mmbench_cn": "tasks.image.mmbench:CN",
        "mmbench_en_v10": "tasks.image.mmbench:EN_V10",
        "mmbench_cn_v10": "tasks.image.mmbench:CN_V10",
        "mmbench_en_test": "tasks.image.mmbench:EN_TEST",
        "mmbench_cn_test": "tasks.image.mmbench:CN_TEST",
        "mmbench_en_test_v10": "tasks.image.mmbench:EN_TEST_V10",
        "mmbench_cn_test_v10": "tasks.image.mmbench:CN_TEST_V10",
        "mmstar": "tasks.image.mmstar:MMSTAR",
        "mmmu": "tasks.image.mmmu:MMMU",
        "mathvista": "tasks.image.mathvista:MATHVISTA",
        "hallusionbench": "tasks.image.hallusionbench:HALLUSIONBENCH",
        "ai2d": "tasks.image.ai2d:AI2D",
        "ocrbench": "tasks.image.ocrbench:OCRBENCH",
        "mmvet": "tasks.image.mmvet:MMVET",
        "videomme": "tasks.video.videomme:VIDEOMME",
        "videomme_subtitles": "tasks.video.videomme:SUBTITLED",
        "mvbench": "tasks.video.mvbench:MVBENCH",
        "tempcompass": "tasks.video.tempcompass:TEMPCOMPASS",
        "latency_fixed": "tasks.latency:FIXED",
        "latency_spoken": "tasks.latency:SPOKEN",
    },
    "models": {
        "vita15": "models.vita15.adapter:vita15",
        "vita15-mini": "models.vita15.adapter:vita15_mini",
        "vita15-tiny": "models.vita15.adapter:vita15_tiny",
        "vita-audio-boost": "models.vita_audio.adapter:boost",
        "vita-audio-balance": "models.vita_audio.adapter:balance",
        "vita-audio-plus-vanilla": "models.vita_audio.adapter:plus_vanilla",
        "vita-audio-plus-boost": "models.vita_audio.adapter:plus_boost",
        "vita-audio-mini": "models.vita_audio.adapter:mini",
        "vita-audio-tiny": "models.vita_audio.adapter:tiny",
        "nexus-o": "models.nexus_o.adapter:nexus_o",
        "nexus-o-mini": "models.nexus_o.adapter:nexus_o_mini",
        "nexus-o-tiny": "models.nexus_o.adapter:nexus_o_tiny",
        "echo": "models.echo:echo",
    },
    "judges": {
        "llm": "tasks.judges.llm:llm",
        "mini-ctc": "tasks.judges.mini_ctc.judge:mini_ctc",
        "whisper": "tasks.judges.speech.whisper:whisper",
        "paraformer-zh": "tasks.judges.speech.paraformer:paraformer_zh",
        "wavlm-sv": "tasks.judges.speech.wavlm:wavlm_sv",
    },
    "exporters": {
        "wandb": "reports.exporters.wandb:export",
        "tensorboard": "reports.exporters.tensorboard:export",
    },
}

PREFIXES: Mapping[Group, Mapping[str, str]] = {
    "models": {
        "transformers:": "models.hf.model:transformers_model",
        "openai:": "models.openai_compatible.adapter:openai_model",
    },
    "tasks": {"lmms:": "tasks.lmms:task"},
}
"""Prefix -> function that makes what the rest of the name names: a task of the rest, a model of rest and options.
`names` in a task's module lists some of them, `members` gives the tasks of a suite of its own."""

_PREFIX_DTYPES: Mapping[str, str] = {"transformers:": "models.hf.loading:dtype"}
"""Prefix -> function of the rest: the type in which that model was released."""

_RELEASED_DTYPES: Mapping[str, DType] = {
    name: "bfloat16" for name in _BUILT_IN["models"] if name.startswith(("vita-audio", "nexus-o"))
}

COMMANDS = (
    "harness.cache_commands:add",
    "harness.upkeep.commands:add",
    "harness.supply.commands:add",
    "harness.sync.commands:add",
    "harness.manual:add",
    "reports.commands:add",
    "alignment_probes.commands:add",
)
"""Functions that add more commands to the command line, those of other packages among them."""

SUITES: Mapping[str, tuple[str, ...]] = {
    "asr": ASR,
    "tts": ("seedtts_zh", "seedtts_en", "seedtts_hard", "libritts_test_clean"),
    "s2tt": ("covost2_zh_en", "covost2_en_zh"),
    "sqa": ("llama_questions", "trivia_qa_audio", "web_questions_audio"),
    "image": (
        "mmbench_en",
        "mmbench_cn",
        "mmstar",
        "mmmu",
        "mathvista",
        "hallusionbench",
        "ai2d",
        "ocrbench",
        "mmvet",
        "mme",
    ),
    "video": ("videomme", "videomme_subtitles", "mvbench", "tempcompass"),
    "latency": ("latency_fixed", "latency_spoken"),
}


@cache
def _addresses(group: Group) -> dict[str, str]:
    """Name -> address; an entry point cannot take the place of a built-in name."""
    plugins = {e.name: e.value for e in entry_points(group=f"harness.{group}")}
    return plugins | _BUILT_IN[group]


def names(group: Group) -> list[str]:
    """All names of a group, the built-in ones first and in their own order."""
    built_in = list(_BUILT_IN[group])
    return built_in + sorted(set(_addresses(group)) - set(built_in))


def prefix_of(group: Group, name: str) -> str | None:
    """The prefix that a name begins with, where it has one."""
    return next((prefix for prefix in PREFIXES.get(group, {}) if name.startswith(prefix)), None)


def names_after(group: Group, prefix: str) -> list[str]:
    """Full names with a prefix, for completion."""
    module = PREFIXES[group][prefix].partition(":")[0]
    return [prefix + name for name in load_address(f"{module}:names")()]


def get_task(name: str) -> Task:
    return cast(Task, _load("tasks", name))


def get_model(name: str) -> ModelFactory:
    return cast(ModelFactory, _load("models", name))


def released_dtype(name: str) -> DType:
    """The type in which a model was released, which is what it runs in on an accelerator."""
    prefix = prefix_of("models", name)
    if prefix is not None and prefix in _PREFIX_DTYPES:
        return cast(DType, load_address(_PREFIX_DTYPES[prefix])(name.removeprefix(prefix)))
    return _RELEASED_DTYPES.get(name, "float16")


def get_judge(name: str) -> JudgeFactory:
    return cast(JudgeFactory, _load("judges", name))


def get_exporter(name: str) -> Exporter:
    return cast(Exporter, _load("exporters", name))


def expand_tasks(text: str) -> list[str]:
    """Comma-separated task and suite names as task names, each once, in the order given."""
    chosen: dict[str, None] = {}
    known = {*names("tasks"), *SUITES}
    for name in filter(None, (piece.strip() for piece in text.split(","))):
        if name not in known and prefix_of("tasks", name) is None:
            raise UsageError(_unknown("task or suite", name, [*SUITES, *names("tasks"), *PREFIXES["tasks"]]))
        chosen |= dict.fromkeys(SUITES.get(name) or _members(name))
    if not chosen:
        raise UsageError(f"no task named. Suites: {', '.join(SUITES)}. `harness list tasks` shows all.")
    return list(chosen)


def _members(name: str) -> list[str]:
    prefix = prefix_of("tasks", name)
    if prefix is None or name == prefix:
        return [name]
    module = PREFIXES["tasks"][prefix].partition(":")[0]
    return [prefix + member for member in load_address(f"{module}:members")(name.removeprefix(prefix))]


def load_address(address: str) -> Any:
    """The object at "package.module:attribute"."""
    module, _, attribute = address.partition(":")
    return getattr(importlib.import_module(module), attribute)


def _load(group: Group, name: str) -> Any:
    if name not in _addresses(group) and (prefix := prefix_of(group, name)) is not None:
        rest, make = name.removeprefix(prefix), load_address(PREFIXES[group][prefix])
        if not rest:
            raise UsageError(f"{prefix} names no {group.removesuffix('s')}: write {prefix}NAME")
        return partial(make, rest) if group == "models" else make(rest)
    try:
        address = _addresses(group)[name]
    except KeyError:
        raise UsageError(_unknown(group.removesuffix("s"), name, [*names(group), *PREFIXES.get(group, {})])) from None
    try:
        return load_address(address)
    except (ImportError, AttributeError) as error:
        if name in _BUILT_IN[group]:
            raise UsageError(shadowed(address.partition(".")[0]) or f"{address} cannot be loaded: {error}") from error
        raise UsageError(
            f"{group.removesuffix('s')} {name!r} of another package cannot be loaded from {address!r}: {error}. "
            f"Mend its entry point in the group harness.{group}, or uninstall that package."
        ) from error


def shadowed(package: str) -> str | None:
    """Which folder stands in the place of one of the harness's own packages, and the remedy; None if none does."""
    here = Path(__file__).resolve().parents[1] / package
    found = importlib.util.find_spec(package)
    places = [Path(place).resolve() for place in (found.submodule_search_locations or ()) if found] if found else []
    if here in places and (len(places) == 1 or places[0] == here):
        return None
    where = ", ".join(map(str, places)) or "nothing"
    return (
        f"the package {package!r} of the harness ({here}) is hidden by {where}. Run from another folder, or take that "
        "folder's parent out of PYTHONPATH."
    )


def _unknown(what: str, name: str, known: list[str]) -> str:
    close = difflib.get_close_matches(name, known, n=3, cutoff=0.5)
    guess = f" Did you mean {' or '.join(close)}?" if close else ""
    return f"unknown {what} {name!r}.{guess} Known: {', '.join(known)}."
