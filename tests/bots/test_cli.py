"""The command line, as a shell runs it."""

from __future__ import annotations

import json
from pathlib import Path

import aiohttp

from model import video
from tests.program import Caller, command, running
from tests.test_life_of_a_request import a_photograph


async def test_render_makes_the_clip_that_was_asked_for(tmp_path: Path) -> None:
    photo, clip = tmp_path / "photo.jpg", tmp_path / "out.mp4"
    photo.write_bytes(a_photograph())
    status, said, complained = await command(
        tmp_path, "render", "the bay", "--image", str(photo), "--camera", "pan right",
        "--seconds", "1", "--res=480p", "--seed", "5", "-o", str(clip), "--json",
    )  # fmt: skip
    assert status == 0, complained
    made = json.loads(said)
    assert (made["model"], made["seed"], made["num_frames"]) == ("parallax", 5, 25)
    probe = video.probe(clip)
    assert (probe.width, probe.height, probe.num_frames) == (640, 480, 25)
    assert not list(tmp_path.glob(".*.part"))

    status, said, _ = await command(tmp_path, "verify", str(clip), "--json")
    known = json.loads(said)
    assert (status, known["ours"], known["changed"]) == (0, True, False)
    assert known["sentence"].startswith("Yes: this is clip ")
    changed = bytearray(clip.read_bytes())
    changed[changed.rindex(b"mdat") + 400] ^= 1
    clip.write_bytes(changed)
    status, said, _ = await command(tmp_path, "verify", str(clip), "--json")
    assert (status, json.loads(said)["changed"]) == (1, True)
    clip.write_bytes(b"no picture and no clip")
    status, said, complained = await command(tmp_path, "verify", str(clip))
    assert (status, said, complained.count("\n")) == (2, "", 1)


async def test_what_is_wrong_is_one_sentence_and_no_file(tmp_path: Path) -> None:
    clip = tmp_path / "out.mp4"
    text, photo = tmp_path / "text.jpg", tmp_path / "photo.jpg"
    text.write_text("no picture at all")
    photo.write_bytes(a_photograph())
    for words, says in (
        (("x", "--warp", "3"), "There is no --warp. Did you mean --camera?"),
        (("x", "--seconds", "-1"), "a number of seconds above 0"),
        (("x", "--image", str(text)), "not a picture"),
        (("x", "--model", "nobody"), 'There is no model "nobody"'),
        (("x", "--fast"), "Here is no queue and no price: leave --fast out."),
        (
            ("x", "--model", "parallax", "--image", str(photo), "--last-image", str(photo)),
            "parallax can't end with a picture",
        ),
    ):
        status, _, complained = await command(tmp_path, "render", *words, "-o", str(clip))
        assert status == 1
        assert says in complained
        assert "Traceback" not in complained
        assert not clip.exists()


async def test_models_and_doctor_speak_to_scripts(tmp_path: Path) -> None:
    status, said, _ = await command(tmp_path, "models", "--json")
    assert status == 0
    assert {"parallax"} <= {model["name"] for model in json.loads(said)}
    status, said, _ = await command(tmp_path, "models")
    assert status == 0
    assert "things: ball, square," in said
    status, said, _ = await command(tmp_path, "doctor", "--json")
    assert status == 0
    found = {finding["what"]: finding["verdict"] for finding in json.loads(said)}
    assert found["Database"] == found["Data"] == found["Models"] == found["Sight"] == "ok"
    assert not (tmp_path / "data").exists()


async def test_doctor_names_the_remedy(tmp_path: Path) -> None:
    status, said, _ = await command(
        tmp_path, "doctor", KINORA_DATABASE_URL="postgresql://nobody@127.0.0.1:1/none"
    )
    assert not (tmp_path / "data").exists()
    assert status == 1
    assert "check KINORA_DATABASE_URL" in said
    secret = {"KINORA_DISCORD__CLIENT_SECRET": "a-secret"}
    status, said, _ = await command(tmp_path, "doctor", "--json", **secret)
    (found,) = [one for one in json.loads(said) if one["what"] == "Sign-in"]
    assert found["verdict"] == "note"
    assert "set KINORA_WEB__PUBLIC_URL and KINORA_DISCORD__TOKEN" in found["remedy"]
    assert "a-secret" not in said
    status, _, complained = await command(tmp_path, "doctor", KINORA_WEB__PORT="99999999")
    assert status == 2
    assert "KINORA_WEB__PORT" in complained


async def test_values_that_cannot_be_taken_are_told_with_what_can(tmp_path: Path) -> None:
    status, _, complained = await command(
        tmp_path, "doctor", KINORA_WEB__PORT="lots", KINORA_LOG_FORMAT="prose",
        KINORA_PLANS__PRO__WAITING="few", KINORA_WEB__ADMIN_KEY="hush",
    )  # fmt: skip
    assert status == 2
    assert complained.splitlines() == [
        'KINORA_LOG_FORMAT: "prose" is not one of console, json, as in KINORA_LOG_FORMAT=console.',
        'KINORA_WEB__PORT: "lots" is not a whole number from 0 to 65535, as in'
        " KINORA_WEB__PORT=8080.",
        "KINORA_WEB__ADMIN_KEY: an admin key has at least 8 characters",
        'KINORA_PLANS__PRO__WAITING: "few" is not a whole number from 1 on.',
    ]


