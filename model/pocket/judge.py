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
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final, TypeAlias

import cv2
import numpy as np
import torch
from diffusers import AutoencoderKLWan, WanPipeline
from PIL import Image

from core.request import Request
from model.families import pocket, wan
from model.family import Given, Loaded
from model.pocket import drawing, scenes, sheets, sight, weights
from model.pocket.sight import Frames, Seen

SHARES: Final = {"one": 2 / 3, "camera": 1 / 5, "pair": 2 / 15}
"""Of all prompts: one thing before a camera at rest, one with a camera move, two things."""

ROUND: Final = frozenset({"ball", "ring"})
"""Shapes whose turning can't be seen: rolling, they only move along."""

LOOSELY: Final = {"fall": "down", "roll left": "left", "roll right": "right"}
"""Motions that count as their plainer likes where it is only the way that counts."""

OPPOSITE: Final = {
    "left of": "right of",
    "right of": "left of",
    "above": "below",
    "below": "above",
}


@dataclass(frozen=True, slots=True)
class Asked:
    """A prompt and what its clip should show."""

    prompt: str
    kind: str
    """A name in SHARES."""
    things: tuple[sight.Thing, ...]
    background: str
    motion: str
    camera: str
    relation: str
    """Where the first of two things should be, seen from the second; "" where nothing was said."""


def asked_of(scene: scenes.Scene, kind: str) -> Asked:
    """What the plain caption of a scene asks for."""
    related = len(scene.things) == 2 and scene.motion not in ("orbit", "collide")
    return Asked(
        prompt=scenes.plain_caption(scene),
        kind=kind,
        things=tuple(
            sight.Thing(thing.colour, thing.shape, thing.texture) for thing in scene.things
        ),
        background=scene.background,
        motion=scene.motion,
        camera=scene.camera,
        relation=scene.relation if related else "",
    )


def held_out_scenes(count: int, *seed: int) -> list[tuple[str, scenes.Scene]]:
    """(kind, scene) of combinations that training never saw, in the proportions of SHARES."""
    rng = np.random.default_rng(seed)
    ends = np.cumsum([round(share * count) for share in SHARES.values()])
    kinds = [list(SHARES)[min(int(np.searchsorted(ends, i, "right")), 2)] for i in range(count)]
    return [(kind, scenes.sample_scene(rng, held_out=True, kind=kind)) for kind in kinds]


def verdict(asked: Asked, seen: Seen) -> dict[str, bool]:
    """For each thing that was asked, whether the clip shows it."""
    largest = {asked.things[0].colour: seen.things[0]} if seen.things else {}
    named = {thing.colour: thing for thing in seen.things}
    found = largest if len(asked.things) == 1 else named
    pairs = [(thing, found.get(thing.colour)) for thing in asked.things]
    wanted = asked.motion
    if asked.things[0].shape in ROUND and wanted.startswith("roll"):
        wanted = LOOSELY[wanted]
    right = {
        "colour": all(there is not None and there.colour == t.colour for t, there in pairs),
        "shape": all(there is not None and there.shape == t.shape for t, there in pairs),
        "texture": all(there is not None and there.texture == t.texture for t, there in pairs),
        "background": seen.background == asked.background,
        "motion": seen.motion == wanted,
        "motion_loosely": _loosely(seen.motion) == _loosely(wanted),
        "camera": seen.camera == asked.camera,
    }
    if asked.relation:
        right["relation"] = _is_related(asked, seen)
    return right


def _loosely(motion: str) -> str:
    return LOOSELY.get(motion, motion)


def _is_related(asked: Asked, seen: Seen) -> bool:
    if {thing.colour for thing in seen.things} != {thing.colour for thing in asked.things}:
        return False
    turned = seen.things[0].colour != asked.things[0].colour
    relation = OPPOSITE[seen.relation] if turned else seen.relation
    beside = asked.relation == "beside" and relation in ("left of", "right of")
    return beside or relation == asked.relation


def score(asked: Sequence[Asked], seen: Sequence[Seen]) -> dict[str, float]:
    """Shares of clips that show what was asked.

    "colour", "shape", "texture", "background", "motion" and "at_rest" (no camera move seen) over
    those of one thing before a camera at rest; "camera" over those with a camera move; the rest of
    these two kinds and of the pairs as "camera_…" and "pair_…". What was never asked is left out.
    """
    rights: dict[str, list[bool]] = {}
    for one, what in zip(asked, seen, strict=True):
        for name, right in verdict(one, what).items():
            rights.setdefault(_figure(one.kind, name), []).append(right)
    return {name: sum(which) / len(which) for name, which in rights.items()}


