"""What pocket trains on, a GPU or a processor, and what suits each. Nothing else here names one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any, Final

import torch
from torch import Tensor
from torch.nn import functional

PROCESSOR: Final = torch.device("cpu")


def choose(name: str | None, *, gpus: int, process: int = 0) -> torch.device:
    """ "cpu", "cuda" or "cuda:N"; None: a GPU where there is one.

    gpus: how many torch sees. process: torchrun's number for it on this machine; each has a GPU of
    its own. Raises ValueError with what is allowed.
    """
    kind, _, number = (name or ("cuda" if gpus else "cpu")).partition(":")
    if kind not in ("cpu", "cuda") or (number and (kind == "cpu" or not number.isdecimal())):
        raise ValueError('give "cpu", "cuda" or "cuda:N"')
    if kind == "cpu":
        return PROCESSOR
    index = int(number) if number else process
    if index >= gpus:
        raise ValueError(f'torch sees {gpus} GPUs here, and no "cuda:{index}": try "cpu"')
    return torch.device("cuda", index)


def backend(device: torch.device) -> str:
    """How processes talk to each other, in torch's words. On GPUs what is said in plain numbers
    still goes from processor to processor."""
    return "gloo" if device.type == "cpu" else "cpu:gloo,cuda:nccl"


def autocast(device: torch.device) -> torch.autocast:
    return torch.autocast(device.type, torch.bfloat16)


def attention(device: torch.device) -> AbstractContextManager[None]:
    """Attention in float32 on a processor, where its backward pass in bfloat16 is five times
    slower; elsewhere as autocast has it."""
    return _float32_attention() if device.type == "cpu" else nullcontext()


@contextmanager
def _float32_attention() -> Iterator[None]:
    original = functional.scaled_dot_product_attention

    def forward(query: Tensor, key: Tensor, value: Tensor, **options: Any) -> Tensor:
        with torch.autocast(query.device.type, enabled=False):
            out: Tensor = original(query.float(), key.float(), value.float(), **options)
        return out.to(query.dtype)

    functional.scaled_dot_product_attention = forward  # type: ignore[assignment]
    try:
        yield
    finally:
        functional.scaled_dot_product_attention = original
