"""A training of VITA-Audio with real sound at a size of seconds, every stage in its order."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from models.training import vita_audio
from models.training.codes.readings import answers
from models.training.codes.run import STAGES as SPEECH_STAGES
from models.training.codes.run import SpeechTraining
from models.training.codes.sizes import Effort, SpeechSize
from models.training.codes.world import speaking_tokenizer
from models.training.mtp.sizes import SIZES, Size
from models.training.mtp.stages import STAGES
from models.training.vita_audio import Training
from models.vita_audio.decoder_config import FlowConfig, VocoderConfig
from models.vita_audio.speech_tokenizer import TokenizerConfig

CODES = 64
SPEECH = SpeechSize(
    TokenizerConfig.tiny(),
    FlowConfig.tiny(),
    VocoderConfig.tiny(),
    sentences=6,
    facts=6,
    readings=len(answers()) + 4,
    held_out=6,
    efforts={name: Effort(2, 4, 1e-3) for name in ("phonemes", "codes", "vocoder", "flow")},
)


@pytest.fixture(scope="session")
def speech(tmp_path_factory: pytest.TempPathFactory) -> SpeechTraining:
    done = SpeechTraining(SPEECH, 0, tmp_path_factory.mktemp("vita-audio-mini"))
    for name in SPEECH_STAGES:
        done.run(name)
    return done


@pytest.fixture(scope="session")
def language(speech: SpeechTraining) -> Iterator[Training]:
    tiny = SIZES["tiny"]
    size = Size(tiny.config, lambda: speaking_tokenizer(CODES), tiny.changes, SPEECH)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(vita_audio, "SIZES", {**SIZES, "test": size})
        patch.setattr(vita_audio, "CONTROL_PACKS", 1)
        done = Training("test", 0, speech.out, "cpu", steps=2)
        for name in STAGES:
            done.run(name)
        yield done
