"""Trains the autoencoder: pictures first, then clips; at the end, if wished, its decoder alone."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from diffusers import AutoencoderKLWan, WanPipeline
from torch import Tensor

from model.pocket import (
    autoencoder,
    checkpoints,
    drawing,
    hardware,
    latents,
    optimizer,
    parallel,
    scenes,
)
from model.pocket.batches import SIZE_SHARES
from model.pocket.latents import Size
from model.pocket.optimizer import Muon
from model.pocket.progress import Every, Progress

RATE: Final = 2e-3
DECODER_RATE: Final = 1e-3
PIXELS_A_STEP: Final = 20 * 96 * 96
LENGTHS: Final = (1, 5, 9, 9, 17)
"""One of these many frames in each step."""
SINGLE_FRAMES_UNTIL: Final = 0.24
"""Share of the minutes that see pictures only; none where it starts from another."""
LATENT_NOISE: Final = 0.03
"""Roughness of the latents, as a share of their deviation, in the second half."""
REPORT_EVERY_S: Final = 120.0


def train(
    out: Path,
    minutes: float,
    *,
    seed: int = 0,
    earlier: WanPipeline | None = None,
    sizes: Collection[Size] = tuple(SIZE_SHARES),
    device: torch.device = hardware.PROCESSOR,
) -> AutoencoderKLWan:
    """The autoencoder, in `out`/vae.pt; further from `earlier` where it is given."""
    torch.manual_seed(seed)
    vae = autoencoder.build()
    if earlier is not None:
        vae.load_state_dict(earlier.vae.float().state_dict())
    alone_until = 0.0 if earlier is not None else SINGLE_FRAMES_UNTIL
    vae.to(device)
    progress = Progress(out / "vae.pt", minutes)
    parameters = list(vae.parameters())
    _train(progress, progress.resume(), vae, parameters, RATE, alone_until, seed, list(sizes))
    return vae


def polish_decoder(
    out: Path,
    minutes: float,
    *,
    seed: int = 2,
    sizes: Collection[Size] = tuple(SIZE_SHARES),
    device: torch.device = hardware.PROCESSOR,
) -> AutoencoderKLWan:
    """Trains the decoder alone a while longer, in `out`/decoder.pt; latents stay as they are.

    One that was polished for other latents begins anew.
    """
    vae = checkpoints.load_vae(out).requires_grad_(False).to(device)
    parameters = [*vae.decoder.parameters(), *vae.post_quant_conv.parameters()]
    for parameter in parameters:
        parameter.requires_grad_(True)
    progress = Progress(out / "decoder.pt", minutes)
    kept = progress.resume(lambda kept: autoencoder.encodes_alike(kept["vae"], vae.state_dict()))
    _train(progress, kept, vae, parameters, DECODER_RATE, 0.0, seed, list(sizes))
    return vae


def measure_psnr(vae: AutoencoderKLWan, pixels: Tensor) -> float:
    """Mean over the clips, in dB."""
    with torch.no_grad():
        out = autoencoder.decode_unclamped(vae, autoencoder.encode(vae, pixels))
    return float(np.mean([autoencoder.psnr_db(*pair) for pair in zip(out, pixels, strict=True)]))


def _train(
    progress: Progress,
    state: Mapping[str, Any] | None,
    vae: AutoencoderKLWan,
    parameters: Sequence[torch.nn.Parameter],
    peak_rate: float,
    alone_until: float,
    seed: int,
    sizes: Sequence[Size],
) -> None:
    """state: what an earlier run kept."""
    muon = Muon(parameters, rate=peak_rate)
    if state is not None:
        vae.load_state_dict(state["vae"])
        muon.load_state_dict(state["optimizer"])

    def kept() -> dict[str, Any]:
        return {"vae": vae.state_dict(), "optimizer": muon.state_dict()}

    plan, own = parallel.generators(seed, progress.step)
    pictures = _draw(np.random.default_rng(99), 32, 1, sizes[0], held_out=True).to(vae.device)
    clips = _draw(np.random.default_rng(98), 6, latents.FRAMES, sizes[0], held_out=True)
    clips = clips.to(vae.device)
    report = Every(REPORT_EVERY_S)
    with autoencoder.flat_convolutions():
        for fraction in progress.until(1, kept):
            size = sizes[int(plan.integers(len(sizes)))]
            frames = 1 if fraction < alone_until else int(plan.choice(LENGTHS))
            count = max(1, round(PIXELS_A_STEP / (frames * size[0] * size[1])))
            pixels = _draw(own, count, frames, size).to(vae.device)
            noise = LATENT_NOISE if fraction > 0.5 else 0.0
            with hardware.autocast(vae.device):
                loss = autoencoder.reconstruction_loss(vae, pixels, noise)
            rate = optimizer.rate_at(fraction, progress.step, peak=peak_rate, hold=0.25)
            optimizer.descend(muon, loss, parameters, rate)
            progress.step += 1
            if parallel.rank() == 0 and report.due():
                progress.log(
                    loss=loss.item(),
                    pictures_db=measure_psnr(vae, pictures),
                    clips_db=measure_psnr(vae, clips),
                )


def _draw(
    rng: np.random.Generator, count: int, frames: int, size: Size, *, held_out: bool = False
) -> Tensor:
    """(count, 3, frames, height, width) in −1…1, from anywhere in a scene."""
    width, height = size
    drawn = [
        drawing.draw(
            scenes.sample_scene(rng, held_out=held_out),
            frames=frames,
            height=height,
            width=width,
            offset=autoencoder.FRAMES_PER_LATENT * int(rng.integers(6)),
        )
        for _ in range(count)
    ]
    return autoencoder.to_pixels(drawn)
