"""Names of settings that nothing reads, for the log and `kinora doctor`. Knows no values."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from pydantic import BaseModel

from bots.settings import LEVELS, PREFIX, Plan, Settings, Ware
from core.plans import BUILT_IN

_TOKEN = re.compile(r"(DISCORD|TELEGRAM)_*(?:BOT_*)?TOKEN")


@dataclass(frozen=True, slots=True)
class Misspelt:
    """A name that looks like a setting and is none. meant: the nearest one, "" where none is."""

    name: str
    meant: str

    def __str__(self) -> str:
        remedy = f"Did you mean {self.meant}?" if self.meant else "The README lists them."
        return f"{self.name} is no setting. {remedy}"


def misspelt(names: Iterable[str], settings: Settings) -> Sequence[Misspelt]:
    """Of `names`, in capitals, those that were meant for Kinora. A token by the name that other
    programs give it is one only where Kinora has none of its own."""
    tokens = {"DISCORD": settings.discord.token, "TELEGRAM": settings.telegram.token}
    missing = {bot: f"{PREFIX}{bot}{LEVELS}TOKEN" for bot, token in tokens.items() if not token}
    found = []
    for name in sorted(names):
        if name.startswith(PREFIX):
            known = _known(name)
            if name not in known:
                near = difflib.get_close_matches(name, known, 1, cutoff=0.8)
                found.append(Misspelt(name, near[0] if near else ""))
        elif (token := _TOKEN.fullmatch(name)) and token[1] in missing:
            found.append(Misspelt(name, missing[token[1]]))
    return found


def _known(name: str) -> Sequence[str]:
    """All that is read. Plans, wares and models may have any name: so also the one in `name`."""
    named: dict[str, tuple[type[BaseModel], set[str]]] = {
        "PLANS": (Plan, {plan.name.upper() for plan in BUILT_IN}),
        "WARES": (Ware, set()),
    }
    level, *parts = name.removeprefix(PREFIX).split(LEVELS)
    if level in named and parts:
        named[level][1].add(parts[0])
    read = list(paths(Settings))
    if (level, *parts[:1]) == ("CREDITS", "BASES"):
        read.append((level, *parts[:2]))
    for kind, (model, names) in named.items():
        read += [(kind, one, *rest) for one in names for rest in [(), *paths(model)]]
    return [PREFIX + LEVELS.join(path) for path in read]


def paths(model: type[BaseModel]) -> Iterator[tuple[str, ...]]:
    """The names below a level, which may also be set as a whole, in JSON."""
    for field, about in model.model_fields.items():
        yield (field.upper(),)
        inner = about.annotation
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            yield from ((field.upper(), *rest) for rest in paths(inner))
