"""The most that the judge's figures can be: what it says of the renderer's own clips, and how well
the autoencoder alone brings clips back."""

from __future__ import annotations

import math
from collections.abc import Sequence

import cv2
import numpy as np
import torch
from diffusers import AutoencoderKLWan

from model.pocket import drawing, sight
from model.pocket.asked import asked_of, held_out_scenes
from model.pocket.sight import Frames
from model.pocket.verdict import score


def softened(frames: Frames, seed: int) -> Frames:
    """A clip as a small model would draw it: blurred, grainy, every frame bent by about a pixel."""
    rng = np.random.default_rng(seed)
    height, width = frames.shape[1:3]
    columns, rows = np.meshgrid(
        np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32)
    )
    soft = []
    for frame in frames:
        bend = cv2.resize(
            rng.normal(0, 0.9, (6, 6, 2)).astype(np.float32), (width, height), None, 0, 0, 2
        )
        bent = cv2.remap(
            frame,
            columns + bend[..., 0],
            rows + bend[..., 1],
            cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REPLICATE,
        )
        blurred = cv2.GaussianBlur(bent.astype(np.float32), (0, 0), min(height, width) / 110)
        soft.append(blurred + rng.normal(0, 3, blurred.shape))
    return np.clip(np.rint(np.stack(soft)), 0, 255).astype(np.uint8)


def agreement_with_renderer(
    count: int, *, frames: int, height: int, width: int, soft: bool, seed: int
) -> dict[str, float]:
    """How often the judge names rightly what the renderer drew: the ceiling of its figures."""
    shown = held_out_scenes(count, 9, seed)
    seen = []
    for index, (_, scene) in enumerate(shown):
        clip = drawing.draw(scene, frames=frames, height=height, width=width)
        seen.append(sight.look(softened(clip, index) if soft else clip))
    return score([asked_of(scene, kind) for kind, scene in shown], seen)


def reconstruction_db(vae: AutoencoderKLWan, clips: Sequence[Frames]) -> float:
    """Mean PSNR in dB of clips through diffusers' own encode and decode."""
    figures = []
    for clip in clips:
        pixels = torch.from_numpy(clip).permute(3, 0, 1, 2)[None].float() / 127.5 - 1
        with torch.no_grad():
            posterior = vae.encode(pixels.to(vae.dtype)).latent_dist
            out = vae.decode(posterior.mode()).sample.float()
        error = float((out - pixels).square().mean())
        figures.append(10 * math.log10(4 / max(error, 1e-10)))
    return float(np.mean(figures))


def held_out_clips(count: int, *, frames: int, height: int, width: int, seed: int) -> list[Frames]:
    """Clips of combinations that the autoencoder never saw."""
    return [
        drawing.draw(scene, frames=frames, height=height, width=width)
        for _, scene in held_out_scenes(count, 8, seed)
    ]
