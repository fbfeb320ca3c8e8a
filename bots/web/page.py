"""The chat page: its first paint, its cards, its live stream, and its forms without scripts."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

import aiohttp_jinja2
from aiohttp import web

from bots import card, talk
from bots.card import Button
from bots.thumb import thumbnail
from bots.web import doors, events, problems, shown, upload
from bots.web.console import CONSOLE
from bots.web.events import EventStream
from bots.web.site import KEPT, PLACE, Site, site, visitor
from core import camera
from core.counter import Consent
from core.errors import NotFound, Transient, UserError
from core.job import Account, Job, Wallet
from core.prompt import ASPECTS
from core.reviews import PLEA_CHARS
from core.studio import View

PAGE_SIZE = 12
LENGTHS = (1, 2, 3, 4, 5, 8, 10, 15, 20, 30, 60)
EXAMPLES = (
    "a red ball bouncing on a blue background",
    "a yellow star spinning at night",
    "a white moon rising at sunset",
)
SAMPLE_PROMPT = "slow zoom in"


@dataclass(frozen=True, slots=True)
class Turn:
    """One turn of the conversation: what was said, and the card that answers it."""

    card: card.Card
    job: Job
    links: dict[str, str]
    recipe: str

    @property
    def tall(self) -> bool:
        return self.job.request.height > self.job.request.width


@dataclass(frozen=True, slots=True)
class Composed:
    """What the composer holds at first paint. picture, last_picture: addresses of those of the
    earlier clip. problem: the sentence under it. chosen: the values of the options, by their flags.
    """

    text: str = ""
    variant_of: str = ""
    picture: str = ""
    last_picture: str = ""
    problem: str = ""
    chosen: Mapping[str, str] = field(default_factory=dict)


async def chat(request: web.Request) -> web.StreamResponse:
    """The page. ?before=ID shows what came earlier; ?edit=ID fills the composer with a recipe."""
    here, account = site(request), visitor(request).account
    composed = Composed(text=request.query.get("text", "")[: upload.TEXT_MAX_BYTES])
    edited = request.query.get("edit", "")
    if upload.is_id(edited):
        view = await here.studio.view(account, edited)
        composed = Composed(
            text=shown.recipe(here.studio, view.job),
            variant_of=edited,
            picture=shown.links(view).get("picture", ""),
            last_picture=shown.links(view).get("last_picture", ""),
        )
    return await _chat(request, composed)


async def send(request: web.Request) -> web.StreamResponse:
    """The composer's form, for browsers without scripts."""
    here, account = site(request), visitor(request).account
    limit = here.web.max_upload_bytes
    async with upload.reading(request, limit, here.uploads, account.id) as sent:
        doors.check_token(request, str(sent.fields.pop("token", "")))
        try:
            asked = upload.asked(sent)
            job = await here.studio.submit(
                account, PLACE, asked.draft, picture=asked.image, last_picture=asked.last_image,
                variant_of=asked.variant_of, consent=Consent.SEEN, said=asked.said,
            )  # fmt: skip
            return doors.see_other(f"/#clip-{job.id}")
        except (UserError, Transient) as error:
            problem = problems.from_error(error)
            response = await _chat(request, await _as_sent(request, sent, problem.detail))
            response.set_status(problem.status)
            response.headers.update(problem.headers)
            return response


async def act(request: web.Request) -> web.StreamResponse:
    """A button of a card, for browsers without scripts."""
    here, account = site(request), visitor(request).account
    form = await request.post()
    doors.check_token(request, str(form.get("token", "")))
    job_id = request.match_info["id"]
    match request.match_info["action"]:
        case Button.CANCEL:
            await here.studio.cancel(account, job_id)
        case Button.DELETE:
            await here.studio.delete(account, job_id)
            return doors.see_other("/")
        case Button.RENDER | Button.RELAX | Button.ATTEST as button:
            await here.studio.accept(
                account, job_id, relaxed=button == Button.RELAX, attest=button == Button.ATTEST
            )
        case Button.APPEAL:
            await here.reviews.appeal(account, job_id, str(form.get("why", "")))
        case Button.AGAIN | Button.RETRY:
            job_id = (await here.studio.again(account, PLACE, job_id, consent=Consent.SEEN)).id
        case Button.EXTEND:
            job_id = (await here.studio.extend(account, PLACE, job_id, consent=Consent.SEEN)).id
    return doors.see_other(f"/#clip-{job_id}")