def _figure(kind: str, name: str) -> str:
    if kind == "camera":
        return "camera" if name == "camera" else f"camera_{name}"
    name = "at_rest" if name == "camera" else name
    return name if kind == "one" else f"{kind}_{name}"


def confusions(asked: Sequence[Asked], seen: Sequence[Seen]) -> dict[str, dict[str, Counter[str]]]:
    """For shapes and motions of one thing, and camera moves: asked → how often what was seen."""
    tables: dict[str, dict[str, Counter[str]]] = {"shape": {}, "motion": {}, "camera": {}}
    for one, what in zip(asked, seen, strict=True):
        if one.kind == "one":
            shape = what.things[0].shape if what.things else "nothing"
            tables["shape"].setdefault(one.things[0].shape, Counter())[shape] += 1
            tables["motion"].setdefault(one.motion, Counter())[what.motion or "nothing"] += 1
        if one.kind == "camera":
            tables["camera"].setdefault(one.camera, Counter())[what.camera or "at rest"] += 1
    return {name: dict(sorted(table.items())) for name, table in tables.items()}


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


Draw: TypeAlias = Callable[[str, int], Frames]
"""From a prompt and a seed to a clip."""


def drawer(pipeline: WanPipeline, facts: Mapping[str, Any], **changes: Any) -> Draw:
    """Draws with the settings in kinora.json, `changes` aside, at the first of its sizes."""
    settings = {**facts, **changes}
    width, height = settings["sizes"][0]
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


MINUTE_S: Final = 60
REPEATING: Final = ("bounce", "orbit", "swing", "spin")
"""Motions that a minute may be full of."""


def judge_given(
    drawn: Loaded, facts: Mapping[str, Any], out: Path, *, clips: int, minutes: int, seed: int
) -> dict[str, float]:
    """How clips keep to what they are given, drawn as people get them; given.png goes to `out`.

    "first_db": PSNR of the first frame against the picture given for it; "motion": share of these
    clips that go on as asked; "last_db": the same PSNR of a last frame, where a last one is given
    too. "minute_drift": the most that the border's colour moves in a minute made by continuation,
    0…1; "minute_kept": share of minutes that still show the asked colour and background at their
    end. What was never asked for is left out.
    """
    out.mkdir(parents=True, exist_ok=True)
    (width, height), frames = facts["sizes"][0], facts["num_frames"]
    figures: dict[str, list[float]] = {}

    def note(name: str, figure: float) -> None:
        figures.setdefault(name, []).append(figure)

    sheet = []
    with tempfile.TemporaryDirectory() as scratch:
        first, last = Path(scratch, "first.png"), Path(scratch, "last.png")
        for index, scene in enumerate(_plain_scenes(clips, seed)):
            asked = asked_of(scene, "one")
            shown = drawing.draw(scene, frames=frames, height=height, width=width)
            Image.fromarray(shown[0]).save(first)
            Image.fromarray(shown[-1]).save(last)
            begun = np.stack(list(_drawn(drawn, facts, asked.prompt, index, frames, Given(first))))
            ended = np.stack(
                list(_drawn(drawn, facts, asked.prompt, index, frames, Given(first, last)))
            )
            note("first_db", sight.first_frame_db(begun, shown[0]))
            note("motion", verdict(asked, sight.look(begun))["motion"])
            note("last_db", sight.first_frame_db(ended[::-1], shown[-1]))
            sheet += [(f"given the first: {asked.prompt}", begun), ("given both", ended)]
    if sheet:
        sheets.contact_sheet(sheet[:48]).save(out / "given.png")
    for index, scene in enumerate(_plain_scenes(minutes, seed + 1, REPEATING)):
        asked = asked_of(scene, "one")
        count = MINUTE_S * facts["frame_rate"] + 1
        film = list(_drawn(drawn, facts, asked.prompt, index, count, Given()))
        note("minute_drift", sight.border_drift(film, frame_rate=facts["frame_rate"]))
        right = verdict(asked, sight.look(np.stack(film[-frames:])))
        note("minute_kept", right["colour"] and right["background"])
    return {
        name: max(values) if name == "minute_drift" else float(np.mean(values))
        for name, values in figures.items()
    }


