"""Wan in diffusers' layout, from a folder or a hub: words to a clip, and frames that are given.

A checkpoint with a time for each token (Wan 2.2 TI2V and pocket, `expand_timesteps`) is drawn by
our own loop (`model.wan`): words, a first picture, a last one, or the end of an earlier clip, in
windows where the clip is long. Others serve words alone, by diffusers' own `WanPipeline`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, cast

import cv2
import numpy as np
from PIL import Image

from core.request import Request
from model.family import NOTHING_GIVEN, Frame, Given, Loaded, Step

if TYPE_CHECKING:
    import torch
    from diffusers import WanPipeline

    from model.wan.flow import Flow
    from model.wan.latents import Codec, Decoder
    from model.wan.stream import Window

PIPELINE_MULTIPLE: Final = 16
"""What diffusers wants sides to be multiples of, whatever the checkpoint."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """One set of weights, and how it was trained.

    source: a folder in diffusers' layout, or a hub id.
    sizes: the widths and heights in pixels that it draws; the one nearest in shape is enlarged or
    cropped to what is asked for.
    num_frames: how many it draws at once, n x 4 + 1. A longer clip is drawn in windows of so many.
    shortest: the fewest that it draws well.
    context_latents: how many of its latents a window hands to the next as clean context, where it
    was trained so; 0: the next one begins with the last frame, encoded again.
    hold_colour: how far, 0 to 1, each window's border is moved back to the colours of the first.
    max_sequence_length: tokens of text that it was trained with.
    draft_steps: how many steps a draft takes.
    cpu_dtype: what it computes in where there is no GPU; bfloat16 only where the processor knows
    it, else float32. On a GPU it is bfloat16.
    vae_dtype: the same for its autoencoder, everywhere; None: as the rest.
    """

    source: str
    sizes: tuple[tuple[int, int], ...]
    num_frames: int = 81
    shortest: int = 5
    context_latents: int = 0
    hold_colour: float = 0.0
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
        way = cv2.INTER_AREA if scale < 1 else cv2.INTER_LANCZOS4
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
    from diffusers import WanPipeline

    on_gpu = torch.cuda.is_available()
    able = torch.cpu.get_capabilities()
    half = on_gpu or (
        checkpoint.cpu_dtype == "bfloat16"
        and any(able.get(way) for way in ("avx512_bf16", "amx_bf16", "bf16"))
    )
    dtype = torch.bfloat16 if half else torch.float32
    vae_dtype = getattr(torch, checkpoint.vae_dtype) if checkpoint.vae_dtype else dtype
    pipeline = WanPipeline.from_pretrained(
        checkpoint.source, dtype={"default": dtype, "vae": vae_dtype}
    )
    pipeline.set_progress_bar_config(disable=True)
    if on_gpu:
        pipeline.to("cuda")
    else:
        _lay_out(pipeline.vae)
    by_token = pipeline.config.expand_timesteps and pipeline.transformer_2 is None
    return Streamed(checkpoint, pipeline) if by_token else Whole(checkpoint, pipeline)


class Wan:
    """What both kinds of checkpoint have."""

    def __init__(self, checkpoint: Checkpoint, pipeline: WanPipeline) -> None:
        from model.wan.latents import Codec

        self._checkpoint = checkpoint
        self.pipeline = pipeline
        self._codec: Codec = Codec(pipeline.vae)
        self._unit: int = pipeline.vae_scale_factor_temporal
        patch = max((pipeline.transformer or pipeline.transformer_2).config.patch_size[1:])
        self._multiple = math.lcm(PIPELINE_MULTIPLE, pipeline.vae_scale_factor_spatial * patch)

    def _size(self, request: Request) -> tuple[int, int]:
        """Width and height in pixels at which it is drawn."""
        sizes = self._checkpoint.sizes
        return native_size(sizes, request.width, request.height, self._multiple)

    def _steps(self, request: Request) -> int:
        steps = request.num_inference_steps
        return min(steps, self._checkpoint.draft_steps) if request.draft else steps

    def _latent_frames(self, frames: int) -> int:
        """How many latent frames show so many frames, or a few more."""
        return math.ceil((frames - 1) / self._unit) + 1

    def _preview(self, latents: torch.Tensor) -> Frame:
        """One picture from the middle of the clip, decoded from two latent frames alone."""
        middle = latents.shape[2] // 2
        return _last_shown(self._codec.decoder(), latents[:, :, max(0, middle - 1) : middle + 1])


class Streamed(Wan):
    """A checkpoint with a time for each token. `frames` is `model.family.Loaded`."""

    def __init__(self, checkpoint: Checkpoint, pipeline: WanPipeline) -> None:
        from model.wan.flow import Flow

        super().__init__(checkpoint, pipeline)
        self._flow: Flow = Flow(pipeline, checkpoint.max_sequence_length)

    def frames(self, request: Request, given: Given, step: Step) -> Iterator[Frame]:
        """As `model.family.Loaded` has it."""
        for frame in islice(self._drawn(request, given, step), request.num_frames):
            yield fill(frame, request.width, request.height)

    def _drawn(self, request: Request, given: Given, step: Step) -> Iterator[Frame]:
        """Frames of the native size, at least as many as were asked for."""
        from model.wan.stream import border, hold_colour, windows

        checkpoint, codec, size = self._checkpoint, self._codec, self._size(request)
        steps = self._steps(request)
        end = None if given.last is None else codec.held(_picture(given.last, size))
        decoder, known, anchor = codec.decoder(), None, None
        if opening := self._opening(given, size):
            known = codec.encode(opening)
            anchor = border(known)
            yield _last_shown(decoder, known)
        plan = windows(
            self._latent_frames(request.num_frames) - bool(opening),
            0 if known is None else known.shape[2],
            longest=self._latent_frames(checkpoint.num_frames),
            shortest=self._latent_frames(checkpoint.shortest),
            context=checkpoint.context_latents or 1,
            ends=end is not None,
        )
        for index, window in enumerate(plan):
            told = part_of(step, index * steps, len(plan) * steps)
            stop = end if index + 1 == len(plan) else None
            new = self._draw(request, window, known, stop, request.seed + index, told)
            if anchor is None:
                anchor = border(new)
            elif checkpoint.hold_colour:
                new = hold_colour(new, anchor, checkpoint.hold_colour)
                if stop is not None:
                    new[:, :, -1:] = stop
            for at in range(new.shape[2]):
                told(steps, steps, None)
                shown = decoder.frames(new[:, :, at : at + 1])
                yield from shown
            if checkpoint.context_latents:
                known = _tail(known, new, checkpoint.context_latents)
            else:
                known, decoder = codec.encode(shown[-1:]), codec.decoder()
                decoder.frames(known)

    def _opening(self, given: Given, size: tuple[int, int]) -> list[Frame]:
        """The frames that come first and are known, 4n + 1 of them at the native size, or none."""
        from model import video

        if given.before is None:
            return [] if given.first is None else [_picture(given.first, size)]
        most = self._checkpoint.num_frames if self._checkpoint.context_latents else 1
        last = [fill(frame, *size) for frame in video.last_frames(given.before, most)]
        return last[(len(last) - 1) % self._unit :]

    def _draw(
        self,
        request: Request,
        window: Window,
        known: torch.Tensor | None,
        stop: torch.Tensor | None,
        seed: int,
        step: Step,
    ) -> torch.Tensor:
        """The latents that the window gives to the stream. stop: the last of them, where given."""
        import torch
        from diffusers.utils.torch_utils import randn_tensor

        from model.wan.flow import Asked

        asked = Asked(
            request.prompt, request.negative_prompt, self._steps(request), request.guidance_scale
        )
        noise = randn_tensor(
            self._latent_shape(request, window.context + window.drawn),
            generator=torch.Generator("cpu").manual_seed(seed),
            device=self.pipeline.transformer.device,
        )
        clean, free = torch.zeros_like(noise), torch.ones(noise.shape[2], dtype=torch.bool)
        if known is not None and window.context:
            clean[:, :, : window.context] = known[:, :, -window.context :]
            free[: window.context] = False
        if stop is not None:
            clean[:, :, -1:] = stop
            free[-1] = False

        def told(done: int, end: Callable[[], torch.Tensor]) -> None:
            step(done, asked.steps, lambda: self._preview(end()))

        latents = self._flow.draw(asked, noise, clean, free.to(noise.device), told)
        return latents[:, :, window.context :][:, :, : window.used]

    def _latent_shape(self, request: Request, latent_frames: int) -> tuple[int, int, int, int, int]:
        width, height = self._size(request)
        unit = self.pipeline.vae_scale_factor_spatial
        channels = self.pipeline.transformer.config.in_channels
        return 1, channels, latent_frames, height // unit, width // unit


class Whole(Wan):
    """A checkpoint of the older kind, which draws a clip at once. `frames` as `Loaded` has it."""

    def frames(self, request: Request, given: Given, step: Step) -> Iterator[Frame]:
        """Raises ValueError for a picture: this kind takes none."""
        import torch

        if given != NOTHING_GIVEN:
            raise ValueError("this checkpoint takes no picture")
        width, height = self._size(request)
        steps = self._steps(request)
        frames = max(request.num_frames, self._checkpoint.shortest)
        latents = self.pipeline(
            prompt=request.prompt,
            negative_prompt=request.negative_prompt,
            width=width,
            height=height,
            num_frames=(self._latent_frames(frames) - 1) * self._unit + 1,
            num_inference_steps=steps,
            guidance_scale=request.guidance_scale,
            max_sequence_length=self._checkpoint.max_sequence_length,
            generator=torch.Generator("cpu").manual_seed(request.seed),
            output_type="latent",
            callback_on_step_end=self._watcher(step, steps),
        ).frames
        left, decoder = request.num_frames, self._codec.decoder()
        for at in range(self._latent_frames(left)):
            step(steps, steps, None)
            for frame in decoder.frames(latents[:, :, at : at + 1])[:left]:
                yield fill(frame, request.width, request.height)
                left -= 1

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


def _lay_out(vae: torch.nn.Module) -> None:
    """Weights as a processor's convolutions want them: decoding takes a fifth less time."""
    import torch

    layouts = {4: torch.channels_last, 5: torch.channels_last_3d}
    for weight in vae.parameters():
        if layout := layouts.get(weight.ndim):
            weight.data = weight.data.contiguous(memory_format=layout)


def _picture(path: Path, size: tuple[int, int]) -> Frame:
    """A picture as a native frame."""
    with Image.open(path) as opened:
        return fill(np.asarray(opened.convert("RGB")), *size)


def _last_shown(decoder: Decoder, latents: torch.Tensor) -> Frame:
    """The last frame of latents that the stream begins with."""
    for at in range(latents.shape[2]):
        frames = decoder.frames(latents[:, :, at : at + 1])
    return frames[-1]


def _tail(known: torch.Tensor | None, new: torch.Tensor, count: int) -> torch.Tensor:
    """The last latents of a stream, up to `count`."""
    import torch

    return (new if known is None else torch.cat([known, new], dim=2))[:, :, -count:]
