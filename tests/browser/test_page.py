"""The page in a real browser, as people use it."""

from __future__ import annotations

import base64
import re
from pathlib import Path
from typing import Any

import pytest
import requests
from playwright.sync_api import Locator, Page, Route, expect

from tests.bots.pictures import jpeg, landscape
from tests.browser.conftest import OpenPage, keep
from tests.house import ADMIN_KEY, Inn

TOP = "turn => turn.getBoundingClientRect().top"
LOOKS = (Path(__file__).parent / "looks.js").read_text()

PLAYS = """video => new Promise(done => {
  video.addEventListener("timeupdate", () => video.currentTime > 0.3 && done(video.currentTime));
  video.play();
})"""
DROP = """([data, name]) => {
  const bytes = Uint8Array.from(atob(data), c => c.charCodeAt(0));
  const dropped = new DataTransfer();
  dropped.items.add(new File([bytes], name, { type: "image/jpeg" }));
  for (const kind of ["dragover", "drop"]) {
    document.body.dispatchEvent(
      new DragEvent(kind, { dataTransfer: dropped, bubbles: true, cancelable: true }));
  }
}"""
COUNT_URLS = """() => {
  window.openUrls = new Set();
  const { createObjectURL, revokeObjectURL } = URL;
  URL.createObjectURL = of => { const url = createObjectURL(of); openUrls.add(url); return url; };
  URL.revokeObjectURL = url => { openUrls.delete(url); revokeObjectURL(url); };
}"""


def write(page: Page, text: str) -> None:
    page.get_by_role("textbox").fill(text)


def send(page: Page, text: str) -> None:
    write(page, text)
    page.get_by_role("textbox").press("Enter")


def newest(page: Page) -> Locator:
    return page.locator(".turn").last


def drop(page: Page, data: bytes) -> None:
    page.evaluate(DROP, [base64.b64encode(data).decode(), "photo.jpg"])
    expect(page.get_by_alt_text("The picture to be moved")).to_be_visible()


def looked_at(page: Page) -> dict[str, Any]:
    page.wait_for_load_state()
    found: dict[str, Any] = page.evaluate(LOOKS)
    assert found["texts"] > 10
    return found


def test_a_link_a_prompt_a_clip(open_page: OpenPage) -> None:
    page = open_page()
    expect(page.get_by_role("heading", name="What would you like to see?")).to_be_visible()
    keep(page, "empty")
    page.get_by_role("link", name="a red ball bouncing on a blue background").click()
    expect(page.locator("#quote")).to_have_text(re.compile(r"2 credits · .*\d s"))
    page.get_by_role("button", name="Send").click()
    expect(newest(page).locator(".words")).to_have_text("a red ball bouncing on a blue background")
    expect(page.get_by_role("textbox")).to_have_value("")
    video = newest(page).locator("video")
    expect(video).to_be_visible()
    assert video.evaluate(PLAYS) > 0.3
    assert video.evaluate("video => [video.videoWidth, video.videoHeight]") == [426, 240]
    expect(page.locator("#live")).to_contain_text("Done. sketch · 2 s · 240p")
    expect(page.locator("#balance")).to_have_text("998 credits")
    expect(page.get_by_role("heading", name="What would you like")).to_be_hidden()
    keep(page, "clip")
    page.reload()
    expect(page.locator(".turn video")).to_have_count(1)
    with page.expect_download() as download:
        page.get_by_role("link", name="Download").click()
    assert re.fullmatch(r"kinora-[0-9a-z]{12}\.mp4", download.value.suggested_filename)


def test_a_picture_dropped_is_moved_and_edited(open_page: OpenPage) -> None:
    page = open_page()
    drop(page, jpeg(landscape()))
    write(page, "slow zoom in --seconds 1")
    expect(page.locator("#quote")).to_contain_text("credit")
    keep(page, "picture")
    page.get_by_role("textbox").press("Enter")
    video = newest(page).locator("video")
    expect(video).to_be_visible()
    assert video.evaluate(PLAYS) > 0.3
    expect(newest(page).get_by_alt_text("Your picture")).to_be_visible()
    expect(newest(page).locator(".note")).to_contain_text("camera move, no generative model")
    expect(page.locator("#picked")).to_be_hidden()
    newest(page).get_by_role("link", name="Edit").click()
    expect(page.get_by_role("textbox")).to_have_value(re.compile(r"^slow zoom in --seconds 1 "))
    expect(page.locator("#picked img")).to_be_visible()
    page.get_by_text("Options", exact=True).click()
    page.get_by_label("Camera move").select_option("pan left")
    expect(page.get_by_role("textbox")).to_have_value(re.compile('--camera "pan left"'))
    page.get_by_role("textbox").press("Enter")
    expect(page.locator(".turn video")).to_have_count(2)
    expect(newest(page).locator(".note")).to_contain_text("pan left")


