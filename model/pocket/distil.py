"""The few-step model: one step goes where the guided teacher goes in several.

After "Progressive distillation" (Salimans and Ho 2022) and "On distillation of guided diffusion
models" (Meng et al. 2023), in one go: the teacher's whole way from noise to clip is walked once
with guidance and written down where the student's steps begin; the student then learns the straight
line from each of these places to the next.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from torch import Tensor

from model.pocket import batches, denoiser, hardware, optimizer, parallel, weights
from model.pocket.denoiser import Words2Latents
from model.pocket.latents import Library, Scale, Size
from model.pocket.optimizer import Muon
from model.pocket.progress import Progress

STEPS: Final = 4
SUBSTEPS: Final = 3
"""Steps of the teacher for one of the student."""
GUIDANCE: Final = 2.5
WALKING_SHARE: Final = 0.5
"""Share of the minutes in which ways are walked; the rest trains on them."""
RATE: Final = 1e-3
TOKENS: Final = 1_440
"""In a batch of ways."""
SILENT: Final = 0.03
REPORT_EVERY: Final = 50
"""Steps."""


@dataclass(frozen=True, slots=True)
class Ways:
    """Where the teacher was. places: (STEPS + 1, clips, channels, frames, height, width) bfloat16,
    normalised latents from noise to clip; given: (frames,) bool, handed over clean."""

    places: Tensor
    captions: tuple[str, ...]
    given: Tensor

    def to(self, device: torch.device) -> Ways:
        return replace(self, places=self.places.to(device), given=self.given.to(device))


def levels(steps: int) -> Tensor:
    """Noise levels (steps + 1,) from 1 to 0, as diffusers' flow schedulers space them."""
    even = torch.linspace(1, 0, steps + 1)
    return weights.SHIFT * even / (1 + (weights.SHIFT - 1) * even)


@torch.no_grad()
def walk(
    teacher: Words2Latents,
    clean: Tensor,
    captions: Sequence[str],
    given: Tensor,
    *,
    guidance: float = GUIDANCE,
) -> Ways:
    """The teacher's way with guidance, by Euler steps. clean: latents; `given` ones are kept."""
    kept = given[None, None, :, None, None]
    now = torch.where(kept, clean, torch.randn_like(clean))
    fine, places = levels(STEPS * SUBSTEPS).to(clean.device), [now]
    without = [""] * len(captions)
    for index in range(STEPS * SUBSTEPS):
        times = fine[index].expand(2 * len(captions))
        both = teacher.velocity(torch.cat([now, now]), [*captions, *without], given, times)
        asked, free = both.chunk(2)
        velocity = free + guidance * (asked - free)
        moved = now + (fine[index + 1] - fine[index]) * velocity
        now = torch.where(kept, clean, moved)
        if (index + 1) % SUBSTEPS == 0:
            places.append(now)
    return Ways(torch.stack(places).bfloat16(), tuple(captions), given)


def loss_of(student: Words2Latents, ways: Ways, step: int) -> Tensor:
    """Squared error of the student's velocity at the start of `step`, over what is not given."""
    coarse = levels(STEPS).to(ways.places.device)
    start, end = ways.places[step].float(), ways.places[step + 1].float()
    wanted = (start - end) / (coarse[step] - coarse[step + 1])
    times = coarse[step].expand(len(ways.captions))
    found = student.velocity(start, ways.captions, ways.given, times)
    free = (~ways.given).float()[None, None, :, None, None]
    error = (found - wanted).square() * free
    mean: Tensor = error.mean() / free.mean()
    return mean


def train(
    out: Path,
    minutes: float,
    teacher: Words2Latents,
    scale: Scale,
    *,
    seed: int = 3,
    shares: Mapping[Size, float] = batches.SIZE_SHARES,
) -> Words2Latents:
    """Walk, then learn; the student's average is in `out`/distil.pt and given back.

    A run that is stopped goes on from the ways that it had walked, and from what it had learnt.
    With another teacher it walks and learns anew; the earlier ways stay in their own folder.
    Raises LookupError where `out`/latents has no clips.
    """
    teacher.eval().requires_grad_(False)
    student = copy.deepcopy(teacher).requires_grad_(True)
    average = copy.deepcopy(teacher)
    parameters = list(student.transformer.parameters())
    muon = Muon(parameters, rate=RATE, plain=denoiser.plain_parameters(student.transformer))
    progress = Progress(out / "distil.pt", minutes)
    origin, device = weights.digest(teacher.state_dict()), teacher.device
    if state := progress.resume(lambda kept: kept.get("teacher") == origin):
        student.load_state_dict(state["model"])
        average.load_state_dict(state["average"])
        muon.load_state_dict(state["optimizer"])

    def kept() -> dict[str, Any]:
        return {
            "model": student.state_dict(),
            "average": average.state_dict(),
            "optimizer": muon.state_dict(),
            "teacher": origin,
        }

    folder = out / "ways" / origin[:16]
    folder.mkdir(parents=True, exist_ok=True)
    library = Library(out / "latents", shares)
    library.read_new()
    walked = len(parallel.told(_walked(folder)))
    plan, own = parallel.generators(seed, progress.step, walked)
    for _ in progress.until(WALKING_SHARE, kept):
        batch = batches.draw(library, own, own, tokens=TOKENS, silent=SILENT, shares=shares)
        clean, given = scale.normalise(batch.raw).to(device), batch.given.to(device)
        with hardware.autocast(device):
            ways = walk(teacher, clean, batch.captions, given)
        _write(folder, ways.to(hardware.PROCESSOR))
    every = [_read(path) for path in parallel.told(_walked(folder))]
    losses: list[float] = []
    for fraction in progress.until(1, kept):
        ways, step = every[int(own.integers(len(every)))], int(plan.integers(STEPS))
        with hardware.autocast(device):
            loss = loss_of(student, ways.to(device), step)
        learnt = (fraction - WALKING_SHARE) / (1 - WALKING_SHARE)
        rate = optimizer.rate_at(learnt, progress.step, peak=RATE, warmup_steps=20, hold=0)
        optimizer.descend(muon, loss, parameters, rate)
        progress.step += 1
        optimizer.track(average, student, progress.step)
        losses.append(loss.item())
        if parallel.rank() == 0 and len(losses) == REPORT_EVERY:
            progress.log(loss=float(np.mean(losses)), ways=sum(len(w.captions) for w in every))
            losses.clear()
    return average


def _walked(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.pt"))


def _write(folder: Path, ways: Ways) -> None:
    mine = f"{parallel.rank()}-"
    fresh = folder / f"{mine}{len(list(folder.glob(f'{mine}*.pt'))):05d}.part"
    torch.save({"places": ways.places, "captions": list(ways.captions), "given": ways.given}, fresh)
    fresh.replace(fresh.with_suffix(".pt"))


def _read(path: Path) -> Ways:
    kept = torch.load(path, map_location="cpu", weights_only=True)
    return Ways(kept["places"], tuple(kept["captions"]), kept["given"])
