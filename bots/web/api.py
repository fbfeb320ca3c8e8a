"""The HTTP API under /api/v1. Each route says here what it does and what it answers."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web
from aiohttp.typedefs import Handler

from bots import card
from bots.web import doors, events, openapi, origins, shown, upload
from bots.web.problems import Problem
from bots.web.site import KEPT, PLACE, site, visitor
from core.counter import Consent
from core.errors import NotFound
from core.job import State
from core.request import Picture
from core.sources import pictures_of
from core.studio import View

HISTORY_MAX = 100
SIDE_MAX = 100_000
ENTRIES = 20


async def submit(request: web.Request) -> web.StreamResponse:
    """Ask for a clip."""
    doors.check_token(request)
    here, account = site(request), visitor(request).account
    key = upload.idempotency_key(request)
    limit = here.web.max_upload_bytes
    async with upload.reading(request, limit, here.uploads, account.id) as sent:
        asked = upload.asked(sent)
        job = await here.studio.submit(
            account, PLACE, asked.draft, picture=asked.image, last_picture=asked.last_image,
            variant_of=asked.variant_of, consent=_consent(request), key=key, said=asked.said,
        )  # fmt: skip
    return await _accepted(request, job.id)


async def quote(request: web.Request) -> web.StreamResponse:
    """What a clip would cost and how long it would take. Nothing is charged."""
    doors.check_token(request)
    here, account = site(request), visitor(request).account
    fields = await upload.read_json(request)
    picture, last_picture = (
        _sides(name, fields.pop(name, None)) for name in ("picture", "last_picture")
    )
    asked = upload.asked(upload.Sent(fields))
    if asked.variant_of is not None:
        first, last = pictures_of((await here.studio.view(account, asked.variant_of)).job.request)
        picture, last_picture = picture or first, last_picture or last
    quoted = here.studio.quote(asked.draft, picture, last_picture, account=account)
    wallet = await here.studio.wallet(account)
    return web.json_response(shown.quote(quoted, wallet.available))


async def history(request: web.Request) -> web.StreamResponse:
    """Your clips, newest first."""
    here, account = site(request), visitor(request).account
    limit = _limit(request.query.get("limit", "20"))
    before = request.query.get("before")
    if before is not None and not upload.is_id(before):
        raise NotFound("There is no such clip.")
    views = await here.studio.history(account, limit, before)
    return web.json_response(
        {
            "clips": [shown.clip(view, here.studio) for view in views],
            "next": (
                f"/api/v1/clips?limit={limit}&before={views[-1].job.id}"
                if len(views) == limit
                else None
            ),
        }
    )


async def show(request: web.Request) -> web.StreamResponse:
    """One clip: its state, its outlook, and all that it was made from."""
    return web.json_response(shown.clip(await _view(request), site(request).studio))


async def cancel(request: web.Request) -> web.StreamResponse:
    """Stop a clip that is not finished; with ?forget=true remove one that has ended."""
    doors.check_token(request)
    here, account = site(request), visitor(request).account
    if _asked_for(request, "forget"):
        await here.studio.delete(account, request.match_info["id"])
        return web.Response(status=204)
    await here.studio.cancel(account, request.match_info["id"])
    return web.json_response(shown.clip(await _view(request), here.studio))


async def render(request: web.Request) -> web.StreamResponse:
    """Queue a clip that was quoted, at the price that was shown; or for nothing, relaxed."""
    doors.check_token(request)
    here, account = site(request), visitor(request).account
    relaxed, attest = upload.truths(await upload.read_json(request), "relaxed", "attest")
    job = await here.studio.accept(
        account, request.match_info["id"], relaxed=relaxed, attest=attest
    )
    return await _accepted(request, job.id)


async def appeal(request: web.Request) -> web.StreamResponse:
    """Ask a moderator about a clip that was refused, once. Nothing is charged until then."""
    doors.check_token(request)
    here, account = site(request), visitor(request).account
    why = upload.words(await upload.read_json(request), "why")
    job = await here.reviews.appeal(account, request.match_info["id"], why)
    return await _accepted(request, job.id)


async def again(request: web.Request) -> web.StreamResponse:
    """The same once more, with a new seed."""
    doors.check_token(request)
    here, account = site(request), visitor(request).account
    key = upload.idempotency_key(request)
    fields = await upload.read_json(request)
    if fields:
        raise Problem(422, "This takes no fields: send a new clip with `variant_of` instead.")
    job = await here.studio.again(
        account, PLACE, request.match_info["id"], consent=_consent(request), key=key
    )
    return await _accepted(request, job.id)


async def extend(request: web.Request) -> web.StreamResponse:
    """A clip that begins with this one and goes on."""
    doors.check_token(request)
    here, account = site(request), visitor(request).account
    key = upload.idempotency_key(request)
    more = upload.seconds(await upload.read_json(request))
    job = await here.studio.extend(
        account, PLACE, request.match_info["id"], more, consent=_consent(request), key=key
    )
    return await _accepted(request, job.id)


async def watch(request: web.Request) -> web.StreamResponse:
    """Server-sent events: `card` with the clip at once and at each change, until it ended."""
    here, account = site(request), visitor(request).account
    job_id = request.match_info["id"]
    with here.streams.opened(account.id), here.bulletin.job(job_id) as changes:
        view = await here.studio.view(account, job_id)
        stream = await events.open_stream(request, doors.check_again)
        sent: object = None
        while True:
            said = shown.clip(view, here.studio)
            if said == sent:
                await stream.keep_alive()
            else:
                await stream.send("card", said)
            if view.job.state.ended or stream.over:
                break
            sent = said
            await stream.next_change(changes)
            try:
                view = await here.studio.view(account, job_id)
            except NotFound:
                await stream.send("gone", {"id": job_id})
                break
    return events.finished(request)


async def video(request: web.Request) -> web.StreamResponse:
    """The clip itself, an MP4. Takes Range; ?download=1 names it for saving."""
    view = await _view(request)
    clip = view.job.clip
    if clip is None:
        raise _no_clip(view)
    headers = {"Content-Type": "video/mp4"}
    if request.query.get("download") == "1":
        headers["Content-Disposition"] = f'attachment; filename="kinora-{view.job.id}.mp4"'
    return await _file(request, clip.video, clip.size, headers)


async def poster(request: web.Request) -> web.StreamResponse:
    """A still of the finished clip."""
    view = await _view(request)
    clip = view.job.clip
    if clip is None:
        raise _no_clip(view)
    return await _file(request, clip.poster, None, {"Content-Type": "image/jpeg"})


async def preview(request: web.Request) -> web.StreamResponse:
    """How a running clip looks so far."""
    here = site(request)
    data = here.studio.preview((await _view(request)).job)
    if data is None:
        raise NotFound("There is no preview now.")
    return web.Response(body=data, content_type="image/jpeg")


async def picture(request: web.Request) -> web.StreamResponse:
    """The picture that the clip was made from, as it was decoded here."""
    return await _picture(request, (await _view(request)).job.request.picture)


async def last_picture(request: web.Request) -> web.StreamResponse:
    """The picture that the clip was to end with, as it was decoded here."""
    return await _picture(request, (await _view(request)).job.request.last_picture)


async def me(request: web.Request) -> web.StreamResponse:
    """Your name, your credits, and the newest lines of your ledger."""
    here, account = site(request), visitor(request).account
    wallet = await here.studio.wallet(account)
    entries = await here.studio.entries(account, ENTRIES)
    return web.json_response(
        {
            "name": account.name,
            "balance": wallet.available,
            "held": wallet.held,
            "limits": shown.limits(await here.studio.promised(account, PLACE)),
            "entries": [
                {
                    "kind": entry.kind,
                    "available_change": entry.available_change,
                    "held_change": entry.held_change,
                    "clip": entry.job_id,
                    "note": entry.note,
                    "created_at": entry.created_at.isoformat(timespec="seconds"),
                }
                for entry in entries
            ],
        }
    )


async def models(request: web.Request) -> web.StreamResponse:
    """What can be rendered here, within which limits, and the flags that say it."""
    catalogue = site(request).studio.catalogue
    return web.json_response(
        {"models": [model.as_dict() for model in catalogue], "flags": shown.flags()}
    )


async def description(request: web.Request) -> web.StreamResponse:
    """This description."""
    return web.json_response(openapi.document(ROUTES, site(request).web))


@dataclass(frozen=True, slots=True)
class Route:
    """One operation. answers: what it says when it works, by status. fails: how it may not.

    takes and answers name the schemas of `openapi`; a media type stands for itself.
    """

    method: str
    path: str
    handler: Handler
    answers: tuple[int, str]
    fails: tuple[int, ...] = ()
    takes: tuple[str, ...] = ()
    query: tuple[str, ...] = ()
    repeatable: bool = False
    open: bool = False


_CLIP = "/api/v1/clips/{id}"
_ID = ":[0-9a-z]{12}"

_READING = (400, 404, 408, 413, 415, 422)
_ASKING = (*_READING, 402, 409, 429, 503)

ROUTES = (
    Route("POST", "/api/v1/clips", submit, (202, "Accepted"), _ASKING,
          takes=("Asked", "AskedForm"), query=("offer",), repeatable=True),
    Route("GET", "/api/v1/clips", history, (200, "History"), (404, 422), query=("limit", "before")),
    Route("GET", _CLIP, show, (200, "Clip"), (404,)),
    Route("DELETE", _CLIP, cancel, (200, "Clip"), (404, 409, 422, 503), query=("forget",)),
    Route("POST", f"{_CLIP}/render", render, (202, "Accepted"), _ASKING, takes=("Accepting",)),
    Route("POST", f"{_CLIP}/appeal", appeal, (202, "Accepted"), (*_READING, 409, 503),
          takes=("Appealing",)),
    Route("POST", f"{_CLIP}/again", again, (202, "Accepted"), _ASKING,
          query=("offer",), repeatable=True),
    Route("POST", f"{_CLIP}/extend", extend, (202, "Accepted"), _ASKING,
          takes=("Longer",), query=("offer",), repeatable=True),
    Route("GET", f"{_CLIP}/events", watch, (200, "text/event-stream"), (404, 429)),
    Route("GET", f"{_CLIP}/video", video, (200, "video/mp4"), (404, 410, 416), query=("download",)),
    Route("GET", f"{_CLIP}/poster", poster, (200, "image/jpeg"), (404, 410, 416)),
    Route("GET", f"{_CLIP}/preview", preview, (200, "image/jpeg"), (404,)),
    Route("GET", f"{_CLIP}/picture", picture, (200, "image/*"), (404, 410, 416)),
    Route("GET", f"{_CLIP}/last_picture", last_picture, (200, "image/*"), (404, 410, 416)),
    Route("GET", f"{_CLIP}/recipe", origins.recipe, (200, "Recipe"), (404, 409, 422),
          query=("words",)),
    Route("POST", "/api/v1/verify", origins.verify, (200, "Origin"), (*_READING, 409, 503),
          takes=("AskedFile",)),
    Route("POST", "/api/v1/quote", quote, (200, "Quote"), _READING,
          takes=("AskedQuote",)),
    Route("GET", "/api/v1/me", me, (200, "Me")),
    Route("GET", "/api/v1/models", models, (200, "Models")),
    Route("GET", "/api/v1/openapi.json", description, (200, "object"), open=True),
)  # fmt: skip


def routes() -> list[web.RouteDef]:
    return [
        web.route(route.method, route.path.replace("{id}", f"{{id{_ID}}}"), route.handler)
        for route in ROUTES
    ]


async def _view(request: web.Request) -> View:
    return await site(request).studio.view(visitor(request).account, request.match_info["id"])


async def _accepted(request: web.Request, job_id: str) -> web.Response:
    """Raises Problem where it was written down as refused, unless ?offer=true asks for a card."""
    here, account = site(request), visitor(request).account
    view = await here.studio.view(account, job_id)
    if view.job.state is State.REFUSED and not _asked_for(request, "offer"):
        said = card.card(view, here.studio.catalogue)
        raise Problem(
            403, f"{said.line_one}. {said.line_two}", "refused", clause=view.job.clause, clip=job_id
        )
    headers = {"Location": f"/api/v1/clips/{job_id}"}
    return web.json_response(shown.brief(view), status=202, headers=headers)


async def _picture(request: web.Request, picture_id: str | None) -> web.FileResponse:
    path = await site(request).pictures(picture_id) if picture_id is not None else None
    if path is None:
        raise NotFound("This clip has no such picture, or it is no longer stored.")
    return await _file(request, path, None, {})


async def _file(
    request: web.Request, path: Path, size: int | None, headers: dict[str, str]
) -> web.FileResponse:
    """A file of a clip. It is the browser's to keep, but to be asked for each time."""
    if not await asyncio.to_thread(path.is_file):
        raise _gone()
    if size is not None:
        try:
            start = request.http_range.start or 0
        except ValueError:
            raise Problem(416, "The Range can't be read.") from None
        if start >= size:
            headers = {"Content-Range": f"bytes */{size}"}
            raise Problem(416, "The clip has no such part.", headers=headers)
    return web.FileResponse(path, headers={"Cache-Control": KEPT, **headers})


