"""Pictures of the console, and of pages beside the chat, with believable data, to be looked at:

    python -m tests.browser.screenshots FOLDER

Each page light and dark, on a desktop and on a phone; what is wrong by looks.js is printed.
"""

from __future__ import annotations

import asyncio
import random
import shutil
import sys
import tempfile
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from playwright.async_api import BrowserContext, async_playwright

from core import moderation as acts
from core.job import Account, Grant, Identity, Job, LotKind, State, new_id
from core.leaders import Led
from core.moderation import Act, Actor, Rank
from core.purchases import Sale
from core.records import JobFilter
from core.safety.verdict import Clause, Finding, Ruling
from core.vouchers import digest, new_code
from core.wares import Ware
from storage.store import Store
from tests.bots.projector import Projector
from tests.browser.conftest import FLAGS
from tests.house import Home, house
from tests.storage.samples import a_clip, a_job, a_request

LOOKS = (Path(__file__).parent / "looks.js").read_text()
CINEMA, GARDEN = "discord:1187264519025623120", "telegram:-1002143658709"
NAMES = (
    "Ada Lindqvist", "Ben", "mia ☾", "Noor", "zoë", "tom_brunner", "Ines Carvalho", "quietfox",
    "J. Okafor", "Priya", "sandpiper", "Lev", "momo", "Marta Nowak", "dune", "Käthe",
)  # fmt: skip
WORDS = (
    "a paper boat drifting along a rainy gutter, morning light, shallow focus",
    "slow zoom in",
    "an owl turning its head, snow falling, blue hour",
    "neon ramen shop at night, steam rising, handheld camera, people walking by with umbrellas",
    "a red ball bouncing on a blue background",
    "waves rolling in under a green sky",
    "time-lapse of bread rising in an old oven",
)
MODELS = ("wan-2.2", "parallax", "pocket")
PAGES = (
    "", "/review", "/reports", "/people", "/people/{person}", "/jobs", "/queue", "/usage", "/log",
    "/verify", "/blocklist", "/vouchers", "/payments", "/plans",
)  # fmt: skip
SIZES = {"desktop": (1280, 900), "phone": (360, 740)}
OWNER = Actor("owner (web:owner)", Rank.OPERATOR)
MIA = Actor("mia ☾ (discord:3)", Rank.MODERATOR, CINEMA)


async def furnish(home: Home, now: datetime) -> int:
    """Weeks of people and clips; the id of one of them."""
    store, chance = home.store, random.Random(7)
    await store.leaders.leads(1, Led(CINEMA, "Cinema Club"))
    await store.leaders.leads(1, Led(GARDEN, "Garden of Moving Pictures"))
    people = [
        await store.accounts.account(Identity(platform, str(8123400 + number)), name)
        for number, name in enumerate(NAMES)
        for platform in (["discord", "telegram"][number % 2],)
    ]
    for account in people:
        grant = Grant(LotKind.ADJUSTED, chance.randrange(200, 900), "first", None, "a welcome")
        await store.accounts.renew(account.id, [grant])
    for number in range(160):
        at = now - timedelta(minutes=(160 - number) * 190 + chance.randrange(90))
        await past(store, chance, chance.choice(people), at)
    for number in range(14):
        why = chance.choice(("NotEnoughCredits", "TooMany"))
        await store.usage.refused(CINEMA, MODELS[number % 3], why)
    await store.moderation.perform(acts.Pause(reason="a new card goes in"), MIA, "screens")
    for number in range(9):
        await store.jobs.submit(asked(chance, chance.choice(people), now, 10 + number), None, "")
    for number, (actor, act) in enumerate(done(people, now)):
        await store.moderation.perform(act, actor, f"screen/{number}")
    await paid(store, people, now)
    await doubtful(store, people, now)
    return people[0].id


async def doubtful(store: Store, people: list[Account], now: datetime) -> None:
    """What waits for a moderator, what was refused, and what people report."""
    chance = random.Random(8)
    for number, account in enumerate(people[:3]):
        at = now - timedelta(hours=5 * number)
        held = replace(
            asked(chance, account, at, 0),
            state=State.HELD if number else State.REFUSED,
            clause=Clause.GORE,
            findings=(
                Finding(Clause.GORE, Ruling.REFUSE, "prompt", 1.0, "en/gore"),
                Finding(Clause.VIOLENCE, Ruling.HOLD, "prompt", 0.71, "head"),
            ),
            held_at=now if number else None,
            ended_at=None if number else at,
            decide_by=now + timedelta(hours=40 - 3 * number) if number else None,
            appealed=number == 1,
            plea="It is a wax figure in a museum." if number == 1 else "",
        )
        await store.jobs.submit(held, None, "")
    clips = await store.records.jobs(JobFilter(states=(State.SUCCEEDED,)), 2)
    for one, by in zip(clips, (people[3:6], people[6:7]), strict=True):
        for account in by:
            await store.places.report(one.job.id, account.id, one.job.place, now)
    blocked = acts.Block(hashes=("3f" * 32, "a0" * 32), reason="spam from a partner's list")
    await store.moderation.perform(blocked, OWNER, "blocked")


