"""Asks for clips, looks at them, and says how often they show what was asked.

`python -m model.pocket.judge --out DIR` draws clips for prompts whose combinations were held out
of training and writes a report with contact sheets. The renderer only supplies what to ask for;
the looking (`sight`) shares no code with it. What the judge says of the renderer's own clips, as
they are and softened, is the ceiling of its figures. Where the model takes pictures, the judge also
says how clips keep to the frames that they are given, and how a minute made by continuation keeps
its colours; these are drawn as people get them, the rest by diffusers' own pipeline.
"""

from __future__ import annotations

import argparse
import json
import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, Final, TypeAlias

import cv2
import numpy as np
import torch
from diffusers import WanPipeline

from model.families import pocket, wan
from model.pocket import ceilings, facts, keeping, sheets, sight, weights
from model.pocket.asked import Asked, asked_of, held_out_scenes
from model.pocket.facts import Facts
from model.pocket.sight import Frames
from model.pocket.verdict import confusions, score, verdict, wrong

SHOWN: Final = 48
FAILURES_SHOWN: Final = 80
"""Clips on the contact sheets."""

Draw: TypeAlias = Callable[[str, int], Frames]
"""From a prompt and a seed to a clip."""


def drawer(pipeline: WanPipeline, suiting: Facts) -> Draw:
    """Draws as suits these weights, at the first of their sizes."""
    width, height = suiting.sizes[0]
    pipeline.set_progress_bar_config(disable=True)

    def draw(prompt: str, seed: int) -> Frames:
        out = pipeline(
            prompt=prompt,
            negative_prompt="",
            height=height,
            width=width,
            num_frames=suiting.num_frames,
            num_inference_steps=suiting.num_inference_steps,
            guidance_scale=suiting.guidance_scale,
            max_sequence_length=suiting.max_sequence_length,
            generator=torch.Generator().manual_seed(seed),
            output_type="np",
        ).frames[0]
        return np.asarray(np.clip(np.rint(out * 255), 0, 255), np.uint8)

    return draw


def judge(draw: Draw, asked: Sequence[Asked], out: Path) -> dict[str, Any]:
    """Draws and looks at every prompt; writes contact.png and failures.png to `out`.

    Gives the shares, the confusions, the seconds a clip took, and every clip's asked and seen.
    """
    clips, seconds = [], 0.0
    for index, one in enumerate(asked):
        started = time.monotonic()
        clips.append(draw(one.prompt, index))
        seconds += time.monotonic() - started
    seen = [sight.look(clip) for clip in clips]
    out.mkdir(parents=True, exist_ok=True)
    spread = np.unique(np.linspace(0, len(asked) - 1, SHOWN).round().astype(int))
    sheets.contact_sheet([(asked[i].prompt, clips[i]) for i in spread]).save(out / "contact.png")
    failed = [
        (f"{one.prompt}\n{said}", clip)
        for one, what, clip in zip(asked, seen, clips, strict=True)
        if (said := wrong(one, what))
    ]
    if failed:
        sheets.contact_sheet(failed[:FAILURES_SHOWN]).save(out / "failures.png")
    return {
        **score(asked, seen),
        "prompts": len(asked),
        "seconds_per_clip": seconds / max(len(asked), 1),
        "confusions": confusions(asked, seen),
        "clips": [
            {"asked": asdict(one), "seen": asdict(what), "right": verdict(one, what)}
            for one, what in zip(asked, seen, strict=True)
        ],
    }


