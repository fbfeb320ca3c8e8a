"""The commands: what they take, in Discord's own options, and what they come to.

No `from __future__ import annotations` here: discord.py reads the annotations, and their ranges are
the catalogue's.
"""

from collections.abc import Callable, Coroutine, Sequence
from typing import Any

import discord
from discord import app_commands
from discord.app_commands import Choice, Range

from bots.discord import console, forms, gifts, linking, mod, personal, talk, verifying
from bots.discord.asking import Room, ask, heed
from bots.discord.attachments import pictures_of
from bots.discord.hearing import account_of, guarded, in_time
from bots.discord.ordering import Fields, Wanted, order
from bots.discord.rules import settle
from bots.discord.showing import meant, our_job, show
from bots.rules import UNSET
from bots.talk import summary
from core import camera
from core.counter import Consent
from core.errors import NotFound
from core.job import Account, Job
from core.moderation import CREDITS_MAX
from core.prompt import ASPECTS, PROMPT_MAX_CHARS, SEED_MAX
from core.safety.level import Level

Interaction = discord.Interaction[Any]

CHOICES = 25
LINK_CHARS = 40
CODE_CHARS = 60
EXTEND_SECONDS_MAX = 60.0

_CONTEXTS = app_commands.AppCommandContext(guild=True, dm_channel=True, private_channel=True)
_INSTALLS = app_commands.AppInstallationType(guild=True, user=True)


def command_tree(client: discord.Client) -> app_commands.CommandTree[Any]:
    """Every command works in servers, threads and direct messages, installed by either."""
    return app_commands.CommandTree(
        client, allowed_contexts=_CONTEXTS, allowed_installs=_INSTALLS, fallback_to_global=True
    )


def register(tree: app_commands.CommandTree[Any], room: Room) -> None:
    """Put all commands into the tree; their choices and ranges are the catalogue's."""
    _asking(tree, room)
    _varying(tree, room)
    _looking(tree, room)
    _giving(tree, room)
    _linking(tree, room)
    _on_messages(tree, room)
    mod.register(tree, room)
    console.register(tree, room)
    verifying.register(tree, room)
    personal.register(tree, room)


def _asking(tree: app_commands.CommandTree[Any], room: Room) -> None:
    catalogue = room.desk.studio.catalogue
    low = float(min(model.seconds.low for model in catalogue))
    high = float(max(model.seconds.high for model in catalogue))
    sizes = sorted({r for model in catalogue for r in model.resolutions}, key=_lines)

    words: dict[str, str | app_commands.locale_str] = {
        "prompt": "What you would like to see; flags such as --seed 7 may be in it",
        "image": "The picture that the clip begins with",
        "last_image": "The picture that it ends with",
        "length": "Seconds",
        "resolution": "The short side",
        "camera": "A camera move, such as: slow zoom in",
        "motion": "How much moves, 0 to 10",
        "model": "Which model renders it",
        "private": "Only you see the card",
    }
    aspects = [Choice(name=aspect, value=aspect) for aspect in ASPECTS]
    resolutions = [Choice(name=size, value=size) for size in sizes[:CHOICES]]

    @tree.command(name="create", description="Make a clip from words, from pictures, or from both")
    @app_commands.describe(
        **words,
        aspect="Width to height; your picture's unless said",
        seed="The same seed draws the same again",
        negative="Words to avoid",
        subject="Who is in the picture; they are asked",
    )
    @app_commands.choices(aspect=aspects, resolution=resolutions)
    async def create(
        interaction: Interaction,
        prompt: Range[str, 0, PROMPT_MAX_CHARS] = "",
        image: discord.Attachment | None = None,
        last_image: discord.Attachment | None = None,
        length: Range[float, low, high] | None = None,
        aspect: str | None = None,
        resolution: str | None = None,
        camera: str | None = None,
        motion: Range[float, 0, 10] | None = None,
        seed: Range[int, 0, SEED_MAX] | None = None,
        negative: str | None = None,
        model: str | None = None,
        private: bool | None = None,
        subject: discord.User | None = None,
    ) -> None:
        fields: Fields = {
            "seconds": length,
            "ar": aspect,
            "res": resolution,
            "camera": camera,
            "motion": motion,
            "seed": seed,
            "neg": negative,
            "model": model,
        }
        await guarded(
            interaction,
            lambda: order(
                room, interaction, Wanted(prompt, fields, image, last_image, private, subject)
            ),
        )

    @tree.command(name="animate", description="Bring a picture to life")
    @app_commands.describe(**words)
    @app_commands.choices(resolution=resolutions)
    async def animate(
        interaction: Interaction,
        image: discord.Attachment,
        prompt: Range[str, 0, PROMPT_MAX_CHARS] = "",
        last_image: discord.Attachment | None = None,
        length: Range[float, low, high] | None = None,
        resolution: str | None = None,
        camera: str | None = None,
        motion: Range[float, 0, 10] | None = None,
        model: str | None = None,
        private: bool | None = None,
    ) -> None:
        fields: Fields = {
            "seconds": length,
            "res": resolution,
            "camera": camera,
            "motion": motion,
            "model": model,
        }
        await guarded(
            interaction,
            lambda: order(room, interaction, Wanted(prompt, fields, image, last_image, private)),
        )

    async def moves(interaction: Interaction, typed: str) -> list[Choice[str]]:
        return _matching(camera.names(), typed)

    async def models(interaction: Interaction, typed: str) -> list[Choice[str]]:
        return _matching([model.name for model in catalogue], typed)

    for command in (create, animate):
        command.autocomplete("camera")(moves)
        command.autocomplete("model")(models)


