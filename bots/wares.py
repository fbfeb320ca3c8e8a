"""What is offered for money, and what came of a payment, in words for every platform."""

from __future__ import annotations

from bots.card import DOT, credits
from core.errors import NotFound
from core.moderation import Refund, moment
from core.purchases import Bought, Purchase, PurchaseState, Refunded
from core.wares import Ware, Wares

NOTHING_SOLD = (
    "Nothing is sold here. Your credits are free and come back each day: /me says how many."
)


def brings(ware: Ware) -> str:
    """ "500 credits, kept for 90 days, and the plan pro for 30 days" """
    kept = f", kept for {_days(ware.kept_days)}" if ware.kept_days else ""
    said = [f"{credits(ware.credits)}{kept}"] if ware.credits else []
    if ware.plan:
        said.append(f"the plan {ware.plan}{f' for {_days(ware.days)}' if ware.days else ''}")
    return " and ".join(said)


def described(ware: Ware) -> str:
    return ware.description or f"{brings(ware)[:1].upper()}{brings(ware)[1:]}."


def price(ware: Ware) -> str:
    """In Telegram Stars."""
    return f"⭐ {ware.stars}{' every 30 days' if ware.renews else ''}"


def delivered(bought: Bought, wares: Wares) -> str:
    """To whoever paid."""
    one = bought.purchase
    if one.state is PurchaseState.REFUNDED:
        return "This payment was given back."
    if one.ware not in wares.by_name and not (one.credits or one.plan):
        return "What you paid for is not offered any more: the payment comes back to you."
    thanks = "Thank you." if bought.new else "This payment has arrived."
    return f"{thanks} {came(bought)}"


def came(bought: Bought) -> str:
    """ "100 credits are yours. You have the plan pro until 3 Dec 2026, 12:00 UTC. You have …" """
    one = bought.purchase
    are = "is" if one.credits == 1 else "are"
    said = [f"{credits(one.credits)} {are} yours."] if one.credits else []
    if bought.claim is not None:
        end = f" until {moment(bought.claim.until)}" if bought.claim.until else ""
        said.append(f"You have the plan {bought.claim.plan}{end}.")
    return " ".join((*said, f"You have {credits(bought.available)} now."))


def given_back(refunded: Refunded) -> str:
    """To whoever had paid."""
    one = refunded.purchase
    taken = f" {credits(refunded.taken)} went back with it" if refunded.taken else ""
    spent = f"{refunded.short} {'was' if refunded.short == 1 else 'were'} spent and stay so"
    short = f"; {spent}" if taken and refunded.short else ""
    plan = f" Its time with the plan {one.plan} is over." if one.plan else ""
    return f"Your payment was given back.{taken}{short}{'.' if taken else ''}{plan}"


def refund_of(one: Purchase | None, reason: str) -> Refund:
    """What orders a payment back. Raises NotFound where nobody is known to have paid it."""
    if one is None or one.account_id is None:
        raise NotFound("There is no such payment.")
    return Refund(account_id=one.account_id, purchase_id=one.id, reason=reason)


def listed(one: Purchase) -> str:
    """ "No. 7 · 22 Nov 2026, 12:00 UTC · pack · 500 credits" """
    said = [f"No. {one.id}", moment(one.at), one.ware]
    said += [credits(one.credits)] if one.credits else []
    said += (
        [f"the plan {one.plan}{f' until {moment(one.until)}' if one.until else ''}"]
        if (one.plan)
        else []
    )
    said += [one.state] if one.state is not PurchaseState.PAID else []
    return DOT.join(said)


def _days(count: int) -> str:
    return f"{count} day" if count == 1 else f"{count} days"
