"""GAN losses: what each side wants, and that neither gives gradients to the other."""

from __future__ import annotations

import torch
from torch import Tensor

from models.training.speech_out.discriminators import (
    Discriminators,
    Opinion,
    PeriodDiscriminator,
    fooling_loss,
    matching_loss,
    telling_loss,
)


def opinion(score: float, *features: float) -> list[Opinion]:
    return [Opinion(torch.full((2, 3), float(score)), [torch.full((2, 4), value) for value in features])]


def waves(seed: int) -> Tensor:
    return 0.1 * torch.randn(2, 3000, generator=torch.Generator().manual_seed(seed))


def test_least_squares():
    assert float(telling_loss(opinion(1), opinion(0))) == 0
    assert float(telling_loss(opinion(0.5), opinion(0.5))) == 0.5
    assert float(telling_loss(opinion(0), opinion(1))) == 2
    assert float(fooling_loss(opinion(1))) == 0 and float(fooling_loss(opinion(-1))) == 4
    assert float(matching_loss(opinion(0, 1.0, 5.0), opinion(0, 2.0, 5.0))) == 0.5


def test_a_period_is_looked_at_in_rows():
    part = PeriodDiscriminator(5)
    wave = torch.zeros(1, 600)
    wave[0, 2::5] = 1.0  # one column alone
    features = part(wave).features[0]
    assert features.shape[-1] == 5
    silent = part(torch.zeros(1, 600)).features[0]
    changed = (features != silent).any(1).any(1)[0]
    assert changed.tolist() == [False, False, True, False, False]


def test_held_discriminators_think_the_same_and_get_no_gradient():
    torch.manual_seed(0)
    discriminators = Discriminators((4, 4))
    made = waves(0).requires_grad_()
    for one, other in zip(discriminators(made), discriminators.held(made), strict=True):
        assert torch.equal(one.scores, other.scores)
    fooling_loss(discriminators.held(made)).backward()
    assert made.grad is not None and made.grad.abs().sum() > 0
    assert all(parameter.grad is None for parameter in discriminators.parameters())


def test_matching_moves_what_was_made_and_not_what_was_recorded():
    torch.manual_seed(0)
    discriminators = Discriminators((4, 4))
    true, made = waves(0).requires_grad_(), waves(1).requires_grad_()
    matching_loss(discriminators.held(true), discriminators.held(made)).backward()
    assert true.grad is None and made.grad is not None and made.grad.abs().sum() > 0


def test_discriminators_learn_to_tell_noise_from_silence():
    torch.manual_seed(0)
    discriminators = Discriminators((4, 4))
    optimizer = torch.optim.Adam(discriminators.parameters(), 1e-2)
    losses = []
    for step in range(40):
        loss = telling_loss(discriminators(waves(step)), discriminators(torch.zeros(2, 3000)))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.6 * losses[0]
