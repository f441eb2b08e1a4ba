"""In which precision a training computes."""

from __future__ import annotations

import torch


def mixed(device: torch.device) -> torch.autocast:
    """A context that computes in bfloat16 where the device multiplies such numbers itself, and else changes nothing:
    a processor without instructions for it imitates them, at a ninth of the speed of float32."""
    return torch.autocast(device.type, torch.bfloat16, enabled=device.type != "cpu" or _multiplies())


def _multiplies() -> bool:
    able = getattr(torch.cpu, "get_capabilities", dict)()  # not in older releases of torch
    return any(able.get(name, False) for name in ("avx512_bf16", "amx_bf16", "bf16"))
