"""One file for each model family, and the list of them. Naming a model imports no torch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from core.catalog import Model
from model.families import parallax, pocket
from model.family import Loaded


class Family(Protocol):
    """What a family's module offers."""

    @property
    def MODELS(self) -> tuple[Model, ...]: ...  # noqa: N802

    def load(self, name: str) -> Loaded:
        """The named model in memory. Heavy imports happen here."""
        ...


FAMILIES: tuple[Family, ...] = (parallax, pocket)

MODELS: tuple[Model, ...] = tuple(model for family in FAMILIES for model in family.MODELS)


def load(name: str, families: Sequence[Family] = FAMILIES) -> Loaded:
    """The named model in memory. Raises LookupError where no family has it."""
    for family in families:
        if any(model.name == name for model in family.MODELS):
            return family.load(name)
    raise LookupError(f"no family has a model {name!r}")
