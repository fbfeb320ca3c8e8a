"""What every request passes: the answer's form and log, the host, and who is asking."""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import logging
import math
import time
from collections.abc import Sequence
from urllib.parse import urlsplit

import aiohttp_jinja2
from aiohttp import web
from aiohttp.typedefs import Handler

from bots.web import events, problems
from bots.web.problems import Problem
from bots.web.site import SITE, VISITOR, Site, Visitor, form_token
from core.errors import Transient, UserError
from core.job import OWNER, Account, new_id

log = logging.getLogger("kinora.web")

COOKIE = "kinora_session"
TOKEN_HEADER = "X-Kinora-Token"
SECRET_MAX_CHARS = 512
LONG_KEY_CHARS = 16
"""Nobody guesses an admin key of this length over a network: it is heard however many wrong ones
came from the same address, which a proxy may give to everybody."""

OPEN = frozenset(
    {
        "/healthz",
        "/readyz",
        "/metrics",
        "/open/{code}",
        "/static",
        "/api/v1/openapi.json",
        "/console/sign-in",
        "/console/discord",
        "/console/discord/back",
        "/console/telegram",
    }
)
"""Routes that need no account."""

ANY_HOST = frozenset({"/healthz", "/readyz", "/metrics"})
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data: blob:",
        "media-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
    )
)
_HEADERS = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Server": "Kinora",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=()",
}


async def headers(request: web.Request, response: web.StreamResponse) -> None:
    response.headers.update(_HEADERS)
    static = route(request) == "/static"
    response.headers.setdefault("Cache-Control", "no-cache" if static else "no-store")
    if isinstance(response, web.FileResponse) and not static:
        response.last_modified = None  # kept files carry their expiry as their time


def route(request: web.Request) -> str:
    """The route's pattern, which holds nobody's codes; "unknown" where there is none."""
    resource = request.match_info.route.resource
    return resource.canonical if resource is not None else "unknown"


