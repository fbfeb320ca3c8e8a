"""How pocket's weights learn: Muon for matrices, AdamW for the rest, and their moving average.

Muon (Keller Jordan, 2024, "Muon: An optimizer for hidden layers") takes the momentum's nearest
orthogonal matrix as the step. Convolutions count as matrices of (out, in × taps).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

import torch
from torch import Tensor

from model.pocket import parallel

AVERAGE_KEEPS: Final = 0.995
LEAST_RATE: Final = 0.02
"""Of the peak, at the end."""


def rate_at(
    fraction: float, step: int, *, peak: float, warmup_steps: int = 50, hold: float = 0.4
) -> float:
    """Linear warm-up, `peak` for the first `hold` of the work, then straight down.

    fraction: share of the work that is done, 0…1; steps that are done count for the warm-up alone.
    """
    decay = min((1 - fraction) / (1 - hold), 1.0)
    return peak * min((step + 1) / warmup_steps, 1.0) * max(decay, LEAST_RATE)


def descend(
    optimizer: torch.optim.Optimizer,
    loss: Tensor,
    parameters: Sequence[torch.nn.Parameter],
    rate: float,
) -> None:
    """One step down the gradient, the same in all processes; the gradient is clipped at 1."""
    for group in optimizer.param_groups:
        group["lr"] = rate
    optimizer.zero_grad()
    torch.autograd.backward(loss)
    parallel.average_gradients(parameters)
    torch.nn.utils.clip_grad_norm_(parameters, 1.0)
    optimizer.step()


@torch.no_grad()
def track(average: torch.nn.Module, model: torch.nn.Module, step: int) -> None:
    """Moves an exponential average of the weights on; at the first steps it forgets sooner."""
    keep = min(AVERAGE_KEEPS, step / (step + 10))
    for kept, now in zip(average.parameters(), model.parameters(), strict=True):
        kept.lerp_(now, 1 - keep)


def orthogonalised(matrix: Tensor, steps: int = 4) -> Tensor:
    """The nearest semi-orthogonal matrix, roughly, by a quintic Newton–Schulz iteration in bf16."""
    a, b, c = 3.4445, -4.7750, 2.0315
    x = matrix.bfloat16()
    tall = x.shape[0] > x.shape[1]
    if tall:
        x = x.T
    x = x / (x.norm() + 1e-7)
    for _ in range(steps):
        gram = x @ x.T
        x = a * x + (b * gram + c * gram @ gram) @ x
    flat: Tensor = x.T if tall else x
    return flat


class Muon(torch.optim.Optimizer):
    """Muon for parameters of two or more dimensions, AdamW for vectors and for `plain` ones.

    Steps are scaled by 0.2·√(larger side), so that one rate suits both (Liu et al. 2025, "Muon is
    scalable for LLM training").
    """

    def __init__(
        self,
        parameters: Iterable[torch.nn.Parameter],
        *,
        rate: float,
        plain: Iterable[torch.nn.Parameter] = (),
        momentum: float = 0.95,
        betas: tuple[float, float] = (0.9, 0.99),
        weight_decay: float = 0.0,
    ) -> None:
        plain_ids = {id(parameter) for parameter in plain}
        every = list(parameters)
        matrices = [p for p in every if p.ndim >= 2 and id(p) not in plain_ids]
        rest = [p for p in every if p.ndim < 2 or id(p) in plain_ids]
        shared = {"lr": rate, "momentum": momentum, "betas": betas, "weight_decay": weight_decay}
        groups = [{"params": matrices, "muon": True}, {"params": rest, "muon": False}]
        super().__init__([group for group in groups if group["params"]], shared)

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> None:  # type: ignore[override]
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is None:
                    continue
                if group["weight_decay"]:
                    parameter.mul_(1 - group["lr"] * group["weight_decay"])
                if group["muon"]:
                    self._step_matrix(parameter, group)
                else:
                    self._step_adam(parameter, group)

    def _step_matrix(self, parameter: Tensor, group: dict[str, Any]) -> None:
        state = self.state[parameter]
        if not state:
            state["velocity"] = torch.zeros_like(parameter)
        assert parameter.grad is not None
        velocity: Tensor = state["velocity"]
        velocity.lerp_(parameter.grad, 1 - group["momentum"])
        ahead = parameter.grad.lerp(velocity, group["momentum"]).reshape(parameter.shape[0], -1)
        scale = 0.2 * float(max(ahead.shape)) ** 0.5
        update = orthogonalised(ahead).reshape(parameter.shape)
        parameter.add_(update.to(parameter.dtype), alpha=-group["lr"] * scale)

    def _step_adam(self, parameter: Tensor, group: dict[str, Any]) -> None:
        state = self.state[parameter]
        if not state:
            state["step"] = 0
            state["first"] = torch.zeros_like(parameter)
            state["second"] = torch.zeros_like(parameter)
        assert parameter.grad is not None
        state["step"] += 1
        first, second = group["betas"]
        state["first"].lerp_(parameter.grad, 1 - first)
        state["second"].mul_(second).addcmul_(parameter.grad, parameter.grad, value=1 - second)
        mean = state["first"] / (1 - first ** state["step"])
        spread = (state["second"] / (1 - second ** state["step"])).sqrt_().add_(1e-8)
        parameter.addcdiv_(mean, spread, value=-group["lr"])
