"""Trains text encoder and transformer together, on clips that were encoded beforehand."""

from __future__ import annotations

import copy
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from diffusers import WanPipeline

from model.pocket import batches, denoiser, hardware, optimizer, parallel
from model.pocket.denoiser import Words2Latents
from model.pocket.latents import Kind, Library, Scale, Size
from model.pocket.optimizer import Muon
from model.pocket.progress import Every, Progress

RATE: Final = 4e-3
TIME_SHIFT: Final = 3.0
"""Training times lean towards noise: most of a simple picture is decided there."""
TOKENS_A_STEP: Final = 2_880
SILENT: Final = 0.1
CONTEXT_ROUGHNESS: Final = 0.04
NEW_CLIPS_EVERY_S: Final = 120.0
REPORT_EVERY_S: Final = 60.0


def train(
    out: Path,
    minutes: float,
    *,
    seed: int = 0,
    size: denoiser.Size = denoiser.DEFAULT_SIZE,
    earlier: WanPipeline | None = None,
    compiled: bool = False,
    shares: Mapping[Size, float] = batches.SIZE_SHARES,
    device: torch.device = hardware.PROCESSOR,
) -> Words2Latents:
    """On the clips in `out`/latents, also those that come while it goes on. Gives the average,
    which is kept in `out`/dit.pt.

    compiled: the transformer as machine code of its own: steps a quarter faster on a processor,
    after about a minute for each shape of a batch. Raises LookupError where there are no clips, and
    ValueError as `denoiser.take_over` does.
    """
    torch.manual_seed(seed)
    model = Words2Latents(size)
    if earlier is not None:
        denoiser.take_over(model, earlier)
    model.to(device)
    average = copy.deepcopy(model)
    if compiled:
        model.transformer.compile(dynamic=False)
    parameters = list(model.parameters())
    plain = denoiser.plain_parameters(model)
    muon = Muon(parameters, rate=RATE, plain=plain, weight_decay=0.01)
    library = Library(out / "latents", shares)
    library.read_new()
    progress = Progress(out / "dit.pt", minutes)
    if state := progress.resume():
        model.load_state_dict(state["model"])
        average.load_state_dict(state["average"])
        muon.load_state_dict(state["optimizer"])
        scale = Scale(state["mean"], state["deviation"])
    else:
        scale = library.scale()

    def kept() -> dict[str, Any]:
        return {
            "model": model.state_dict(),
            "average": average.state_dict(),
            "optimizer": muon.state_dict(),
            "mean": scale.mean,
            "deviation": scale.deviation,
        }

    plan, own = parallel.generators(seed, progress.step)
    losses: dict[Kind, list[float]] = defaultdict(list)
    report, new_clips = Every(REPORT_EVERY_S), Every(NEW_CLIPS_EVERY_S)
    for fraction in progress.until(1, kept):
        batch = batches.draw(
            library, plan, own,
            tokens=TOKENS_A_STEP, silent=SILENT, alone=_alone_share(fraction), shares=shares,
        )  # fmt: skip
        clean, given = scale.normalise(batch.raw).to(device), batch.given.to(device)
        times = denoiser.sample_times(len(batch.captions), shift=TIME_SHIFT).to(device)
        rough = CONTEXT_ROUGHNESS if batch.kind is Kind.GOING_ON else 0.0
        with hardware.autocast(device):
            loss = model.flow_loss(clean, batch.captions, given, times, roughness=rough)
            rate = optimizer.rate_at(fraction, progress.step, peak=RATE, hold=0.5)
            optimizer.descend(muon, loss, parameters, rate)
        progress.step += 1
        optimizer.track(average, model, progress.step)
        losses[batch.kind].append(loss.item())
        if parallel.rank() == 0 and report.due():
            progress.log(**{kind: float(np.mean(seen)) for kind, seen in losses.items()})
            losses.clear()
        if parallel.told(new_clips.due()):
            library.read_new()
    return average


def _alone_share(fraction: float) -> float:
    """How many of the openings are first frames alone, which teach shapes five times as fast."""
    return 0.5 if fraction < 0.7 else 0.2