def _print_report(report: Mapping[str, Any]) -> None:
    ceiling, soft = report["judge_on_own_clips"], report["judge_on_softened_clips"]
    print(f"{'':24}{'pocket':>9}{'drawn':>9}{'softened':>9}")
    for name in ceiling:
        shares = (report.get(name, math.nan), ceiling[name], soft.get(name, math.nan))
        print(f"{name:24}" + "".join(f"{share:9.1%}" for share in shares))
    for name in ("vae_pictures_db", "vae_clips_db", "seconds_per_clip", "prompts"):
        print(f"{name:24}{report[name]:9.2f}")
    for name, figure in report["given"].items():
        print(f"given: {name:17}{figure:9.3f}")
    for name, table in report["confusions"].items():
        print(f"\n{name}: asked → seen")
        for wanted, counts in table.items():
            shown = ", ".join(f"{what} {count}" for what, count in counts.most_common())
            print(f"  {wanted:12}{shown}")


def _size(text: str) -> tuple[int, int]:
    """ "96x160" as width and height."""
    width, _, height = text.partition("x")
    if not (width.isdecimal() and height.isdecimal()) or int(width) % 32 or int(height) % 32:
        raise argparse.ArgumentTypeError("a size is WIDTHxHEIGHT, both multiples of 32")
    return int(width), int(height)


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError("give a whole number, 1 or more")
    return int(text)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--weights", type=Path, default=facts.FOLDER)
    parser.add_argument("--out", type=Path, default=Path("pocket-report"))
    parser.add_argument("--prompts", type=_count, default=300)
    parser.add_argument("--ceilings", type=_count, default=300, help="drawn clips to look at")
    parser.add_argument("--given", type=_count, default=30, help="clips with given pictures")
    parser.add_argument("--minutes", type=_count, default=3, help="clips of a minute")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--steps", type=_count, default=None)
    parser.add_argument("--guidance", type=float, default=None)
    parser.add_argument("--size", type=_size, default=None, help="WIDTHxHEIGHT")
    parser.add_argument("--threads", type=_count, default=2)
    parser.add_argument(
        "--curves",
        type=Path,
        nargs="*",
        default=None,
        help="training logs; those in the weights' folder and the one above it otherwise",
    )
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    cv2.setNumThreads(1)
    given = {
        "num_inference_steps": options.steps,
        "guidance_scale": options.guidance,
        "sizes": options.size and (options.size,),
    }
    changes = {name: value for name, value in given.items() if value is not None}
    suiting = replace(facts.read(options.weights), **changes)
    pipeline = weights.load(options.weights)
    shown = held_out_scenes(options.prompts, 7, options.seed)
    report = judge(
        drawer(pipeline, suiting), [asked_of(scene, kind) for kind, scene in shown], options.out
    )
    (width, height), frames = suiting.sizes[0], suiting.num_frames
    shape = {"height": height, "width": width}
    pictures = ceilings.held_out_clips(-(-options.prompts // 5), frames=1, seed=0, **shape)
    clips = ceilings.held_out_clips(-(-options.prompts // 10), frames=frames, seed=1, **shape)
    report |= {
        "vae_pictures_db": ceilings.reconstruction_db(pipeline.vae, pictures),
        "vae_clips_db": ceilings.reconstruction_db(pipeline.vae, clips),
        "given": {},
        "settings": asdict(suiting),
    }
    for name, soft in (("judge_on_own_clips", False), ("judge_on_softened_clips", True)):
        report[name] = ceilings.agreement_with_renderer(
            options.ceilings, frames=frames, soft=soft, seed=2, **shape
        )
    if suiting.takes_picture:
        drawn = wan.load(replace(pocket.checkpoint(options.weights), sizes=suiting.sizes))
        report["given"] = {
            **keeping.given_pictures(
                drawn, suiting, options.out, clips=options.given, seed=options.seed
            ),
            **keeping.minutes(drawn, suiting, count=options.minutes, seed=options.seed + 1),
        }
    logs = options.curves
    if logs is None:
        folder = options.weights.resolve()
        logs = sorted({*folder.glob("*.jsonl"), *folder.parent.glob("*.jsonl")})
    if logs:
        sheets.curves(logs).save(options.out / "curves.png")
    (options.out / "judged.json").write_text(json.dumps(report, indent=1) + "\n")
    _print_report(report)


if __name__ == "__main__":
    main()