async def turn(request: web.Request) -> web.StreamResponse:
    """One turn as HTML, for the page's script."""
    view = await site(request).studio.view(visitor(request).account, request.match_info["id"])
    return web.Response(text=_html(request, view, await _drawn(request)), content_type="text/html")


async def thumb(request: web.Request) -> web.StreamResponse:
    """A picture that a clip was made from, small. It is the browser's to keep, but to be asked
    for each time; it never changes."""
    here, account = site(request), visitor(request).account
    asked = (await here.studio.view(account, request.match_info["id"])).job.request
    last = request.match_info["which"] == "last-thumb"
    picture = asked.last_picture if last else asked.picture
    path = await here.pictures(picture) if picture is not None else None
    if picture is None or path is None:
        raise NotFound("This clip has no picture, or it is no longer stored.")
    response = web.Response(content_type="image/jpeg", headers={"Cache-Control": KEPT})
    response.etag = picture
    if any(tag.value in (picture, "*") for tag in request.if_none_match or ()):
        response.set_status(304)
        return response
    try:
        response.body = await asyncio.to_thread(thumbnail, path)
    except FileNotFoundError:
        raise NotFound("The picture is no longer stored.") from None
    return response


async def earlier(request: web.Request) -> web.StreamResponse:
    """The turns before ?before=ID as HTML, oldest first, led by a link to what is before them."""
    turns, before = await _turns(request)
    context = {"turns": turns, "earlier": before, **await _drawn(request)}
    return aiohttp_jinja2.render_template("turns.html", request, context)


async def stream(request: web.Request) -> web.StreamResponse:
    """Server-sent events for the whole account.

    `history`: the ids of the newest turns, oldest first, at once. `turn`: a turn's id, state, a
    sentence, and its HTML. `gone`: the id of a deleted one. `wallet`: the credits.
    """
    here, account = site(request), visitor(request).account
    with here.streams.opened(account.id), here.bulletin.account(account.id) as changes:
        views = await here.studio.history(account, PAGE_SIZE)
        out = await events.open_stream(request, doors.check_again)
        here.metrics.streams.inc()
        try:
            await out.send("history", [view.job.id for view in reversed(views)])
            watched = Watched(request, out, await _drawn(request))
            for view in reversed(views):
                await watched.tell(view)
            await watched.tell_wallet()
            while not out.over:
                await watched.look(await out.next_change(changes))
        finally:
            here.metrics.streams.dec()
    return events.finished(request)


class Watched:
    """What one open page has been told, so that it hears only news."""

    def __init__(self, request: web.Request, out: EventStream, drawn: Mapping[str, object]) -> None:
        """drawn: what every turn is drawn with."""
        self._request = request
        self._out = out
        self._drawn = drawn
        self._account: Account = visitor(request).account
        self._studio = site(request).studio
        self._told: dict[str, str] = {}
        self._unfinished: dict[str, str] = {}
        self._wallet: Wallet | None = None

    async def look(self, changed: frozenset[str]) -> None:
        """Tell what changed; without news, how the unfinished get on, or that we are here."""
        settled = False
        for job_id in changed or tuple(self._unfinished):
            before = self._unfinished.get(job_id)
            try:
                view = await self._studio.view(self._account, job_id)
            except NotFound:
                self._unfinished.pop(job_id, None)
                self._told.pop(job_id, None)
                await self._out.send("gone", {"id": job_id})
                continue
            await self.tell(view)
            settled |= before != view.job.state
        if settled:
            await self.tell_wallet()
        if not changed:
            await self._out.keep_alive()

    async def tell(self, view: View) -> None:
        job = view.job
        if job.state.ended:
            self._unfinished.pop(job.id, None)
        else:
            self._unfinished[job.id] = job.state
        html = _html(self._request, view, self._drawn)
        if self._told.get(job.id) == html:
            return
        self._told[job.id] = html
        shown_card = card.card(view, self._studio.catalogue)
        said = f"{shown_card.line_one}. {shown_card.line_two}"
        await self._out.send(
            "turn", {"id": job.id, "state": job.state.value, "say": said, "html": html}
        )

    async def tell_wallet(self) -> None:
        wallet = await self._studio.wallet(self._account)
        if wallet != self._wallet:
            self._wallet = wallet
            words = {"balance": card.credits(wallet.available), "held": card.credits(wallet.held)}
            await self._out.send("wallet", words)


