"""The vision tower: InternViT-300M-448px as VITA-1.5 fine-tuned it.

Facts from the InternViT-300M-448px config and the reference implementation: real LayerNorm, layer scale,
exact GELU, q/k/v biases, no q/k normalisation and no norm after the last block. Parameter names are the
released checkpoint's, under `model.vision_tower.`.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.vita15.config import VisionConfig


class VisionTower(nn.Module):
    """Patch features of the last block. The inner `vision_tower` is the checkpoint's own nesting."""

    def __init__(self, config: VisionConfig) -> None:
        super().__init__()
        self.vision_tower = InternVit(config)

    def forward(self, pixel_values: Tensor) -> Tensor:
        """pixel_values [N, 3, H, W] -> [N, H/patch, W/patch, C], without the class token."""
        hidden = self.vision_tower(pixel_values)
        patch = self.vision_tower.embeddings.patch_size
        rows, columns = pixel_values.shape[-2] // patch, pixel_values.shape[-1] // patch
        return hidden[:, 1:].unflatten(1, (rows, columns))

    def hidden_states(self, pixel_values: Tensor) -> list[Tensor]:
        """The embeddings and the output of each block, each [N, 1 + patches, C]."""
        states = [self.vision_tower.embeddings(pixel_values)]
        for layer in self.vision_tower.encoder.layers:
            states.append(layer(states[-1]))
        return states


class InternVit(nn.Module):
    def __init__(self, config: VisionConfig) -> None:
        super().__init__()
        self.embeddings = PatchEmbeddings(config)
        self.encoder = BlockStack(config)

    def forward(self, pixel_values: Tensor) -> Tensor:
        """[N, 3, H, W] -> [N, 1 + patches, C]; the class token comes first."""
        return self.encoder(self.embeddings(pixel_values))


class PatchEmbeddings(nn.Module):
    def __init__(self, config: VisionConfig) -> None:
        super().__init__()
        self.patch_size = config.patch_size
        self.patches_per_side = config.patches_per_side
        width = config.hidden_size
        self.class_embedding = nn.Parameter(torch.randn(1, 1, width))
        self.patch_embedding = nn.Conv2d(3, width, config.patch_size, stride=config.patch_size)
        self.position_embedding = nn.Parameter(torch.randn(1, 1 + self.patches_per_side**2, width))

    def forward(self, pixel_values: Tensor) -> Tensor:
        """[N, 3, H, W] -> [N, 1 + patches, C]. Raises ValueError if H or W is not a multiple of the patch."""
        if pixel_values.ndim != 4 or any(side == 0 or side % self.patch_size for side in pixel_values.shape[2:]):
            raise ValueError(
                f"pixel_values of shape {tuple(pixel_values.shape)}: expected [N, 3, H, W] with H and W "
                f"multiples of the patch size {self.patch_size}"
            )
        patches = self.patch_embedding(pixel_values)  # [N, C, rows, columns]
        positions = self._positions(patches.shape[2], patches.shape[3])
        tokens = patches.flatten(2).transpose(1, 2)  # [N, rows * columns, C], row by row
        tokens = torch.cat([self.class_embedding.expand(len(tokens), -1, -1), tokens], dim=1)
        return tokens + positions

    def _positions(self, rows: int, columns: int) -> Tensor:
        """Position embeddings for a grid, [1, 1 + rows * columns, C]."""
        side = self.patches_per_side
        if (rows, columns) == (side, side):  # bicubic interpolation to the same grid changes nothing
            return self.position_embedding
        cls, grid = self.position_embedding[:, :1], self.position_embedding[:, 1:]
        grid = grid.unflatten(1, (side, side)).permute(0, 3, 1, 2)  # [1, C, side, side]
        # In fp32: half-precision bicubic weights would blur the positions.
        grid = F.interpolate(grid.float(), size=(rows, columns), mode="bicubic", align_corners=False)
        return torch.cat([cls, grid.flatten(2).transpose(1, 2).to(cls.dtype)], dim=1)


class BlockStack(nn.Module):
    def __init__(self, config: VisionConfig) -> None:
        super().__init__()
        self.layers = nn.ModuleList(Block(config) for _ in range(config.num_hidden_layers))

    def forward(self, x: Tensor) -> Tensor:
        for layer in self.layers:
            x = layer(x)
        return x


class Block(nn.Module):
    """Pre-norm block whose branches are scaled by the learned vectors ls1 and ls2."""

    def __init__(self, config: VisionConfig) -> None:
        super().__init__()
        width = config.hidden_size
        self.attn = Attention(width, config.num_attention_heads)
        self.mlp = Mlp(width, config.intermediate_size)
        self.norm1 = nn.LayerNorm(width, eps=config.layer_norm_eps)
        self.norm2 = nn.LayerNorm(width, eps=config.layer_norm_eps)
        self.ls1 = nn.Parameter(torch.ones(width))
        self.ls2 = nn.Parameter(torch.ones(width))

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.ls1 * self.attn(self.norm1(x))
        return x + self.ls2 * self.mlp(self.norm2(x))


class Attention(nn.Module):
    def __init__(self, width: int, num_heads: int) -> None:
        super().__init__()
        self.num_heads = num_heads
        self.qkv = nn.Linear(width, 3 * width)
        self.proj = nn.Linear(width, width)

    def forward(self, x: Tensor) -> Tensor:
        """[N, S, C] -> [N, S, C]."""
        qkv = self.qkv(x).unflatten(-1, (3, self.num_heads, -1))  # [N, S, 3, heads, head_dim]
        q, k, v = qkv.permute(2, 0, 3, 1, 4).unbind(0)  # each [N, heads, S, head_dim]
        attended = F.scaled_dot_product_attention(q, k, v)
        return self.proj(attended.transpose(1, 2).flatten(2))


class Mlp(nn.Module):
    def __init__(self, width: int, intermediate_size: int) -> None:
        super().__init__()
        self.fc1 = nn.Linear(width, intermediate_size)
        self.fc2 = nn.Linear(intermediate_size, width)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc2(F.gelu(self.fc1(x)))
