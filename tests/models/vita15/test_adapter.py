"""The model contract, through the registry: every modality, batches, failures that stay alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from PIL import Image

from harness import media as media_files
from harness.ablation import blanked
from harness.contracts import Model, ModelOptions
from harness.failures import SampleError, UsageError
from harness.media import Clip, Extent
from harness.registry import get_model
from harness.types import Generation, LoadedRequest, Media, Message, Pictures, Request, Text
from models.generation import GenerationDefaults
from models.text.tokenizer import byte_tokenizer
from models.vita15.checkpoint import build, save
from models.vita15.config import Vita15Config
from tests.models.asking import ready, responses
from tests.models.vita15.clips import write_video

SHORT = Generation(max_new_tokens=12)
Load = Callable[..., LoadedRequest]


@pytest.fixture(scope="module")
def tiny() -> Model:
    model = get_model("vita15-tiny")(ModelOptions(seed=5))
    model.open()
    return model


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Media]:
    folder = tmp_path_factory.mktemp("media")
    rng = np.random.default_rng(0)
    Image.fromarray(rng.integers(0, 256, (90, 150, 3), dtype=np.uint8)).save(folder / "a.png")
    Image.fromarray(rng.integers(0, 256, (60, 60), dtype=np.uint8)).save(folder / "b.png")
    soundfile.write(folder / "a.wav", rng.normal(0, 0.1, 16_000), 16_000)
    soundfile.write(folder / "b.flac", rng.normal(0, 0.1, (40_000, 2)), 44_100)
    soundfile.write(folder / "short.wav", rng.normal(0, 0.1, 320), 16_000)
    soundfile.write(folder / "silent.wav", np.zeros(16_000), 16_000)
    write_video(folder / "a.mp4", frames=50, fps=10)
    kinds = {".png": "image", ".wav": "audio", ".flac": "audio", ".mp4": "video"}
    return {path.name: Media(kinds[path.suffix], str(path)) for path in folder.iterdir()}  # type: ignore[arg-type]


@pytest.fixture
def load(files: dict[str, Media]) -> Iterator[Load]:
    with ExitStack() as stack:

        def loaded(*parts: str, generation: Generation = SHORT, key: str = "1") -> LoadedRequest:
            built = tuple(files[part] if part in files else Text(part) for part in parts)
            request = Request(key, (Message("user", built),), generation)
            contents = tuple(media_files.load(media) for media in request.media)
            for content in contents:
                if isinstance(content, Clip):
                    stack.enter_context(content)
            return LoadedRequest(request, contents)

        yield loaded


EVERY_MIX = [
    ("Say hello.",),
    ("a.png", "What is this?"),
    ("a.wav",),
    ("b.flac",),
    ("b.png", "a.wav"),
    ("a.mp4", "What happens?"),
    ("a.mp4", "b.flac"),
    ("a.png", "b.png", "Compare.", "a.wav"),
]


def texts(model: Model, batch: Sequence[LoadedRequest], rows: int | None = None) -> list[str]:
    return [response.raw_text or response.text for response in responses(model, batch, rows)]


def test_what_the_model_says_of_itself(tiny: Model) -> None:
    assert (tiny.name, tiny.label, tiny.note) == ("vita15-tiny", "vita15-tiny", "random weights")
    assert tiny.prompt_styles == ("vita", "vlmevalkit")
    assert tiny.capabilities.inputs == {"text", "image", "video", "audio"}
    assert "text" in tiny.capabilities.outputs
    assert tiny.capabilities.channels == "first"
    assert tiny.fingerprint()["seed"] == 5


@pytest.mark.parametrize("parts", EVERY_MIX)
def test_every_mix_of_modalities_is_answered(tiny: Model, load: Load, parts: tuple[str, ...]) -> None:
    (response,) = responses(tiny, [load(*parts)])
    assert response.usage.prompt_tokens > 400  # the system prompt alone has that many bytes
    assert 0 < response.usage.new_tokens <= 12
    assert response.truncated == (response.usage.new_tokens == 12)
    assert response.timings is not None and response.timings.first_token is not None
    assert 0 < response.timings.first_token <= response.timings.end


@pytest.mark.parametrize("size", [2, 8])
def test_greedy_answers_are_the_same_in_any_batch(tiny: Model, load: Load, size: int) -> None:
    alone = [texts(tiny, [load(*parts)])[0] for parts in EVERY_MIX]
    assert len(set(alone)) > 1
    for start in range(0, len(EVERY_MIX), size):
        batch = [load(*parts) for parts in EVERY_MIX[start : start + size]]
        assert texts(tiny, batch) == alone[start : start + size]


def test_sampled_answers_follow_the_seed_and_not_the_batch(tiny: Model, load: Load) -> None:
    warm = replace(SHORT, temperature=1.0, seed=1)
    batch = [load("One.", generation=warm), load("Two.", generation=replace(warm, seed=2))]
    together = texts(tiny, batch)
    assert together == [texts(tiny, [item])[0] for item in batch]
    assert texts(tiny, [load("One.", generation=replace(warm, seed=3))])[0] != together[0]


def test_a_request_that_cannot_be_prepared_says_why(tiny: Model, load: Load) -> None:
    with pytest.raises(SampleError, match="20 ms"):
        tiny.prepare(load("short.wav"))
    with pytest.raises(SampleError, match="more than the model's 4096") as error:
        tiny.prepare(load("x" * 5000))
    assert error.value.kind == "limit"
    with pytest.raises(ValueError, match="lone surrogate"):
        tiny.prepare(load("half \udc00"))
    assert responses(tiny, [load("silent.wav")])


def test_running_out_of_memory_is_left_to_the_engine(tiny: Model, load: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    def exhaust(*_: object, **__: object) -> None:
        raise torch.OutOfMemoryError("no memory")

    batch = ready(tiny, [load("a.wav")])
    monkeypatch.setattr("models.rows.Rows.join", exhaust)
    with pytest.raises(torch.OutOfMemoryError):
        list(tiny.generate(batch, 1))


def test_the_plan_counts_what_the_model_reads(tiny: Model, load: Load) -> None:
    fresh = get_model("vita15-tiny")(ModelOptions(seed=5))  # the plan is made before the weights are opened
    for parts in EVERY_MIX:
        loaded = load(*parts)
        planned = fresh.prompt_tokens(loaded.request, [media_files.probe(media) for media in loaded.request.media])
        read = responses(tiny, [loaded])[0].usage.prompt_tokens
        assert abs(planned - read) <= 2, parts  # a clip's rate rounds


def test_a_picture_without_a_limit_is_planned_at_what_the_release_reads_of_it() -> None:
    request = Request("1", (Message("user", (Media("image", "a"), Text("What?"))),), SHORT)
    release = get_model("vita15")(ModelOptions())
    plain = release.prompt_tokens(replace(request, messages=(Message("user", (Text("What?"),)),)), [])
    tokens = release.prompt_tokens(request, [Extent(width=1600, height=1200)])
    assert 3328 < tokens < 3328 + plain + 100  # 12 tiles and the whole, 256 each, and the text
    one = release.prompt_tokens(replace(request, pictures=Pictures(max_tiles=1)), [Extent(width=1600, height=1200)])
    assert tokens - one == 12 * 256


def test_stop_strings_end_an_answer(tiny: Model, load: Load) -> None:
    (full,) = texts(tiny, [load("Say hello.")])
    mark = full[3:5]
    (cut,) = responses(tiny, [load("Say hello.", generation=replace(SHORT, stop=(mark,)))])
    assert (cut.raw_text or cut.text) == full[: full.index(mark)]
    assert not cut.truncated


@pytest.fixture(scope="module")
def released(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in the released layout whose model answers "☜ok" and ends, whatever it is asked."""
    folder = tmp_path_factory.mktemp("released")
    tokenizer = byte_tokenizer()
    model = build(Vita15Config.tiny(), seed=0)
    chain = [*tokenizer.encode("\n☜ok"), tokenizer.id_of("<|im_end|>")]
    with torch.no_grad():
        for layer in model.model.layers:  # no layer adds anything: a token is told by its own embedding
            layer.self_attn.o_proj.weight.zero_()
            layer.mlp.down_proj.weight.zero_()
        model.lm_head.weight.zero_()
        model.model.embed_tokens.weight.copy_(torch.eye(320)[:, :64])
        model.model.embed_tokens.weight[64:] = 0
        for place, token in enumerate(chain):
            model.model.embed_tokens.weight[token] = torch.eye(64)[place]
        for place, token in enumerate(chain[1:]):
            model.lm_head.weight[token, place] = 1
    save(model, tokenizer, folder, generation=GenerationDefaults((tokenizer.id_of("<|im_end|>"),), 1.05))
    return folder