async def _as_sent(request: web.Request, sent: upload.Sent, problem: str) -> Composed:
    """The composer as it was when it was sent; only a file has to be chosen again."""
    here, account = site(request), visitor(request).account
    fields = {name: str(value) for name, value in sent.fields.items()}
    variant_of, links = fields.pop("variant_of", ""), dict[str, str]()
    if upload.is_id(variant_of):
        with suppress(NotFound):
            view = await here.studio.view(account, variant_of)
            links = shown.links(view)
    if sent.files:
        problem = f"{problem} Choose the picture again."
    words = fields.pop("prompt", "")
    picture, last_picture = links.get("picture", ""), links.get("last_picture", "")
    kept = variant_of if picture or last_picture else ""
    return Composed(words, kept, picture, last_picture, problem, fields)


async def _chat(request: web.Request, composed: Composed) -> web.Response:
    here, who = site(request), visitor(request)
    turns, before = await _turns(request)
    drawn, desk = await _drawn(request), request.app[CONSOLE]
    wallet = await here.studio.wallet(who.account)
    context = {
        "turns": turns,
        "earlier": before,
        "older": "before" in request.query,
        "composed": composed,
        **drawn,
        "name": who.account.name,
        "balance": card.credits(wallet.available),
        "held": card.credits(wallet.held),
        "limits": talk.limits(await here.studio.promised(who.account, PLACE)),
        "models": here.studio.catalogue,
        "ends": any(model.last_picture for model in here.studio.catalogue),
        "lengths": LENGTHS,
        "aspects": ASPECTS,
        "resolutions": _resolutions(here),
        "cameras": camera.names(),
        "examples": EXAMPLES,
        "sample_prompt": SAMPLE_PROMPT,
        "machine": talk.MACHINE,
        "kept": here.web.kept,
        "leads": await desk.leadership.may_lead(who.account),
        "undecided": sum(await desk.reviews.counts(None)) if drawn["decides"] else 0,
        "max_upload_bytes": here.web.max_upload_bytes,
    }
    return aiohttp_jinja2.render_template("chat.html", request, context)


async def _turns(request: web.Request) -> tuple[list[Turn], str | None]:
    """A page of turns, oldest first, and the id before which there are more."""
    here, account = site(request), visitor(request).account
    before = request.query.get("before")
    if before is not None and not upload.is_id(before):
        raise NotFound("There is no such clip.")
    views = await here.studio.history(account, PAGE_SIZE + 1, before)
    more = len(views) > PAGE_SIZE
    turns = [_turn(here, view) for view in reversed(views[:PAGE_SIZE])]
    return turns, turns[0].job.id if more else None


def _turn(here: Site, view: View) -> Turn:
    return Turn(
        card=card.card(view, here.studio.catalogue),
        job=view.job,
        links=shown.links(view),
        recipe=shown.recipe(here.studio, view.job),
    )


def _html(request: web.Request, view: View, drawn: Mapping[str, object]) -> str:
    context = {"turn": _turn(site(request), view), **drawn}
    return aiohttp_jinja2.render_string("turn.html", request, context).strip()


async def _drawn(request: web.Request) -> dict[str, object]:
    """What every turn is drawn with. decides: they are a moderator themselves."""
    who = visitor(request)
    decides = await request.app[CONSOLE].leadership.operates(who.account)
    return {"labels": card.LABELS, "token": who.token, "why_chars": PLEA_CHARS, "decides": decides}


def _resolutions(here: Site) -> Sequence[str]:
    known = {resolution for model in here.studio.catalogue for resolution in model.resolutions}
    return sorted(known, key=lambda resolution: int(resolution.removesuffix("p")))


_CLIP = "/clips/{id:[0-9a-z]{12}}"

ROUTES = (
    web.get("/", chat),
    web.get("/earlier", earlier),
    web.get("/stream", stream, allow_head=False),
    web.get(_CLIP, turn),
    web.get(f"{_CLIP}/{{which:thumb|last-thumb}}", thumb),
    web.post("/clips", send),
    web.post(
        f"{_CLIP}/{{action:render|relax|attest|cancel|appeal|again|retry|extend|delete}}", act
    ),
)