async def paid(store: Store, people: list[Account], now: datetime) -> None:
    code, month = new_code(), timedelta(days=30)
    for number, (said, uses) in enumerate(
        (({"credits": 200}, 50), ({"plan": "pro", "days": 30}, 1), ({"credits": 25}, 1))
    ):
        secret = digest(code if not number else new_code())
        act = acts.MakeVoucher(name=f"v{number}k3q9", digest=secret, uses=uses, **said)  # type: ignore[arg-type]
        await store.moderation.perform(act, MIA, f"voucher/{number}")
    wares = (Ware("pack", "A pack", credits=500), Ware("pro", "Pro", plan="pro", days=30))
    for number, account in enumerate(people[:9]):
        if number % 3 == 0:
            await store.vouchers.redeem(account.id, digest(code), f"telegram:7/{number}")
            continue
        provider, at = ("stars", "discord")[number % 2], now - number * month / 8
        charge = f"stxq{number}Zk3mQ9TD2XVB0N4HS8ZPA{number}7K3MQ9TD2XVBN4HS8ZPA"
        await store.payments.bought(Sale(account.id, wares[number % 2], provider, charge, at))
        if number == 4:
            await store.payments.refunded(provider, charge, now, lambda *_: ())


async def past(store: Store, chance: random.Random, account: Account, at: datetime) -> None:
    job = asked(chance, account, at, chance.choice((6, 12, 18, 24)))
    await store.jobs.submit(job, None, "")
    end = chance.random()
    if end < 0.06:
        await store.jobs.cancel(job.id, at + timedelta(minutes=2))
        return
    began = at + timedelta(seconds=chance.randrange(2, 400))
    await store.jobs.claim(job.id, began)
    seconds = chance.uniform(8, 140)
    ended = began + timedelta(seconds=seconds)
    if end < 0.11:
        await store.jobs.fail(job.id, 1, "The renderer ran out of memory.", new_id(), ended)
        return
    clip = replace(a_clip(), expires_at=datetime.now(UTC) + timedelta(days=20))
    await store.jobs.finish(job.id, 1, clip, seconds, ended)


def asked(chance: random.Random, account: Account, at: datetime, credits: int) -> Job:
    request = a_request(prompt=chance.choice(WORDS), model=chance.choice(MODELS), notes=())
    where = chance.choice((f"{CINEMA}/92", f"{CINEMA}/92", f"{GARDEN}/@", "discord:@/77"))
    place = f"{where}/{chance.randrange(10**9)}"
    return replace(a_job(account, credits), request=request, created_at=at, place=place)


def done(people: list[Account], now: datetime) -> list[tuple[Actor, Act]]:
    ada, ben, *_ = people
    ended = now + timedelta(days=3)
    return [
        (OWNER, acts.Fill(server=CINEMA, credits=5000, reason="November")),
        (MIA, acts.Grant(server=CINEMA, account_id=ada.id, credits=60, reason="won the contest")),
        (MIA, acts.SetQuota(server=CINEMA, account_id=ada.id, credits=80)),
        (OWNER, acts.SetPlan(account_id=ada.id, plan="supporter", until=ended)),
        (MIA, acts.Note(server=CINEMA, account_id=ben.id, text="warned about the flood in #clips")),
        (MIA, acts.Ban(server=CINEMA, account_id=ben.id, reason="flooding", until=ended)),
        (MIA, acts.Pause(server=CINEMA, channel="92", reason="a screening", until=ended)),
    ]


async def look(context: BrowserContext, home: Home, folder: Path, name: str, person: int) -> None:
    page = await context.new_page()
    await page.goto(await home.link())
    pages = [*(("all", path) for path in PAGES), (CINEMA, ""), (CINEMA, "/people/{person}")]
    for at, path in pages:
        address = path.format(person=person)
        await page.goto(f"{home.url}/console/{at}{address}")
        shown = f"{at.partition(':')[0]}{path.format(person='one').replace('/', '-')}"
        await shoot(page, folder, shown, name)
        if "{person}" in path and at == "all":
            await page.get_by_text("Ban", exact=True).first.click()
            await page.get_by_label("Reason, which they are told").last.fill("flooding")
            await page.get_by_role("button", name="Ban", exact=True).click()
            await shoot(page, folder, "sure", name)
    await page.goto(f"{home.url}/console/all/review")
    await page.get_by_label("Show what was asked").first.click()
    await shoot(page, folder, "uncovered", name)
    for path in ("privacy", "verify"):
        await page.goto(f"{home.url}/{path}")
        await shoot(page, folder, path, name)
    await page.goto(f"{home.url}/console/all/log")
    await page.get_by_role("button", name="Verify").click()
    await shoot(page, folder, "verified", name)
    await page.close()


async def shoot(page, folder: Path, what: str, name: str) -> None:  # type: ignore[no-untyped-def]
    await page.screenshot(
        path=folder / f"{what.replace('{person}', '1')}-{name}.png", full_page=True
    )
    found = await page.evaluate(LOOKS)
    wrong = {key: found[key] for key in ("faint", "nameless", "wide", "sideways") if found[key]}
    if wrong:
        print(what, name, wrong)


async def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as data:
        async with house(Path(data), engine=Projector()) as home, async_playwright() as playwright:
            await home.store.accounts.account(Identity("web", "owner"), "owner")
            person = await furnish(home, datetime.now(UTC))
            browser = await playwright.chromium.launch(
                executable_path=shutil.which("chromium"), args=FLAGS
            )
            for scheme in ("light", "dark"):
                for size, (width, height) in SIZES.items():
                    context = await browser.new_context(
                        viewport={"width": width, "height": height},
                        color_scheme=scheme, locale="en-GB", timezone_id="Europe/Berlin",
                        has_touch=size == "phone",
                    )  # fmt: skip
                    await look(context, home, folder, f"{size}-{scheme}", person)
                    await context.close()
            await browser.close()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
