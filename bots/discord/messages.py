"""Messages sent, edited, found and deleted.

A post is reached by its interaction's token while that is good, which leaves the channel's rate
limit to others, and later by the bot itself, where it is a member. Editing twice shows once; a new
message carries a nonce, and is looked for before it is sent again.
"""

from __future__ import annotations

import io
from collections.abc import AsyncIterator, Sequence
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import discord
import yarl
from discord import ui
from discord.webhook.async_ import async_context

from bots.discord.refusals import CANT_REPLY, answered
from core.errors import Unreachable
from core.places import Post, chat, parts
from core.ports import Clock

LOOK_BACK = 50
"""Messages of a chat that are looked through for one of ours."""

APPLICATION_WEBHOOK: Literal[3] = 3
NOBODY = discord.AllowedMentions.none()


@dataclass(frozen=True, slots=True)
class Upload:
    """A file to attach: its bytes, or where they lie."""

    name: str
    content: bytes | Path

    @property
    def size(self) -> int:
        if isinstance(self.content, bytes):
            return len(self.content)
        return self.content.stat().st_size


@dataclass(frozen=True, slots=True)
class Attached:
    """A file that a message shows already."""

    id: int
    name: str


class Messages:
    def __init__(self, client: discord.Client, clock: Clock) -> None:
        self._client = client
        self._clock = clock

    async def edit(
        self,
        post: Post,
        view: ui.LayoutView,
        files: Sequence[Upload | Attached] | None = None,
    ) -> tuple[Attached, ...]:
        """Show `view` at a post. files: in place of those attached, of which some may stay; None
        leaves them all. Gives what is attached then.

        Raises Unreachable, TooLarge, Transient, or TimeoutError where no answer came.
        """
        token = post.reply_token(self._clock())
        if token is not None:
            try:
                return await self._edit_by_token(post, token, view, files)
            except Unreachable:
                if not post.member:
                    raise
        if not post.member:
            raise Unreachable("the interaction is over, and the bot is no member there")
        _, channel_id, message_id = parts(post.place)
        channel = self._client.get_partial_messageable(int(channel_id))
        message = channel.get_partial_message(int(message_id))
        async with answered(_size(files)), self._opened(files) as attachments:
            edited = await message.edit(view=view, attachments=attachments, allowed_mentions=NOBODY)
        return _attached(edited)

    async def waiting(self, post: Post) -> Post | None:
        """Where the interaction of a post was answered by "thinking…" and nothing since; None
        where it was not, or nobody can say any more. Raises as `edit`."""
        token = post.reply_token(self._clock())
        if token is None:
            return None
        webhook = self._webhook(token)
        async with answered():
            message = await async_context.get().get_original_interaction_response(
                webhook.id, token, session=webhook.session
            )
        if not message.get("flags", 0) & discord.MessageFlags.loading.flag:
            return None
        return replace(post, place=f"{chat(post.place)}/{message['id']}")

    async def send(
        self,
        channel_id: int,
        view: ui.LayoutView,
        files: Sequence[Upload],
        nonce: str,
    ) -> int:
        """A new message; its id. nonce: a repeat within minutes sends nothing new. Raises as
        `edit`."""
        channel = self._client.get_partial_messageable(channel_id)
        async with answered(_size(files)), self._opened(files) as attachments:
            uploads = [file for file in attachments if isinstance(file, discord.File)]
            sent = await channel.send(
                view=view, files=uploads, nonce=nonce, allowed_mentions=NOBODY
            )
        return sent.id

    async def ping(self, post: Post, text: str, nonce: str) -> None:
        """A short message under a post that mentions its author alone. Raises as `edit`.

        Where the bot may not read what was said before, it is no reply.
        """
        _, channel_id, message_id = parts(post.place)
        author = discord.Object(int(post.author))
        mentions = discord.AllowedMentions(
            everyone=False, roles=False, users=[author], replied_user=False
        )
        words = f"<@{post.author}> {text}"
        async with answered():
            if post.member:
                channel = self._client.get_partial_messageable(int(channel_id))
                reference = discord.MessageReference(
                    message_id=int(message_id), channel_id=int(channel_id), fail_if_not_exists=False
                )
                try:
                    await channel.send(
                        words, nonce=nonce, reference=reference, allowed_mentions=mentions
                    )
                except discord.HTTPException as error:
                    if error.code != CANT_REPLY:
                        raise
                    await channel.send(words, nonce=nonce, allowed_mentions=mentions)
            elif (token := post.reply_token(self._clock())) is not None:
                await self._webhook(token).send(
                    words, ephemeral=post.hidden, allowed_mentions=mentions
                )

    async def direct(self, user_id: int) -> int:
        """The channel of direct messages with somebody. Raises as `edit`."""
        async with answered():
            channel = await self._client.create_dm(discord.Object(user_id))
        return channel.id

    async def find(self, channel_id: int, job_id: str) -> int | None:
        """The newest message of ours there with a button of that job. Raises as `edit`."""
        me = self._client.user
        channel = self._client.get_partial_messageable(channel_id)
        async with answered():
            async for message in channel.history(limit=LOOK_BACK):
                if me and message.author.id == me.id and job_id in _job_ids(message):
                    return message.id
        return None

    async def delete(self, post: Post) -> None:
        """Raises as `edit`."""
        _, channel_id, message_id = parts(post.place)
        token = post.reply_token(self._clock())
        async with answered():
            if token is not None:
                await self._webhook(token).delete_message(int(message_id))
            elif post.member:
                channel = self._client.get_partial_messageable(int(channel_id))
                await channel.get_partial_message(int(message_id)).delete()

    async def _edit_by_token(
        self,
        post: Post,
        token: str,
        view: ui.LayoutView,
        files: Sequence[Upload | Attached] | None,
    ) -> tuple[Attached, ...]:
        message_id = int(parts(post.place)[2])
        async with answered(_size(files)), self._opened(files) as attachments:
            edited = await self._webhook(token).edit_message(
                message_id, view=view, attachments=attachments, allowed_mentions=NOBODY
            )
        return _attached(edited)

    @asynccontextmanager
    async def _opened(
        self, files: Sequence[Upload | Attached] | None
    ) -> AsyncIterator[list[discord.File | discord.Attachment]]:
        """The files, open while they are sent; MISSING where those attached stay."""
        if files is None:
            yield discord.utils.MISSING
            return
        with ExitStack() as opened:
            given: list[discord.File | discord.Attachment] = []
            for file in files:
                if isinstance(file, Attached):
                    given.append(self._known(file))
                    continue
                content = file.content
                source = content if isinstance(content, Path) else io.BytesIO(content)
                upload = discord.File(source, filename=file.name)
                opened.callback(upload.close)
                given.append(upload)
            yield given

    def _known(self, file: Attached) -> discord.Attachment:
        """By its id alone; Discord knows the rest."""
        return discord.Attachment(
            data={"id": file.id, "filename": file.name, "size": 0, "url": "", "proxy_url": ""},
            state=self._client._connection,
        )

    def _webhook(self, token: str) -> discord.Webhook:
        """The application's own, which may say things to one person alone."""
        assert self._client.application_id is not None, "asked before login"
        state = self._client._connection
        return discord.Webhook.from_state(
            {"id": self._client.application_id, "type": APPLICATION_WEBHOOK, "token": token}, state
        )


def _size(files: Sequence[Upload | Attached] | None) -> int:
    """Bytes that are to be sent."""
    return sum(file.size for file in files or () if isinstance(file, Upload))


def _attached(message: discord.Message | discord.WebhookMessage) -> tuple[Attached, ...]:
    """The files that a message shows, which Discord lists where they are shown."""
    media: list[discord.UnfurledMediaItem] = []
    for child in ui.LayoutView.from_message(message, timeout=None).walk_children():
        if isinstance(child, ui.MediaGallery):
            media += [item.media for item in child.items]
        elif isinstance(child, ui.Thumbnail):
            media.append(child.media)
    return tuple(
        Attached(one.attachment_id, yarl.URL(one.url).name)
        for one in media
        if one.attachment_id is not None
    )


def _job_ids(message: discord.Message) -> set[str]:
    """The ids that the buttons of a message carry."""
    view = ui.LayoutView.from_message(message, timeout=None)
    ids = (getattr(item, "custom_id", None) for item in view.walk_children())
    return {custom_id.rpartition(":")[2] for custom_id in ids if custom_id}
