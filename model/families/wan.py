"""Wan in diffusers' layout, from a folder or a hub: words to a clip, a picture to a clip.

A text-to-video checkpoint with a time for each token (Wan 2.2 TI2V, `expand_timesteps`)
serves both; others serve words alone. Source: diffusers 0.42, `WanPipeline`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal, cast

import cv2
import numpy as np
from PIL import Image

from core.request import Request
from model.family import Frame, Given, Loaded, Step

if TYPE_CHECKING:
    import torch
    from diffusers import WanPipeline

PIPELINE_MULTIPLE: Final = 16
"""What diffusers wants sides to be multiples of, whatever the checkpoint."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """One set of weights, and how it was trained.

    source: a folder in diffusers' layout, or a hub id.
    sizes: the widths and heights in pixels that it draws; the one nearest in shape is enlarged or
    cropped to what is asked for.
    num_frames: how many it draws at once, n x 4 + 1. Where it takes pictures a longer clip is made
    in pieces, each from the last frame of the one before. shortest: the fewest that it draws well.
    max_sequence_length: tokens of text that it was trained with.
    draft_steps: how many steps a draft takes.
    cpu_dtype: what it computes in where there is no GPU; bfloat16 on a GPU.
    vae_dtype: the same for its autoencoder, everywhere; None: as the rest.
    """

    source: str
    sizes: tuple[tuple[int, int], ...]
    num_frames: int = 81
    shortest: int = 5
    max_sequence_length: int = 512
    draft_steps: int = 10
    cpu_dtype: Literal["float32", "bfloat16"] = "float32"
    vae_dtype: Literal["float32", "bfloat16"] | None = "float32"


def native_size(
    sizes: Sequence[tuple[int, int]], width: int, height: int, multiple: int
) -> tuple[int, int]:
    """The size whose shape is nearest to width × height, its sides rounded to `multiple`."""
    shape = math.log(width / height)
    across, down = min(sizes, key=lambda size: abs(math.log(size[0] / size[1]) - shape))
    return max(1, round(across / multiple)) * multiple, max(1, round(down / multiple)) * multiple


def fill(frame: Frame, width: int, height: int) -> Frame:
    """The frame scaled and cropped about its middle to exactly width × height."""
    old_height, old_width = frame.shape[:2]
    scale = max(width / old_width, height / old_height)
    whole = max(width, round(old_width * scale)), max(height, round(old_height * scale))
    if whole != (old_width, old_height):
        shrinks = scale < 1
        way = cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC
        frame = cast(Frame, cv2.resize(frame, whole, interpolation=way))
    left, top = (whole[0] - width) // 2, (whole[1] - height) // 2
    return np.ascontiguousarray(frame[top : top + height, left : left + width])


def part_of(step: Step, before: int, of: int) -> Step:
    """`step` for a part of the work that begins after `before` of `of` steps."""
    return lambda done, _of, preview: step(before + done, of, preview)


def load(checkpoint: Checkpoint) -> Loaded:
    """The checkpoint in memory, on the GPU where there is one. Raises OSError where it is not."""
    import torch
    from diffusers.utils import logging as diffusers_logging
    from transformers.utils import logging as transformers_logging

    for logging in (diffusers_logging, transformers_logging):
        logging.set_verbosity_error()
        logging.disable_progress_bar()
    from diffusers import WanImageToVideoPipeline, WanPipeline

    on_gpu = torch.cuda.is_available()
    dtype = torch.bfloat16 if on_gpu else getattr(torch, checkpoint.cpu_dtype)
    vae_dtype = getattr(torch, checkpoint.vae_dtype) if checkpoint.vae_dtype else dtype
    pipeline = WanPipeline.from_pretrained(
        checkpoint.source, dtype={"default": dtype, "vae": vae_dtype}
    )
    pipeline.set_progress_bar_config(disable=True)
    if on_gpu:
        pipeline.to("cuda")
    from_picture = None
    if pipeline.config.expand_timesteps:
        from_picture = WanImageToVideoPipeline(
            **pipeline.components,
            boundary_ratio=pipeline.config.boundary_ratio,
            expand_timesteps=True,
        )
        from_picture.set_progress_bar_config(disable=True)
    return Wan(checkpoint, pipeline, from_picture)


class Wan:
    """A loaded checkpoint. `frames` is `model.family.Loaded`."""

    def __init__(
        self, checkpoint: Checkpoint, from_words: WanPipeline, from_picture: Any | None
    ) -> None:
        self._checkpoint = checkpoint
        self._from_words = from_words
        self._from_picture = from_picture
        self._vae = from_words.vae
        patch = max((from_words.transformer or from_words.transformer_2).config.patch_size[1:])
        self._multiple = math.lcm(PIPELINE_MULTIPLE, from_words.vae_scale_factor_spatial * patch)

    def frames(self, request: Request, given: Given, step: Step) -> Iterator[Frame]:
        """As `model.family.Loaded` has it. Raises ValueError for a picture where none is taken."""
        from model import video

        shown = None
        if given.before is not None:
            shown = video.last_frame(given.before)
        elif given.first is not None:
            with Image.open(given.first) as opened:
                shown = np.asarray(opened.convert("RGB"))
        pieces = self._pieces(request.num_frames)
        steps = request.num_inference_steps
        if request.draft:
            steps = min(steps, self._checkpoint.draft_steps)
        for index, (num_frames, used) in enumerate(pieces):
            part = part_of(step, index * steps, len(pieces) * steps)
            pixels = self._draw(request, shown, num_frames, steps, request.seed + index, part)
            for number in range(1 if index else 0, used):
                shown = _frame(pixels[number])
                yield fill(shown, request.width, request.height)

    def _pieces(self, num_frames: int) -> list[tuple[int, int]]:
        """For each piece of the clip how many frames are drawn, and how many of those are used.
        A piece after the first shares a frame with the one before."""
        unit = self._from_words.vae_scale_factor_temporal
        most = self._checkpoint.num_frames if self._from_picture is not None else num_frames
        pieces: list[tuple[int, int]] = []
        left = max(0, num_frames - 1)
        while left or not pieces:
            used = min(left, most - 1)
            drawn = max(used, self._checkpoint.shortest - 1)
            pieces.append((math.ceil(drawn / unit) * unit + 1, used + 1))
            left -= used
        return pieces

    def _draw(
        self,
        request: Request,
        given: Frame | None,
        num_frames: int,
        steps: int,
        seed: int,
        step: Step,
    ) -> torch.Tensor:
        """Pixels (frames, 3, height, width) in −1…1, at the checkpoint's own size."""
        import torch

        width, height = native_size(
            self._checkpoint.sizes, request.width, request.height, self._multiple
        )
        pipeline, inputs = self._from_words, {}
        if given is not None:
            if self._from_picture is None:
                raise ValueError("this checkpoint takes no picture")
            pipeline = self._from_picture
            inputs["image"] = Image.fromarray(fill(given, width, height))
        latents = pipeline(
            prompt=request.prompt,
            negative_prompt=request.negative_prompt,
            width=width,
            height=height,
            num_frames=num_frames,
            num_inference_steps=steps,
            guidance_scale=request.guidance_scale,
            max_sequence_length=self._checkpoint.max_sequence_length,
            generator=torch.Generator("cpu").manual_seed(seed),
            output_type="latent",
            callback_on_step_end=self._watcher(step, steps),
            **inputs,
        ).frames
        watched = self._vae.decoder.register_forward_hook(lambda *_: step(steps, steps, None))
        try:
            return self._decode(latents)
        finally:
            watched.remove()

    def _watcher(self, step: Step, steps: int) -> Callable[..., dict[str, Any]]:
        """A callback for the end of each step. The clip's preview is where the last two steps
        point: a flow is nearly straight, and its end has no noise."""
        before: torch.Tensor | None = None

        def watch(
            pipeline: WanPipeline, index: int, _time: object, tensors: dict[str, torch.Tensor]
        ) -> dict[str, Any]:
            nonlocal before
            now, earlier = tensors["latents"], before
            before = now
            sigma_before, sigma = (float(s) for s in pipeline.scheduler.sigmas[index : index + 2])
            if earlier is None or sigma_before == sigma:
                step(index + 1, steps, None)
            else:
                end = now - sigma * (now - earlier) / (sigma - sigma_before)
                step(index + 1, steps, lambda: self._preview(end))
            return {}

        return watch

    def _preview(self, latents: torch.Tensor) -> Frame:
        """One picture from the middle of the clip, decoded from two latent frames alone."""
        middle = latents.shape[2] // 2
        return _frame(self._decode(latents[:, :, max(0, middle - 1) : middle + 1])[-1])

    def _decode(self, latents: torch.Tensor) -> torch.Tensor:
        """Pixels (frames, 3, height, width) in −1…1 of latents (1, channels, frames, …)."""
        import torch

        vae = self._vae
        latents = latents.to(vae.device, vae.dtype)
        mean, deviation = (
            torch.tensor(values).view(1, -1, 1, 1, 1).to(latents)
            for values in (vae.config.latents_mean, vae.config.latents_std)
        )
        with torch.no_grad():
            pixels: torch.Tensor = vae.decode(latents * deviation + mean, return_dict=False)[0]
        return pixels[0].transpose(0, 1)


def _frame(pixels: torch.Tensor) -> Frame:
    """(3, height, width) in −1…1 → (height, width, 3), 0…255."""
    scaled = pixels.permute(1, 2, 0).float().add(1).mul(127.5).round().clamp(0, 255)
    return cast(Frame, scaled.byte().cpu().numpy())
