"""Several processes that train one model: `torchrun --nproc-per-node 2 -m model.pocket.train …`.

On a processor two processes of one thread each do twice the work of one; two threads in one process
did no more than one, as the matrices are small. Alone, everything here does nothing.
"""

from __future__ import annotations

import os
from collections.abc import Sequence

import torch
from torch import distributed


def join() -> None:
    """Meet the other processes that torchrun has started, if any."""
    if int(os.environ.get("WORLD_SIZE", "1")) > 1:
        distributed.init_process_group("gloo")


def rank() -> int:
    """This process's number; 0 is the one that writes."""
    return distributed.get_rank() if distributed.is_initialized() else 0


def agreed(value: float) -> float:
    """The mean of what every process says: the same for all, so that all stop together."""
    if not distributed.is_initialized():
        return value
    said = torch.tensor(value, dtype=torch.float64)
    distributed.all_reduce(said)
    return said.item() / distributed.get_world_size()


def average_gradients(parameters: Sequence[torch.nn.Parameter]) -> None:
    """Every process goes on with the mean of all gradients; a missing one counts as 0."""
    if not distributed.is_initialized():
        return
    every = torch.cat(
        [p.new_zeros(p.numel()) if p.grad is None else p.grad.flatten() for p in parameters]
    )
    distributed.all_reduce(every)
    every /= distributed.get_world_size()
    pieces = torch.split(every, [parameter.numel() for parameter in parameters])
    for parameter, piece in zip(parameters, pieces, strict=True):
        parameter.grad = piece.view_as(parameter)
