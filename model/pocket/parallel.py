"""Several processes that train one model: `torchrun --nproc-per-node 2 -m model.pocket.train …`.

On a processor two processes of one thread each do twice the work of one; two threads in one process
did no more than one, as the matrices are small. They start alike, take the same turns, learn from
their own clips, and go on with the mean of what they learnt. Alone, everything here does nothing.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

import numpy as np
import torch
from torch import distributed

from model.pocket import hardware

T = TypeVar("T")


@contextmanager
def joined(device: torch.device) -> Iterator[None]:
    """Together with the other processes that torchrun has started, if any. device: this one's."""
    if int(os.environ.get("WORLD_SIZE", "1")) == 1:
        yield
        return
    if device.type == "cuda":
        torch.cuda.set_device(device)
    distributed.init_process_group(hardware.backend(device))
    try:
        yield
    finally:
        distributed.destroy_process_group()


def rank() -> int:
    """This process's number; 0 is the one that writes checkpoints and logs."""
    return distributed.get_rank() if distributed.is_initialized() else 0


def share(work: Sequence[T]) -> Sequence[T]:
    """This process's part of what is to be done once."""
    return work[rank() :: distributed.get_world_size()] if distributed.is_initialized() else work


def meet() -> None:
    """Go on once every process is here: what it has written may then be read."""
    if distributed.is_initialized():
        distributed.barrier()


def told(said: T) -> T:
    """What process 0 says: the same for all."""
    if not distributed.is_initialized():
        return said
    heard = [said]
    distributed.broadcast_object_list(heard)
    return heard[0]


def agreed(value: float) -> float:
    """The mean of what every process says: the same for all, so that all stop together."""
    if not distributed.is_initialized():
        return value
    said = torch.tensor(value, dtype=torch.float64)
    distributed.all_reduce(said)
    return said.item() / distributed.get_world_size()


def generators(*seed: int) -> tuple[np.random.Generator, np.random.Generator]:
    """One for turns that all take alike, and one, with torch's, that is this process's own."""
    own = np.random.default_rng([*seed, rank()])
    torch.manual_seed(int(own.integers(2**31)))
    return np.random.default_rng(seed), own


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
