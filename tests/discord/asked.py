"""Something a person asked of the app, and what came of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.discord.world import LOADING, Interaction, Message, World

Json = dict[str, Any]


class Asked:
    """Of one interaction."""

    def __init__(self, world: World, interaction_id: int) -> None:
        self._world = world
        self.id = interaction_id

    @property
    def now(self) -> Interaction:
        """How it stands."""
        return self._world.interactions[self.id]

    @property
    def latency(self) -> float | None:
        return self.now.latency

    async def acknowledged(self) -> Interaction:
        """Wait until the app said something, be it "thinking…"."""
        await self._world.until(lambda: self.now.acknowledged is not None, f"{self} acknowledged")
        return self.now

    async def message(self, when: Callable[[Message], object] | None = None) -> Message:
        """Wait for the answer: the first that is no "thinking…", or the first of which `when`."""

        def found() -> Message | None:
            message = self._world.messages.get(self.now.original_id or 0)
            if message is None or message.flags & LOADING:
                return None
            return message if when is None or when(message) else None

        message = await self._world.until(found, f"an answer to {self}")
        assert message is not None
        return message

    async def modal(self) -> Json:
        """Wait for the form that the app shows."""
        modal = await self._world.until(lambda: self.now.modal, f"a modal for {self}")
        assert modal is not None
        return modal

    async def choices(self) -> list[Json]:
        """Wait for what autocomplete offers; each with its name and value."""
        await self._world.until(lambda: self.now.choices is not None, f"choices for {self}")
        return list(self.now.choices or ())

    def followups(self) -> list[Message]:
        """What the app said besides its answer."""
        mine = str(self.id)
        return [
            m
            for m in self._world.messages.values()
            if m.origin and m.origin["id"] == mine and m.id != self.now.original_id
        ]

    def __str__(self) -> str:
        return f"interaction {self.id} of type {self.now.kind}"
