"""An auditor: what is wrong with the books, whoever kept them."""

from __future__ import annotations

from sqlalchemy import select, text
from sqlmodel import col

from core.job import Account
from core.purchases import claim_on
from storage.purchases import purchase_of
from storage.store import Store
from storage.tables import ClaimRow, PurchaseRow

_SUMS = """
SELECT 'account ' || account.id AS whose, account.available, account.held,
  (SELECT COALESCE(SUM(available_change), 0) FROM entry WHERE account_id = account.id) AS entered,
  (SELECT COALESCE(SUM(held_change), 0) FROM entry WHERE account_id = account.id) AS entered_held
FROM account WHERE account.id BETWEEN :first AND :last
UNION ALL
SELECT 'the lots of account ' || account.id,
  (SELECT COALESCE(SUM(credits), 0) FROM lot WHERE account_id = account.id),
  (SELECT COALESCE(SUM(held), 0) FROM lot WHERE account_id = account.id),
  account.available, account.held
FROM account WHERE account.id BETWEEN :first AND :last
UNION ALL
SELECT 'lot ' || lot.id, lot.credits, lot.held,
  (SELECT COALESCE(SUM(available_change), 0) FROM entry WHERE lot_id = lot.id),
  (SELECT COALESCE(SUM(held_change), 0) FROM entry WHERE lot_id = lot.id)
FROM lot WHERE lot.account_id BETWEEN :first AND :last
"""

_JOBS = """
SELECT job.id, job.state, job.credits, job.charged,
  COALESCE(SUM(CASE WHEN kind = 'hold' AND entry.id > rounds.before THEN held_change END), 0)
    AS held,
  COUNT(CASE WHEN kind = 'hold' AND entry.id <= rounds.before THEN 1 END) AS old_holds,
  COALESCE(SUM(available_change), 0) AS moved, COALESCE(SUM(held_change), 0) AS still_held,
  COUNT(CASE WHEN kind = 'hold' THEN 1 END) AS holds,
  COUNT(CASE WHEN kind IN ('capture', 'release') THEN 1 END) AS settled,
  COUNT(CASE WHEN kind = 'refund' THEN 1 END) AS refunds,
  COUNT(CASE WHEN kind = 'capture' THEN 1 END) AS captures,
  COALESCE(SUM(CASE WHEN kind = 'refund' THEN available_change END), 0) AS refunded
FROM job
JOIN (SELECT one.id,
    COALESCE((SELECT MAX(settled.id) FROM entry AS settled
      WHERE settled.job_id = one.id AND settled.kind IN ('capture', 'release')
      AND (one.state NOT IN ('succeeded', 'failed', 'cancelled', 'refused') OR settled.id <
        (SELECT MAX(held.id) FROM entry AS held
          WHERE held.job_id = one.id AND held.kind = 'hold'))), 0) AS before
  FROM job AS one WHERE one.account_id BETWEEN :first AND :last) AS rounds ON rounds.id = job.id
LEFT JOIN entry ON entry.job_id = job.id
WHERE job.account_id BETWEEN :first AND :last
GROUP BY job.id, job.state, job.credits, job.charged
"""

_PURCHASES = """
SELECT purchase.id, purchase.credits, purchase.taken, purchase.lot_id,
  COALESCE(SUM(CASE WHEN entry.kind = 'grant' THEN available_change END), 0) AS given,
  COALESCE(SUM(CASE WHEN entry.kind = 'take' AND entry.key LIKE '%refund:' || purchase.id
    THEN -available_change END), 0) AS taken_back
FROM purchase LEFT JOIN entry
  ON entry.lot_id = purchase.lot_id AND entry.account_id = purchase.account_id
WHERE purchase.account_id BETWEEN :first AND :last
GROUP BY purchase.id, purchase.credits, purchase.taken, purchase.lot_id
"""

_VOUCHERS = """
SELECT name, used, (SELECT COUNT(*) FROM purchase
  WHERE provider = 'voucher' AND charge LIKE voucher.name || '/%') AS brought
FROM voucher
"""

