"""The /mod commands, in Discord's own options.

No `from __future__ import annotations` here: discord.py reads the annotations.
"""

from datetime import datetime
from typing import Any

import discord
from discord import app_commands
from discord.app_commands import Choice, Range

from bots import moderation as words
from bots.discord import bulk, moderation, reviewing
from bots.discord.asking import Room
from bots.discord.hearing import guarded
from core import moderation as acts
from core.moderation import CREDITS_MAX, REASON_CHARS, Act, Actor, OnPerson

Interaction = discord.Interaction[Any]
Reason = Range[str, 1, REASON_CHARS]
Count = Range[int, 1, CREDITS_MAX]
ENDS = ("1h", "12h", "1d", "3d", "1w", "4w", "good")
CHOICES = 25
_WHOM = {"member": "Whom; or a role", "role": "All who have it, and asked Kinora before"}


def register(tree: app_commands.CommandTree[Any], room: Room) -> None:
    """A group that Discord shows to those who may manage the server, unless its owner says."""
    group = app_commands.Group(
        name="mod",
        description="What those do who lead this server",
        default_permissions=discord.Permissions(manage_guild=True),
        allowed_contexts=app_commands.AppCommandContext(
            guild=True, dm_channel=False, private_channel=False
        ),
        allowed_installs=app_commands.AppInstallationType(guild=True, user=False),
    )
    _credits(group, room)
    _holding(group, room)
    _looking(group, room)
    tree.add_command(group)


def _credits(group: app_commands.Group, room: Room) -> None:
    @group.command(name="grant", description="Give credits out of the server's treasury")
    @app_commands.describe(credits="How many", **_WHOM, reason="Why; it is written down")
    async def grant(
        interaction: Interaction,
        credits: Count,
        member: discord.User | None = None,
        role: discord.Role | None = None,
        reason: Reason = "",
    ) -> None:
        def act(actor: Actor, account: int) -> OnPerson:
            return acts.Grant(
                server=actor.server, account_id=account, credits=credits, reason=reason
            )

        await guarded(interaction, lambda: bulk.act(room, interaction, act, member, role))

    @group.command(name="take", description="Take credits from somebody; for operators")
    @app_commands.describe(credits="How many", **_WHOM, reason="Why; it is written down")
    async def take(
        interaction: Interaction,
        credits: Count,
        member: discord.User | None = None,
        role: discord.Role | None = None,
        reason: Reason = "",
    ) -> None:
        def act(actor: Actor, account: int) -> OnPerson:
            return acts.Take(account_id=account, credits=credits, reason=reason)

        await guarded(interaction, lambda: bulk.act(room, interaction, act, member, role))

    @group.command(name="quota", description="The most that somebody spends here in a day")
    @app_commands.describe(**_WHOM, credits="How many; no limit where you leave it out")
    async def quota(
        interaction: Interaction,
        member: discord.User | None = None,
        role: discord.Role | None = None,
        credits: Range[int, 0, CREDITS_MAX] | None = None,
    ) -> None:
        def act(actor: Actor, account: int) -> OnPerson:
            server = moderation.reach(interaction)
            return acts.SetQuota(server=server, account_id=account, credits=credits)

        await guarded(interaction, lambda: bulk.act(room, interaction, act, member, role))

    plans = tuple(room.desk.studio.terms.plans.by_name)

    @group.command(name="plan", description="Assign a plan; for operators")
    @app_commands.describe(plan="Which", **_WHOM, until="3d, 4w, 2026-12-31; or for good")
    @app_commands.choices(plan=[Choice(name=name, value=name) for name in plans[:CHOICES]])
    async def plan(
        interaction: Interaction,
        plan: str,
        member: discord.User | None = None,
        role: discord.Role | None = None,
        until: str = "",
    ) -> None:
        def act(actor: Actor, account: int) -> OnPerson:
            return acts.SetPlan(account_id=account, plan=plan, until=_end(room, until))

        await guarded(interaction, lambda: bulk.act(room, interaction, act, member, role))

    plan.autocomplete("until")(_ends)

    @group.command(name="role", description="Give a role's holders a plan; for operators")
    @app_commands.describe(role="Which; leave it out to see those that do", plan="Free for none")
    @app_commands.choices(plan=[Choice(name=name, value=name) for name in plans[:CHOICES]])
    async def role(
        interaction: Interaction, role: discord.Role | None = None, plan: str | None = None
    ) -> None:
        await guarded(interaction, lambda: moderation.role(room, interaction, role, plan))