def test_a_clip_ends_with_a_picture(open_page: OpenPage) -> None:
    page = open_page()
    drop(page, jpeg(landscape()))
    blue = {"name": "blue.jpg", "mimeType": "image/jpeg", "buffer": jpeg(landscape(200, 200))}
    page.get_by_label("Ends with").set_input_files([blue])  # type: ignore[list-item]
    expect(page.get_by_alt_text("The picture to end with")).to_be_visible()
    write(page, "slow zoom in --seconds 1")
    expect(page.locator("#quote")).to_contain_text("credit")
    keep(page, "two-pictures")
    page.get_by_role("textbox").press("Enter")
    expect(newest(page).locator("video")).to_be_visible()
    expect(newest(page).get_by_alt_text("The picture that it ends with")).to_be_visible()
    newest(page).get_by_role("link", name="Edit").click()
    expect(page.get_by_alt_text("The picture to be moved")).to_be_visible()
    expect(page.get_by_alt_text("The picture to end with")).to_be_visible()
    assert page.locator("#variant").input_value()
    page.get_by_role("button", name="Remove last picture").click()
    expect(page.get_by_alt_text("The picture to end with")).to_be_hidden()
    expect(page.locator("#variant")).to_have_value("")
    page.get_by_role("textbox").press("Enter")
    expect(page.locator(".turn video")).to_have_count(2)
    expect(newest(page).locator(".thumb")).to_have_count(1)


def test_the_sample_picture_is_one_click(open_page: OpenPage) -> None:
    page = open_page()
    page.get_by_role("link", name="Try this picture").click()
    expect(page.locator("#picked img")).to_be_visible()
    expect(page.get_by_role("textbox")).to_have_value("slow zoom in")
    expect(page.locator("#quote")).to_contain_text("credit")
    page.get_by_role("button", name="Remove picture").click()
    expect(page.locator("#picked")).to_be_hidden()


def test_by_keyboard_alone(open_page: OpenPage) -> None:
    page = open_page()
    keys, prompt = page.keyboard, page.get_by_role("textbox", name="What you would like to see")
    keys.type("a ball")
    keys.press("Shift+Enter")
    keys.type("at sea --s")
    options = page.locator("#flags").get_by_role("option")
    expect(options).to_have_count(3)
    expect(options.nth(0)).to_have_attribute("aria-selected", "true")
    keys.press("ArrowDown")
    expect(prompt).to_have_attribute("aria-activedescendant", "flag-1")
    keep(page, "flags")
    keys.press("Enter")
    expect(prompt).to_have_value("a ball\nat sea --seed ")
    keys.type("7 --ar ")
    expect(options.filter(has_text="16:9")).to_be_visible()
    keys.press("Escape")
    expect(options).to_have_count(0)
    keys.type("1:1 --seconds 1")
    keys.press("Enter")
    expect(newest(page).locator("video")).to_be_visible()
    expect(newest(page).locator("summary").first).to_contain_text("seed 7")
    assert newest(page).locator("video").evaluate("v => [v.videoWidth, v.videoHeight]") == [
        240,
        240,
    ]
    expect(prompt).to_be_focused()
    again = newest(page).get_by_role("button", name="Again")
    for _ in range(30):
        keys.press("Shift+Tab")
        if again.evaluate("one => one === document.activeElement"):
            break
    expect(again).to_be_focused()
    assert again.evaluate("one => getComputedStyle(one).outlineStyle") == "solid"
    keys.press("Enter")
    expect(page.locator(".turn video")).to_have_count(2)
    page.locator("#drawer summary").focus()
    keys.press("Enter")
    expect(page.get_by_role("heading", name="Models")).to_be_visible()
    keys.press("Escape")
    expect(page.get_by_role("heading", name="Models")).to_be_hidden()
    expect(page.locator("#drawer summary")).to_be_focused()


