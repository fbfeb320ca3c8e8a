"""Drawing a message or a modal from its payload, much as Discord's app does in its dark look.

For pictures to look at, not for measuring: widths, fonts and colours are near, not exact. Files
come from the CDN's store, inlined; of a video its first frame is shown.
"""

from __future__ import annotations

import base64
import html
import io
import mimetypes
import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import av

from tests.discord import components as parts
from tests.discord.cdn import Attachment
from tests.discord.world import Message, World

Json = dict[str, Any]

_BUTTON_STYLES = {1: "primary", 2: "secondary", 3: "success", 4: "danger", 5: "link", 6: "premium"}
_FIELDS = {5: "Select a person", 6: "Select a role", 7: "Select", 8: "Select a channel"}

_LOOK = Path(__file__).with_name("look.css")
_PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title>
<style>{look}</style><body>{body}</body></html>"""


def render_html(world: World, message: Message) -> str:
    """A page that shows a message as the people it is for see it now."""
    author = world.users[message.author_id]
    when = datetime.fromtimestamp(message.created, UTC)
    tag = '<span class="app">APP</span>' if author.bot else ""
    said = _message_body(world, message)
    note = '<div class="note">👁 Only you can see this</div>' if message.ephemeral else ""
    body = (
        f'<article class="message"><div class="avatar">{_safe(author.name[:1].upper())}</div><div>'
        f'<div class="who"><b>{_safe(author.name)}</b>{tag} <time>{when:%H:%M}</time></div>'
        f"{said}{note}</div></article>"
    )
    return _PAGE.format(look=_LOOK.read_text(), title=_safe(author.name), body=body)


def render_modal(world: World, modal: Json) -> str:
    """A page that shows a form."""
    inside = "".join(_modal_part(world, part) for part in modal["components"])
    body = (
        f'<form class="modal"><header>{_safe(modal["title"])}</header><main>{inside}</main><footer>'
        '<button class="button secondary">Cancel</button> '
        '<button class="button primary">Submit</button></footer></form>'
    )
    return _PAGE.format(look=_LOOK.read_text(), title=_safe(modal["title"]), body=body)


def _message_body(world: World, message: Message) -> str:
    if message.loading:
        return f'<div class="thinking">••• {_safe(world.app.name)} is thinking…</div>'
    draw = _Drawing(world, message.attachments)
    edited = ' <span class="edited">(edited)</span>' if message.edited else ""
    said = [f'<div class="text">{markdown(world, message.content)}{edited}</div>'] * bool(
        message.content
    )
    said += [draw.embed(embed) for embed in message.embeds]
    shown = parts.used(message.components)
    said += [draw.attachment(a) for a in message.attachments if a.filename not in shown]
    said += [draw.component(component) for component in message.components]
    return "".join(said)


class _Drawing:
    """Draws the components of one message, whose files it has."""

    def __init__(self, world: World, attachments: Sequence[Attachment]) -> None:
        self._world = world
        self._files = {a.filename: a for a in attachments}
        self._ways: dict[int, Callable[[Json], str]] = {
            parts.ROW: self._row,
            parts.BUTTON: _button,
            parts.SECTION: self._section,
            parts.TEXT: self._text,
            parts.THUMBNAIL: self._thumbnail,
            parts.GALLERY: self._gallery,
            parts.FILE: self._file,
            parts.SEPARATOR: _separator,
            parts.CONTAINER: self._container,
        }

    def component(self, component: Json) -> str:
        kind = component["type"]
        if kind in parts.SELECTS:
            return _select(component)
        return self._ways[kind](component)

    def attachment(self, attachment: Attachment) -> str:
        return (
            f'<div class="attachment">{self._medium(f"attachment://{attachment.filename}")}</div>'
        )

    def embed(self, embed: Json) -> str:
        colour = embed.get("color") or 0x1E1F22
        inside = f"<b>{_safe(embed['title'])}</b>" if embed.get("title") else ""
        inside += f'<div class="text">{markdown(self._world, embed.get("description") or "")}</div>'
        if embed.get("image"):
            inside += self._medium(embed["image"]["url"])
        return f'<div class="container accent" style="--accent:#{colour:06x}">{inside}</div>'

    def _all(self, components: Sequence[Json]) -> str:
        return "".join(self.component(component) for component in components)

    def _row(self, row: Json) -> str:
        return f'<div class="row">{self._all(row["components"])}</div>'

    def _text(self, text: Json) -> str:
        return f'<div class="text">{markdown(self._world, text["content"])}</div>'

    def _section(self, section: Json) -> str:
        texts = self._all(section["components"])
        return (
            f'<div class="section"><div>{texts}</div>{self.component(section["accessory"])}</div>'
        )

    def _thumbnail(self, thumbnail: Json) -> str:
        return self._medium(thumbnail["media"]["url"], thumbnail)

    def _gallery(self, gallery: Json) -> str:
        items = gallery["items"]
        columns = 1 if len(items) == 1 else 2 if len(items) < 5 else 3
        inside = "".join(self._medium(item["media"]["url"], item) for item in items)
        return f'<div class="gallery" style="--columns:{columns}">{inside}</div>'

    def _file(self, file: Json) -> str:
        name = str(file["file"]["url"]).removeprefix("attachment://")
        size = self._files[name].size if name in self._files else 0
        return f'<div class="file">📄 {_safe(name)} <span class="note">{size:,} bytes</span></div>'

    def _container(self, container: Json) -> str:
        accent = container.get("accent_color")
        style = f' accent" style="--accent:#{accent:06x}' if accent is not None else ""
        return f'<div class="container{style}">{self._all(container["components"])}</div>'

    def _medium(self, url: str, traits: Json | None = None) -> str:
        """A picture, or the first frame of a video."""
        traits = traits or {}
        name = url.removeprefix("attachment://")
        attachment = self._files.get(name)
        if attachment is None:
            return f'<div class="missing">{_safe(url)}</div>'
        source = _inlined(self._world.cdn.read(attachment), attachment)
        if source is None:
            return f'<div class="missing">{_safe(name)}: no picture</div>'
        classes = [
            c for c, on in (("play", attachment.video), ("spoiler", traits.get("spoiler"))) if on
        ]
        words = _safe(traits.get("description") or attachment.description or "")
        return f'<figure class="{" ".join(classes)}"><img src="{source}" alt="{words}"></figure>'


def _inlined(data: bytes, attachment: Attachment) -> str | None:
    kind = attachment.content_type or mimetypes.guess_type(attachment.filename)[0] or ""
    if attachment.video:
        still = _first_frame(data)
        if still is None:
            return None
        return f"data:image/png;base64,{base64.b64encode(still).decode()}"
    if kind.startswith("image/"):
        return f"data:{kind};base64,{base64.b64encode(data).decode()}"
    return None


def _first_frame(data: bytes) -> bytes | None:
    try:
        with av.open(io.BytesIO(data), "r") as film:
            picture = next(film.decode(video=0)).to_image()
    except (av.FFmpegError, StopIteration, IndexError):
        return None
    out = io.BytesIO()
    picture.save(out, "PNG")
    return out.getvalue()


def _button(button: Json) -> str:
    style = _BUTTON_STYLES[button["style"]]
    disabled = " disabled" if button.get("disabled") else ""
    emoji = (button.get("emoji") or {}).get("name") or ""
    label = " ".join(filter(None, [emoji, button.get("label") or ""]))
    arrow = " ↗" if style == "link" else ""
    return f'<button class="button {style}"{disabled}>{_safe(label)}{arrow}</button>'


def _select(select: Json) -> str:
    chosen = [o["label"] for o in select.get("options") or () if o.get("default")]
    words = ", ".join(chosen)
    hint = select.get("placeholder") or _FIELDS.get(select["type"], "Make a selection")
    inside = _safe(words) if words else f'<span class="hint">{_safe(hint)}</span>'
    return f'<div class="select">{inside}</div>'


def _separator(separator: Json) -> str:
    wide = " wide" if separator.get("spacing") == 2 else ""
    blank = "" if separator.get("divider", True) else " blank"
    return f'<hr class="{wide}{blank}">'


def _modal_part(world: World, part: Json) -> str:
    if part["type"] == parts.TEXT:
        return f'<div class="text">{markdown(world, part["content"])}</div>'
    if part["type"] == parts.ROW:
        return "".join(_field(inner, inner.get("label") or "", "") for inner in part["components"])
    return _field(part["component"], part["label"], part.get("description") or "")


def _field(field: Json, label: str, description: str) -> str:
    needed = ' <span class="needed">*</span>' if field.get("required", True) else ""
    note = f'<span class="note">{_safe(description)}</span>' if description else ""
    if field["type"] in parts.SELECTS:
        inside = _select(field)
    elif field["type"] == parts.TEXT_INPUT:
        tall = " tall" if field.get("style") == 2 else ""
        hint = f'<span class="hint">{_safe(field.get("placeholder") or " ")}</span>'
        value = _safe(field["value"]) if field.get("value") else hint
        inside = f'<div class="field{tall}">{value}</div>'
    elif field["type"] == parts.FILE_UPLOAD:
        inside = '<div class="field hint">Drop a file here, or browse</div>'
    else:
        inside = '<div class="field hint">☐</div>'
    return f"<label><span>{_safe(label)}{needed}</span>{note}{inside}</label>"


# Discord's markdown, as far as cards need it.

_SPANS: tuple[tuple[str, str], ...] = (
    (r"\*\*(.+?)\*\*", r"<b>\1</b>"),
    (r"__(.+?)__", r"<u>\1</u>"),
    (r"~~(.+?)~~", r"<s>\1</s>"),
    (r"(?<![\w*])\*([^*\s](?:[^*]*[^*\s])?)\*(?![\w*])", r"<i>\1</i>"),
    (r"(?<!\w)_([^_\s](?:[^_]*[^_\s])?)_(?!\w)", r"<i>\1</i>"),
    (r"\[([^\]]+)\]\((https?://[^)\s]+)\)", r'<a href="\2">\1</a>'),
    (r"(?<![\"=>])(https?://[^\s<)]+)", r'<a href="\1">\1</a>'),
)


def markdown(world: World, text: str) -> str:
    """Headings, lists, quotes, code, emphasis, links, mentions and times, as safe HTML."""
    blocks = re.split(r"```(?:\w+\n)?(.*?)```", text, flags=re.DOTALL)
    drawn = []
    for index, block in enumerate(blocks):
        if index % 2:
            drawn.append(f"<pre>{_safe(block.strip())}</pre>")
        elif block:
            lines = block.strip("\n").split("\n") if block.strip() else []
            drawn += [_line(world, line) for line in lines]
    return "".join(drawn)


def _line(world: World, line: str) -> str:
    for mark, opening, closing in (
        ("### ", "<h3>", "</h3>"),
        ("## ", "<h2>", "</h2>"),
        ("# ", "<h1>", "</h1>"),
        ("-# ", '<p class="sub">', "</p>"),
        ("> ", "<blockquote>", "</blockquote>"),
        ("- ", "<ul><li>", "</li></ul>"),
        ("* ", "<ul><li>", "</li></ul>"),
    ):
        if line.startswith(mark):
            return f"{opening}{_inline(world, line.removeprefix(mark))}{closing}"
    return f"<p>{_inline(world, line) or '&nbsp;'}</p>"


def _inline(world: World, text: str) -> str:
    pieces = re.split(r"`([^`]+)`", text)
    drawn = []
    for index, piece in enumerate(pieces):
        if index % 2:
            drawn.append(f"<code>{_safe(piece)}</code>")
            continue
        kept: list[str] = []

        def keep(found: re.Match[str], kept: list[str] = kept) -> str:
            kept.append(_safe(found[1]))
            return f"\0{len(kept) - 1}\0"

        piece = _safe(re.sub(r"\\([\\*_~`|<>#\[\]()-])", keep, piece))
        piece = re.sub(r"&lt;@!?(\d+)&gt;", lambda m: _mention(world, int(m[1])), piece)
        piece = re.sub(r"&lt;#(\d+)&gt;", lambda m: _place(world, int(m[1])), piece)
        piece = re.sub(r"&lt;t:(\d+)(?::(\w))?&gt;", lambda m: _time(world, int(m[1]), m[2]), piece)
        piece = re.sub(r"&lt;/([\w -]+):\d+&gt;", r'<span class="mention">/\1</span>', piece)
        for pattern, drawing in _SPANS:
            piece = re.sub(pattern, drawing, piece)
        drawn.append(re.sub("\0(\\d+)\0", lambda m, kept=kept: kept[int(m[1])], piece))  # type: ignore[misc]
    return "".join(drawn)


def _mention(world: World, user_id: int) -> str:
    user = world.users.get(user_id)
    return f'<span class="mention">@{_safe(user.name if user else "unknown")}</span>'


def _place(world: World, channel_id: int) -> str:
    channel = world.channels.get(channel_id)
    return f'<span class="mention">#{_safe(channel.name if channel else "unknown")}</span>'


def _time(world: World, seconds: int, style: str | None) -> str:
    if style != "R":
        return f"<time>{datetime.fromtimestamp(seconds, UTC):%d %B %Y %H:%M}</time>"
    left = seconds - world.clock.now()
    size, unit = (abs(left), "second") if abs(left) < 60 else (abs(left) / 60, "minute")
    if size >= 60 and unit == "minute":
        size, unit = size / 60, "hour"
    words = f"{round(size)} {unit}{'s' * (round(size) != 1)}"
    return f"<time>{'in ' + words if left >= 0 else words + ' ago'}</time>"


def _safe(text: object) -> str:
    return html.escape(str(text), quote=True)
