"""Components: what Discord demands beyond its OpenAPI description, and how it gives them back.

https://docs.discord.com/developers/components/reference
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from tests.discord.cdn import Attachment
from tests.discord.refusals import Malformed

Json = dict[str, Any]

ROW, BUTTON, STRING_SELECT, TEXT_INPUT = 1, 2, 3, 4
SELECTS = (3, 5, 6, 7, 8)
SECTION, TEXT, THUMBNAIL, GALLERY, FILE, SEPARATOR, CONTAINER = 9, 10, 11, 12, 13, 14, 17
LABEL, FILE_UPLOAD = 18, 19
V2 = (SECTION, TEXT, THUMBNAIL, GALLERY, FILE, SEPARATOR, CONTAINER)
INPUTS = (*SELECTS, TEXT_INPUT, FILE_UPLOAD, 21, 22, 23)

MOST_COMPONENTS, MOST_TEXT = 40, 4000
LINK, PREMIUM = 5, 6  # styles of button


def walk(components: Sequence[Json]) -> Iterator[Json]:
    """Every component, each before those within it."""
    for component in components:
        yield component
        yield from walk(component.get("components") or ())
        yield from walk([c for c in (component.get("accessory"), component.get("component")) if c])


def check_message(components: Sequence[Json], v2: bool) -> None:
    """Refuse what may not stand in a message.

    Raises:
        Malformed: with the component's fault.
    """
    everything = list(walk(components))
    if v2:
        if len(everything) > MOST_COMPONENTS:
            raise _bad(f"{len(everything)} components, at most {MOST_COMPONENTS} in all")
        text = sum(len(c.get("content", "")) for c in everything if c["type"] == TEXT)
        if text > MOST_TEXT:
            raise _bad(f"{text} characters of text, at most {MOST_TEXT} in all")
    else:
        if any(c["type"] in V2 for c in everything):
            raise _bad("this type needs the flag IS_COMPONENTS_V2")
        if len(components) > 5:
            raise _bad(f"{len(components)} rows, at most 5")
    if any(c["type"] == ROW and not c.get("components") for c in everything):
        raise _bad("an action row is empty")
    for component in everything:
        _check_one(component)
        if component["type"] in (TEXT_INPUT, LABEL, FILE_UPLOAD):
            raise _bad(f"type {component['type']} belongs in a modal")
    _check_unique(everything)


def check_modal(modal: Json) -> None:
    """Refuse what may not be a modal.

    Raises:
        Malformed: with its fault.
    """
    if len(modal.get("title", "")) > 45:
        raise Malformed("data.title", "Must be 45 or fewer in length.")
    if not 1 <= len(modal["components"]) <= 5:
        raise Malformed("data.components", "Must be between 1 and 5 in length.")
    everything = list(walk(modal["components"]))
    for component in everything:
        _check_one(component)
        if component["type"] == BUTTON or component["type"] in set(V2) - {TEXT}:
            raise _bad(f"type {component['type']} does not belong in a modal")
    if not any(c["type"] in INPUTS for c in everything):
        raise _bad("a modal needs something to fill in")
    _check_unique(everything)


def _check_unique(everything: Sequence[Json]) -> None:
    for key in ("custom_id", "id"):
        values = [c[key] for c in everything if c.get(key)]
        twice = {value for value in values if values.count(value) > 1}
        if twice:
            raise _bad(f"{key} cannot be duplicated: {sorted(twice)}")


def _check_one(component: Json) -> None:
    kind = component.get("type")
    if len(component.get("custom_id") or "") > 100:
        raise _bad("custom_id must be 100 or fewer in length")
    if kind == ROW:
        _check_row(component)
    elif kind == BUTTON:
        _check_button(component)
    elif kind in SELECTS:
        _check_select(component)
    elif kind == TEXT_INPUT:
        _check_input(component)
    elif kind == TEXT and not component.get("content"):
        raise _bad("a text display needs content")
    elif kind == SECTION and not 1 <= len(component.get("components") or ()) <= 3:
        raise _bad("a section holds 1 to 3 texts")
    elif kind == GALLERY and not 1 <= len(component.get("items") or ()) <= 10:
        raise _bad("a media gallery holds 1 to 10 items")
    elif kind == CONTAINER and not component.get("components"):
        raise _bad("a container needs something in it")
    elif kind == LABEL and len(component.get("label") or "") not in range(1, 46):
        raise _bad("a label is 1 to 45 characters long")


def _check_row(row: Json) -> None:
    inside = row["components"]
    buttons = [c for c in inside if c["type"] == BUTTON]
    if len(inside) > 5 or (len(inside) > 1 and len(buttons) != len(inside)):
        raise _bad("an action row holds up to 5 buttons or one select")


def _check_button(button: Json) -> None:
    style = button.get("style")
    if len(button.get("label") or "") > 80:
        raise _bad("a button's label must be 80 or fewer in length")
    if style == PREMIUM:
        if not button.get("sku_id") or button.get("custom_id") or button.get("label"):
            raise _bad("a premium button has a sku_id, and neither label nor custom_id")
        return
    if not button.get("label") and not button.get("emoji"):
        raise _bad("a button needs a label or an emoji")
    if style == LINK and (not button.get("url") or button.get("custom_id")):
        raise _bad("a link button has a url and no custom_id")
    if style != LINK and (button.get("url") or not button.get("custom_id")):
        raise _bad("a button has a custom_id and no url")


def _check_select(select: Json) -> None:
    if len(select.get("placeholder") or "") > 150:
        raise _bad("a placeholder must be 150 or fewer in length")
    least, most = select.get("min_values", 1), select.get("max_values", 1)
    if not 0 <= least <= most <= 25:
        raise _bad("min_values and max_values must fit each other, and 0 to 25")
    if select["type"] != STRING_SELECT:
        return
    options = select.get("options") or ()
    if not 1 <= len(options) <= 25:
        raise _bad("a select holds 1 to 25 options")
    values = [option["value"] for option in options]
    if len(set(values)) != len(values):
        raise _bad("the values of a select's options cannot be duplicated")
    if any(len(option["label"]) > 100 for option in options):
        raise _bad("an option's label must be 100 or fewer in length")
    if sum(bool(option.get("default")) for option in options) > most:
        raise _bad("more options are chosen beforehand than may be chosen")


def _check_input(field: Json) -> None:
    if len(field.get("label") or "") > 45:
        raise _bad("a text input's label must be 45 or fewer in length")
    if len(field.get("value") or "") > (field.get("max_length") or 4000):
        raise _bad("a text input's value is longer than may be typed")
    if len(field.get("placeholder") or "") > 100:
        raise _bad("a placeholder must be 100 or fewer in length")


def _bad(why: str) -> Malformed:
    return Malformed("components", why)


def check_media(components: Sequence[Json], names: set[str]) -> None:
    """Refuse `attachment://` links to files that the message does not have.

    Raises:
        Malformed: with the link.
    """
    lost = used(components) - names
    if lost:
        raise _bad(f"The referenced attachment was not found: {sorted(lost)}")


def media(components: Sequence[Json]) -> Iterator[Json]:
    """Each {"url": …} that a component shows."""
    for component in walk(components):
        for item in component.get("items") or ():
            yield item["media"]
        for key in ("media", "file"):
            if isinstance(component.get(key), dict):
                yield component[key]


def used(components: Sequence[Json]) -> set[str]:
    """Names of the files that the components show."""
    prefix = "attachment://"
    links = (str(medium.get("url", "")) for medium in media(components))
    return {link.removeprefix(prefix) for link in links if link.startswith(prefix)}


def settled(components: Sequence[Json]) -> tuple[Json, ...]:
    """As Discord gives them back: each with an id, and with what was left out. Links stay."""
    taken = {c["id"] for c in walk(components) if c.get("id")}
    free = (number for number in range(1, 10_000) if number not in taken)
    return tuple(_settle(component, lambda: next(free)) for component in components)


_LEFT_OUT: dict[int, Json] = {
    STRING_SELECT: {"min_values": 1, "max_values": 1},
    5: {"min_values": 1, "max_values": 1},
    6: {"min_values": 1, "max_values": 1},
    7: {"min_values": 1, "max_values": 1},
    8: {"min_values": 1, "max_values": 1},
    THUMBNAIL: {"description": None, "spoiler": False},
    FILE: {"spoiler": False, "name": None, "size": None},
    SEPARATOR: {"spacing": 1, "divider": True},
    CONTAINER: {"accent_color": None, "spoiler": False},
}


def _settle(component: Json, number: Callable[[], int]) -> Json:
    kind = component["type"]
    keep_null = _LEFT_OUT.get(kind, {})
    given = {k: v for k, v in component.items() if v is not None or k in keep_null}
    whole = keep_null | given
    whole["id"] = component.get("id") or number()
    if "components" in whole:
        whole["components"] = [_settle(inner, number) for inner in whole["components"]]
    for key in ("accessory", "component"):
        if key in whole:
            whole[key] = _settle(whole[key], number)
    if kind == GALLERY:
        whole["items"] = [{"description": None, "spoiler": False} | i for i in whole["items"]]
    for option in whole.get("options") or ():
        _drop_nulls(option)
    if kind == BUTTON:
        whole.setdefault("disabled", False)
    _drop_nulls(whole.get("emoji"))
    return whole


def _drop_nulls(value: Json | None) -> None:
    if value is None:
        return
    for key in [key for key, inner in value.items() if inner is None]:
        del value[key]
    _drop_nulls(value.get("emoji"))


def shown(
    components: Sequence[Json], attachments: Sequence[Attachment], link: Callable[[Attachment], str]
) -> list[Json]:
    """Components with their links resolved, signed anew."""
    by_name = {a.filename: a for a in attachments}
    return [_show(component, by_name, link) for component in components]


def _show(
    component: Json, by_name: dict[str, Attachment], link: Callable[[Attachment], str]
) -> Json:
    given = dict(component)
    if "components" in given:
        given["components"] = [_show(inner, by_name, link) for inner in given["components"]]
    if "accessory" in given:
        given["accessory"] = _show(given["accessory"], by_name, link)
    if "items" in given:
        given["items"] = [
            item | {"media": _unfurled(item["media"], by_name, link)} for item in given["items"]
        ]
    for key in ("media", "file"):
        if key in given:
            given[key] = _unfurled(given[key], by_name, link)
    if given["type"] == FILE:
        name = str(component["file"]["url"]).removeprefix("attachment://")
        if name in by_name:
            given |= {"name": name, "size": by_name[name].size}
    return given


def _unfurled(
    medium: Json, by_name: dict[str, Attachment], link: Callable[[Attachment], str]
) -> Json:
    url = str(medium["url"])
    attachment = by_name.get(url.removeprefix("attachment://"))
    if attachment is None or not url.startswith("attachment://"):
        return {"id": "1", "url": url, "proxy_url": url, "width": None, "height": None}
    signed = link(attachment)
    return {
        "id": str(attachment.id),
        "url": signed,
        "proxy_url": signed,
        "width": attachment.width,
        "height": attachment.height,
        "content_type": attachment.content_type,
        "attachment_id": str(attachment.id),
    }


def find(components: Sequence[Json], words: str) -> Json:
    """The component a person means by `words`: its label, placeholder or custom_id, else the one
    whose label has the words in it.

    Raises:
        LookupError: none, or several; with all that there are.
    """
    usable = [c for c in walk(components) if c.get("custom_id") or c.get("url")]
    exact = [
        c for c in usable if words in (c.get("label"), c.get("placeholder"), c.get("custom_id"))
    ]
    loose = [c for c in usable if words.casefold() in (c.get("label") or "").casefold()]
    found = exact or loose
    if len(found) != 1:
        names = [c.get("label") or c.get("placeholder") or c.get("custom_id") for c in usable]
        raise LookupError(f"{len(found)} components are called {words!r}; there are {names}")
    return found[0]