def test_what_is_wrong_is_said_and_nothing_is_lost(open_page: OpenPage) -> None:
    page = open_page()
    drop(page, jpeg(landscape(320, 180)))
    send(page, "pan right --seconds 90 --model slide")
    problem = page.get_by_role("alert")
    expect(problem).to_have_text(
        "A clip can be 0.5 to 8 seconds with slide; you asked for 90. Try --seconds 8."
    )
    expect(page.get_by_role("textbox")).to_have_value("pan right --seconds 90 --model slide")
    expect(page.locator("#picked img")).to_be_visible()
    expect(page.locator(".turn")).to_have_count(0)
    page.get_by_text("Options", exact=True).click()
    expect(page.get_by_label("Length")).to_have_value("90")
    keep(page, "problem")
    page.get_by_label("Length").select_option("1")
    expect(page.get_by_role("textbox")).to_have_value("pan right --seconds 1 --model slide")
    page.get_by_role("textbox").press("End")
    page.keyboard.type(" ")
    expect(problem).to_be_hidden()
    page.keyboard.press("Enter")
    expect(newest(page).locator("video")).to_be_visible()


def test_a_lost_answer_costs_nothing_twice(open_page: OpenPage) -> None:
    page = open_page()

    def lose(route: Route) -> None:
        route.fetch()
        route.abort()

    page.route("**/api/v1/clips?*", lose)
    send(page, "a ball --seconds 1")
    expect(page.get_by_role("alert")).to_contain_text("Nothing is lost: try it again.")
    expect(page.get_by_role("textbox")).to_have_value("a ball --seconds 1")
    page.unroute("**/api/v1/clips?*")
    page.get_by_role("textbox").press("Enter")
    expect(page.get_by_role("alert")).to_be_hidden()
    expect(page.get_by_role("textbox")).to_have_value("")
    expect(page.locator(".turn video")).to_have_count(1)
    expect(page.locator(".turn")).to_have_count(1)
    expect(page.locator("#balance")).to_have_text("999 credits")


def test_a_turn_that_can_not_be_fetched_comes_by_the_stream(open_page: OpenPage, home: Inn) -> None:
    page, other = open_page(), open_page()
    page.route(f"{home.url}/clips/*", lambda route: route.abort())
    send(page, "the first --seconds 1")
    expect(page.locator(".turn video")).to_have_count(1)
    send(other, "from elsewhere --seconds 1")
    expect(page.locator(".turn video")).to_have_count(2)
    expect(newest(page).locator(".words")).to_have_text("from elsewhere")
    expect(page.get_by_role("alert")).to_be_hidden()


def test_what_stands_between_speaks_no_json(open_page: OpenPage) -> None:
    page = open_page()

    def gateway(route: Route) -> None:
        route.fulfill(status=502, content_type="text/html", body="<h1>Bad gateway</h1>")

    page.route("**/api/v1/**", gateway)
    page.route("**/static/sample.jpg", lambda route: route.abort())
    page.reload()
    send(page, "a ball --seconds 1")
    problem = page.get_by_role("alert")
    expect(problem).to_contain_text("something between answered 502. Try it again.")
    expect(page.get_by_role("textbox")).to_have_value("a ball --seconds 1")
    page.get_by_role("link", name="Try this picture").click()
    expect(problem).to_contain_text("Kinora could not be reached.")
    page.unroute("**/api/v1/**")
    page.get_by_role("textbox").press("Enter")
    expect(page.locator(".turn video")).to_have_count(1)


def test_pictures_are_let_go_of(open_page: OpenPage) -> None:
    page = open_page()
    page.evaluate(COUNT_URLS)
    drop(page, jpeg(landscape(320, 180)))
    drop(page, jpeg(landscape(320, 180)))
    assert page.evaluate("openUrls.size") == 1
    page.get_by_role("button", name="Remove picture").click()
    assert page.evaluate("openUrls.size") == 0
    drop(page, jpeg(landscape(320, 180)))
    send(page, "pan right --seconds 90 --model slide")
    expect(page.get_by_role("alert")).to_contain_text("Try --seconds 8.")
    assert page.evaluate("openUrls.size") == 1
    send(page, "pan right --seconds 1 --model slide")
    expect(newest(page).locator("video")).to_be_visible()
    page.wait_for_function("openUrls.size === 0")