def _holding(group: app_commands.Group, room: Room) -> None:
    @group.command(name="pause", description="Let clips wait: a member's, a channel's, or all here")
    @app_commands.describe(
        member="Whose; or a channel",
        channel="Which",
        until="3d, 12h, 2026-12-31; or for good",
        reason="Why; they are told",
        everywhere="On every server; for operators",
    )
    async def pause(
        interaction: Interaction,
        member: discord.User | None = None,
        channel: app_commands.AppCommandChannel | app_commands.AppCommandThread | None = None,
        until: str = "",
        reason: Reason = "",
        everywhere: bool = False,
    ) -> None:
        def act(actor: Actor, account: int) -> Act:
            return acts.Pause(
                server=moderation.reach(interaction, everywhere),
                account_id=account or None,
                channel=str(channel.id) if channel else None,
                reason=reason,
                until=_end(room, until),
            )

        await guarded(interaction, lambda: moderation.act(room, interaction, act, member))

    @group.command(name="resume", description="Let them go on")
    @app_commands.describe(
        member="Whose; or a channel", channel="Which", everywhere="On every server; for operators"
    )
    async def resume(
        interaction: Interaction,
        member: discord.User | None = None,
        channel: app_commands.AppCommandChannel | app_commands.AppCommandThread | None = None,
        everywhere: bool = False,
    ) -> None:
        def act(actor: Actor, account: int) -> Act:
            return acts.Resume(
                server=moderation.reach(interaction, everywhere),
                account_id=account or None,
                channel=str(channel.id) if channel else None,
            )

        await guarded(interaction, lambda: moderation.act(room, interaction, act, member))

    @group.command(name="ban", description="Take nothing more from somebody, here")
    @app_commands.describe(
        member="Whom",
        reason="Why; they are told",
        until="3d, 4w, 2026-12-31; or for good",
        everywhere="On every server; for operators",
    )
    async def ban(
        interaction: Interaction,
        member: discord.User,
        reason: Reason,
        until: str = "",
        everywhere: bool = False,
    ) -> None:
        def act(actor: Actor, account: int) -> Act:
            server = moderation.reach(interaction, everywhere)
            end = _end(room, until)
            return acts.Ban(server=server, account_id=account, reason=reason, until=end)

        await guarded(interaction, lambda: moderation.act(room, interaction, act, member))

    @group.command(name="unban", description="Lift a ban")
    @app_commands.describe(member="Whose", everywhere="One that held everywhere; for operators")
    async def unban(
        interaction: Interaction, member: discord.User, everywhere: bool = False
    ) -> None:
        def act(actor: Actor, account: int) -> Act:
            return acts.Unban(server=moderation.reach(interaction, everywhere), account_id=account)

        await guarded(interaction, lambda: moderation.act(room, interaction, act, member))

    @group.command(name="cancel", description="Cancel anybody's clip of this server, free for them")
    @app_commands.describe(clip="Its id", reason="Why; it is written down")
    async def cancel(interaction: Interaction, clip: str, reason: Reason = "") -> None:
        await guarded(interaction, lambda: moderation.cancel(room, interaction, clip, reason))

    @cancel.autocomplete("clip")
    async def clips(interaction: Interaction, typed: str) -> list[Choice[str]]:
        found = await moderation.unfinished(room, interaction)
        return [Choice(name=one, value=one) for one in found if typed.lower() in one][:CHOICES]

    pause.autocomplete("until")(_ends)
    ban.autocomplete("until")(_ends)


def _looking(group: app_commands.Group, room: Room) -> None:
    @group.command(name="show", description="What holds for somebody here, and what was done")
    @app_commands.describe(member="Whom")
    async def show(interaction: Interaction, member: discord.User) -> None:
        await guarded(interaction, lambda: moderation.show(room, interaction, member))

    @group.command(name="note", description="Write something down about somebody, for moderators")
    @app_commands.describe(text="What others should know", **_WHOM)
    async def note(
        interaction: Interaction,
        text: Reason,
        member: discord.User | None = None,
        role: discord.Role | None = None,
    ) -> None:
        def act(actor: Actor, account: int) -> OnPerson:
            server = moderation.reach(interaction)
            return acts.Note(server=server, account_id=account, text=text)

        await guarded(interaction, lambda: bulk.act(room, interaction, act, member, role))

    @group.command(name="queue", description="Clips that wait for a moderator's word")
    async def queue(interaction: Interaction) -> None:
        await guarded(interaction, lambda: reviewing.queue(room, interaction))

    @group.command(name="reports", description="Clips that people reported")
    async def reports(interaction: Interaction) -> None:
        await guarded(interaction, lambda: reviewing.reports(room, interaction))

    @group.command(name="log", description="What moderators did here of late")
    async def log(interaction: Interaction) -> None:
        await guarded(interaction, lambda: moderation.log(room, interaction))


async def _ends(interaction: Interaction, typed: str) -> list[Choice[str]]:
    return [Choice(name=end, value=end) for end in ENDS if end.startswith(typed.lower())]


def _end(room: Room, said: str) -> datetime | None:
    return words.until(said, room.desk.clock(), room.desk.studio.terms.zone)
