"""The few-step model: one step goes where the guided teacher goes in several.

After "Progressive distillation" (Salimans and Ho 2022) and "On distillation of guided diffusion
models" (Meng et al. 2023), in one go: the teacher's whole way from noise to clip is walked once
with guidance and written down where the student's steps begin; the student then learns the straight
line from each of these places to the next.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import torch
from torch import Tensor

from model.pocket import latents, parallel, scenes
from model.pocket.denoiser import Words2Latents
from model.pocket.latents import Kind, Library
from model.pocket.optimizer import Muon
from model.pocket.progress import Progress, set_rate

STEPS: Final = 4
SUBSTEPS: Final = 3
"""Steps of the teacher for one of the student."""
GUIDANCE: Final = 2.5
WALKING_SHARE: Final = 0.5
"""Share of the minutes in which ways are walked; the rest trains on them."""
RATE: Final = 1e-3
BATCH: Final = 32
AVERAGE_KEEPS: Final = 0.995
KINDS: Final = {Kind.OPENING: 0.72, Kind.GOING_ON: 0.2, Kind.ENDING: 0.08}


@dataclass(frozen=True, slots=True)
class Ways:
    """Where the teacher was. places: (STEPS + 1, clips, channels, frames, height, width) bfloat16,
    normalised latents from noise to clip; given: (frames,) bool, handed over clean."""

    places: Tensor
    captions: tuple[str, ...]
    given: Tensor


def levels(steps: int, shift: float) -> Tensor:
    """Noise levels (steps + 1,) from 1 to 0, as diffusers' flow schedulers space them."""
    even = torch.linspace(1, 0, steps + 1)
    return shift * even / (1 + (shift - 1) * even)


@torch.no_grad()
def walk(
    teacher: Words2Latents,
    clean: Tensor,
    captions: Sequence[str],
    given: Tensor,
    *,
    shift: float,
    guidance: float = GUIDANCE,
) -> Ways:
    """The teacher's way with guidance, by Euler steps. clean: latents; `given` ones are kept."""
    kept = given[None, None, :, None, None]
    now = torch.where(kept, clean, torch.randn_like(clean))
    fine, places = levels(STEPS * SUBSTEPS, shift), [now]
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


def loss_of(student: Words2Latents, ways: Ways, chosen: Tensor, step: int, shift: float) -> Tensor:
    """Squared error of the student's velocity at the start of `step`, over what is not given."""
    coarse = levels(STEPS, shift)
    start, end = ways.places[step, chosen].float(), ways.places[step + 1, chosen].float()
    wanted = (start - end) / (coarse[step] - coarse[step + 1])
    captions = [ways.captions[int(index)] for index in chosen]
    found = student.velocity(start, captions, ways.given, coarse[step].expand(len(captions)))
    free = (~ways.given).float()[None, None, :, None, None]
    error = (found - wanted).square() * free
    mean: Tensor = error.mean() / free.mean()
    return mean