def _varying(tree: app_commands.CommandTree[Any], room: Room) -> None:
    studio = room.desk.studio

    @tree.command(name="again", description="Make a clip of yours once more, with a new seed")
    @app_commands.describe(clip="Which one; your newest unless said", private="Only you see it")
    async def again(
        interaction: Interaction, clip: str | None = None, private: bool | None = None
    ) -> None:
        async def queue(account: Account, place: str, key: str) -> Sequence[Job]:
            job_id = await meant(room, account, clip)
            await heed(room, place, job_id, open_said=private is False)
            return [await studio.again(account, place, job_id, consent=Consent.NEEDED, key=key)]

        await guarded(interaction, lambda: ask(room, interaction, queue, hidden=private))

    @tree.command(name="extend", description="Go on where a clip of yours stops")
    @app_commands.describe(
        clip="Which one; your newest unless said",
        seconds="How much longer",
        private="Only you see it",
    )
    async def extend(
        interaction: Interaction,
        clip: str | None = None,
        seconds: Range[float, 0.1, EXTEND_SECONDS_MAX] | None = None,
        private: bool | None = None,
    ) -> None:
        async def queue(account: Account, place: str, key: str) -> Sequence[Job]:
            job_id = await meant(room, account, clip)
            await heed(room, place, job_id, open_said=private is False)
            asks = Consent.NEEDED
            return [await studio.extend(account, place, job_id, seconds, consent=asks, key=key)]

        await guarded(interaction, lambda: ask(room, interaction, queue, hidden=private))

    @tree.command(name="show", description="Post a clip of yours again, with its buttons")
    @app_commands.describe(clip="Which one; your newest unless said", private="Only you see it")
    async def show_again(
        interaction: Interaction, clip: str | None = None, private: bool | None = None
    ) -> None:
        await guarded(interaction, lambda: show(room, interaction, clip, hidden=private))

    async def own(interaction: Interaction, typed: str) -> list[Choice[str]]:
        account = await account_of(room.desk, interaction.user)
        views = await studio.history(account, CHOICES)
        named = [(view.job.id, summary(view)) for view in views]
        wanted = typed.lower()
        return [
            Choice(name=f"{words} · {job_id}"[:100], value=job_id)
            for job_id, words in named
            if wanted in words.lower() or wanted in job_id
        ]

    for command in (again, extend, show_again):
        command.autocomplete("clip")(own)


