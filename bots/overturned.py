"""`kinora admin overturned`: what moderators approved that the gates had something against."""

from __future__ import annotations

import json

from bots.shell import Json, run, say, settings_of


def overturned(as_json: Json = False) -> None:
    """What the gates refused or held and moderators approved, with the rule that was wrong;
    `kinora check --overturned` makes tests of it."""
    from bots import app as kinora
    from bots import offices

    async def work() -> None:
        settings = settings_of()
        async with kinora.store_of(settings) as store:
            found = await offices.reviews_of(settings, store).overturned()
        for one in found:
            rule, clause = one.finding.rule, one.finding.clause
            said = {"text": one.text, "clause": clause, "rule": rule, "level": one.level}
            if as_json:
                print(json.dumps(said, ensure_ascii=False))
            else:
                say(f"{clause} by {rule or 'no rule'}, {one.level}: {one.text}")

    run(work())