def test_watched_live_cancelled_and_deleted(open_page: OpenPage, home: Inn) -> None:
    page, other = open_page(), open_page(color_scheme="dark", reduced_motion="reduce")
    send(page, "one that takes its time --model slow")
    for watched in (page, other):
        expect(newest(watched).locator("progress")).to_have_attribute("value", re.compile(r"0\.4"))
        expect(newest(watched).get_by_alt_text("How it looks so far")).to_be_visible()
        expect(newest(watched)).to_contain_text("step 40 of 100")
    send(page, "and one behind it")
    expect(newest(other)).to_contain_text("In the queue: 2nd")
    keep(page, "running")
    keep(other, "running-dark")
    slow = page.locator(".turn").first
    slow.get_by_role("button", name="Cancel").click()
    expect(other.locator(".turn").first).to_contain_text("Cancelled")
    expect(other.locator(".turn").first).to_contain_text("2 credits came back.")
    expect(page.locator("#live")).to_contain_text("Cancelled")
    expect(newest(other).locator("video")).to_be_visible()
    slow.get_by_text("Delete", exact=True).click()
    expect(slow).to_contain_text("Gone for good?")
    slow.get_by_role("button", name="Delete this clip").click()
    expect(page.locator(".turn")).to_have_count(1)
    expect(other.locator(".turn")).to_have_count(1)
    newest(page).get_by_role("button", name="Extend").click()
    expect(newest(page).locator("summary").first).to_contain_text("sketch · 4 s")


def test_what_happened_while_away_is_caught_up(open_page: OpenPage, home: Inn) -> None:
    page, other = open_page(), open_page()
    send(page, "the first")
    expect(newest(other).locator("video")).to_be_visible()
    other.route("**/stream", lambda route: route.abort())
    other.reload()
    expect(other.get_by_text("Reconnecting")).to_be_visible()
    send(page, "the second")
    expect(newest(page).locator("video")).to_be_visible()
    page.locator(".turn").first.get_by_text("Delete", exact=True).click()
    page.get_by_role("button", name="Delete this clip").click()
    expect(page.locator(".turn")).to_have_count(1)
    expect(other.locator(".words")).to_have_text("the first")
    other.unroute("**/stream")
    expect(other.locator(".words")).to_have_text("the second")
    expect(other.get_by_text("Reconnecting")).to_be_hidden()


def test_what_came_earlier_comes_above_and_nothing_jumps(open_page: OpenPage, home: Inn) -> None:
    with requests.Session() as owner:
        owner.headers["Authorization"] = f"Bearer {ADMIN_KEY}"
        for number in range(14):
            wish: Any = {"prompt": f"number {number}", "model": "slow"}
            asked = owner.post(f"{home.url}/api/v1/clips", json=wish, timeout=10).json()
            owner.delete(f"{home.url}/api/v1/clips/{asked['id']}", timeout=10)
    page = open_page()
    expect(page.locator(".turn")).to_have_count(12)
    first = page.locator(".turn").filter(has_text="number 2").first
    expect(first).to_contain_text("Cancelled")
    page.get_by_role("link", name="Earlier").focus()
    before = first.evaluate(TOP)
    page.keyboard.press("Enter")
    expect(page.locator(".turn")).to_have_count(14)
    expect(page.locator(".turn").first).to_contain_text("number 0")
    expect(page.locator(".turn").first).to_be_focused()
    assert abs(first.evaluate(TOP) - before) < 60
    expect(page.get_by_role("link", name="Earlier")).to_have_count(0)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_is_legible_and_named_and_fits_a_phone(open_page: OpenPage, scheme: str) -> None:
    page = open_page(width=360, height=740, has_touch=True, is_mobile=True, color_scheme=scheme)
    expect(page.get_by_role("heading", name="What would you like")).to_be_in_viewport(ratio=1)
    looks = [looked_at(page)]
    keep(page, f"phone-{scheme}-empty")
    drop(page, jpeg(landscape()))
    send(page, "slow zoom in --seconds 1 --ar 9:16")
    expect(newest(page).locator("video")).to_be_visible()
    send(page, "unbrokenwords" * 20 + " --model slow")
    expect(newest(page).get_by_alt_text("How it looks so far")).to_be_visible()
    send(page, "a ball --warp")
    expect(page.get_by_role("alert")).to_contain_text("There is no --warp")
    page.get_by_text("Options", exact=True).click()
    looks.append(looked_at(page))
    keep(page, f"phone-{scheme}")
    keep(page, f"phone-{scheme}-whole", whole=True)
    page.get_by_label("Account and help").click()
    newest(page).get_by_role("button", name="Cancel").dispatch_event("click")
    expect(newest(page)).to_contain_text("Cancelled")
    looks.append(looked_at(page))
    keep(page, f"phone-{scheme}-menu")
    page.get_by_role("link", name="Linked accounts").click()
    page.get_by_label("A code from elsewhere").fill("nonsense")
    page.get_by_role("button", name="Look").click()
    expect(page.get_by_role("alert")).to_contain_text("A code has ten letters and digits")
    keep(page, f"phone-{scheme}-link-wrong")
    page.get_by_role("button", name="Make a code").click()
    expect(page.locator(".code")).to_have_text(re.compile("^[0-9A-Z]{5}-[0-9A-Z]{5}$"))
    looks.append(looked_at(page))
    keep(page, f"phone-{scheme}-link")
    for look in looks:
        assert look["faint"] == []
        assert look["nameless"] == []
        assert (look["wide"], look["sideways"]) == ([], 0)


