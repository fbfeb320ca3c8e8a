"""Our values as the JSON that the API speaks."""

from __future__ import annotations

from datetime import datetime

from bots import card
from core.counter import Promised, Quote
from core.dispatch import Outlook
from core.errors import BadPrompt
from core.eta import Range
from core.job import Job, Price, State
from core.prompt import FLAGS
from core.studio import Studio, View

Json = dict[str, object]


def clip(view: View, studio: Studio) -> Json:
    """One job, whole."""
    job, request = view.job, view.job.request
    shown = card.card(view, studio.catalogue)
    return brief(view) | {
        "line_one": shown.line_one,
        "line_two": shown.line_two,
        "progress": shown.progress,
        "stage": view.outlook.stage if view.outlook else "",
        "step": view.outlook.step if view.outlook else job.step,
        "steps": view.outlook.steps if view.outlook else job.steps,
        "prompt": request.prompt,
        "negative_prompt": request.negative_prompt,
        "model": request.model,
        "width": request.width,
        "height": request.height,
        "resolution": request.resolution,
        "aspect": request.aspect,
        "num_frames": job.clip.num_frames if job.clip else request.num_frames,
        "frame_rate": request.frame_rate,
        "seconds": round(job.clip.seconds if job.clip else request.seconds, 3),
        "seed": request.seed,
        "camera": [f"{move} {move.strength:g}" for move in request.camera],
        "motion": request.motion,
        "num_inference_steps": request.num_inference_steps,
        "guidance_scale": request.guidance_scale,
        "loop": request.loop,
        "draft": request.draft,
        "notes": list(request.notes),
        "recipe": recipe(studio, job),
        "parent": job.parent,
        "extends": studio.can_extend(job),
        "created_at": _time(job.created_at),
        "started_at": _time(job.started_at),
        "ended_at": _time(job.ended_at),
        "expires_at": _time(job.clip.expires_at if job.clip else None),
        "charged": job.charged,
        "lane": job.lane.value,
        "price": price(job.price) if job.price else None,
        "run_seconds": job.run_seconds,
        "bytes": job.clip.size if job.clip else None,
        "failure": shown.failure or None,
        "reference": job.reference,
        "links": links(view),
    }


def brief(view: View) -> Json:
    """What there is to say at once. position: 0 once it runs; eta_seconds: until the clip. Neither
    is known while it waits for somebody's word: until decide_by, about clause."""
    job = view.job
    waits = job.state in (State.QUOTED, State.HELD)
    outlook = None if waits else view.outlook
    return {
        "id": view.job.id,
        "state": job.state.value,
        "credits": job.credits,
        "position": None if waits else outlook.position if outlook else 0,
        "eta_seconds": seconds(outlook.left) if outlook and not outlook.paused else None,
        "clause": job.clause.value if job.clause else None,
        "decide_by": _time(job.decide_by),
    }


def links(view: View) -> dict[str, str]:
    """Where the rest is; only what is there."""
    job = view.job
    here = f"/api/v1/clips/{job.id}"
    there = {"self": here, "events": f"{here}/events"}
    if job.request.picture is not None:
        there["picture"] = f"{here}/picture"
    if job.request.last_picture is not None:
        there["last_picture"] = f"{here}/last_picture"
    if job.clip is not None:
        there |= {"video": f"{here}/video", "poster": f"{here}/poster"}
    if preview_number(view.outlook):
        there["preview"] = f"{here}/preview?n={preview_number(view.outlook)}"
    return there


def preview_number(outlook: Outlook | None) -> int:
    return outlook.preview_number if outlook else 0


def recipe(studio: Studio, job: Job) -> str:
    """The line that makes a clip again; "" where its model is gone."""
    try:
        return studio.recipe(job)
    except BadPrompt:
        return ""


def quote(quoted: Quote, available: int) -> Json:
    request = quoted.request
    return {
        "credits": quoted.credits,
        "available": available,
        "takes_seconds": seconds(quoted.takes),
        "summary": card.offer(quoted),
        "parts": price(quoted.price)["parts"],
        "price": price(quoted.price),
        "lane": quoted.lane.value,
        "model": request.model,
        "prompt": request.prompt,
        "width": request.width,
        "height": request.height,
        "num_frames": request.num_frames,
        "frame_rate": request.frame_rate,
        "seconds": round(request.seconds, 3),
        "notes": list(request.notes),
    }


def limits(promised: Promised) -> Json:
    """What somebody may count on; None: as the model can."""
    plan = promised.plan
    return {
        "plan": plan.name,
        "daily": plan.daily,
        "monthly": plan.monthly,
        "next_day": _time(promised.next_day),
        "next_month": _time(promised.next_month),
        "waiting": plan.waiting,
        "relaxed": promised.relaxed,
        "longest": plan.longest,
        "largest": plan.largest,
    }


def price(said: Price) -> Json:
    """Whole credits, and the factors that they are made of."""
    parts = [{"name": name, "factor": factor} for name, factor in said.parts]
    return {"credits": said.credits, "parts": parts}


def flags() -> list[Json]:
    return [
        {
            "name": flag.name,
            "allowed": flag.allowed,
            "example": flag.example,
            "takes_value": flag.read is not None,
        }
        for flag in FLAGS
    ]


def seconds(span: Range) -> list[float]:
    """A range as [low, high], in seconds."""
    return [round(span.low, 1), round(span.high, 1)]


def _time(at: datetime | None) -> str | None:
    return at.isoformat(timespec="milliseconds") if at else None
