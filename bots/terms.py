"""What an operator decided, as the core has it: plans and terms, prices, wares, the page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from zoneinfo import ZoneInfo

from yarl import URL

from bots.privacy import Notice
from bots.settings import Settings
from bots.web import Web
from core.counter import Terms
from core.job import Account
from core.plans import BUILT_IN, FREE, Plans
from core.ports import Clock
from core.pricing import Tariff
from core.privacy import Retention
from core.purchases import Payments, Purchases
from core.safety.strikes import Patience
from core.wares import Ware, Wares


def terms_of(settings: Settings) -> Terms:
    """Plans that an operator adds are the free one but for what they say."""
    daily, waiting = settings.credits.daily, settings.queue.per_account
    plans = {plan.name: replace(plan, daily=daily, waiting=waiting) for plan in BUILT_IN}
    for name, said in settings.plans.items():
        plan = plans.get(name, replace(plans[FREE], name=name))
        plans[name] = replace(plan, **said.model_dump(exclude_none=True))
    return Terms(
        Plans(plans),
        ZoneInfo(settings.time_zone),
        settings.model,
        settings.credits.ask_from,
        settings.credits.ask_share,
        settings.queue.relaxed,
    )


def tariff_of(settings: Settings) -> Tariff:
    return Tariff(settings.credits.gpu_seconds, settings.credits.bases)


def wares_of(settings: Settings) -> Wares:
    by_name = {
        name: Ware(name, **(said.model_dump() | {"title": said.title or name.replace("_", " ")}))
        for name, said in settings.wares.items()
    }
    return Wares(by_name, settings.payments)


def purchases_of(settings: Settings, payments: Payments, clock: Clock) -> Purchases:
    terms = terms_of(settings)

    def lapsed(plan: str, account: Account) -> Sequence[str]:
        return terms.plans.lapsed(plan, account, clock(), terms.zone)

    return Purchases(payments, wares_of(settings), lapsed)


def retention_of(settings: Settings) -> Retention:
    said = settings.privacy
    return Retention(timedelta(days=said.words_days), timedelta(days=said.refused_days))


def notice_of(settings: Settings) -> Notice:
    kept = retention_of(settings)
    return Notice(settings.clips.keep, kept.words, kept.refused, settings.privacy.contact)


def web_of(settings: Settings) -> Web:
    key = settings.web.admin_key
    reached = URL(settings.web.public_url or "")
    return Web(
        hosts=tuple(host for host in (settings.web.host, reached.host) if host),
        admin_key=key.get_secret_value() if key else None,
        secure=reached.scheme == "https",
        kept=f"{settings.clips.keep_days:g} days",
    )


def patience_of(settings: Settings) -> Patience:
    """After how many strikes somebody has to wait."""
    said, usual = settings.safety, Patience()
    return Patience(timedelta(days=said.fade_days), usual.steps if said.strikes else ())