def test_a_price_leaves_room_to_write_at_any_width(open_page: OpenPage) -> None:
    page = open_page(width=360, height=740, has_touch=True, is_mobile=True)
    for width in (360, 390, 412, 600, 800, 1280):
        page.set_viewport_size({"width": width, "height": 740})
        write(page, f"a red ball bouncing, {width} times")
        expect(page.locator("#quote")).to_contain_text("credit")
        keep(page, f"price-{width}")
        composer, quote = (page.locator(one).bounding_box() for one in ("#composer", "#quote"))
        assert composer is not None
        assert quote is not None
        assert composer["height"] < 200, width
        assert quote["width"] >= 150, width


def test_it_works_without_scripts(open_page: OpenPage, home: Inn) -> None:
    page = open_page(java_script_enabled=False)
    page.get_by_role("link", name="a yellow star").click()
    expect(page.get_by_role("textbox")).to_have_value("a yellow star spinning at night")
    page.get_by_text("Options", exact=True).click()
    page.get_by_label("Length").select_option("1")
    page.get_by_role("button", name="Send").click()
    expect(page.locator(".words")).to_have_text("a yellow star spinning at night")
    job_id = (newest(page).get_attribute("id") or "").removeprefix("clip-")
    with requests.Session() as owner:
        owner.headers["Authorization"] = f"Bearer {ADMIN_KEY}"
        owner.get(f"{home.url}/api/v1/clips/{job_id}/events", timeout=30)
    page.reload()
    expect(newest(page).locator("video")).to_be_visible()
    expect(newest(page).locator("summary").first).to_contain_text("sketch · 1 s")
    newest(page).get_by_text("Delete", exact=True).click()
    newest(page).get_by_role("button", name="Delete this clip").click()
    expect(page.locator(".turn")).to_have_count(0)
    page.get_by_label("Account and help").click()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading")).to_contain_text("This browser is signed out")
    page.goto(home.url)
    expect(page.get_by_role("heading")).to_contain_text("not signed in")


def test_a_link_in_another_site_opens_the_chat_once(open_page: OpenPage, home: Inn) -> None:
    page, link = open_page(signed_in=False), home.link()
    page.goto(home.url)
    expect(page.get_by_role("heading")).to_contain_text("kinora link makes a new one")
    page.route(
        "http://mail.example/",
        lambda route: route.fulfill(content_type="text/html", body=f'<a href="{link}">open</a>'),
    )
    page.goto("http://mail.example/")
    page.get_by_role("link", name="open").click()
    expect(page.get_by_role("textbox")).to_be_visible()
    assert page.url == f"{home.url}/"
    page.goto(link)
    expect(page.get_by_role("heading")).to_contain_text("This link was used before")
    keep(page, "used-link")
