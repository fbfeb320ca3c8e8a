"""What is said to one person about themselves and about this Kinora, the same on every platform.

Words with a little form, which each platform draws in its own way. Knows no commands' answers:
`/show` and the like are spelled alike everywhere.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from bots import doctor
from bots.card import DOT, NOT_CHARGED, card, credits
from core.counter import Promised
from core.errors import NotFound
from core.job import Account, Job, State
from core.lobby import Lobby
from core.plans import DAYS_KEPT
from core.prompt import FLAGS
from core.safety.verdict import POLICY, Clause
from core.sentences import clips
from core.studio import Studio, View

NO_LINE = "No line alone makes this clip: it goes on from another one."
NO_PAGE = "The page can't be reached from here."
NO_CONSOLE = (
    "The console is on the page, which can't be reached from here. Whoever runs this Kinora can "
    "set KINORA_WEB__PUBLIC_URL."
)

MACHINE = "You talk to a machine. Its clips are made by AI, and say so in themselves."

LISTED = 8
WORDS_CHARS = 60
LEFT_OUT = "…"

COSTS = (
    "A clip that fails, or is cancelled before it starts, costs nothing; cancelled midway, it "
    "costs what was drawn by then. One that I can't bring to you costs nothing either, a few times "
    "a day."
)

_FORBIDDEN = (
    Clause.MINORS, Clause.SEXUAL, Clause.GORE, Clause.VIOLENCE, Clause.HATE, Clause.SELF_HARM,
    Clause.ILLEGAL, Clause.PERSON,
)  # fmt: skip
_MARKS = {
    State.SUCCEEDED: "done",
    State.FAILED: "failed",
    State.CANCELLED: "cancelled",
    State.REFUSED: "refused",
    State.QUOTED: "waits for your word",
    State.HELD: "held",
    State.QUEUED: "waiting",
    State.RUNNING: "running",
}


@dataclass(frozen=True, slots=True)
class Bold:
    text: str


@dataclass(frozen=True, slots=True)
class Code:
    """What is typed, or copied."""

    text: str


@dataclass(frozen=True, slots=True)
class Covered:
    """What nobody has to read: it is seen once it is tapped."""

    text: str


Bit = str | Bold | Code | Covered


@dataclass(frozen=True, slots=True)
class Line:
    bits: tuple[Bit, ...]
    small: bool = False


Paragraph = tuple[Line, ...]


def line(*bits: Bit, small: bool = False) -> Line:
    return Line(bits, small)


async def me(studio: Studio, account: Account, place: str) -> Sequence[Paragraph]:
    """Credits, the plan and what it promises, what is under way, and the newest clips."""
    wallet = await studio.wallet(account)
    views = await studio.history(account, LISTED)
    unfinished = [view for view in views if not view.job.state.ended]
    held = f"{DOT}{credits(wallet.held)} held for what is under way" if wallet.held else ""
    told: list[Paragraph] = [
        (line(Bold(account.name)), line(f"{credits(wallet.available)}{held}")),
        tuple(map(line, limits(await studio.promised(account, place)))),
    ]
    if unfinished:
        told.append((line(Bold("Under way")), *map(_linked, unfinished)))
    if views:
        told.append((line(Bold("Your newest clips")), *map(_linked, views)))
        told.append((line(Code("/show"), " posts one again, with its buttons.", small=True),))
    return told


def limits(promised: Promised) -> Sequence[str]:
    """What somebody may count on, in sentences."""
    plan = promised.plan
    said = [f"Plan: {plan.name}"]
    if plan.daily:
        next_day = f"the next {promised.next_day:%-d %b, %H:%M UTC}"
        said.append(f"{credits(plan.daily)} each day, kept for {DAYS_KEPT} days, {next_day}")
    if plan.monthly:
        next_month = f"the next {promised.next_month:%-d %b}"
        said.append(f"{credits(plan.monthly)} each month, {next_month}")
    relaxed = f", {promised.relaxed} of them for free in the relaxed lane" * bool(promised.relaxed)
    longest = f"up to {plan.longest:g} s" if plan.longest else "as long as the model makes them"
    may = DOT.join(
        (
            f"Up to {clips(plan.waiting)} may wait{relaxed}",
            longest,
            f"up to {plan.largest}" if plan.largest else "any size that it has",
        )
    )
    here = []
    if promised.quota is not None:
        here.append(f"{promised.spent} of the {credits(promised.quota)} that you may spend a day")
    if promised.treasury is not None:
        here.append(f"the treasury has {credits(promised.treasury)} for you today")
    return [DOT.join(said), may, *([f"Here: {DOT.join(here)}"] if here else [])]


async def queue(studio: Studio, lobby: Lobby, account: Account) -> Sequence[Paragraph]:
    """How many run and wait, and where theirs are."""
    everything = await lobby.unfinished()
    if not everything:
        return [(line("Nothing runs and nothing waits: what you ask for now starts at once."),)]
    running = sum(job.state is State.RUNNING for job in everything)
    mine = [studio.viewed(job) for job in everything if job.account_id == account.id]
    lines: list[Line] = []
    for view in mine[:LISTED]:
        shown = card(view, studio.catalogue)
        lines += [_linked(view), line(f"{shown.line_one}{DOT}{shown.line_two}", small=True)]
    if len(mine) > LISTED:
        lines.append(line(f"and {len(mine) - LISTED} more", small=True))
    waiting = len(everything) - running
    return [
        (line(Bold("Queue")), line(f"{running} running, {waiting} waiting")),
        tuple(lines) or (line("None of them is yours."),),
    ]


def models(studio: Studio) -> Sequence[Paragraph]:
    """What each model takes and makes."""
    told = []
    for model in studio.catalogue[:LISTED]:
        names = sorted(model.flags)
        told.append(
            (
                line(Bold(model.name), f" {model.summary}"),
                line(
                    f"takes {doctor.takes(model)}"
                    f"{DOT}{model.seconds.low:g}–{model.seconds.high:g} s"
                    f"{DOT}{', '.join(model.resolutions)}{DOT}{', '.join(model.aspects)}"
                ),
                *(
                    line(f"{kind}: {', '.join(known)}", small=True)
                    for kind, known in model.vocabulary
                ),
                line(*_spaced(f"--{name}" for name in names), DOT if names else "", model.licence,
                     small=True),
            )
        )  # fmt: skip
    return told


def flags() -> Paragraph:
    """The grammar of flags, by example."""
    examples = (f"--{flag.name} {flag.example}".strip() for flag in FLAGS)
    return (line("Flags go behind the words, as on every surface: ", *_spaced(examples)),)


def policy() -> Paragraph:
    """What is not made, clause by clause."""
    return (line(Bold("What I don't make")), *(line(POLICY[clause]) for clause in _FORBIDDEN))


def kept(jobs: Sequence[Job], command: Callable[[str], str]) -> str:
    """What could not be brought to somebody, for when they come by. command: how one is drawn."""
    listed = ", ".join(
        command(f"/show {job.id}") + (f" ({NOT_CHARGED})" if not job.charged else "")
        for job in jobs[:LISTED]
    )
    more = f", and {len(jobs) - LISTED} more in {command('/me')}" if len(jobs) > LISTED else ""
    return f"I could not reach you with what ended meanwhile. It is kept: {listed}{more}"


async def newest(studio: Studio, account: Account, how: str) -> View:
    """Their newest clip. how: a sentence on making one. Raises NotFound."""
    views = await studio.history(account, 1)
    if not views:
        raise NotFound(f"You have no clip yet. {how}")
    return views[0]


def not_yours(name: str, instead: str) -> str:
    """name: as the platform draws words. instead: a sentence on what they may do."""
    return f"This is {name}'s clip. {instead}"


def summary(view: View) -> str:
    """A job in a line: "a red ball bouncing · 5 s · done"."""
    job = view.job
    words = job.request.prompt or "from a picture"
    if len(words) > WORDS_CHARS:
        words = f"{words[: WORDS_CHARS - 1]}…"
    length = job.clip.seconds if job.clip else job.request.seconds
    free = f"{DOT}{NOT_CHARGED}" if job.refunded else ""
    return f"{words}{DOT}{length:.3g} s{DOT}{_MARKS[job.state]}{free}"


def fitting(
    paragraphs: Sequence[Paragraph],
    draw: Callable[[Line], str],
    length: Callable[[str], int],
    most: int,
) -> Sequence[str]:
    """Paragraphs as text, joined by two characters at most. What goes beyond `most` is left out,
    line by line, and a mark says so. length: of text, as the platform counts it."""
    texts: list[str] = []
    left = most - length(LEFT_OUT)
    for paragraph in paragraphs:
        lines: list[str] = []
        for text in map(draw, paragraph):
            left -= length(text) + 2
            if left < 0:
                return [*texts, "\n".join((*lines, LEFT_OUT))]
            lines.append(text)
        texts.append("\n".join(lines))
    return texts


def _linked(view: View) -> Line:
    return line(Code(view.job.id), f" {summary(view)}")


def _spaced(texts: Iterable[str]) -> list[str | Code]:
    bits: list[str | Code] = []
    for text in texts:
        bits += [" ", Code(text)] if bits else [Code(text)]
    return bits
