"""FireFly's quantiser: a quarter of the frames, and finite scalar quantisation in groups of channels.

A group's channels are projected to one number for each level count; each is squashed and rounded to that many levels,
and their digits make the code, the first digit counting ones.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from models.nexus_o.firefly_config import FireflyConfig
from models.nexus_o.firefly_layers import CausalConv, CausalUp, ConvNeXtBlock, History

MARGIN = 1e-3  # how far beyond the outermost level squashed numbers reach, of half the range


class GroupQuantizer(nn.Module):
    """One group: `width` channels <-> codes 0 to the product of `levels`, less one."""

    def __init__(self, width: int, levels: tuple[int, ...]) -> None:
        super().__init__()
        self.levels = levels
        self.project_in = nn.Linear(width, len(levels))
        self.project_out = nn.Linear(len(levels), width)

    def squashed(self, x: Tensor) -> Tensor:
        """[..., width] -> what is rounded, [..., len(levels)], each between its lowest and its highest level"""
        # the residual quantiser squashes its input, and the only quantiser in it squashes that again
        return squash(squash(self.project_in(x), self.levels), self.levels)

    def encode(self, x: Tensor) -> Tensor:
        """[..., width] -> codes [...], int64"""
        levels = torch.tensor(self.levels, device=x.device)
        places = self.squashed(x).round().long() + levels // 2
        return (places * _weights(levels)).sum(-1)

    def decode(self, codes: Tensor) -> Tensor:
        """codes [...] -> [..., width]"""
        return self.project_out(digits(codes, self.levels).to(self.project_out.weight.dtype))


class _Groups(nn.Module):
    """Named as in the release; a group holds one quantiser."""

    def __init__(self, groups: int, width: int, levels: tuple[int, ...]) -> None:
        super().__init__()
        self.rvqs = nn.ModuleList(GroupQuantizer(width // groups, levels) for _ in range(groups))


class Quantizer(nn.Module):
    def __init__(self, config: FireflyConfig) -> None:
        super().__init__()
        width, sizes = config.width, config.quantizer
        self.codes = config.codes
        self.residual_fsq = _Groups(sizes.groups, width, sizes.levels)
        self.downsample = nn.ModuleList(
            nn.ModuleList([CausalConv(width, width, factor, stride=factor), ConvNeXtBlock(width)])
            for factor in sizes.factors
        )
        self.upsample = nn.ModuleList(
            nn.ModuleList([CausalUp(width, width, factor, factor), ConvNeXtBlock(width)])
            for factor in reversed(sizes.factors)
        )

    def encode(self, features: Tensor) -> Tensor:
        """[B, width, T] -> codes [B, groups, T / 4 rounded up], int64"""
        groups, parts = self.residual_fsq.rvqs, self.parts(features)
        return torch.stack([group.encode(part) for group, part in zip(groups, parts, strict=True)], dim=1)

    def parts(self, features: Tensor) -> tuple[Tensor, ...]:
        """What each group quantises: [B, width, T] -> [B, T / 4 rounded up, width / groups] for each."""
        x = features
        for shorten, block in self.downsample:
            x = block(shorten(x))
        return x.transpose(1, 2).chunk(len(self.residual_fsq.rvqs), dim=-1)

    def embed(self, codes: Tensor) -> Tensor:
        """Codes [B, groups, T] -> what they stand for, [B, width, T].

        Raises ValueError naming a fault: another shape, no frame, numbers that are not whole, an id that is no code.
        """
        check_codes(codes, len(self.residual_fsq.rvqs), self.codes)
        parts = [group.decode(codes[:, i]) for i, group in enumerate(self.residual_fsq.rvqs)]
        return torch.cat(parts, dim=-1).transpose(1, 2)

    def decode(self, codes: Tensor, history: History | None = None) -> Tensor:
        """Codes [B, groups, T] -> features [B, width, 4 * T]; raises as `embed`."""
        return self.lengthened(self.embed(codes), history)

    def lengthened(self, embedded: Tensor, history: History | None = None) -> Tensor:
        """What codes stand for, [B, width, T], at the mel frame rate: [B, width, 4 * T]"""
        x = embedded
        for lengthen, block in self.upsample:
            x = block(lengthen(x, history), history)
        return x


def squash(x: Tensor, levels: tuple[int, ...]) -> Tensor:
    """Bring each of [..., len(levels)] smoothly between its lowest and its highest level.

    Rounding then gives -(L // 2) to (L - 1) // 2: an even number of levels has one more below 0 than above.
    """
    count = torch.tensor(levels, device=x.device)
    half = (count - 1) * (1 + MARGIN) / 2
    offset = (count % 2 == 0) * 0.5
    return torch.tanh(x + torch.atanh(offset / half)) * half - offset


def digits(codes: Tensor, levels: tuple[int, ...]) -> Tensor:
    """Codes [...] -> their numbers [..., len(levels)] in -1..1, fp32; with 8 levels the highest is 0.75."""
    count = torch.tensor(levels, device=codes.device)
    places = codes[..., None] // _weights(count) % count
    return (places - count // 2) / (count // 2)


def check_codes(codes: Tensor, streams: int, size: int) -> None:
    """Raise ValueError unless these are ids [B, streams, T] of 0 to `size` - 1 with at least one frame."""
    if codes.ndim != 3 or codes.shape[1] != streams or not codes.shape[0]:
        raise ValueError(f"codes of shape {list(codes.shape)}: expected [B, {streams}, T], {streams} streams of codes")
    if not codes.shape[2]:
        raise ValueError("codes are empty: expected at least one frame")
    if codes.is_floating_point() or codes.is_complex() or codes.dtype == torch.bool:
        raise ValueError(f"codes are {codes.dtype}: expected whole numbers")
    wrong = ((codes < 0) | (codes >= size)).nonzero()
    if len(wrong):
        row, stream, frame = wrong[0].tolist()
        raise ValueError(
            f"code {int(codes[row, stream, frame])} in row {row}, stream {stream}, frame {frame}: "
            f"there are 0 to {size - 1}; bar other ids when codes are drawn"
        )


def _weights(levels: Tensor) -> Tensor:
    """What a digit counts: 1, L0, L0 * L1, ..."""
    return levels.cumprod(0) // levels