def _looking(tree: app_commands.CommandTree[Any], room: Room) -> None:
    catalogue = room.desk.studio.catalogue
    high = float(max(model.seconds.high for model in catalogue))
    sizes = sorted({r for model in catalogue for r in model.resolutions}, key=_lines)
    size_choices = [
        Choice(name="as the model has it", value=UNSET),
        *(Choice(name=size, value=size) for size in sizes[: CHOICES - 1]),
    ]

    levels = [
        Choice(name="as the operator has it", value=UNSET),
        *(Choice(name=level.value, value=level.value) for level in Level),
    ]

    for name, description, telling in (
        ("queue", "What runs, what waits, and where yours are", talk.queue),
        ("me", "Your credits, your clips, and whether you are pinged", talk.me),
        ("models", "What each model takes and makes", talk.models),
        ("help", "How to ask for a clip", talk.help_),
    ):
        tree.command(name=name, description=description)(_told(room, telling))
    if room.desk.purchases.wares.for_skus():
        tree.command(name="buy", description="What there is to buy here")(_told(room, talk.buy))

    @tree.command(name="settings", description="How Kinora is used on this server")
    @app_commands.describe(
        where="Allow Kinora in this channel, or no longer; where none is named, all are allowed",
        length="Seconds where nobody says; 0: as the model has it",
        longest="The most seconds; 0: as the model has it",
        resolution="Where nobody says",
        largest="The largest resolution",
        model="Where nobody says; any: the usual one",
        private="Cards are for who asked alone, unless they say",
        safety="How strict the checks are; adult: in age-restricted channels alone",
    )
    @app_commands.choices(resolution=size_choices, largest=size_choices, safety=levels)
    @app_commands.default_permissions(manage_guild=True)
    @app_commands.allowed_contexts(guilds=True, dms=False, private_channels=False)
    @app_commands.allowed_installs(guilds=True, users=False)
    async def settings(
        interaction: Interaction,
        where: app_commands.AppCommandChannel | app_commands.AppCommandThread | None = None,
        length: Range[float, 0.0, high] | None = None,
        longest: Range[float, 0.0, high] | None = None,
        resolution: str | None = None,
        largest: str | None = None,
        model: str | None = None,
        private: bool | None = None,
        safety: str | None = None,
    ) -> None:
        said: Fields = {
            "channel": str(where.id) if where else None,
            "seconds": length,
            "longest": longest,
            "resolution": resolution,
            "largest": largest,
            "model": model,
            "private": private,
            "level": safety,
        }
        await guarded(interaction, lambda: settle(room, interaction, said))

    @settings.autocomplete("model")
    async def model_names(interaction: Interaction, typed: str) -> list[Choice[str]]:
        return _matching([UNSET, *(model.name for model in catalogue)], typed)


def _giving(tree: app_commands.CommandTree[Any], room: Room) -> None:
    @tree.command(name="gift", description="Give credits of yours to somebody")
    @app_commands.describe(member="To whom", credits="How many")
    async def gift(
        interaction: Interaction, member: discord.User, credits: Range[int, 1, CREDITS_MAX]
    ) -> None:
        await guarded(interaction, lambda: gifts.ask(room, interaction, member, credits))

    @tree.command(name="redeem", description="Use a voucher code")
    @app_commands.describe(code="As you were given it")
    async def redeem(interaction: Interaction, code: Range[str, 1, CODE_CHARS]) -> None:
        await guarded(interaction, lambda: gifts.redeem(room, interaction, code))


def _linking(tree: app_commands.CommandTree[Any], room: Room) -> None:
    @tree.command(name="link", description="Join your accounts here and elsewhere: one wallet")
    @app_commands.describe(code="That you were given elsewhere; you get one where you leave it out")
    async def link(interaction: Interaction, code: Range[str, 1, LINK_CHARS] = "") -> None:
        await guarded(interaction, lambda: linking.link(room, interaction, code))

    @tree.command(name="unlink", description="Take Discord out of your joined account")
    async def unlink(interaction: Interaction) -> None:
        await guarded(interaction, lambda: linking.unlink(room, interaction))


def _told(room: Room, telling: talk.Telling) -> Callable[[Interaction], Coroutine[Any, Any, None]]:
    """A command that takes nothing and tells one person something."""

    async def tell(interaction: Interaction) -> None:
        await guarded(interaction, lambda: talk.tell(room, interaction, telling))

    return tell


def _on_messages(tree: app_commands.CommandTree[Any], room: Room) -> None:
    @tree.context_menu(name="Animate this")
    async def animate_this(interaction: Interaction, message: discord.Message) -> None:
        async def work() -> None:
            pictures = pictures_of(message)
            if not pictures:
                raise NotFound("There is no picture in that message. Nothing was charged.")
            await order(room, interaction, Wanted(image=pictures[0]))

        await guarded(interaction, work)

    @tree.context_menu(name="Remix")
    async def remix(interaction: Interaction, message: discord.Message) -> None:
        async def work() -> None:
            job_id = our_job(interaction, message)
            if job_id is None:
                raise NotFound("That message holds no clip of mine to remix.")
            shown = await in_time(room.desk.lobby.shown(room.desk.studio, job_id))
            await forms.open_form(room, interaction, shown.view.job, forms.REMIX)

        await guarded(interaction, work)


def _matching(names: Sequence[str], typed: str) -> list[Choice[str]]:
    """Those that begin with what was typed, then those that hold it."""
    wanted = typed.lower().strip()
    begins = [name for name in names if name.lower().startswith(wanted)]
    holds = [name for name in names if wanted in name.lower() and name not in begins]
    found = [*begins, *holds]
    if not found and typed:
        found = [typed]
    return [Choice(name=name[:100], value=name[:100]) for name in found[:CHOICES]]


def _lines(resolution: str) -> int:
    return int(resolution.removesuffix("p"))
