"""`kinora admin overturned`: what moderators approved, as rows that test the rules."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator

from bots.shell import Json, run, settings_of
from core.reviews import Overturned


def overturned(as_json: Json = False) -> None:
    """What the gates refused or held and moderators approved, as [[test]] rows for a file in
    data/safety/rules: `kinora admin overturned >> data/safety/rules/overturned.toml`."""
    from bots import app as kinora
    from bots import offices

    async def work() -> None:
        settings = settings_of()
        async with kinora.store_of(settings) as store:
            found = await offices.reviews_of(settings, store).overturned()
        for line in _json(found) if as_json else _rows(found):
            print(line)

    run(work())


def _json(found: Iterable[Overturned]) -> Iterator[str]:
    for one in found:
        said = {
            "text": one.text,
            "clause": one.finding.clause,
            "rule": one.finding.rule,
            "level": one.level,
        }
        yield json.dumps(said, ensure_ascii=False)


def _rows(found: Iterable[Overturned]) -> Iterator[str]:
    """Each prompt once for each level: that it passes is what a moderator said."""
    for text, level in dict.fromkeys((one.text, one.level) for one in found):
        quoted = json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
        yield f'[[test]]\ntext = {quoted}\nlevel = "{level}"\nexpect = "pass"\n'
