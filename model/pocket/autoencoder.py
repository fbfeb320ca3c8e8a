"""The picture half of pocket: Wan 2.2's autoencoder class in miniature, and how it is trained.

Sixteen pixels a side and four frames make one latent cell of `LATENT_CHANNELS` numbers. Knows
nothing of words.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Final

import numpy as np
import torch
from diffusers import AutoencoderKLWan
from diffusers.models.autoencoders import autoencoder_kl_wan as wan
from torch import Tensor, nn
from torch.nn import functional

from model.pocket import drawing

LATENT_CHANNELS: Final = 48
PIXELS_PER_LATENT: Final = 16
FRAMES_PER_LATENT: Final = 4
PATCH: Final = 4


def build(
    *, base: int = 32, multipliers: Sequence[int] = (1, 2, 2), z: int = LATENT_CHANNELS
) -> AutoencoderKLWan:
    """A new autoencoder whose temporal layers begin as if every frame stood alone.

    Only the newest tap of each causal convolution starts with weight, so what single frames have
    taught holds at once for clips, and the temporal layers start from "nothing moves".
    """
    vae = AutoencoderKLWan(
        base_dim=base,
        decoder_base_dim=base,
        z_dim=z,
        dim_mult=list(multipliers),
        num_res_blocks=1,
        attn_scales=[],
        temperal_downsample=[True] * (len(multipliers) - 1),
        dropout=0.0,
        latents_mean=[0.0] * z,
        latents_std=[1.0] * z,
        is_residual=True,
        in_channels=3 * PATCH**2,
        out_channels=3 * PATCH**2,
        patch_size=PATCH,
        scale_factor_temporal=FRAMES_PER_LATENT,
        scale_factor_spatial=PIXELS_PER_LATENT,
    )
    with torch.no_grad():
        for name, module in vae.named_modules():
            if not isinstance(module, wan.WanCausalConv3d) or module.kernel_size[0] == 1:
                continue
            module.weight[:, :, :-1] = 0
            if name.endswith("time_conv"):
                eye = torch.eye(module.in_channels).repeat(
                    module.out_channels // module.in_channels, 1
                )
                module.weight[:, :, -1, 0, 0] = eye
                nn.init.zeros_(module.bias)
            elif name.endswith("conv2"):
                module.weight[:, :, -1] *= 0.3
    return vae


@contextmanager
def flat_convolutions() -> Iterator[None]:
    """For training on single frames: a causal convolution that sees one frame is a 2D one.

    Two thirds of its taps would only meet the padding. The result is the same, three times as fast.
    """
    original = wan.WanCausalConv3d.forward

    def forward(self: nn.Conv3d, x: Tensor, cache_x: Tensor | None = None) -> Tensor:
        if x.shape[2] != 1 or cache_x is not None or self.stride != (1, 1, 1):
            slow: Tensor = original(self, x, cache_x)
            return slow
        pad = (self.kernel_size[1] // 2, self.kernel_size[2] // 2)
        flat = x.squeeze(2).contiguous(memory_format=torch.channels_last)
        out = functional.conv2d(flat, self.weight[:, :, -1], self.bias, padding=pad)
        return out.unsqueeze(2)

    wan.WanCausalConv3d.forward = forward
    try:
        yield
    finally:
        wan.WanCausalConv3d.forward = original


def encode(vae: AutoencoderKLWan, pixels: Tensor) -> Tensor:
    """Raw latents (batch, z, 1 + (frames − 1)/4, height/16, width/16) of pixels in −1…1.

    The posterior's mean, as diffusers' image-to-video uses it ("argmax").
    """
    mean: Tensor = vae._encode(pixels).chunk(2, dim=1)[0]
    return mean


def encode_still(vae: AutoencoderKLWan, pixels: Tensor) -> Tensor:
    """Raw latent (batch, z, 1, height/16, width/16) of four frames in which a picture stands still.

    pixels: (batch, 3, 1, height, width) in −1…1. What a given last frame is to the denoiser.
    """
    return encode(vae, pixels.expand(-1, -1, 1 + FRAMES_PER_LATENT, -1, -1))[:, :, 1:]


def encodes_alike(state: Mapping[str, Tensor], other: Mapping[str, Tensor]) -> bool:
    """Whether two autoencoders, as their `state_dict`, differ at most in how they decode."""
    return all(
        torch.equal(tensor.cpu(), other[name].cpu())
        for name, tensor in state.items()
        if name.startswith(("encoder.", "quant_conv."))
    )


def decode_unclamped(vae: AutoencoderKLWan, latents: Tensor) -> Tensor:
    """Pixels (batch, 3, frames, height, width) without the clamp of `vae.decode`.

    Clamped pixels carry no gradient, and at the start a third of them are clamped.
    """
    vae.clear_cache()
    mixed = vae.post_quant_conv(latents)
    chunks = []
    for index in range(mixed.shape[2]):
        vae._conv_idx = [0]
        chunks.append(
            vae.decoder(
                mixed[:, :, index : index + 1],
                feat_cache=vae._feat_map,
                feat_idx=vae._conv_idx,
                first_chunk=index == 0,
            )
        )
    vae.clear_cache()
    pixels: Tensor = wan.unpatchify(torch.cat(chunks, dim=2), patch_size=PATCH)
    return pixels


def reconstruction_loss(vae: AutoencoderKLWan, pixels: Tensor, latent_noise: float = 0.0) -> Tensor:
    """Smooth L1 (beta 0.1), plus a light pull of the latents towards zero.

    `latent_noise`, as a share of each channel's deviation, roughens the latents before decoding, so
    that the decoder forgives a diffusion model's small errors.
    """
    latents = encode(vae, pixels)
    roughened = latents
    if latent_noise:
        deviation = latents.detach().std(dim=(0, 2, 3, 4), keepdim=True)
        roughened = latents + latent_noise * deviation * torch.randn_like(latents)
    out = decode_unclamped(vae, roughened).float()
    error = functional.smooth_l1_loss(out, pixels, beta=0.1)
    return error + 1e-5 * latents.float().square().mean()


def to_pixels(frames: Sequence[drawing.Frames]) -> Tensor:
    """(batch, 3, frames, height, width) in −1…1 from uint8 clips (frames, height, width, 3)."""
    stacked = torch.from_numpy(np.stack(frames))
    return stacked.permute(0, 4, 1, 2, 3).float().div_(127.5).sub_(1)


def psnr_db(first: Tensor, second: Tensor) -> float:
    """Peak signal-to-noise ratio of pixels in −1…1, in decibels, over the whole batch."""
    error = (first.float().clamp(-1, 1) - second.float().clamp(-1, 1)).square().mean()
    return float(10 * torch.log10(4 / error.clamp_min(1e-10)))
