"""Signing in to the console: the ways that there are."""

from __future__ import annotations

import aiohttp_jinja2
from aiohttp import web


async def sign_in(request: web.Request) -> web.StreamResponse:
    return aiohttp_jinja2.render_template("console/sign-in.html", request, {})


ROUTES = (web.get("/console/sign-in", sign_in),)
