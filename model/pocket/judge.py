"""Says what a clip shows, by looking at its pixels, and how often that is what was asked.

`python -m model.pocket.judge` draws clips for prompts whose combinations were held out of training
and writes a report with contact sheets. The renderer only supplies what to ask for; the looking
shares no code with it: colours are
hue ranges, shapes are polygons of its own that are laid over the silhouette, motions are what the
silhouette does from frame to frame.
"""

from __future__ import annotations

import argparse
import colorsys
import json
import math
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, TypeAlias

import cv2
import numpy as np
import torch
from diffusers import AutoencoderKLWan, WanPipeline
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from model.pocket import scenes, weights

Frames: TypeAlias = NDArray[np.uint8]
"""(frames, height, width, 3) RGB."""
Mask: TypeAlias = NDArray[np.bool_]

SILHOUETTE: Final = 64
"""Side in pixels of the raster on which silhouettes are compared."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What a clip shows; None where nothing stands out."""

    colour: str | None
    shape: str | None
    motion: str | None
    background: str | None


def look(frames: Frames) -> Seen:
    """What the judge sees in a clip."""
    masks = [object_mask(frame) for frame in frames]
    visible = [mask for mask in masks if mask.any()]
    background = name_background(frames)
    if len(visible) < max(len(masks) // 2, 1):
        return Seen(None, None, None, background)
    pairs = [(frame, mask) for frame, mask in zip(frames, masks, strict=True) if mask.any()]
    return Seen(
        colour=_vote(name_colour(_inside(frame, mask)) for frame, mask in pairs),
        shape=_name_shape_of(masks),
        motion=name_motion(masks) if len(masks) > 1 else None,
        background=background,
    )


def name_colour(pixels: NDArray[np.uint8]) -> str:
    """The everyday name of the median of some pixels (n, 3), by hue, saturation and value."""
    red, green, blue = (float(x) / 255 for x in np.median(pixels.reshape(-1, 3), axis=0))
    hue, saturation, value = colorsys.rgb_to_hsv(red, green, blue)
    degrees = hue * 360
    if value < 0.22:
        return "black"
    if saturation < 0.18:
        return "white" if value > 0.78 else ("grey" if value > 0.3 else "black")
    for limit, name in (
        (14, "red"),
        (40, "orange"),
        (68, "yellow"),
        (160, "green"),
        (196, "cyan"),
        (252, "blue"),
        (296, "purple"),
        (346, "pink"),
    ):
        if degrees < limit:
            return name
    return "red"


def name_background(frames: Frames) -> str:
    """A plain colour or one of sky, sea, grass, night and sunset, from the left and right edges."""
    edge = max(frames.shape[2] // 16, 2)
    sides = np.concatenate([frames[:, :, :edge], frames[:, :, -edge:]], axis=2)
    rows = np.median(sides.transpose(1, 0, 2, 3).reshape(frames.shape[1], -1, 3), axis=1)
    count = len(rows)
    top, bottom = rows[: count // 8].mean(axis=0), rows[-count // 8 :].mean(axis=0)
    top_hue, top_saturation, top_value = _hsv(top)
    low_hue, low_saturation, low_value = _hsv(bottom)
    nightly = top_value < 0.25 and _is_blue(low_hue, low_saturation)
    if np.abs(top - bottom).max() < 48 and not nightly:
        return name_colour(rows.astype(np.uint8))
    if 60 < low_hue < 160 and low_saturation > 0.3 and top_value > 0.6 and top[2] > top[0]:
        return "grass"
    if _is_blue(low_hue, low_saturation) and low_value < 0.68 and top_value > 0.75:
        return "sea"
    if top_value < 0.35 and _is_blue(low_hue, low_saturation):
        return "night"
    if 230 < top_hue < 330 and low_value > top_value and (low_hue < 50 or low_hue > 340):
        return "sunset"
    if _is_blue(top_hue, top_saturation) and low_value > 0.8 and low_saturation < top_saturation:
        return "sky"
    return "unclear"


def object_mask(frame: NDArray[np.uint8]) -> Mask:
    """Where a frame (height, width, 3) differs from its own left and right edges, largest piece."""
    height, width, _ = frame.shape
    edge = max(width // 24, 2)
    sides = np.concatenate([frame[:, :edge], frame[:, -edge:]], axis=1).astype(np.float32)
    rows = np.median(sides, axis=1)
    smooth = cv2.medianBlur(rows[None].round().astype(np.uint8), 3)[0].astype(np.float32)
    difference = np.abs(frame.astype(np.float32) - smooth[:, None]).sum(axis=2)
    near = cv2.morphologyEx(
        (difference > 75).astype(np.uint8), cv2.MORPH_OPEN, np.ones((3, 3), np.uint8)
    )
    count, labels, stats, _ = cv2.connectedComponentsWithStats(near, connectivity=8)
    if count < 2:
        return np.zeros((height, width), np.bool_)
    biggest = 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA]))
    if stats[biggest, cv2.CC_STAT_AREA] < height * width * 0.004:
        return np.zeros((height, width), np.bool_)
    return np.asarray(labels == biggest, np.bool_)


def name_motion(masks: Sequence[Mask]) -> str:
    """What a silhouette does over a clip, from its centre, its area and its outline."""
    present = [mask for mask in masks if mask.any()]
    short = min(present[0].shape)
    centres = np.array([_centre(mask) for mask in present]) / short
    areas = np.array([float(mask.sum()) for mask in present])
    third = max(len(present) // 3, 1)
    moved_x, moved_y = centres[-third:].mean(axis=0) - centres[:third].mean(axis=0)
    swing = float(np.ptp(centres[:, 1]))
    growth = math.log(areas[-third:].mean() / areas[:third].mean())
    if swing > 0.18 and abs(moved_y) < swing * 0.45:
        return "bounce"
    if max(abs(moved_x), abs(moved_y)) > 0.14:
        if abs(moved_x) > abs(moved_y):
            return "right" if moved_x > 0 else "left"
        return "down" if moved_y > 0 else "up"
    if abs(growth) > 0.45:
        return "grow" if growth > 0 else "shrink"
    turned = [_overlap(_normalise(present[0]), _normalise(mask)) for mask in present[1:]]
    return "spin" if min(turned, default=1.0) < 0.85 else "still"


def name_shape(mask: Mask, *, turned: bool = False) -> tuple[str, float]:
    """The template that overlaps a silhouette best, and the overlap (intersection over union)."""
    silhouette = _normalise(mask)
    angles = range(0, 360, 15) if turned else (0,)
    scored = [
        (_overlap(silhouette, template), name)
        for angle in angles
        for name, template in _templates(angle).items()
    ]
    overlap, name = max(scored)
    return name, overlap


def _name_shape_of(masks: Sequence[Mask]) -> str:
    """By the summed overlap of whole silhouettes; turned templates only if those fit far better."""
    inside = [mask for mask in masks if mask.any() and not _touches_border(mask)]
    chosen = inside or [mask for mask in masks if mask.any()]
    upright = [name_shape(mask) for mask in chosen]
    free = [name_shape(mask, turned=True) for mask in chosen[:1] + chosen[-1:]]
    if np.mean([fit for _, fit in free]) > np.mean([fit for _, fit in upright]) + 0.12:
        return max(free, key=lambda named: named[1])[0]
    return _weigh(upright)


def _weigh(named: Iterable[tuple[str, float]]) -> str:
    weight: dict[str, float] = {}
    for name, fit in named:
        weight[name] = weight.get(name, 0.0) + fit
    return max(weight, key=lambda name: weight[name])


def _vote(names: Iterable[str]) -> str | None:
    return _weigh((name, 1.0) for name in names)


def _inside(frame: NDArray[np.uint8], mask: Mask) -> NDArray[np.uint8]:
    core = cv2.erode(mask.astype(np.uint8), np.ones((3, 3), np.uint8)).astype(bool)
    return frame[core if core.any() else mask]


def _hsv(rgb: NDArray[np.float32]) -> tuple[float, float, float]:
    hue, saturation, value = colorsys.rgb_to_hsv(*(float(x) / 255 for x in rgb))
    return hue * 360, saturation, value


def _is_blue(hue: float, saturation: float) -> bool:
    return 185 < hue < 260 and saturation > 0.2


def _centre(mask: Mask) -> tuple[float, float]:
    rows, columns = np.nonzero(mask)
    return float(columns.mean()), float(rows.mean())


def _touches_border(mask: Mask) -> bool:
    return bool(mask[0].any() or mask[-1].any() or mask[:, 0].any() or mask[:, -1].any())


def _normalise(mask: Mask) -> Mask:
    """The silhouette moved to its centroid and scaled to one spread, on a small raster."""
    rows, columns = np.nonzero(mask)
    x, y = columns.mean(), rows.mean()
    spread = math.sqrt(float(columns.var() + rows.var())) + 1e-6
    scale = SILHOUETTE * 0.24 / spread
    middle = SILHOUETTE / 2
    matrix = np.array([[scale, 0, middle - scale * x], [0, scale, middle - scale * y]], np.float32)
    moved = cv2.warpAffine(mask.astype(np.float32), matrix, (SILHOUETTE, SILHOUETTE))
    return np.asarray(moved > 0.5, np.bool_)


def _overlap(first: Mask, second: Mask) -> float:
    both, either = np.logical_and(first, second).sum(), np.logical_or(first, second).sum()
    return float(both) / max(float(either), 1.0)


def _polygon(points: Sequence[tuple[float, float]]) -> NDArray[np.uint8]:
    canvas = np.zeros((256, 256), np.uint8)
    corners = np.array([(128 + 80 * x, 128 - 80 * y) for x, y in points], np.int32)
    cv2.fillPoly(canvas, [corners], 1)
    return canvas


def _circle(radius: float, x: float = 0.0, y: float = 0.0) -> NDArray[np.uint8]:
    canvas = np.zeros((256, 256), np.uint8)
    cv2.circle(canvas, (round(128 + 80 * x), round(128 - 80 * y)), round(80 * radius), 1, -1)
    return canvas


def _outlines() -> dict[str, NDArray[np.uint8]]:
    pentagram = [
        (r * math.sin(k * math.pi / 5), r * math.cos(k * math.pi / 5))
        for k in range(10)
        for r in ((1.0, 0.45)[k % 2],)
    ]
    curve = [
        (
            0.06 * 16 * math.sin(t) ** 3,
            0.06 * (13 * math.cos(t) - 5 * math.cos(2 * t) - 2 * math.cos(3 * t)),
        )
        for t in np.linspace(0, 2 * math.pi, 60)
    ]
    arm = 0.33
    plus = [
        (-arm, 1), (arm, 1), (arm, arm), (1, arm), (1, -arm), (arm, -arm),
        (arm, -1), (-arm, -1), (-arm, -arm), (-1, -arm), (-1, arm), (-arm, arm),
    ]  # fmt: skip
    return {
        "ball": _circle(1),
        "square": _polygon([(-1, -1), (1, -1), (1, 1), (-1, 1)]),
        "triangle": _polygon([(0, 1), (0.97, -0.62), (-0.97, -0.62)]),
        "diamond": _polygon([(0, 1), (0.7, 0), (0, -1), (-0.7, 0)]),
        "star": _polygon(pentagram),
        "heart": _polygon(curve),
        "ring": _circle(1) - _circle(0.42),
        "moon": _circle(1) * (1 - _circle(0.8, 0.5, 0.1)),
        "cross": _polygon(plus),
    }


_TEMPLATES: dict[int, dict[str, Mask]] = {}


def _templates(angle: int) -> Mapping[str, Mask]:
    if angle not in _TEMPLATES:
        turn = cv2.getRotationMatrix2D((128, 128), angle, 1)
        _TEMPLATES[angle] = {
            name: _normalise(cv2.warpAffine(outline, turn, (256, 256)).astype(np.bool_))
            for name, outline in _outlines().items()
        }
    return _TEMPLATES[angle]


@dataclass(frozen=True, slots=True)
class Asked:
    """A prompt and what its clip should show."""

    prompt: str
    colour: str
    shape: str
    motion: str
    background: str


def score(asked: Sequence[Asked], seen: Sequence[Seen]) -> dict[str, float]:
    """Share of clips that show what was asked, for each kind."""
    return {
        kind: sum(getattr(a, kind) == getattr(s, kind) for a, s in zip(asked, seen, strict=True))
        / max(len(asked), 1)
        for kind in ("colour", "background", "shape", "motion")
    }


def held_out_prompts(count: int, seed: int) -> list[Asked]:
    """Plain prompts of combinations that training never saw."""
    rng = np.random.default_rng([7, seed])
    drawn = [scenes.sample_scene(rng, held_out=True) for _ in range(count)]
    return [
        Asked(scenes.plain_caption(s), s.colour, s.shape, s.motion, s.background) for s in drawn
    ]


def agreement_with_renderer(count: int, frames: int, side: int, seed: int) -> dict[str, float]:
    """How often the judge names rightly what the renderer drew: the ceiling of its figures."""
    rng = np.random.default_rng([9, seed])
    drawn = [scenes.sample_scene(rng, held_out=True) for _ in range(count)]
    asked = [
        Asked(scenes.plain_caption(s), s.colour, s.shape, s.motion, s.background) for s in drawn
    ]
    return score(
        asked, [look(scenes.draw(s, frames=frames, height=side, width=side)) for s in drawn]
    )


def held_out_clips(count: int, frames: int, side: int, seed: int) -> list[Frames]:
    """Clips of combinations that the autoencoder never saw."""
    rng = np.random.default_rng([8, seed])
    return [
        scenes.draw(scenes.sample_scene(rng, held_out=True), frames=frames, height=side, width=side)
        for _ in range(count)
    ]


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


Draw: TypeAlias = Callable[[str, int], Frames]
"""From a prompt and a seed to a clip."""


def drawer(pipeline: WanPipeline, facts: Mapping[str, Any], **changes: Any) -> Draw:
    """Draws with the settings in kinora.json, `changes` aside."""
    settings = {**facts, **changes}
    height, width = settings["sizes"][0]
    pipeline.set_progress_bar_config(disable=True)

    def draw(prompt: str, seed: int) -> Frames:
        out = pipeline(
            prompt=prompt,
            negative_prompt="",
            height=height,
            width=width,
            num_frames=settings["num_frames"],
            num_inference_steps=settings["num_inference_steps"],
            guidance_scale=settings["guidance_scale"],
            max_sequence_length=settings["max_sequence_length"],
            generator=torch.Generator().manual_seed(seed),
            output_type="np",
        ).frames[0]
        return np.asarray(np.clip(np.rint(out * 255), 0, 255), np.uint8)

    return draw


def contact_sheet(rows: Sequence[tuple[str, Frames]], frames_shown: int = 5) -> Image.Image:
    """One line for each clip: its caption, then frames from first to last."""
    clip_height, clip_width = rows[0][1].shape[1:3]
    sheet = Image.new(
        "RGB", (frames_shown * (clip_width + 2), len(rows) * (clip_height + 16)), (250, 250, 250)
    )
    pen = ImageDraw.Draw(sheet)
    for row, (text, clip) in enumerate(rows):
        top = row * (clip_height + 16)
        pen.text((2, top + 2), text[: frames_shown * clip_width // 6], fill=(20, 20, 20))
        for column, index in enumerate(np.linspace(0, len(clip) - 1, frames_shown).round()):
            sheet.paste(Image.fromarray(clip[int(index)]), (column * (clip_width + 2), top + 14))
    return sheet


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--weights", type=Path, default=weights.FOLDER)
    parser.add_argument("--out", type=Path, default=Path("pocket-report"))
    parser.add_argument("--prompts", type=int, default=60)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--steps", type=int, default=None)
    parser.add_argument("--guidance", type=float, default=None)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    facts = weights.facts(options.weights)
    pipeline = weights.load(options.weights)
    changes: dict[str, Any] = {}
    if options.steps is not None:
        changes["num_inference_steps"] = options.steps
    if options.guidance is not None:
        changes["guidance_scale"] = options.guidance
    draw = drawer(pipeline, facts, **changes)
    asked = held_out_prompts(options.prompts, options.seed)
    started = time.monotonic()
    clips = [draw(one.prompt, index) for index, one in enumerate(asked)]
    seconds = (time.monotonic() - started) / max(len(asked), 1)
    seen = [look(clip) for clip in clips]
    side, frames = facts["sizes"][0][0], facts["num_frames"]
    report = {
        **score(asked, seen),
        "vae_pictures_db": reconstruction_db(pipeline.vae, held_out_clips(40, 1, side, 0)),
        "vae_clips_db": reconstruction_db(pipeline.vae, held_out_clips(20, frames, side, 1)),
        "judge_on_own_clips": agreement_with_renderer(200, frames, side, 2),
        "seconds_per_clip": seconds,
        "prompts": len(asked),
        "settings": {**facts, **changes},
    }
    options.out.mkdir(parents=True, exist_ok=True)
    details = [{**asdict(a), "seen": asdict(s)} for a, s in zip(asked, seen, strict=True)]
    (options.out / "judged.json").write_text(
        json.dumps({**report, "clips": details}, indent=1) + "\n"
    )
    contact_sheet([(a.prompt, clip) for a, clip in zip(asked, clips, strict=True)][:16]).save(
        options.out / "contact.png"
    )
    print(json.dumps(report, indent=1))


if __name__ == "__main__":
    main()
