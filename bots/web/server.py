"""The site put together: routes, doors, templates. Knows no handler's inside."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path

import aiohttp_jinja2
import jinja2
from aiohttp import web
from aiohttp.typedefs import Handler
from prometheus_client import CollectorRegistry

from bots.privacy import Notice
from bots.web import api, data, doors, health, linking, page, redeeming, session, verifying
from bots.web.console import CONSOLE, PAGES, ROUTES, Console
from bots.web.console.frame import MENU
from bots.web.limits import Failures, Uploads
from bots.web.metrics import Metrics
from bots.web.site import SITE, Bots, Pictures, Ready, Site, Streams, Web
from core.bulletin import Bulletin
from core.credentials import Credentials
from core.errors import KinoraError
from core.links import Links
from core.ports import Clock
from core.privacy import Privacy
from core.provenance import Verify
from core.reviews import Reviews
from core.studio import Studio
from core.vouchers import Vouchers

_HERE = Path(__file__).parent
BODY_MAX_BYTES = 64 * 1024
"""Of everything but a picture."""

SHUTDOWN_SECONDS = 5.0


class PathTaken(KinoraError):
    """Where another program would bring news the page itself answers."""


def application(
    studio: Studio,
    credentials: Credentials,
    links: Links,
    vouchers: Vouchers,
    privacy: Privacy,
    reviews: Reviews,
    notice: Notice,
    bulletin: Bulletin,
    pictures: Pictures,
    settings: Web,
    ready: Ready,
    bots: Bots,
    clock: Clock,
    console: Console,
    registry: CollectorRegistry | None = None,
    hooks: Mapping[str, Handler] | None = None,
    verify: Verify | None = None,
) -> web.Application:
    """The whole site. registry: where its counters join those of others for /metrics. hooks: what
    answers other programs that bring us news, by path; each looks itself who they are.

    Raises PathTaken.
    """
    app = web.Application(
        client_max_size=BODY_MAX_BYTES,
        middlewares=(doors.answer, doors.known_host, doors.who),
    )
    app[SITE] = Site(
        studio=studio,
        credentials=credentials,
        links=links,
        vouchers=vouchers,
        privacy=privacy,
        reviews=reviews,
        notice=notice,
        bulletin=bulletin,
        pictures=pictures,
        web=settings,
        ready=ready,
        bots=bots,
        clock=clock,
        metrics=Metrics(registry),
        failures=Failures(time.monotonic),
        streams=Streams(),
        uploads=Uploads(),
        spooled=Uploads(),
        hooks=frozenset(hooks or ()),
        verify=verify,
    )
    app[CONSOLE], app[MENU] = console, PAGES
    aiohttp_jinja2.setup(
        app,
        loader=jinja2.FileSystemLoader(_HERE / "templates"),
        autoescape=True,
        auto_reload=False,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    pages = (session.ROUTES, page.ROUTES, linking.ROUTES, redeeming.ROUTES)
    for routes in (health.ROUTES, *pages, data.ROUTES, verifying.ROUTES, ROUTES):
        app.add_routes(routes)
    app.add_routes(api.routes())
    app.router.add_static("/static", _HERE / "static", name="static")
    for path, hook in (hooks or {}).items():
        if any(_answers(resource, path) for resource in app.router.resources()):
            raise PathTaken(f"{path} is the page's own: choose another path for the webhook.")
        app.router.add_post(path, hook)
    app.on_response_prepare.append(doors.headers)
    app.on_shutdown.append(_close_streams)
    return app


def runner(app: web.Application) -> web.AppRunner:
    """How the site is to be run: the doors keep the access log, without codes and keys."""
    return web.AppRunner(app, access_log=None, shutdown_timeout=SHUTDOWN_SECONDS)


def _answers(resource: web.AbstractResource, path: str) -> bool:
    """Whether a resource is at a path, or may be."""
    known = resource.get_info()
    if "pattern" in known:
        return known["pattern"].fullmatch(path) is not None
    if "prefix" in known:
        return f"{path}/".startswith(f"{known['prefix']}/")
    return path == known.get("path")


async def _close_streams(app: web.Application) -> None:
    app[SITE].streams.close()