def _no_clip(view: View) -> Exception:
    state = view.job.state
    if state is State.SUCCEEDED:
        return _gone()
    if state.ended:
        return NotFound(f"This clip has no video: it {_ENDED[state]}.")
    return NotFound("This clip has no video yet.")


def _gone() -> Problem:
    return Problem(410, "This clip is no longer stored.")


_ENDED = {
    State.FAILED: "failed",
    State.CANCELLED: "was cancelled",
    State.REFUSED: "was refused",
}


def _limit(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 6 and 1 <= int(text) <= HISTORY_MAX):
        raise Problem(422, f"limit is a whole number from 1 to {HISTORY_MAX}.")
    return int(text)


def _consent(request: web.Request) -> Consent:
    return Consent.SEEN if _asked_for(request, "offer") else Consent.GIVEN


def _asked_for(request: web.Request, name: str) -> bool:
    said = request.query.get(name, "false")
    if said not in ("true", "false"):
        raise Problem(422, f"{name} is true or false.")
    return said == "true"


def _sides(name: str, given: object) -> Picture | None:
    """The sides of a picture that is still in the browser."""
    if given is None:
        return None
    if isinstance(given, dict):
        match given.get("width"), given.get("height"):
            case (int(width), int(height)) if 0 < width <= SIDE_MAX and 0 < height <= SIDE_MAX:
                return Picture("", width, height)
    raise Problem(422, f"{name} has a width and a height, in whole pixels.")