async def test_settings_that_nothing_reads_are_named(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("KINORA_WEB__PROT=8099\nTELEGRAM_TOKEN=a-secret\n")
    wrong = {
        "KINORA_DISCORD_TOKEN": "a-secret",
        "kinora_discrod__token": "a-secret",
        "DISCORD_BOT_TOKEN": "a-secret",
        "KINORA_PLANS__GOLD__LARGST": "720p",
        "KINORA_PLANS__GOLD__LARGEST": "720p",
        "KINORA_RELEASE": "a-secret",
    }
    meant = (
        "KINORA_WEB__PROT is no setting. Did you mean KINORA_WEB__PORT?",
        "TELEGRAM_TOKEN is no setting. Did you mean KINORA_TELEGRAM__TOKEN?",
        "KINORA_DISCORD_TOKEN is no setting. Did you mean KINORA_DISCORD__TOKEN?",
        "KINORA_DISCROD__TOKEN is no setting. Did you mean KINORA_DISCORD__TOKEN?",
        "DISCORD_BOT_TOKEN is no setting. Did you mean KINORA_DISCORD__TOKEN?",
        "KINORA_PLANS__GOLD__LARGST is no setting. Did you mean KINORA_PLANS__GOLD__LARGEST?",
        "KINORA_RELEASE is no setting. The README lists them.",
    )
    status, said, _ = await command(tmp_path, "doctor", cwd=tmp_path, **wrong)
    assert status == 1
    assert said.count("is no setting") == len(meant)
    # A start that ends at once: there is no such model.
    _, _, complained = await command(
        tmp_path, "serve", cwd=tmp_path, KINORA_MODEL="nobody", **wrong
    )
    assert complained.count("is no setting") == len(meant)
    for sentence in meant:
        assert sentence in said
        assert sentence in complained
    assert "a-secret" not in said + complained


async def test_doctor_says_what_it_read(tmp_path: Path) -> None:
    status, said, _ = await command(tmp_path, "doctor", cwd=tmp_path)
    assert status == 0
    assert f"from the environment alone; there is no {tmp_path}/.env" in said
    assert f"{tmp_path}/data, made at the first start" in said
    (tmp_path / ".env").write_text("KINORA_MODEL=pocket\n")
    status, said, _ = await command(tmp_path, "doctor", cwd=tmp_path)
    assert status == 0
    assert f"from the environment and {tmp_path}/.env" in said


async def test_settings_that_cannot_be_are_one_sentence(tmp_path: Path) -> None:
    for name, value, says in (
        ("KINORA_PLANS__PRO__LARGEST", "1080", "such as 480p, 720p or 1080p"),
        ("KINORA_LOG_LEVEL", "loud", "is not one of DEBUG, INFO, WARNING, ERROR"),
        ("KINORA_DISCORD", "a-secret", "KINORA_DISCORD: its parts are set one by one"),
        (
            "KINORA_CREDITS__BASES",
            "{pocket: 1}",
            'BASES: it is no JSON of models, as in {"pocket": 1.5}',
        ),
    ):
        status, _, complained = await command(tmp_path, "doctor", **{name: value})
        assert (status, complained.count("\n")) == (2, 1)
        assert says in complained
        assert "a-secret" not in complained
    (tmp_path / ".env").write_bytes(b"KINORA_MODEL=\xff")
    status, _, complained = await command(tmp_path, "doctor", cwd=tmp_path)
    assert (status, complained) == (2, f"{tmp_path}/.env can't be read: it is not UTF-8.\n")


async def test_links_and_keys_open_accounts_of_their_own(tmp_path: Path) -> None:
    _, said, _ = await command(tmp_path, "admin", "key", "anna", "--json")
    key = json.loads(said)["key"]
    jar = aiohttp.CookieJar(unsafe=True)
    async with running(tmp_path) as program, aiohttp.ClientSession(cookie_jar=jar) as session:
        anna = await Caller(session, program.url, key).get("/me")
        owner = await Caller(session, program.url).get("/me")
        assert (anna["name"], owner["name"]) == ("anna", "owner")
        _, said, _ = await command(tmp_path, "admin", "revoke", "anna", "--json")
        assert json.loads(said) == {"account": "anna", "revoked": 1}
        await Caller(session, program.url, key).get("/me", status=401)
        _, said, _ = await command(tmp_path, "link", "ben", "--json")
        code = json.loads(said)["link"].partition("/open/")[2]
        for status in (200, 410):
            async with session.get(f"{program.url}/open/{code}") as answer:
                assert answer.status == status
        database = b"".join(path.read_bytes() for path in (tmp_path / "data").glob("kinora.db*"))
        assert key.encode() not in database
        assert code.encode() not in database


async def test_two_programs_do_not_share_a_data_directory(tmp_path: Path) -> None:
    async with running(tmp_path):
        status, _, complained = await command(tmp_path, "serve", KINORA_WEB__PORT="0")
        assert status == 1
        assert "Another Kinora is running" in complained