def test_the_state_mark_is_stripped_and_kept_apart(released: Path, load: Load) -> None:
    model = get_model("vita15")(ModelOptions(weights=str(released)))
    model.open()
    (response,) = responses(model, [load("Say ok.")])
    assert (response.text, response.raw_text, response.truncated) == ("ok", "☜ok", False)
    assert response.usage.new_tokens == 5  # three bytes of the mark and two of the word
    said = model.fingerprint()
    assert said["source"] == str(released)
    assert said["settings"]["repetition_penalty"] == {"value": 1.05, "from": "generation_config.json"}
    assert model.effective(Generation())["repetition_penalty"] == 1.05  # "not set" and 1.0 are two things
    assert model.effective(Generation(repetition_penalty=1.0))["repetition_penalty"] == 1.0
    model.close()
    model.close()


def test_weights_that_are_not_there_or_do_not_fit_are_a_usage_error(released: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no such folder"):
        get_model("vita15")(ModelOptions(weights=str(tmp_path / "absent"))).open()
    with pytest.raises(UsageError, match=r"config\.json"):
        get_model("vita15")(ModelOptions(weights=str(tmp_path))).open()


def test_a_blanked_video_is_answered(tiny: Model, tmp_path: Path) -> None:
    media = media_files.reference("video", write_video(tmp_path / "clip.mp4", 12, 4))
    messages = (Message("user", (media, Text("What is it?"))),)
    with closing(Clip.open(media)) as clip:
        loaded = LoadedRequest(Request("a", messages, Generation(max_new_tokens=4)), (clip,))
        assert responses(tiny, [blanked(loaded, "video")])


def test_the_tiny_model_takes_no_weights() -> None:
    with pytest.raises(UsageError, match="random weights only"):
        get_model("vita15-tiny")(ModelOptions(weights="somewhere"))


def test_an_absent_device_is_told() -> None:
    with pytest.raises(UsageError, match="--device"):
        get_model("vita15-tiny")(ModelOptions(device="cuda:99")).open()
    with pytest.raises(UsageError, match="--device quantum"):
        get_model("vita15-tiny")(ModelOptions(device="quantum")).open()


def test_half_precision_answers(load: Load) -> None:
    model = get_model("vita15-tiny")(ModelOptions(dtype="bfloat16"))
    model.open()
    assert len(responses(model, [load(*parts) for parts in EVERY_MIX])) == len(EVERY_MIX)
