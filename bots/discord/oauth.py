"""Signing in by Discord: a code for a token, which tells who they are and what they lead, and is
given back at once.

https://docs.discord.com/developers/topics/oauth2#authorization-code-grant
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

import aiohttp
import discord

from bots.answers import SOON_SECONDS
from bots.discord.desk import API, PLATFORM
from core.errors import Refused, Transient
from core.job import Identity
from core.leaders import Led, SignedIn

AUTHORIZE = "https://discord.com/oauth2/authorize"
SCOPES = "identify guilds"
SECONDS = 10.0
NAME_CHARS = 80
OVER = "Discord does not know this sign-in any more. Begin anew."

Servers = Callable[[], tuple[str, Mapping[int, str]]]
"""The application's id, and the servers where the bot is, by id. Raises Transient."""


class OAuth:
    """`bots.web.console.desk.ByDiscord`."""

    def __init__(self, api_url: str, secret: str, servers: Servers) -> None:
        """secret: the application's."""
        self._api_url = api_url
        self._secret = secret
        self._servers = servers

    def address(self, back: str, state: str, challenge: str) -> str:
        said = {
            "client_id": self._servers()[0],
            "response_type": "code",
            "scope": SCOPES,
            "redirect_uri": back,
            "state": state,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
            "prompt": "none",
        }
        asking = AUTHORIZE if self._api_url == API else f"{self._api_url}/oauth2/authorize"
        return f"{asking}?{urlencode(said)}"

    async def signed_in(self, code: str, back: str, verifier: str) -> SignedIn:
        application, servers = self._servers()
        timeout = aiohttp.ClientTimeout(total=SECONDS)
        proof = {"Authorization": aiohttp.encode_basic_auth(application, self._secret)}
        said = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": back,
            "code_verifier": verifier,
        }
        try:
            async with aiohttp.ClientSession(timeout=timeout, trust_env=True) as session:
                url = f"{self._api_url}/oauth2"
                token = (await _asked(session.post(f"{url}/token", data=said, headers=proof)))[
                    "access_token"
                ]
                try:
                    headers = {"Authorization": f"Bearer {token}"}
                    users = f"{self._api_url}/users/@me"
                    me = await _asked(session.get(users, headers=headers))
                    guilds = await _asked(session.get(f"{users}/guilds", headers=headers))
                finally:
                    given_back = {"token": token, "token_type_hint": "access_token"}
                    revoked = session.post(f"{url}/token/revoke", data=given_back, headers=proof)
                    async with revoked:
                        pass
                return _signed_in(me, guilds, servers)
        except (aiohttp.ClientError, TimeoutError, ValueError, LookupError, TypeError) as error:
            why = f"Discord's sign-in broke off ({type(error).__name__})"
            raise Transient(why, SOON_SECONDS) from None


async def _asked(asking: Any) -> Any:
    """The JSON of an answer. Raises Refused, Transient, or what `signed_in` expects."""
    async with asking as answer:
        if answer.status == HTTPStatus.TOO_MANY_REQUESTS or answer.status >= 500:
            raise Transient(f"Discord answered {answer.status}", SOON_SECONDS)
        if answer.status != HTTPStatus.OK:
            raise Refused(OVER)
        return await answer.json()


def _signed_in(me: Any, guilds: Any, servers: Mapping[int, str]) -> SignedIn:
    name = str(me.get("global_name") or me["username"])[:NAME_CHARS]
    led = [
        Led(f"{PLATFORM}:{int(guild['id'])}", servers[int(guild["id"])])
        for guild in guilds
        if int(guild["id"]) in servers and _leads(guild)
    ]
    return SignedIn(Identity(PLATFORM, str(int(me["id"]))), name, led)


def _leads(guild: Any) -> bool:
    may = discord.Permissions(int(guild["permissions"]))
    return bool(guild["owner"]) or may.manage_guild or may.administrator