_GIFTS = """
SELECT gift.id, gift.credits,
  (SELECT COALESCE(-SUM(available_change), 0) FROM entry
    WHERE account_id = gift.sender_id AND kind = 'take'
    AND key || '/' LIKE 'take:%:gift:' || gift.id || '/%') AS sent,
  (SELECT COALESCE(SUM(available_change), 0) FROM entry
    WHERE account_id = gift.receiver_id AND kind = 'grant'
    AND key LIKE 'grant:%:gift:' || gift.id || '/%') AS received
FROM gift WHERE gift.sender_id BETWEEN :first AND :last
"""

_ENDED = ("succeeded", "failed", "cancelled", "refused")


async def faults(store: Store, account: Account | None = None) -> list[str]:
    """Sentences, about everybody or about one account; none where the entries make the balances and
    the lots, nothing is below zero, every job was held for once, and settled once if it has ended
    (one that was refused, and appealed, again each time that it is rendered), and what was taken
    for a clip came back once and whole, if at all; every purchase brought its credits once, or took
    back what it says, and its plans hold as long as they were paid for; a voucher brought as often
    as it was used, and what somebody gave somebody was given."""
    whose = {"first": account.id if account else 0, "last": account.id if account else 2**62}
    async with store.database.reading() as session:
        sums = (await session.execute(text(_SUMS), whose)).all()
        jobs = (await session.execute(text(_JOBS), whose)).all()
        purchases = (await session.execute(text(_PURCHASES), whose)).all()
        vouchers = (await session.execute(text(_VOUCHERS))).all()
        gifts = (await session.execute(text(_GIFTS), whose)).all()
        of_plans = await session.scalars(
            select(PurchaseRow).where(
                col(PurchaseRow.account_id).between(whose["first"], whose["last"])
            )
        )
        bought = [purchase_of(row) for row in of_plans]
        claims = await session.scalars(
            select(ClaimRow).where(
                col(ClaimRow.source).startswith("purchase:"),
                col(ClaimRow.account_id).between(whose["first"], whose["last"]),
            )
        )
        claimed = {(row.account_id, row.plan): row.until for row in claims}
    found = [
        f"purchase {one.id}: {tuple(one)}"
        for one in purchases
        if (one.given, one.taken_back) != (one.credits, one.taken)
    ]
    found += [f"voucher {one.name}: {tuple(one)}" for one in vouchers if one.used != one.brought]
    found += [
        f"gift {one.id}: {tuple(one)}"
        for one in gifts
        if not one.credits == one.sent == one.received
    ]
    owed = {}
    for account_id, plan in {(one.account_id, one.plan) for one in bought}:
        theirs = [one for one in bought if (one.account_id, one.plan) == (account_id, plan)]
        if plan is not None and (due := claim_on(plan, theirs)) is not None:
            owed[account_id, plan] = due.until
    if owed != claimed:
        found.append(f"plans that were bought: {claimed} instead of {owed}")
    for which, available, held, entered, entered_held in sums:
        if (available, held) != (entered, entered_held) or available < 0 or held < 0:
            found.append(f"{which}: {available} and {held}, by entries {entered}, {entered_held}")
    for job in jobs:
        ended = job.state in _ENDED
        right = (
            job.credits,
            -job.charged if ended else -job.credits,
            0 if ended else job.credits,
            job.holds if ended else job.old_holds,
        )
        given_up = ended and job.credits == 0  # it was appealed, and never rendered again
        held = 0 if given_up else job.held
        if (held, job.moved, job.still_held, job.settled) != right:
            found.append(f"job {job.id}, {job.state}: {tuple(job)} instead of {right}")
        refund = (job.refunds, job.refunded)
        whole = job.state == "succeeded" and refund == (job.captures, job.credits)
        if refund != (0, 0) and not (whole and job.charged == 0):
            found.append(f"job {job.id}, {job.state}: {tuple(job)} was refunded")
    return found
