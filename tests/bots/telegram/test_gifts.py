"""Codes and gifts on Telegram: what is typed in private alone, and what is given once."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.moderation import Actor, MakeVoucher, Rank
from core.vouchers import digest, new_code
from tests.bots.telegram.cinema import Cinema, cinema, labels, opened
from tests.storage.books import faults
from tests.telegram.server import Standin

pytestmark = pytest.mark.timeout(300)
HOST = Actor("the shell", Rank.HOST)


async def test_a_code_and_a_gift(telegram_standin: Standin, tmp_path: Path) -> None:
    """The gift is asked for before a restart and done behind it; its button gives once."""
    code = new_code()
    async with cinema(telegram_standin, tmp_path) as here:
        anna, ben, group, store = here.anna, here.ben, here.group, here.home.store
        before = (await here.funds(anna))[0]
        act = MakeVoucher(name="v1", digest=digest(code), credits=100, plan="pro", days=30)
        await store.moderation.perform(act, HOST, "v1")
        await here.answer(anna.say(f"/redeem {code}", group), "Type it in our own chat")
        await here.answer(anna.say("/redeem"), "Type the code behind it")
        await here.answer(anna.say(f"/redeem {new_code()}"), "There is no such code")
        said = anna.say(f"/redeem {code.replace('-', ' ')}")
        await here.answer(said, "100 credits are yours. You have the plan pro until")
        await here.answer(ben.say(f"/redeem {code}"), "used as often as it may be")
        before = (await here.funds(anna))[0]

        theirs = ben.say("hello", group)
        had = (await here.funds(ben))[0]
        for words, to, says in (
            ("/gift 20", None, "Answer a message of theirs"),
            ("/gift lots", theirs, "Say how many credits"),
            ("/gift 101", theirs, "You can give 100, and this would be 101"),
            ("/gift 5", here.mia.say("hello", group), "They have no account here yet"),
        ):
            await here.answer(anna.say(words, group, reply_to=to), says)
        named = anna.say("/gift Ben 5", group, about=ben)
        await here.answer(named, "5 credits for Ben?")
        offer = await here.answer(anna.say("/gift 30 thanks", group, reply_to=theirs), "30 credits")
        assert offer.text == "30 credits for Ben? You can't take them back."

    async with opened(telegram_standin, tmp_path) as home:
        here = Cinema(telegram_standin, home, group, anna, ben, here.mia)
        not_theirs = ben.press(offer, "Give them")
        assert "Only who asked" in (await not_theirs.answer())["text"]
        presses = [anna.press(offer, "Give them") for _ in range(2)]
        done = await here.until(offer, lambda message: not labels(message))
        assert done.text == "Anna gave Ben 30 credits."
        for press in presses:
            assert f"You have {before - 30} left" in (await press.answer())["text"]
        assert await here.funds(anna) == (before - 30, 0)
        assert await here.funds(ben) == (had + 30, 0)
        assert await faults(home.store) == []
