"""Messages and modals as pictures of themselves."""

from __future__ import annotations

import io

import av
import numpy as np

from tests.bots.pictures import landscape, png
from tests.discord.conftest import Place
from tests.discord.html import markdown, render_html, render_modal
from tests.discord.wire import button, container, gallery, row, text

PICTURE = png(landscape(64, 36))


async def test_a_card_is_drawn_with_its_files(place: Place) -> None:
    card = container(
        text(f"### Done\n**a red ball** for {place.alice.mention}\n-# seed 7"),
        gallery("clip.png"),
        row(button("Again"), button("Delete", "delete", style=4, disabled=True)),
    ) | {"accent_color": 0xE8A33D}
    said = await place.wire.say(
        place.room.id, {"clip.png": PICTURE}, flags=1 << 15, components=[card]
    )
    page = render_html(place.running.world, place.running.world.messages[int(said.body["id"])])
    for drawn in (
        "<h3>Done</h3>",
        "<b>a red ball</b>",
        "@alice",
        '<p class="sub">seed 7</p>',
        "--accent:#e8a33d",
        'src="data:image/png;base64,',
        '<button class="button secondary">Again</button>',
        '<button class="button danger" disabled>Delete</button>',
    ):
        assert drawn in page


async def test_of_a_video_the_first_frame(place: Place) -> None:
    said = await place.wire.say(place.room.id, {"clip.mp4": film()}, content="a clip")
    (attachment,) = place.running.messages(place.room)[0].attachments
    assert (attachment.width, attachment.height) == (64, 36)
    assert said.body["attachments"][0]["width"] == 64
    page = render_html(place.running.world, place.running.messages(place.room)[0])
    assert '<figure class="play"><img src="data:image/png' in page


async def test_what_cannot_be_drawn_says_so(place: Place) -> None:
    await place.wire.say(place.room.id, {"clip.mp4": b"no film"}, content="a clip")
    page = render_html(place.running.world, place.running.messages(place.room)[0])
    assert "clip.mp4: no picture" in page


async def test_thinking_and_ephemeral(place: Place) -> None:
    asked = place.ask()
    await place.wire.answer(asked, 5, {"flags": 64})
    message = place.running.world.messages[asked.now.original_id or 0]
    page = render_html(place.running.world, message)
    assert "is thinking…" in page
    assert "Only you can see this" in page


async def test_a_modal_is_drawn(place: Place) -> None:
    field = {"type": 4, "custom_id": "prompt", "style": 2, "value": "a <red> ball"}
    labelled = {"type": 18, "id": 1, "label": "Prompt", "component": field | {"id": 2}}
    page = render_modal(place.running.world, {"title": "Edit", "components": [labelled]})
    assert "a &lt;red&gt; ball" in page
    assert "Prompt" in page


async def test_markdown_is_safe(place: Place) -> None:
    world = place.running.world
    for words, drawn in (
        ("<script>", "<p>&lt;script&gt;</p>"),
        ("a * b * c", "<p>a * b * c</p>"),
        ("*a* _b_ ~~c~~", "<p><i>a</i> <i>b</i> <s>c</s></p>"),
        (r"\*a\*", "<p>*a*</p>"),
        ("`**a**`", "<p><code>**a**</code></p>"),
        ("```\n**a**\n```", "<pre>**a**</pre>"),
        ("[a](https://x.example)", '<p><a href="https://x.example">a</a></p>'),
        ("snake_case_name", "<p>snake_case_name</p>"),
        ("> a", "<blockquote>a</blockquote>"),
    ):
        assert markdown(world, words) == drawn


def film() -> bytes:
    """A second of video."""
    out = io.BytesIO()
    with av.open(out, "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=8)
        stream.width, stream.height, stream.pix_fmt = 64, 36, "yuv420p"
        picture = np.asarray(landscape(64, 36))
        for _ in range(8):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture)))
        container.mux(stream.encode())
    return out.getvalue()
