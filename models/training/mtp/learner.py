"""What a stage of VITA-Audio optimises, and how prediction modules are put behind a model that has fewer."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor, nn

from models.training.mtp.stages import LOSS_WEIGHT, MODULE_PARTS, Stage, is_module
from models.vita_audio.language import MtpModel
from models.vita_audio.loss import Packed, packed_loss

PROJECTION_SCALE = 0.02
"""Standard deviation of the first module's projection at the start."""


class AudioLearner(nn.Module):
    """A model with the loss of a stage. `plus`: the modules' losses never reach the language model (spec section 9)."""

    def __init__(self, model: MtpModel, stage: Stage, plus: bool = False) -> None:
        super().__init__()
        if model.config.modules != stage.modules:
            raise ValueError(
                f"stage {stage.name} has {stage.modules} prediction modules, but the model {model.config.modules}"
            )
        self.model, self.stage, self.plus = model, stage, plus

    @property
    def device(self) -> torch.device:
        return self.model.device

    def trained(self) -> dict[str, nn.Parameter]:
        """What the stage trains, by the name that it has in a checkpoint."""
        named = self.model.named_parameters()
        return {name: parameter for name, parameter in named if self.stage.trains(name, self.model.config)}

    def rate_of(self, name: str) -> float:
        """Of the learning rate, for a parameter of that name."""
        return self.stage.module_rate if is_module(name, self.model.config) else 1.0

    def forward(self, packed: Packed) -> Tensor:
        """The stage's loss on a pack, a scalar."""
        frozen = self.stage.frozen_head
        detach = frozen or self.plus
        return packed_loss(self.model, packed.to(self.device), LOSS_WEIGHT, main=not frozen, detach=detach).total


@torch.no_grad()
def grown(model: MtpModel, modules: int, seed: int) -> MtpModel:
    """A copy of a model with more prediction modules behind it, on the CPU, in eval mode (spec section 9).

    The first one's layer is a copy of the language model's last; its projection is drawn from the seed, its norms are
    1. Each further one is a copy of the one before it. Raises ValueError where the model has more than `modules`.
    """
    old = model.config
    if modules < old.modules:
        raise ValueError(f"the model has {old.modules} prediction modules, which is more than {modules}")
    config = replace(old, num_hidden_layers=old.llm_layers + modules, num_nextn_predict_layers=modules)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        larger = MtpModel(config)
        first = PROJECTION_SCALE * torch.randn(config.hidden_size, 2 * config.hidden_size)
    larger.load_state_dict(larger.state_dict() | {name: tensor.cpu() for name, tensor in model.state_dict().items()})
    layers = larger.model.layers
    for index in range(old.modules, modules):
        layer = config.llm_layers + index
        layers[layer].load_state_dict(layers[layer - 1].state_dict())
        if index == 0:
            larger.mtp_projs[0].weight.copy_(first)
            continue
        for part in MODULE_PARTS:
            own = getattr(larger, part)
            own[index].load_state_dict(own[index - 1].state_dict())
    return larger.eval()
