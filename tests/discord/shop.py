"""What the app sells: people buy, are billed again, call off, and get their money back.

https://docs.discord.com/developers/monetization/implementing-app-subscriptions: the entitlement of
a subscription is the same through all of its periods, and has no end until it is over.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tests.discord import components, payloads
from tests.discord.given import Impossible
from tests.discord.users import Person
from tests.discord.world import Event, Message, World

Json = dict[str, Any]

DURABLE, CONSUMABLE, SUBSCRIPTION = 2, 3, 5
ACTIVE, INACTIVE, ENDING = 0, 1, 2  # as Discord's description has them; its pages swap the last two
BOUGHT = 8  # the one type of entitlement in the description that is sold
MONTH_SECONDS = 30 * 24 * 3600.0


class Shop:
    """deaf: whether the gateway is told nothing, as while the app was away. told: every event, to
    be told again. unpaid: entitlements that the app made for tests, by their ids."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.deaf = False
        self.told: list[Event] = []
        self.unpaid: set[int] = set()

    def sku(self, name: str, kind: int = SUBSCRIPTION) -> Json:
        """Something to buy."""
        sku_id = self.world.new_id()
        sku = {
            "id": str(sku_id),
            "type": kind,
            "application_id": str(self.world.app.id),
            "name": name,
            "slug": name,
            "flags": 4 | (1 << 8),
        }
        self.world.skus[sku_id] = sku
        return sku

    def buy(self, person: Person, message: Message, sku: Json) -> Json:
        """Press the button that Discord itself answers, and pay.

        Raises:
            Impossible: there is none for it, or it is not to be seen.
        """
        shown = components.walk(message.components)
        if not person.sees(message) or sku["id"] not in [c.get("sku_id") for c in shown]:
            raise Impossible(f"{sku['name']} is not to be bought there")
        return self.entitle(person, sku)

    def entitle(self, person: Person, sku: Json) -> Json:
        """Let somebody have bought something, wherever they did."""
        now = self.world.clock.now()
        held = self._granted(int(sku["id"]), person.id)
        if sku["type"] == SUBSCRIPTION:
            subscription_id = self.world.new_id()
            subscription = {
                "id": str(subscription_id),
                "user_id": held["user_id"],
                "sku_ids": [sku["id"]],
                "renewal_sku_ids": None,
                "entitlement_ids": [held["id"]],
                "current_period_start": payloads.when(now),
                "current_period_end": payloads.when(now + MONTH_SECONDS),
                "status": ACTIVE,
                "canceled_at": None,
            }
            self._billed(subscription, "SUBSCRIPTION_CREATE")
        return held

    def grant(self, sku_id: int, user_id: int) -> Json:
        """One for tests."""
        held = self._granted(sku_id, user_id)
        self.unpaid.add(int(held["id"]))
        return held

    def _granted(self, sku_id: int, user_id: int) -> Json:
        """As a subscription's, which has neither a beginning nor an end until it is over."""
        entitlement_id = self.world.new_id()
        held: Json = {
            "id": str(entitlement_id),
            "sku_id": str(sku_id),
            "application_id": str(self.world.app.id),
            "user_id": str(user_id),
            "deleted": False,
            "consumed": False,
            "starts_at": None,
            "ends_at": None,
            "type": BOUGHT,
        }
        return self._held(held, "ENTITLEMENT_CREATE")

    def subscription(self, entitlement: Json) -> Json:
        """That brought an entitlement."""
        known = self.world.subscriptions.values()
        return next(s for s in known if entitlement["id"] in s["entitlement_ids"])

    def bill(self, entitlement: Json) -> Json:
        """The next period of a subscription begins, and is paid for."""
        now = self.world.clock.now()
        period = {
            "current_period_start": payloads.when(now),
            "current_period_end": payloads.when(now + MONTH_SECONDS),
        }
        return self._billed(self.subscription(entitlement) | period, "SUBSCRIPTION_UPDATE")

    def call_off(self, entitlement: Json) -> Json:
        """They will not pay again; what is paid holds."""
        change = {"status": ENDING, "canceled_at": payloads.when(self.world.clock.now())}
        return self._billed(self.subscription(entitlement) | change, "SUBSCRIPTION_UPDATE")

    def lapse(self, entitlement: Json) -> Json:
        """A subscription is over, now."""
        now = payloads.when(self.world.clock.now())
        over = {"status": INACTIVE, "canceled_at": now, "current_period_end": now}
        self._billed(self.subscription(entitlement) | over, "SUBSCRIPTION_UPDATE")
        held = self.world.entitlements[int(entitlement["id"])]
        return self._held(held | {"ends_at": now}, "ENTITLEMENT_UPDATE")

    def refund(self, entitlement: Json) -> Json:
        """Or removed by Discord for another reason."""
        held = self.world.entitlements[int(entitlement["id"])]
        return self._held(held | {"deleted": True}, "ENTITLEMENT_DELETE")

    def remove(self, entitlement_id: int) -> None:
        """One for tests: it is gone."""
        held = self.world.entitlements.pop(entitlement_id)
        self._tell("ENTITLEMENT_DELETE", held | {"deleted": True})

    def consume(self, entitlement_id: int) -> None:
        held = self.world.entitlements[entitlement_id]
        self.world.entitlements[entitlement_id] = held | {"consumed": True}
        self.world.touch()

    def again(self, *events: Event) -> None:
        """Tell what was told before, in whichever order."""
        for event in events:
            self.world.tell(replace(event))

    def _held(self, held: Json, event: str) -> Json:
        self.world.entitlements[int(held["id"])] = held
        return self._tell(event, held)

    def _billed(self, subscription: Json, event: str) -> Json:
        self.world.subscriptions[int(subscription["id"])] = subscription
        return self._tell(event, subscription)

    def _tell(self, name: str, data: Json) -> Json:
        event = Event(name, data)
        self.told.append(event)
        if not self.deaf:
            self.world.tell(event)
        return data