def train(
    out: Path,
    minutes: float,
    teacher: Words2Latents,
    library: Library,
    mean: Tensor,
    deviation: Tensor,
    *,
    shift: float,
    sizes: Sequence[tuple[int, int]] = ((96, 96), (160, 96), (96, 160)),
    seed: int = 3,
    save_every_s: float = 120,
) -> Words2Latents:
    """Walk, then learn; the student's average is in `out`/distil.pt and given back.

    A run that is stopped goes on from the ways that it had walked, and from what it had learnt.
    """
    torch.manual_seed(seed)
    teacher.eval().requires_grad_(False)
    progress = Progress(out / "distil.pt", minutes)
    student = copy.deepcopy(teacher).requires_grad_(True)
    average = copy.deepcopy(teacher)
    parameters = list(student.transformer.parameters())
    optimizer = Muon(
        parameters, rate=RATE, plain=[p for p in parameters if p.ndim == 3], weight_decay=0.0
    )
    if state := progress.resume():
        student.load_state_dict(state["model"])
        average.load_state_dict(state["average"])
        optimizer.load_state_dict(state["optimizer"])
    folder = out / "ways"
    folder.mkdir(parents=True, exist_ok=True)
    walked = len(list(folder.glob("*.pt")))
    plan = np.random.default_rng([seed, progress.step])
    rng = np.random.default_rng([seed, progress.step, parallel.rank(), walked])
    torch.manual_seed(int(rng.integers(2**31)))
    with torch.autocast("cpu", torch.bfloat16):
        while parallel.agreed(progress.fraction) < WALKING_SHARE:
            _walk_some(folder, teacher, library, mean, deviation, rng, sizes, shift)
    every = [_read(path) for path in sorted(folder.glob("*.pt"))]
    losses: list[float] = []
    while (fraction := parallel.agreed(progress.fraction)) < 1:
        share = (fraction - WALKING_SHARE) / (1 - WALKING_SHARE)
        set_rate(optimizer, RATE * min((progress.step + 1) / 20, 1) * max(1 - share, 0.03))
        ways = every[int(plan.integers(len(every)))]
        chosen = torch.from_numpy(rng.permutation(len(ways.captions))[:BATCH])
        with torch.autocast("cpu", torch.bfloat16):
            loss = loss_of(student, ways, chosen, int(plan.integers(STEPS)), shift)
        optimizer.zero_grad()
        torch.autograd.backward(loss)
        parallel.average_gradients(parameters)
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        progress.step += 1
        with torch.no_grad():
            keep = min(AVERAGE_KEEPS, progress.step / (progress.step + 10))
            for kept, new in zip(average.parameters(), student.parameters(), strict=True):
                kept.lerp_(new, 1 - keep)
        losses.append(loss.item())
        if parallel.rank() == 0 and len(losses) == 50:
            progress.log(loss=float(np.mean(losses)), ways=sum(len(w.captions) for w in every))
            losses.clear()
        if parallel.rank() == 0 and progress.due(save_every_s):
            _save(progress, student, average, optimizer)
    if parallel.rank() == 0:
        _save(progress, student, average, optimizer)
    return average


def _save(
    progress: Progress, student: Words2Latents, average: Words2Latents, optimizer: Muon
) -> None:
    progress.save(
        model=student.state_dict(),
        average=average.state_dict(),
        optimizer=optimizer.state_dict(),
    )


def _walk_some(
    folder: Path,
    teacher: Words2Latents,
    library: Library,
    mean: Tensor,
    deviation: Tensor,
    rng: np.random.Generator,
    sizes: Sequence[tuple[int, int]],
    shift: float,
) -> None:
    """One batch of ways more, as a file."""
    kind = list(KINDS)[int(rng.choice(len(KINDS), p=list(KINDS.values())))]
    size = sizes[0] if rng.random() < 0.75 else sizes[1 + int(rng.integers(len(sizes) - 1))]
    raw, shown = library.batch(rng, size, kind, BATCH)
    given = torch.zeros(raw.shape[2], dtype=torch.bool)
    match kind:
        case Kind.OPENING:
            given[0] = rng.random() < 0.2
        case Kind.GOING_ON:
            given[:2] = True
        case Kind.ENDING:
            given[0], given[-1] = rng.random() < 0.8, True
    captions = ["" if rng.random() < 0.03 else scenes.caption(one, rng) for one in shown]
    ways = walk(teacher, latents.normalise(raw, mean, deviation), captions, given, shift=shift)
    mine = f"{parallel.rank()}-"
    fresh = folder / f"{mine}{len(list(folder.glob(f'{mine}*.pt'))):05d}.part"
    torch.save({"places": ways.places, "captions": list(captions), "given": given}, fresh)
    fresh.replace(fresh.with_suffix(".pt"))


def _read(path: Path) -> Ways:
    kept = torch.load(path, weights_only=True)
    return Ways(kept["places"], tuple(kept["captions"]), kept["given"])
