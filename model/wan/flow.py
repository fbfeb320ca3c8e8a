"""From noise to latents: the flow-matching loop of a Wan checkpoint with a time for each token.

Latent frames that are given, wherever in the clip, are clean and at time 0; the rest is drawn to go
with them. Knows nothing of frames or files. Source: diffusers 0.42, `WanPipeline` and
`WanImageToVideoPipeline`, which it equals where they can do the same.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Final

import torch
from torch import Tensor

if TYPE_CHECKING:
    from diffusers import WanPipeline

PROMPTS_REMEMBERED: Final = 16

Told = Callable[[int, Callable[[], Tensor]], None]
"""told(done, clip): called after each step. clip makes the latents that the flow points to."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What to draw. guidance above 1 draws each step twice, away from the negative prompt."""

    prompt: str
    negative_prompt: str
    steps: int
    guidance: float


class Flow:
    """A checkpoint's text encoder, transformer and scheduler at work."""

    def __init__(self, pipeline: WanPipeline, max_sequence_length: int) -> None:
        self._pipeline = pipeline
        self._transformer = pipeline.transformer
        self._max_sequence_length = max_sequence_length
        self._words = lru_cache(PROMPTS_REMEMBERED)(self.read)

    @torch.no_grad()
    def draw(self, asked: Asked, noise: Tensor, clean: Tensor, free: Tensor, told: Told) -> Tensor:
        """Normalised latents (1, channels, frames, height, width), float32.

        noise, clean: of that shape; a latent frame of `clean` is given where `free`, (frames,)
        bools, is False. What `told` raises passes.
        """
        scheduler = self._pipeline.scheduler
        scheduler.set_timesteps(asked.steps, device=noise.device)
        scheduler.set_begin_index(0)
        drawn = free.view(1, 1, -1, 1, 1)
        latents = noise
        for index, time in enumerate(scheduler.timesteps):
            shown = torch.where(drawn, latents, clean)
            output = self._output(asked, shown, self._times(time, free, shown))
            kept = self._kept(float(scheduler.sigmas[index]))
            earlier = latents
            latents = scheduler.step(output, time, latents, return_dict=False)[0]
            told(index + 1, partial(_end, earlier, output, *kept, drawn, clean))
        return torch.where(drawn, latents, clean)

    def _kept(self, sigma: float) -> tuple[float, float]:
        """How much of the noisy latents is kept, and how much of the output is taken away, to come
        to the clip: by the scheduler's prediction_type."""
        if self._pipeline.scheduler.config.get("prediction_type") == "v_prediction":
            return 1 - sigma, sigma
        return 1.0, sigma

    def _output(self, asked: Asked, latents: Tensor, times: Tensor) -> Tensor:
        if asked.guidance <= 1:
            return self._look([asked.prompt], latents, times)
        prompts = [asked.prompt, asked.negative_prompt]
        if latents.device.type == "cpu":
            towards, away = self._look(prompts, latents, times).chunk(2)
        else:
            towards, away = (self._look([prompt], latents, times) for prompt in prompts)
        return away + asked.guidance * (towards - away)

    def _look(self, prompts: Sequence[str], latents: Tensor, times: Tensor) -> Tensor:
        """What the transformer says to some prompts in one go: on a processor up to a third less
        work than one by one; on a GPU it would only take the memory of a larger clip."""
        count = len(prompts)
        output: Tensor = self._transformer(
            hidden_states=latents.to(self._transformer.dtype).expand(count, -1, -1, -1, -1),
            timestep=times.expand(count, *times.shape[1:]),
            encoder_hidden_states=torch.cat([self._words(prompt) for prompt in prompts]),
            return_dict=False,
        )[0]
        return output.float()

    def _times(self, time: Tensor, free: Tensor, latents: Tensor) -> Tensor:
        """(1,), or (1, tokens) where some latent frames are given."""
        if free.all():
            return time.expand(1)
        _, across, down = self._transformer.config.patch_size
        tokens = (latents.shape[3] // across) * (latents.shape[4] // down)
        return (free * time).repeat_interleave(tokens)[None]

    @torch.no_grad()
    def read(self, prompt: str) -> Tensor:
        """What the text encoder makes of a prompt, (1, max_sequence_length, its width)."""
        words, _ = self._pipeline.encode_prompt(
            prompt,
            do_classifier_free_guidance=False,
            max_sequence_length=self._max_sequence_length,
        )
        read: Tensor = words.to(self._transformer.dtype)
        return read


def _end(
    latents: Tensor, output: Tensor, kept: float, taken: float, drawn: Tensor, clean: Tensor
) -> Tensor:
    """Where a straight flow would end."""
    return torch.where(drawn, kept * latents - taken * output, clean)