@web.middleware
async def answer(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turns errors into answers, counts and logs."""
    began = time.monotonic()
    response = await _answered(request, handler)
    took = time.monotonic() - began
    streamed = response.content_type == "text/event-stream"
    metrics = request.app[SITE].metrics
    metrics.answered(request.method, route(request), response.status, None if streamed else took)
    log.info("%s %s %d %.0f ms", request.method, route(request), response.status, took * 1000)
    return response


async def _answered(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except Problem as raised:
        problem = raised
    except (UserError, Transient) as error:
        problem = problems.from_error(error)
    except web.HTTPException as error:
        problem = problems.from_http(error)
    except ConnectionError:
        if events.STREAM not in request:
            raise
        return events.finished(request)
    except Exception:
        reference = new_id()
        log.exception("%s %s failed, reference %s", request.method, route(request), reference)
        problem = problems.from_bug(reference)
    if events.STREAM in request:
        log.info("%s broke off: %s", route(request), problem.detail)
        return events.finished(request)
    if request.path.startswith("/api/"):
        return problem.response()
    return message(request, problem)


def see_other(location: str) -> web.Response:
    return web.Response(status=303, headers={"Location": location})


def message(request: web.Request, problem: Problem) -> web.Response:
    """A page with one sentence."""
    response = aiohttp_jinja2.render_template(
        "message.html", request, {"title": problem.title, "sentence": problem.detail}
    )
    response.set_status(problem.status)
    response.headers.update(problem.headers)
    return response


@web.middleware
async def known_host(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Only names that are ours: a stranger's name that resolves to this machine is not."""
    site = request.app[SITE]
    if route(request) not in ANY_HOST | site.hooks and not _is_ours(request.host, site.web.hosts):
        raise Problem(
            421,
            "This site does not answer to that name. An operator can set KINORA_WEB__PUBLIC_URL.",
            "unknown-host",
        )
    return await handler(request)


@web.middleware
async def who(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Finds the account behind a key or a session, where the route needs one."""
    site = request.app[SITE]
    if request.match_info.http_exception is None and route(request) not in OPEN | site.hooks:
        request[VISITOR] = await _visitor(request, site)
    return await handler(request)


async def check_again(request: web.Request) -> None:
    """Raises Problem where the key or the session of a long request opens nothing any more."""
    now = await _visitor(request, request.app[SITE])
    if now.account.id != request[VISITOR].account.id:
        raise Problem(409, "This account was joined with another: the page opens anew.")


async def _visitor(request: web.Request, site: Site) -> Visitor:
    if "Authorization" in request.headers and request.path.startswith("/api/"):
        key = _key(request)
        if key is None:
            raise _no_key("Keys are sent as `Authorization: Bearer KEY`.")
        return Visitor(await _holder(request, site, key))
    session = request.cookies.get(COOKIE, "")
    account = None
    if is_secret(session):
        account = await site.credentials.account_for("session", session, site.clock())
    if account is None:
        raise _no_session(request)
    return Visitor(account, form_token(session))


async def _holder(request: web.Request, site: Site, key: str) -> Account:
    account = None
    if is_secret(key):
        account = await site.credentials.account_for("key", key, site.clock())
    if account is None and is_admin(request):
        account = await site.studio.account(OWNER, OWNER.subject)
    if account is None:
        raise wrong_key(request)
    return account


def is_admin(request: web.Request) -> bool:
    """Whether the admin key came along. One that is short enough to be guessed is not even
    compared where an address was wrong too often."""
    site, key = request.app[SITE], _key(request)
    known = site.web.admin_key
    if key is None or known is None:
        return False
    if len(known) < LONG_KEY_CHARS and site.failures.wait_seconds(request.remote or ""):
        return False
    return _same(key, known)


def wrong_key(request: web.Request) -> Problem:
    """Counts it, and asks for patience where an address was wrong too often."""
    failures, address = request.app[SITE].failures, request.remote or ""
    wait = math.ceil(failures.wait_seconds(address))
    if wait:
        sentence = f"Too many wrong keys from this address. Try again in {wait} s."
        return Problem(429, sentence, "too-many", headers={"Retry-After": str(wait)})
    failures.note(address)
    return _no_key("This key opens nothing. Check it, or ask the operator for a new one.")


def _key(request: web.Request) -> str | None:
    """What follows "Bearer"; None where there is no such thing."""
    scheme, _, key = request.headers.get("Authorization", "").partition(" ")
    return key.strip() if scheme.lower() == "bearer" else None


def check_token(request: web.Request, given: str | None = None) -> None:
    """A browser session that changes something proves that our own page asked for it.

    given: the token from a form; scripts send it as a header. Keys need none. With our referrer
    policy a form's Origin is "null", and the browser's own word for where it came from decides.
    A proxy may name this machine as the Host, where the Origin has the name that people know.
    """
    visitor = request[VISITOR]
    if visitor.token is None or request.method in _SAFE:
        return
    token = given if given is not None else request.headers.get(TOKEN_HEADER, "")
    origin, near = request.headers.get("Origin"), request.headers.get("Sec-Fetch-Site")
    if origin == "null":
        ours = near == "same-origin"
    else:
        hosts = request.app[SITE].web.hosts
        ours = origin is None or _is_from(origin, (request.host, *hosts))
    if not (_same(token, visitor.token) and ours and near in (None, "same-origin", "none")):
        raise Problem(403, "This did not come from our own page. Reload it and try again.", "token")


def is_secret(text: str) -> bool:
    """Whether it can be one of ours at all."""
    return text.isascii() and 0 < len(text) <= SECRET_MAX_CHARS


def from_this_machine(request: web.Request) -> bool:
    """Straight from the loopback, not through a proxy that stands there."""
    if "Forwarded" in request.headers or "X-Forwarded-For" in request.headers:
        return False
    try:
        return ipaddress.ip_address(request.remote or "").is_loopback
    except ValueError:
        return False


def _is_ours(host: str, names: tuple[str, ...]) -> bool:
    try:
        name = urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return False
    name = name.rstrip(".")
    if name == "localhost" or name in (known.lower() for known in names):
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def _is_from(origin: str, hosts: Sequence[str]) -> bool:
    """hosts: names, with a port or for any port."""
    try:
        there = urlsplit(origin)
        return there.netloc in hosts or there.hostname in hosts
    except ValueError:
        return False


def _same(given: str, known: str) -> bool:
    """Compared in a time that tells neither the length nor where they differ."""
    digests = (hashlib.sha256(text.encode(errors="replace")).digest() for text in (given, known))
    return hmac.compare_digest(*digests)


def _no_key(sentence: str) -> Problem:
    return Problem(401, sentence, "key", headers={"WWW-Authenticate": "Bearer"})


def _no_session(request: web.Request) -> Problem:
    if request.path.startswith("/api/"):
        return _no_key("This needs a key: send it as `Authorization: Bearer KEY`.")
    if request.path.startswith("/console"):
        return Problem(303, "Sign in first.", "session", headers={"Location": "/console/sign-in"})
    return Problem(
        401,
        "This browser is not signed in. Open the link that Kinora printed when it started; "
        "`kinora link` makes a new one.",
        "session",
    )
