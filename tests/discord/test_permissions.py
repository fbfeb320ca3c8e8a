"""Who may do what: computed, overwritten, revoked midway."""

from __future__ import annotations

import pytest

from tests.discord import permissions
from tests.discord.conftest import Place
from tests.discord.permissions import Permission

MEBI = 1024 * 1024


@pytest.mark.parametrize(
    ("denied", "files", "code"),
    [
        (Permission.VIEW_CHANNEL, None, 50001),
        (Permission.SEND_MESSAGES, None, 50013),
        (Permission.ATTACH_FILES, {"a.txt": b"a"}, 50013),
    ],
)
async def test_what_was_taken_from_the_app(
    place: Place, denied: Permission, files: dict[str, bytes] | None, code: int
) -> None:
    assert (await place.wire.say(place.room.id, files, content="hi")).status == 200
    place.running.scene.deny_app(place.room, denied)
    heard = await place.wire.say(place.room.id, files, content="hi")
    assert (heard.status, heard.code) == (403, code)


async def test_threads_have_a_permission_of_their_own(place: Place) -> None:
    scene = place.running.scene
    thread = scene.thread(place.room, "clips", place.alice)
    scene.deny_app(place.room, Permission.SEND_MESSAGES)
    assert (await place.wire.say(thread.id, content="hi")).status == 200
    scene.deny_app(place.room, Permission.SEND_MESSAGES_IN_THREADS)
    assert (await place.wire.say(thread.id, content="hi")).code == 50013
    scene.deny_app(place.room)
    scene.archive(thread)
    assert (await place.wire.say(thread.id, content="hi")).code == 50083


async def test_roles_give_and_owners_have_all(place: Place) -> None:
    scene, world, app = place.running.scene, place.running.world, place.running.world.app.id
    assert not permissions.of(world, place.alice.id, place.room) & Permission.MANAGE_MESSAGES
    role = scene.role(place.guild, "moderators", Permission.MANAGE_MESSAGES, place.alice)
    assert permissions.of(world, place.alice.id, place.room) & Permission.MANAGE_MESSAGES
    scene.overwrite(place.room, role, deny=Permission.MANAGE_MESSAGES)
    assert not permissions.of(world, place.alice.id, place.room) & Permission.MANAGE_MESSAGES
    scene.grant(place.guild, role, Permission.ADMINISTRATOR)
    assert permissions.of(world, place.alice.id, place.room) & Permission.MANAGE_MESSAGES
    stranger = scene.user("mallory")
    assert not permissions.of(world, stranger.id, place.room)
    assert not permissions.of(world, app, place.room) & Permission.MANAGE_MESSAGES


async def test_other_peoples_messages(place: Place) -> None:
    message = place.alice.post(place.room, "hi")
    path = f"/channels/{place.room.id}/messages/{message.id}"
    assert (await place.wire.call("PATCH", path, {"content": "you"})).code == 50005
    assert (await place.wire.call("DELETE", path)).code == 50013
    allowed = Permission.MANAGE_MESSAGES
    place.running.scene.overwrite(place.room, place.running.world.app, allow=allowed)
    assert (await place.wire.call("DELETE", path)).status == 204


async def test_replying_needs_to_read(place: Place) -> None:
    message = place.alice.post(place.room, "hi")
    reference = {"message_id": str(message.id)}
    said = await place.wire.say(place.room.id, content="you", message_reference=reference)
    assert said.body["referenced_message"]["id"] == str(message.id)
    place.running.scene.deny_app(place.room, Permission.READ_MESSAGE_HISTORY)
    again = await place.wire.say(place.room.id, content="you", message_reference=reference)
    assert again.code == 160002


async def test_direct_messages_reach_those_who_let_them(place: Place) -> None:
    scene = place.running.scene
    shut = scene.user("bob", dms_open=False)
    scene.join(place.guild, shut)
    far = scene.user("mallory")
    for person, code in ((place.alice, None), (shut, 50007), (far, 50007)):
        opened = await place.wire.call(
            "POST", "/users/@me/channels", {"recipient_id": str(person.id)}
        )
        heard = await place.wire.say(int(opened.body["id"]), content="hi")
        assert (heard.status == 200) if code is None else heard.code == code
    assert len(place.alice.pings()) == 1


@pytest.mark.parametrize(("tier", "limit"), [(0, 10 * MEBI), (2, 50 * MEBI), (3, 100 * MEBI)])
async def test_boosts_raise_the_upload_limit(place: Place, tier: int, limit: int) -> None:
    place.running.scene.boost(place.guild, tier)
    assert place.ask().now.limit == limit
    assert permissions.upload_limit(place.running.world, place.guild.id) == limit


async def test_nitro_raises_it_for_one(place: Place) -> None:
    bob = place.running.scene.user("bob", limit=500 * MEBI)
    place.running.scene.join(place.guild, bob)
    assert bob.slash("create", place.room, prompt="a").now.limit == 500 * MEBI
    assert place.ask().now.limit == 10 * MEBI


async def test_larger_files_are_refused(place: Place) -> None:
    place.running.world.base_limit = 1000
    heard = await place.wire.say(place.room.id, {"clip.mp4": bytes(1001)}, content="hi")
    assert (heard.status, heard.code) == (413, 40005)
    heard = await place.wire.say(place.room.id, {"clip.mp4": bytes(1000)}, content="hi")
    assert heard.status == 200
    asked = place.ask()
    await place.wire.answer(asked, 5)
    assert (await place.wire.edit(asked, {"clip.mp4": bytes(1001)})).code == 40005
    assert (await place.wire.edit(asked, {"clip.mp4": bytes(1000)})).status == 200


async def test_a_guest_has_five_followups_and_no_channel(place: Place) -> None:
    scene = place.running.scene
    bob = scene.user("bob", installed=True)
    abroad = scene.channel(scene.guild("Elsewhere", bob, installed=False), "general")
    asked = bob.slash("create", abroad, prompt="a red ball")
    assert (await place.wire.say(abroad.id, content="hi")).code == 50001
    await place.wire.answer(asked, 4, {"content": "hi"})
    heard = [await place.wire.follow_up(asked, content=str(n)) for n in range(5)]
    assert {h.status for h in heard} == {200}
    place.running.clock.jump(3)
    assert (await place.wire.follow_up(asked, content="6")).code == 40094


async def test_a_guest_without_permission_is_heard_by_one(place: Place) -> None:
    scene = place.running.scene
    owner, bob = scene.user("owner"), scene.user("bob", installed=True)
    guild = scene.guild("Elsewhere", owner, bob, installed=False)
    abroad = scene.channel(guild, "general")
    scene.overwrite(abroad, guild, deny=Permission.USE_EXTERNAL_APPS)
    asked = bob.slash("create", abroad, prompt="a red ball")
    await place.wire.answer(asked, 4, {"content": "hi"})
    message = await asked.message()
    assert message.ephemeral
    assert bob.sees(message)
    assert not owner.sees(message)


async def test_a_server_that_sent_the_app_away(place: Place) -> None:
    place.running.scene.kick(place.guild)
    assert (await place.wire.say(place.room.id, content="hi")).code == 50001
    assert (await place.wire.call("GET", f"/guilds/{place.guild.id}")).code == 50001
