"""What a server's roles give, on every database."""

from __future__ import annotations

from datetime import timedelta

import pytest

from core import moderation as acts
from core.errors import BadPrompt, Refused
from core.job import Account, Claim
from core.moderation import Actor, Rank
from core.permits import check, may
from core.plans import ROLE_KEPT, Plans
from core.roles import Roles
from storage.store import Store
from tests.storage.samples import NOON, SetClock, a_person, do

SERVER, OTHER = "discord:81", "discord:82"
A_DAY = timedelta(days=1)


async def test_a_role_gives_its_plan_until_they_are_seen_without_it(
    store: Store, clock: SetClock
) -> None:
    roles, plans = Roles(store.accounts, store.moderation, clock), Plans()
    ada, ben = await a_person(store), await a_person(store)

    async def known(account: Account) -> Account:
        found = await store.accounts.account_by_id(account.id)
        assert found is not None
        return found

    async def heard(account: Account, *held: str, server: str = SERVER) -> str:
        """The plan that they have then, which the store knows, too."""
        after = await roles.heard(await known(account), server, held)
        assert after == await known(account)
        return plans.of(after, clock()).name

    assert await heard(ada, "55", "81") == "free"
    await do(store, acts.SetRole(server=SERVER, role="55", plan="supporter"))
    await do(store, acts.SetRole(server=OTHER, role="77", plan="pro"))
    assert await heard(ada, "55", "77") == "supporter"
    assert await heard(ada, "77", server=OTHER) == "pro"
    assert await heard(ben, "77") == "free"
    until = NOON + ROLE_KEPT
    (first, second) = (await known(ada)).claims
    assert first == Claim("role:discord:81/55", "supporter", until)
    clock.now += A_DAY
    await heard(ada, "55")
    assert (await known(ada)).claims == (first, second)
    clock.now += A_DAY
    await heard(ada, "55")
    assert (await known(ada)).claims == (
        Claim(first.source, "supporter", until + 2 * A_DAY), second,
    )  # fmt: skip
    assert await heard(ada, server=OTHER) == "supporter"

    await do(store, acts.SetRole(server=SERVER, role="55", plan="pro"), "more")
    assert plans.of(await known(ada), clock()).name == "pro"
    clock.now += ROLE_KEPT
    assert plans.of(await known(ada), clock()).name == "free"
    assert await heard(ada, "55") == "pro"
    await do(store, acts.SetPlan(account_id=ada.id, plan="supporter"))
    await do(store, acts.SetRole(server=SERVER, role="55", plan="free"), "none")
    assert plans.of(await known(ada), clock()).name == "supporter"
    assert await heard(ada, "55") == "supporter"
    assert await store.moderation.role_plans(SERVER) == {}
    assert await store.moderation.role_plans(OTHER) == {"77": "pro"}


def test_plans_by_role_are_for_operators_on_one_server() -> None:
    role = acts.SetRole(server=SERVER, role="55", plan="pro")
    with pytest.raises(Refused, match="Only who runs this Kinora"):
        may(Actor("mia", Rank.MODERATOR, SERVER), role)
    may(Actor("otto", Rank.OPERATOR), role)
    for wrong, says in (("gold", "There is no plan"), ("pro", "on which server")):
        server = SERVER if wrong == "gold" else acts.EVERYWHERE
        with pytest.raises(BadPrompt, match=says):
            check(acts.SetRole(server=server, role="55", plan=wrong), NOON, Plans())
