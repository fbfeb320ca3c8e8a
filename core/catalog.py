"""What each model can do, as data, and how a `Draft` becomes a `Request` within it."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import Any

from core import camera
from core.errors import BadPrompt
from core.prompt import ASPECTS, FLAGS, recipe
from core.request import DEFAULT_MOTION, Draft, Picture, Request

COMMON_FLAGS = frozenset({"seconds", "ar", "res", "seed", "model", "fast", "relaxed", "quote"})
"""Flags that every model understands."""

WITHOUT_GUIDANCE = "--neg counts only with --guidance above 1: nothing is avoided here."

Moves = tuple[camera.CameraMove, ...]


class Takes(StrEnum):
    """Whether a model takes a picture as the first frame."""

    NOTHING = "nothing"
    MAYBE = "maybe"
    NEEDS = "needs"


@dataclass(frozen=True, slots=True)
class Span:
    """An inclusive range with its default."""

    low: float
    high: float
    default: float


@dataclass(frozen=True, slots=True)
class Cost:
    """A first guess at the seconds that a clip takes, until some have been measured.

    seconds = fixed + per_megapixel_frame × megapixels × frames × steps
    """

    fixed: float
    per_megapixel_frame: float


@dataclass(frozen=True, slots=True)
class Model:
    """One model: what it is, what it takes, and where its limits are.

    flags: names of the optional flags it understands, beyond seconds, ar, res, seed and model.
    picture, last_picture: whether it takes the first frame, and the last.
    moves: the camera moves that it can make, by name; None where it makes them all.
    strengths: whether it makes a move as strongly as is asked; else all alike.
    frame_quantum: frames come in multiples of this, plus one.
    native: the size in pixels at which it draws, where it is enlarged afterwards; else None.
    vocabulary: what a small model knows, kind by kind, in words that it reads; else ().
    remarks: what is to be said of how it takes a request, what matters most first.
    credits_per_second: the least price of a second at 720p; more where measured clips took longer.
    draft_steps: how many steps --draft draws where none are named; None: as many as always.
    draft_resolution: its resolution where none is named; None: the usual one.
    """

    name: str
    family: str
    summary: str
    licence: str
    text: bool
    picture: Takes
    extends: bool
    flags: frozenset[str]
    seconds: Span
    resolutions: tuple[str, ...]
    resolution: str
    frame_rates: tuple[int, ...]
    frame_rate: int
    credits_per_second: float
    cost: Cost
    last_picture: bool = False
    moves: frozenset[str] | None = None
    strengths: bool = True
    aspects: tuple[str, ...] = ASPECTS
    aspect: str = "16:9"
    frame_quantum: int = 1
    steps: Span = Span(1, 1, 1)
    guidance: Span = Span(1, 1, 1)
    default_camera: tuple[camera.CameraMove, ...] = ()
    native: int | None = None
    vocabulary: tuple[tuple[str, tuple[str, ...]], ...] = ()
    remarks: Callable[[Request], Sequence[str]] | None = None
    draft_steps: int | None = None
    draft_resolution: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """What people may know of it, as plain values."""
        return {
            "name": self.name,
            "summary": self.summary,
            "licence": self.licence,
            "text": self.text,
            "picture": self.picture.value,
            "last_picture": self.last_picture,
            "extends": self.extends,
            "flags": sorted(self.flags),
            "seconds": asdict(self.seconds),
            "resolutions": list(self.resolutions),
            "resolution": self.resolution,
            "aspects": list(self.aspects),
            "aspect": self.aspect,
            "frame_rates": list(self.frame_rates),
            "frame_rate": self.frame_rate,
        }


def frame_size(resolution: str, aspect: str) -> tuple[int, int]:
    """Width and height in pixels: the short side is the resolution, the long side even.

    ("720p", "16:9") → (1280, 720); ("480p", "9:16") → (480, 854)
    """
    across, down = (int(part) for part in aspect.split(":"))
    short = int(resolution.removesuffix("p"))
    long = round(short * max(across, down) / min(across, down) / 2) * 2
    return (long, short) if across >= down else (short, long)


def nearest_aspect(width: int, height: int, aspects: Sequence[str]) -> str:
    """The aspect that crops a picture of these sides least."""

    def loss(aspect: str) -> float:
        across, down = (int(part) for part in aspect.split(":"))
        ratio = (width / height) / (across / down)
        return max(ratio, 1 / ratio)

    return min(aspects, key=loss)


def named(catalogue: Sequence[Model], name: str) -> Model:
    """The model of that name. Raises BadPrompt with the names that exist."""
    for model in catalogue:
        if model.name == name:
            return model
    names = tuple(model.name for model in catalogue)
    near = difflib.get_close_matches(name, names, n=1)
    hint = f" Did you mean {near[0]}?" if near else ""
    raise BadPrompt(
        f'There is no model "{name[:40]}".{hint} Try {_either(names)}.',
        flag="model",
        allowed=names,
    )


def complete(
    draft: Draft,
    catalogue: Sequence[Model],
    *,
    picture: Picture | None = None,
    last_picture: Picture | None = None,
    default_model: str | None = None,
    seed: int,
) -> Request:
    """Choose the model, fill in what was not said, refuse what it can't do.

    picture, last_picture: the first frame and the last. seed: used where the draft names none.
    Raises BadPrompt, with what is allowed and the nearest line that would work.
    """
    model = _model(draft, catalogue, picture, last_picture, default_model)
    _check_inputs(draft, model, catalogue, picture, last_picture)
    usual = model.draft_resolution if draft.draft else None
    resolution = draft.resolution or usual or model.resolution
    if resolution not in model.resolutions:
        raise BadPrompt(
            f"{model.name} renders at {_either(model.resolutions)}; you asked for {resolution}.",
            flag="res",
            allowed=model.resolutions,
        )
    shown = picture or last_picture
    aspect = draft.aspect or (
        nearest_aspect(shown.width, shown.height, model.aspects) if shown else model.aspect
    )
    if aspect not in model.aspects:
        raise BadPrompt(
            f"{model.name} renders {_either(model.aspects)}; you asked for {aspect}.",
            flag="ar",
            allowed=model.aspects,
        )
    frame_rate = draft.fps or model.frame_rate
    if frame_rate not in model.frame_rates:
        rates = tuple(str(rate) for rate in model.frame_rates)
        raise BadPrompt(
            f"{model.name} runs at {_either(rates)} frames a second; you asked for {frame_rate}.",
            flag="fps",
            allowed=rates,
        )
    width, height = frame_size(resolution, aspect)
    wanted = draft.camera
    if wanted is None and "camera" in model.flags:
        wanted = camera.find(draft.prompt) or model.default_camera
    moves = _possible(wanted or (), model)
    guidance = _within(draft.guidance, model.guidance, "guidance", model)
    notes = _notes(draft, model, wanted or (), moves)
    if draft.negative_prompt and guidance <= 1:
        notes += (WITHOUT_GUIDANCE,)
    request = Request(
        model=model.name,
        prompt=draft.prompt,
        negative_prompt=draft.negative_prompt or "",
        width=width,
        height=height,
        num_frames=_num_frames(draft, model, frame_rate),
        frame_rate=frame_rate,
        seed=seed if draft.seed is None else draft.seed,
        resolution=resolution,
        aspect=aspect,
        num_inference_steps=_steps(draft, model),
        guidance_scale=guidance,
        camera=moves,
        motion=DEFAULT_MOTION if draft.motion is None else draft.motion,
        loop=draft.loop,
        draft=draft.draft,
        picture=picture.id if picture else None,
        last_picture=last_picture.id if last_picture else None,
    )
    return replace(request, notes=(*_remarks(model, request), *notes))


def reseeded(request: Request, model: Model, seed: int) -> Request:
    """The same with another seed, and with what there is to say of that."""
    said, again = request.notes, request.with_seed(seed)
    before, now = _remarks(model, request), _remarks(model, again)
    if before == now:
        return again
    return replace(again, notes=(*now, *(note for note in said if note not in before)))


def extension(
    previous: Request,
    job_id: str,
    whole_seconds: float,
    seconds: float | None,
    model: Model,
    seed: int,
) -> Request:
    """The request that goes on where the clip of `job_id` stops.

    previous: what that clip was made from; whole_seconds: its whole length by now.
    num_frames counts the frame that both share. Raises BadPrompt.
    """
    if not model.extends:
        raise BadPrompt(f"{model.name} can't extend a clip.")
    if previous.frame_rate not in model.frame_rates:
        raise BadPrompt(
            f"This clip runs at {previous.frame_rate} frames a second, which {model.name} no "
            "longer makes. Ask for a new one."
        )
    added = Draft(seconds=seconds)
    room = model.seconds.high - whole_seconds
    if room < model.seconds.low:
        raise BadPrompt(f"A clip can be up to {model.seconds.high:g} seconds with {model.name}.")
    if seconds is not None and seconds > room:
        raise BadPrompt(
            f"A clip can be up to {model.seconds.high:g} seconds with {model.name}; this one has "
            f"{whole_seconds:.3g}, so {room:.3g} more at most.",
            flag="seconds",
        )
    if seconds is None:
        added = Draft(seconds=min(model.seconds.default, room))
    return replace(
        previous,
        num_frames=_num_frames(added, model, previous.frame_rate),
        picture=None,
        last_picture=None,
        continues=job_id,
        loop=False,
        seed=seed,
    )


def draft_of(request: Request, model: Model) -> Draft:
    """The draft that completes to `request` again, saying only what `model` understands.

    A camera move that the words name, or nobody named, is not said again as a flag: whoever
    changes the words changes the move.
    """
    unsaid = _possible(camera.find(request.prompt) or model.default_camera, model)
    said = Draft(
        prompt=request.prompt,
        negative_prompt=request.negative_prompt or None,
        seconds=round(request.seconds, 3),
        aspect=request.aspect,
        resolution=request.resolution,
        seed=request.seed,
        camera=None if request.camera == unsaid else request.camera,
        motion=request.motion if request.motion != DEFAULT_MOTION else None,
        model=request.model,
        steps=None if _is_drafted(request, model) else request.num_inference_steps,
        guidance=request.guidance_scale,
        fps=request.frame_rate if request.frame_rate != model.frame_rate else None,
        loop=request.loop,
        draft=request.draft,
    )
    untold: dict[str, Any] = {
        flag.field: False if flag.read is None else None
        for flag in FLAGS
        if flag.name not in model.flags | COMMON_FLAGS
    }
    return replace(said, **untold)


def _model(
    draft: Draft,
    catalogue: Sequence[Model],
    picture: Picture | None,
    last_picture: Picture | None,
    default: str | None,
) -> Model:
    if draft.model is not None:
        return named(catalogue, draft.model)
    able = [m for m in catalogue if (m.text if picture is None else m.picture != Takes.NOTHING)]
    if last_picture is not None:
        able = [m for m in able if m.last_picture] or able
    usual = [m for m in able if m.name == default]
    made_for_it = [m for m in able if picture is not None and m.picture is Takes.NEEDS]
    return next(iter(usual + made_for_it + able), catalogue[0])


def _check_inputs(
    draft: Draft,
    model: Model,
    catalogue: Sequence[Model],
    picture: Picture | None,
    last_picture: Picture | None,
) -> None:
    if not draft.prompt and picture is None and last_picture is None:
        raise BadPrompt("Write what you would like to see, or add a picture.")
    if picture is None and model.picture is Takes.NEEDS:
        raise BadPrompt(f"{model.name} moves a camera over your picture: add one.", flag="model")
    if picture is not None and model.picture is Takes.NOTHING:
        others = tuple(m.name for m in catalogue if m.picture is not Takes.NOTHING)
        raise _lacking(f"{model.name} takes no picture", others, "model")
    if last_picture is not None and not model.last_picture:
        others = tuple(m.name for m in catalogue if m.last_picture)
        raise _lacking(f"{model.name} can't end with a picture", others, "model", "can")
    for flag in FLAGS:
        given = getattr(draft, flag.field) not in (None, False)
        if given and flag.name not in model.flags | COMMON_FLAGS:
            others = tuple(m.name for m in catalogue if flag.name in m.flags)
            raise _lacking(f"{model.name} has no --{flag.name}", others, flag.name)


def _lacking(what: str, others: tuple[str, ...], flag: str, verb: str = "does") -> BadPrompt:
    """A model lacks something. others: the models that have it."""
    instead = f"; {_either(others)} {verb}" if others else ""
    return BadPrompt(f"{what}{instead}.", flag=flag, allowed=others)


def _num_frames(draft: Draft, model: Model, frame_rate: int) -> int:
    """Frames whose length is nearest to what was asked for, n × quantum + 1 of them."""
    span = model.seconds
    seconds = span.default if draft.seconds is None else draft.seconds
    if not span.low <= seconds <= span.high:
        within = min(max(seconds, span.low), span.high)
        raise BadPrompt(
            f"A clip can be {span.low:g} to {span.high:g} seconds with {model.name}; "
            f"you asked for {seconds:g}. Try {recipe(Draft(seconds=within))}.",
            flag="seconds",
        )
    return max(1, round(seconds * frame_rate / model.frame_quantum)) * model.frame_quantum + 1


def _within(value: float | None, span: Span, flag: str, model: Model) -> float:
    if value is None:
        return span.default
    if not span.low <= value <= span.high:
        raise BadPrompt(
            f"--{flag} can be {span.low:g} to {span.high:g} with {model.name}; "
            f"you asked for {value:g}.",
            flag=flag,
        )
    return value


def _steps(draft: Draft, model: Model) -> int:
    if draft.draft and draft.steps is None and model.draft_steps is not None:
        return model.draft_steps
    return int(_within(draft.steps, model.steps, "steps", model))


def _is_drafted(request: Request, model: Model) -> bool:
    """Whether its steps are those of --draft: without it they are others."""
    return request.draft and request.num_inference_steps == model.draft_steps


def _possible(moves: Moves, model: Model) -> Moves:
    return tuple(move for move in moves if model.moves is None or str(move) in model.moves)


def _remarks(model: Model, request: Request) -> Sequence[str]:
    return model.remarks(request) if model.remarks else ()


def _notes(draft: Draft, model: Model, wanted: Moves, moves: Moves) -> tuple[str, ...]:
    """What the card says about how the flags and the camera were taken.

    wanted: the camera moves that were asked for, or are usual. moves: those that will be made.
    """
    notes = []
    if "camera" in model.flags:
        if moves and (draft.camera is not None or camera.find(draft.prompt)):
            said = [f"{move} {move.strength:g}" if model.strengths else str(move) for move in moves]
            notes.append(f"Camera: {', '.join(said)}.")
        elif moves:
            notes.append(f"Camera: {', '.join(map(str, moves))}, since none was named.")
        if missing := ", ".join(str(move) for move in wanted if move not in moves):
            notes.append(f"{model.name} can't {missing}: left out.")
        if not model.strengths and any(m.strength != camera.DEFAULT_STRENGTH for m in moves):
            notes.append(f"{model.name} moves the camera at one pace: strengths are left out.")
    if model.native is not None:
        notes.append(f"Drawn at {model.native} pixels and enlarged.")
    return tuple(notes)


def _either(names: Sequence[str], word: str = "or") -> str:
    return f" {word} ".join(filter(None, (", ".join(names[:-1]), names[-1] if names else "")))