def _plain_scenes(count: int, seed: int, motions: Sequence[str] = ()) -> Iterator[scenes.Scene]:
    """Held-out scenes of one thing before a camera at rest, with any motion or one of `motions`."""
    rng = np.random.default_rng([6, seed])
    found = 0
    while found < count:
        scene = scenes.sample_scene(rng, held_out=True, kind="one")
        if not motions or scene.motion in motions:
            found += 1
            yield scene


def _drawn(
    drawn: Loaded, facts: Mapping[str, Any], prompt: str, seed: int, frames: int, given: Given
) -> Iterator[Frames]:
    width, height = facts["sizes"][0]
    request = Request(
        model="pocket", prompt=prompt, width=width, height=height, num_frames=frames,
        frame_rate=facts["frame_rate"], seed=seed, resolution=f"{height}p", aspect="1:1",
        num_inference_steps=facts["num_inference_steps"], guidance_scale=facts["guidance_scale"],
    )  # fmt: skip
    return drawn.frames(request, given, lambda *_: None)


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
    spread = np.unique(np.linspace(0, len(asked) - 1, 48).round().astype(int))
    sheets.contact_sheet([(asked[i].prompt, clips[i]) for i in spread]).save(out / "contact.png")
    failed = [
        (f"{one.prompt}\n{_wrong(one, what)}", clip)
        for one, what, clip in zip(asked, seen, clips, strict=True)
        if _wrong(one, what)
    ]
    if failed:
        sheets.contact_sheet(failed[:80]).save(out / "failures.png")
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


def _wrong(asked: Asked, seen: Seen) -> str:
    """What is seen instead of what was asked, in a line or two; "" where all is right."""
    right = verdict(asked, seen)
    told = {"background", "motion", "camera", "relation"}
    parts = [
        f"{name} {getattr(asked, name) or 'none'}, seen {getattr(seen, name) or 'none'}"
        for name, fine in right.items()
        if not fine and name in told
    ]
    lines = ["; ".join(parts)] if parts else []
    if not (right["colour"] and right["shape"] and right["texture"]):
        lines.insert(0, f"seen {_listed(seen.things)}")
    return "\n".join(lines)


def _listed(things: Sequence[sight.Thing]) -> str:
    named = [" ".join(f"{t.texture} {t.colour} {t.shape}".split()) for t in things]
    return " and ".join(named) or "nothing"


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


def _size(text: str) -> list[list[int]]:
    """ "96x160" as sizes of one (width, height)."""
    width, _, height = text.partition("x")
    if not (width.isdecimal() and height.isdecimal()) or int(width) % 32 or int(height) % 32:
        raise argparse.ArgumentTypeError("a size is WIDTHxHEIGHT, both multiples of 32")
    return [[int(width), int(height)]]


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError("give a whole number, 1 or more")
    return int(text)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--weights", type=Path, default=weights.FOLDER)
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
        "sizes": options.size,
    }
    changes = {name: value for name, value in given.items() if value is not None}
    settings = {**weights.facts(options.weights), **changes}
    pipeline = weights.load(options.weights)
    shown = held_out_scenes(options.prompts, 7, options.seed)
    asked = [asked_of(scene, kind) for kind, scene in shown]
    (width, height), frames = settings["sizes"][0], settings["num_frames"]
    shape = {"frames": frames, "height": height, "width": width}
    report = {
        **judge(drawer(pipeline, settings), asked, options.out),
        "vae_pictures_db": reconstruction_db(
            pipeline.vae,
            held_out_clips(-(-options.prompts // 5), seed=0, **{**shape, "frames": 1}),
        ),
        "vae_clips_db": reconstruction_db(
            pipeline.vae, held_out_clips(-(-options.prompts // 10), seed=1, **shape)
        ),
        "judge_on_own_clips": agreement_with_renderer(
            options.ceilings, soft=False, seed=2, **shape
        ),
        "judge_on_softened_clips": agreement_with_renderer(
            options.ceilings, soft=True, seed=2, **shape
        ),
        "given": {},
        "settings": settings,
    }
    if settings.get("takes_picture"):
        sizes = tuple((width, height) for width, height in settings["sizes"])
        report["given"] = judge_given(
            wan.load(replace(pocket.checkpoint(options.weights), sizes=sizes)),
            settings,
            options.out,
            clips=options.given,
            minutes=options.minutes,
            seed=options.seed,
        )
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
