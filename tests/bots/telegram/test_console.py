"""The console for who leads a Telegram group: by a link, and by Telegram's own button."""

from __future__ import annotations

import hashlib
import hmac
import re
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlencode

from core.leaders import Led
from tests.bots.discord.test_console import browser
from tests.bots.telegram.cinema import Cinema, cinema
from tests.bots.test_console import act
from tests.bots.test_page import page
from tests.telegram.people import Person
from tests.telegram.server import Standin


def signed(token: str, person: Person, ago: int = 0, **said: str) -> str:
    """The address that Telegram opens, once somebody pressed the button."""
    at = int(datetime.now(UTC).timestamp()) - ago
    values = {"auth_date": str(at), "first_name": "Mia", "id": str(person.id)} | said
    lines = "\n".join(f"{name}={values[name]}" for name in sorted(values))
    key = hashlib.sha256(token.encode()).digest()
    proof = hmac.new(key, lines.encode(), hashlib.sha256).hexdigest()
    return f"/console/telegram?{urlencode({**values, 'hash': proof})}"


async def alone(here: Cinema, person: Person, words: str) -> str:
    """What the bot said to somebody in their own chat."""

    def found() -> str | None:
        for message in here.telegram.world.messages.values():
            if message.chat_id == person.id and words in message.text:
                return message.text
        return None

    said = await here.telegram.world.until(found, f"{words!r} to {person}")
    assert said is not None
    return said


async def test_a_link_and_then_a_day(telegram_standin: Standin, tmp_path: Path) -> None:
    async with cinema(telegram_standin, tmp_path, public_url="http://kinora.test") as here:
        asked = here.anna.say("/console", here.group)
        await here.answer(asked, "for who leads a group")
        here.mia.say("/console", here.group)
        said = await alone(here, here.mia, "This opens the console")
        link = re.search(r"http://kinora\.test(/open/\S+)", said)
        assert link
        root = f"/console/telegram:{here.group.id}"
        async with browser(here) as mia:  # type: ignore[arg-type]
            async with mia.get(link[1]) as answer:
                assert str(answer.url).removeprefix(here.home.url) == root
            told = await act(mia, f"{root}/queue/act", verb="pause", reason="a talk")
            assert "a talk" in told
            await act(mia, "/console/telegram:-100999/queue/act", status=403, verb="resume")
        waits = here.anna.say("/create a red ball", here.group)
        await here.answer(waits, "a talk")


async def test_telegram_s_own_button(telegram_standin: Standin, tmp_path: Path) -> None:
    token = telegram_standin.token
    async with cinema(telegram_standin, tmp_path, public_url="http://kinora.test") as here:
        mia = await here.account(here.mia)
        await here.home.store.leaders.leads(mia.id, Led(f"telegram:{here.group.id}", "Cinema"))
        good = signed(token, here.mia)
        async with browser(here) as one, browser(here) as another:  # type: ignore[arg-type]
            for wrong in (
                good.replace("Mia", "Eve"),
                signed("somebody else's token", here.mia),
                signed(token, here.mia, ago=3600),
                signed(token, here.mia, ago=-3600),
            ):
                await page(one, wrong, 403)
            assert "moderator of Cinema" in await page(one, good)
            assert "pressed before" in await page(another, good, 403)


async def test_a_button_where_telegram_knows_the_domain(
    telegram_standin: Standin, tmp_path: Path
) -> None:
    async with cinema(telegram_standin, tmp_path, public_url="https://kinora.test") as here:
        here.mia.say("/console", here.group)
        assert "https://kinora.test/open/" in await alone(here, here.mia, "This opens the console")
        telegram_standin.world.domain = "kinora.test"
        here.mia.say("/console")
        await alone(here, here.mia, "It opens once")
        (message,) = [m for m in here.telegram.world.messages.values() if "It opens" in m.text]
        assert [button["login_url"]["url"] for button in message.buttons] == [
            "https://kinora.test/console/telegram"
        ]
