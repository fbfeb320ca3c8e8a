"""Wan's autoencoder between frames and normalised latents, causal in time both ways.

The first latent frame stands for one frame, each further one for four. Nothing looks ahead, so a
stream of any length is decoded latent by latent in flat memory, and comes out as if at once. Knows
nothing of words or noise. Source: diffusers 0.42, `AutoencoderKLWan`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch
from diffusers.models.autoencoders.autoencoder_kl_wan import unpatchify
from torch import Tensor

from model.family import Frame

if TYPE_CHECKING:
    from diffusers import AutoencoderKLWan


class Codec:
    """An autoencoder, and the statistics by which its latents are normalised."""

    def __init__(self, vae: AutoencoderKLWan) -> None:
        self._vae = vae
        self._mean, self._deviation = (
            torch.tensor(values, device=vae.device).view(1, -1, 1, 1, 1)
            for values in (vae.config.latents_mean, vae.config.latents_std)
        )

    @torch.no_grad()
    def encode(self, frames: Sequence[Frame]) -> Tensor:
        """Latents (1, channels, 1 + (frames - 1)/4, height/16, width/16) of 4n + 1 frames, float32.

        The posterior's mode, as diffusers' image-to-video has it.
        """
        pixels = torch.from_numpy(np.stack(frames)).to(self._vae.device)
        scaled = pixels.permute(3, 0, 1, 2)[None].float().div(127.5).sub(1)
        raw = self._vae.encode(scaled.to(self._vae.dtype)).latent_dist.mode()
        latents: Tensor = (raw.float() - self._mean) / self._deviation
        return latents

    def held(self, frame: Frame) -> Tensor:
        """The latent (1, channels, 1, …) of four frames that all show this one, after itself.

        A last frame is given as this, and pocket is trained so: the second latent of a clip of
        five equal frames.
        """
        return self.encode([frame] * 5)[:, :, 1:]

    def decoder(self) -> Decoder:
        return Decoder(self._vae, self._mean, self._deviation)


class Decoder:
    """One stream of latents on its way to frames; carries what the convolutions remember."""

    def __init__(self, vae: AutoencoderKLWan, mean: Tensor, deviation: Tensor) -> None:
        self._vae = vae
        self._mean, self._deviation = mean, deviation
        vae.clear_cache()
        self._memory = vae._feat_map
        vae.clear_cache()
        self._begun = False

    @torch.no_grad()
    def frames(self, latent: Tensor) -> list[Frame]:
        """What the next latent frame (1, channels, 1, height, width) shows: one frame if it is the
        stream's first, else four."""
        vae = self._vae
        raw = (latent * self._deviation + self._mean).to(vae.dtype)
        pixels = vae.decoder(
            vae.post_quant_conv(raw),
            feat_cache=self._memory,
            feat_idx=[0],
            first_chunk=not self._begun,
        )
        self._begun = True
        if vae.config.patch_size is not None:
            pixels = unpatchify(pixels, patch_size=vae.config.patch_size)
        scaled = pixels[0].permute(1, 2, 3, 0).float().add(1).mul(127.5).round().clamp(0, 255)
        return list(scaled.byte().cpu().numpy())
