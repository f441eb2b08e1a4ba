import pytest
import torch
from torch import Tensor

from models.vita15.config import VisionConfig, Vita15Config
from models.vita15.vision import VisionTower

# The vision tower of the released checkpoint, without the prefix `model.vision_tower.`.
RELEASED = {
    "embeddings.class_embedding": (1, 1, 1024),
    "embeddings.position_embedding": (1, 1025, 1024),
    "embeddings.patch_embedding.weight": (1024, 3, 14, 14),
    "embeddings.patch_embedding.bias": (1024,),
}
RELEASED_LAYER = {
    "ls1": (1024,),
    "ls2": (1024,),
    "attn.qkv.weight": (3072, 1024),
    "attn.qkv.bias": (3072,),
    "attn.proj.weight": (1024, 1024),
    "attn.proj.bias": (1024,),
    "mlp.fc1.weight": (4096, 1024),
    "mlp.fc1.bias": (4096,),
    "mlp.fc2.weight": (1024, 4096),
    "mlp.fc2.bias": (1024,),
    "norm1.weight": (1024,),
    "norm1.bias": (1024,),
    "norm2.weight": (1024,),
    "norm2.bias": (1024,),
}


@pytest.fixture(scope="module")
def tower() -> VisionTower:
    torch.manual_seed(0)
    return VisionTower(Vita15Config.tiny().vision).eval()


def pixels(*shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(1))


def test_published_tower_has_the_released_parameters() -> None:
    with torch.device("meta"):
        state = VisionTower(VisionConfig()).state_dict()
    expected = {f"vision_tower.{name}": shape for name, shape in RELEASED.items()}
    for layer in range(24):
        prefix = f"vision_tower.encoder.layers.{layer}."
        expected |= {prefix + name: shape for name, shape in RELEASED_LAYER.items()}
    assert {name: tuple(value.shape) for name, value in state.items()} == expected


@torch.no_grad()
def test_features_are_the_last_hidden_state_without_the_class_token(tower: VisionTower) -> None:
    images = pixels(2, 3, 56, 56)
    patches, states = tower(images), tower.hidden_states(images)
    assert patches.shape == (2, 4, 4, 32)
    assert len(states) == 3
    torch.testing.assert_close(patches.flatten(1, 2), states[-1][:, 1:])


@torch.no_grad()
def test_an_image_does_not_depend_on_its_batch(tower: VisionTower) -> None:
    images = pixels(3, 3, 56, 56)
    torch.testing.assert_close(tower(images)[1], tower(images[1:2])[0])


@torch.no_grad()
@pytest.mark.parametrize(("height", "width"), [(28, 28), (84, 56), (28, 140)])
def test_other_sizes_interpolate_the_positions(tower: VisionTower, height: int, width: int) -> None:
    patches = tower(pixels(1, 3, height, width))
    assert patches.shape == (1, height // 14, width // 14, 32)
    assert patches.isfinite().all()


@torch.no_grad()
def test_interpolating_to_the_trained_grid_would_change_nothing(tower: VisionTower) -> None:
    embeddings = tower.vision_tower.embeddings
    grid = embeddings.position_embedding[:, 1:].unflatten(1, (4, 4)).permute(0, 3, 1, 2)
    resized = torch.nn.functional.interpolate(grid, size=(4, 4), mode="bicubic", align_corners=False)
    torch.testing.assert_close(resized, grid)
    assert embeddings._positions(4, 4) is embeddings.position_embedding


@torch.no_grad()
def test_half_precision_stays_near(tower: VisionTower) -> None:
    images = pixels(1, 3, 84, 84)
    expected = tower(images)
    half = VisionTower(Vita15Config.tiny().vision)
    half.load_state_dict(tower.state_dict())
    got = half.bfloat16()(images.bfloat16())
    assert got.dtype == torch.bfloat16
    assert (got.float() - expected).abs().mean() < 0.05 * expected.abs().mean()


@pytest.mark.parametrize("shape", [(1, 3, 56, 57), (3, 56, 56), (1, 3, 0, 56)])
def test_sizes_that_are_not_whole_patches_are_refused(tower: VisionTower, shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="patch size 14"):
        tower(torch.zeros(shape))


@pytest.mark.parametrize("fields", [{"image_size": 450}, {"image_size": 42}, {"num_attention_heads": 7}])
def test_config_refuses_sizes_that_do_not_fit(fields: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="multiple of"):
        VisionConfig(**fields)
