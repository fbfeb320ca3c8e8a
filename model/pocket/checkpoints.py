"""What a training run has left in its folder so far, and the pipeline made of it.

vae.pt, and decoder.pt where that was polished; dit.pt, and distil.pt for few steps; latents and
ways, which they learnt from.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import torch
from diffusers import AutoencoderKLWan, WanPipeline

from model.pocket import autoencoder, batches, denoiser, distil, drawing, latents, weights, words
from model.pocket.denoiser import Words2Latents
from model.pocket.facts import Facts
from model.pocket.latents import Scale

MANY_STEPS: Final = Facts(
    sizes=tuple(batches.SIZE_SHARES),
    num_frames=latents.FRAMES,
    frame_rate=drawing.FRAME_RATE,
    num_inference_steps=12,
    guidance_scale=distil.GUIDANCE,
    max_sequence_length=denoiser.MAX_WORDS,
    context_latents=2,
    takes_picture=True,
    takes_last_picture=True,
    extends=True,
    longest_seconds=75,
    camera=tuple(words.CAMERA),
)
FEW_STEPS: Final = replace(MANY_STEPS, num_inference_steps=distil.STEPS, guidance_scale=1.0)


def load_vae(out: Path) -> AutoencoderKLWan:
    """The autoencoder, with the polished decoder where there is one that suits its latents."""
    state = _read(out / "vae.pt")["vae"]
    if (out / "decoder.pt").exists():
        polished = _read(out / "decoder.pt")["vae"]
        if autoencoder.encodes_alike(polished, state):
            state = polished
    vae = autoencoder.build()
    vae.load_state_dict(state)
    return vae


def load_teacher(
    out: Path, size: denoiser.Size = denoiser.DEFAULT_SIZE
) -> tuple[Words2Latents, Scale]:
    """The text encoder and transformer of many steps, averaged, and the scale of their latents."""
    state = _read(out / "dit.pt")
    return _averaged(state["average"], size), Scale(state["mean"], state["deviation"])


def export(
    out: Path, *, distilled: bool = True, size: denoiser.Size = denoiser.DEFAULT_SIZE
) -> WanPipeline:
    """The newest parts as a pipeline, in `out`/export; the undistilled ones in `out`/teacher.

    The few-step model where there is one of this teacher and `distilled` says so.
    """
    model, scale = load_teacher(out, size)
    few = False
    if distilled and (out / "distil.pt").exists():
        student = _read(out / "distil.pt")
        if few := student.get("teacher") == weights.digest(model.state_dict()):
            model = _averaged(student["average"], size)
    kind = "euler" if few else "unipc"
    pipeline = weights.assemble(load_vae(out), model, scale, scheduler_kind=kind)
    suiting = FEW_STEPS if few else MANY_STEPS
    weights.save(pipeline, out / ("export" if few else "teacher"), suiting)
    return pipeline


def _read(path: Path) -> dict[str, Any]:
    state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    return state


def _averaged(state: dict[str, torch.Tensor], size: denoiser.Size) -> Words2Latents:
    model = Words2Latents(size)
    model.load_state_dict(state)
    return model
