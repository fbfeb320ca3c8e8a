"""What a job looks like in a chat, in words: the same on every platform.

Knows the sentences of each state; knows nothing of HTML, Discord or Telegram.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from core.catalog import Model
from core.counter import Quote
from core.dispatch import Outlook
from core.engine import Stage
from core.eta import span
from core.job import Job, Price, State
from core.lanes import Lane
from core.moderation import moment
from core.places import larger
from core.reviews import BY_NO_MODERATOR
from core.safety.verdict import POLICY, Clause
from core.studio import View

DOT = " · "
NOTHING_CHARGED = "Nothing was charged."
NOTHING_UNTIL = "Nothing is charged until then."
RIGHT_TO_USE = "There is a face in this picture. Do you have the right to use it?"
FREE = "free"
NOT_CHARGED = "not charged"
"""Of a clip that reached nobody."""


class Button(StrEnum):
    """What a person can do with a job. The value names the action, `LABELS` what is written."""

    RENDER = "render"
    RELAX = "relax"
    ATTEST = "attest"
    CHANGE = "change"
    CANCEL = "cancel"
    AGAIN = "again"
    RETRY = "retry"
    EDIT = "edit"
    APPEAL = "appeal"
    EXTEND = "extend"
    DOWNLOAD = "download"
    DELETE = "delete"
    FOUR = "four"
    UPSCALE = "upscale"
    REPORT = "report"
    PAGE = "page"


LABELS = {
    Button.RENDER: "Render",
    Button.RELAX: "Relaxed, for free",
    Button.ATTEST: "I may use it",
    Button.CHANGE: "Change",
    Button.CANCEL: "Cancel",
    Button.AGAIN: "Again",
    Button.RETRY: "Try again",
    Button.EDIT: "Edit",
    Button.APPEAL: "Appeal",
    Button.EXTEND: "Extend",
    Button.DOWNLOAD: "Download",
    Button.DELETE: "Delete",
    Button.FOUR: "×4",
    Button.UPSCALE: "Upscale",
    Button.REPORT: "Report",
    Button.PAGE: "On the page",
}
CHAT_ROW = (
    Button.RENDER, Button.RELAX, Button.ATTEST, Button.CHANGE, Button.AGAIN, Button.RETRY,
    Button.EDIT, Button.APPEAL, Button.EXTEND, Button.FOUR, Button.UPSCALE,
)  # fmt: skip
"""What people do with a clip in a chat, in this order; all else is quieter."""

VARIANTS = 4
"""What ×4 makes."""

REPORTED = "Noted, for moderators to look at."
REPORTED_BEFORE = "You have reported this clip already; it is noted."
DONE = {
    State.SUCCEEDED: "Your clip is done.",
    State.FAILED: "Your clip didn't work. Nothing was charged.",
    State.REFUSED: "I couldn't make your clip. Nothing was charged.",
}
"""What a short message says."""

BAR_CELLS = 12
BUTTON_ID = re.compile(r"kn:(?P<action>[a-z-]{2,12}):(?P<job_id>[0-9a-z]{12})")
"""What a button carries, so that it works after a restart, for months."""


@dataclass(frozen=True, slots=True)
class Card:
    """One job as it is shown.

    prompt: as it was understood, without flags; "" where there was only a picture.
    notes: how the words were taken. about: what the model is, in a line; neither of what is held
    or refused.
    progress: 0 to 1; None where it is unknown. eta: what is left, in words; "" once it ended.
    failure: what went wrong, in a sentence; reference: what an operator looks up.
    more: what chats offer beside `buttons`. facts: what it is made from, and its price; of one
    that is quoted, what the price is made of. price: that, of any. veiled: its words may be what
    nobody should stumble over, so they are shown behind a veil, and no picture at all.
    """

    job_id: str
    state: State
    line_one: str
    line_two: str
    prompt: str
    notes: tuple[str, ...]
    about: str
    progress: float | None
    eta: str
    buttons: tuple[Button, ...]
    failure: str = ""
    reference: str = ""
    more: tuple[Button, ...] = ()
    facts: str = ""
    price: str = ""
    veiled: bool = False

    def rows(self) -> tuple[tuple[Button, ...], ...]:
        """The buttons as chats show them: the usual ones, then the quiet ones. No Download: a
        chat's own player has that."""
        offered = {*self.buttons, *self.more} - {Button.DOWNLOAD}
        usual = tuple(button for button in CHAT_ROW if button in offered)
        quiet = (Button.CANCEL, Button.PAGE, Button.DELETE, Button.REPORT)
        rest = tuple(button for button in quiet if button in offered)
        return tuple(row for row in (usual, rest) if row)

    @property
    def bar(self) -> str:
        """The progress as text: "▰▰▰▰▱▱▱▱▱▱▱▱ 33 %"; "" where it is unknown."""
        if self.progress is None:
            return ""
        full = int(self.progress * BAR_CELLS)
        return f"{'▰' * full}{'▱' * (BAR_CELLS - full)} {self.progress:.0%}".replace("%", " %")


def button_id(action: str, job_id: str) -> str:
    """As in `BUTTON_ID`; 30 bytes at most."""
    return f"kn:{action}:{job_id}"


def label(button: Button, larger: str | None, four: int | None) -> str:
    """What is written on a button. larger: the resolution that Upscale makes; four: what ×4 costs,
    in credits; None where that is not known."""
    if button is Button.UPSCALE and larger:
        return f"{LABELS[button]} to {larger}"
    if button is Button.FOUR and four is not None:
        return f"{LABELS[button]}{DOT}{credits(four) if four else FREE}"
    return LABELS[button]


def card(view: View, catalogue: Sequence[Model]) -> Card:
    """How `view` is shown. A model that left the catalogue can't be asked for again."""
    job = view.job
    model = next((model for model in catalogue if model.name == job.request.model), None)
    line_one, line_two, eta = _lines(view)
    price = parts(job.price) if job.price else ""
    barred = job.state in (State.HELD, State.REFUSED)
    return Card(
        job_id=job.id,
        state=job.state,
        line_one=line_one,
        line_two=line_two,
        prompt=job.request.prompt,
        notes=() if barred else job.request.notes,
        about=_about(model) if model and not barred else "",
        progress=_progress(job, view.outlook),
        eta=eta,
        buttons=_buttons(view, model),
        failure=_failure(job),
        reference=job.reference or "",
        more=_more(job, model),
        facts=price if job.state is State.QUOTED else facts(job),
        price=price,
        veiled=veiled(job),
    )


def veiled(job: Job) -> bool:
    """As in `Card`."""
    harmless = job.clause is Clause.CONSENT and not job.findings
    return job.clause is not None and not harmless and job.state in (State.HELD, State.REFUSED)


def at_once(job: Job) -> bool:
    """Whether it was refused while its author looked on, who needs no message on that."""
    return job.state is State.REFUSED and job.started_at is None and job.held_at is None


def offer(quote: Quote) -> str:
    """A quote in a line: "2 credits · about 5–8 s · Camera: pan right 5."."""
    takes = span(quote.takes)
    price = FREE if quote.lane is Lane.RELAXED else credits(quote.price.credits)
    price = f"{price}{DOT}{'about ' if takes[0].isdigit() else ''}{takes}"
    return DOT.join((price, *quote.request.notes[:1]))


def parts(price: Price) -> str:
    """What a price is made of: "pocket, a second: 1 × 5 s × 480p: 0.4 = 2 credits"."""
    named = (
        name if name == f"{factor:.3g} s" else f"{name}: {factor:.3g}"
        for name, factor in price.parts
    )
    return f"{' × '.join(named)} = {credits(price.credits)}"


def facts(job: Job) -> str:
    """What made a clip and what it took: "parallax · 5 s · 720p · seed 7 · 5 credits · 3 s"."""
    length = job.clip.seconds if job.clip else job.request.seconds
    parts = [
        job.request.model,
        f"{length:.3g} s",
        job.request.resolution,
        f"seed {job.request.seed}",
        _cost(job),
        *_lane(job),
    ]
    if job.run_seconds is not None:
        parts.append(f"took {_exactly(job.run_seconds)}")
    return DOT.join(parts)


def _cost(job: Job) -> str:
    if job.refunded:
        return NOT_CHARGED
    if job.lane is Lane.RELAXED:
        return FREE
    waits = job.state in (State.QUOTED, State.HELD)
    return credits(job.price.credits if waits and job.price else job.credits)


def _lane(job: Job) -> tuple[str, ...]:
    return () if job.lane is Lane.STANDARD else (f"{job.lane} lane",)


def credits(count: int) -> str:
    return f"{count} credit" if count == 1 else f"{count} credits"


def ordinal(number: int) -> str:
    """1st, 2nd, 3rd, 4th, 11th."""
    ending = "th" if 10 < number % 100 < 14 else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"


def _lines(view: View) -> tuple[str, str, str]:
    """Line one, line two, and what is left in words."""
    job, outlook = view.job, view.outlook
    match job.state:
        case State.QUOTED:
            return _quoted(view)
        case State.HELD:
            return _held(job)
        case State.QUEUED:
            return _queued(job, outlook)
        case State.RUNNING:
            return _running(job, outlook)
        case State.SUCCEEDED if job.clip is None:
            return "No longer stored", "Its time is over.", ""
        case State.SUCCEEDED:
            return "Done", facts(job), ""
        case State.FAILED:
            return "That didn't work", f"{_failure(job)} {NOTHING_CHARGED}", ""
        case State.CANCELLED:
            return "Cancelled", _returned(job), ""
        case State.REFUSED:
            said = (_failure(job), NOTHING_CHARGED, "" if job.appealed else job.warning)
            return "I can't make this one", " ".join(filter(None, said)), ""


def _held(job: Job) -> tuple[str, str, str]:
    """It waits for a moderator's word, or for that of the person whom it shows."""
    by = f" by {moment(job.decide_by)}" if job.decide_by else ""
    if job.clause is Clause.CONSENT:
        return "Waiting for the person in it", f"They decide{by}. {NOTHING_UNTIL}", ""
    why = f"{POLICY[job.clause]} " if job.clause else ""
    return "Waiting for a moderator", f"{why}A moderator decides{by}. {NOTHING_UNTIL}", ""


def _quoted(view: View) -> tuple[str, str, str]:
    """It waits for a word of its author, who is told what they have by then."""
    job = view.job
    if job.clause is Clause.CONSENT:
        return RIGHT_TO_USE, NOTHING_UNTIL, ""
    modes = ("draft",) if job.request.draft else ()
    what = (f"{job.request.seconds:.3g} s", job.request.resolution, job.request.model)
    line_one = DOT.join((*what, *modes, *_lane(job)))
    if job.price is None or job.purse is None:
        return line_one, "", ""
    costs, has, tomorrow = job.price.credits, job.purse.available, job.purse.tomorrow
    if not job.short:
        price = "Free" if job.lane is Lane.RELAXED else credits(costs)
        left = f" About {span(view.outlook.left)}." if view.outlook else ""
        return line_one, f"{price}. You have {has}.{left}", ""
    wait = f"wait for tomorrow's {tomorrow}" if tomorrow else "make it shorter or smaller"
    if view.relaxed is None:
        instead = f"Make it shorter or smaller, or {wait}." if tomorrow else f"{wait.capitalize()}."
    else:
        takes = span(view.relaxed)
        instead = f"It can run for free in the relaxed lane (about {takes}), or {wait}."
    return line_one, f"This costs {costs} and you have {has}. {instead}", ""


def _queued(job: Job, outlook: Outlook | None) -> tuple[str, str, str]:
    if outlook is None or outlook.position == 0:
        return "Starting", "a runner is free", ""
    if outlook.paused:
        return "Paused", f"{outlook.paused.rstrip('.')}. It keeps its place.", ""
    starts = span(outlook.starts_in)
    when = "starts in a moment" if starts == "a moment" else f"starts in {starts}"
    ahead = f"{outlook.ahead} ahead" if outlook.ahead else "nobody ahead"
    said = DOT.join((*_anew(job), when, ahead, *_lane(job)))
    return f"In the queue: {ordinal(outlook.position)}", said, when


def _anew(job: Job) -> tuple[str, ...]:
    """Why it waits that was being rendered already."""
    if not job.attempt:
        return ()
    why = "its rendering broke off" if job.losses else "Kinora was restarted"
    return (f"{why}, and it begins anew",)


def _running(job: Job, outlook: Outlook | None) -> tuple[str, str, str]:
    if job.cancel_requested:
        return "Stopping", "at the next step", ""
    if outlook is None or outlook.position > 0:
        return "Rendering", "", ""
    left = f"{span(outlook.left)} left"
    match outlook.stage:
        case Stage.ENCODING | Stage.CHECKING:
            return "Almost there", "checking and encoding", ""
        case Stage.LOADING:
            why = "the first clip takes longer"
            return "Getting ready", f"loading {job.request.model}{DOT}{why}", why
        case "":
            return "Getting ready", left, left
    step = f"step {outlook.step} of {outlook.steps}{DOT}" if outlook.steps else ""
    return "Rendering", f"{step}{left}", left


def _progress(job: Job, outlook: Outlook | None) -> float | None:
    if job.state.ended:
        return None
    if outlook is None or outlook.position or not outlook.steps:
        return 1.0 if outlook and outlook.stage in (Stage.ENCODING, Stage.CHECKING) else None
    return min(1.0, outlook.step / outlook.steps)


def _buttons(view: View, model: Model | None) -> tuple[Button, ...]:
    job, outlook = view.job, view.outlook
    if job.state is State.QUOTED and job.clause is Clause.CONSENT:
        return Button.ATTEST, Button.CANCEL
    if job.state is State.QUOTED:
        accept = () if job.short else (Button.RENDER,)
        relax = (Button.RELAX,) if view.relaxed else ()
        change = (Button.CHANGE,) if model and job.request.continues is None else ()
        return (*accept, *relax, *change, Button.CANCEL)
    if not job.state.ended:
        finishing = outlook is not None and outlook.stage in (Stage.ENCODING, Stage.CHECKING)
        return () if finishing or job.cancel_requested else (Button.CANCEL,)
    buttons = [Button.DELETE]
    if job.clip is not None:
        buttons.insert(0, Button.DOWNLOAD)
        if model is not None and model.extends:
            buttons.insert(0, Button.EXTEND)
    if job.appealable:
        buttons.insert(0, Button.APPEAL)
    if model is not None:
        if job.request.continues is None:
            buttons.insert(0, Button.EDIT)
        if job.state is not State.REFUSED:
            buttons.insert(0, Button.RETRY if job.state is State.FAILED else Button.AGAIN)
    return tuple(buttons)


def _more(job: Job, model: Model | None) -> tuple[Button, ...]:
    if job.clip is None:
        return ()
    buttons = [Button.PAGE, Button.REPORT]
    if model is not None:
        buttons.append(Button.FOUR)
        if job.request.continues is None and larger(job.request.resolution, model.resolutions):
            buttons.append(Button.UPSCALE)
    return tuple(buttons)


def _about(model: Model) -> str:
    summary = model.summary.rstrip(".")
    return f"{model.name}: {summary[:1].lower()}{summary[1:]}."


def _failure(job: Job) -> str:
    if job.state is State.FAILED:
        return job.failure or "Something went wrong while it was made."
    if job.state is State.REFUSED:
        clause = POLICY[job.clause] if job.clause else "A rule of this place forbids it."
        if job.failure in (None, "", *BY_NO_MODERATOR):
            return job.failure or clause
        return f"A moderator said no: {_sentence(job.failure)} {clause}"
    return ""


def _sentence(words: str) -> str:
    """What a moderator wrote, with an end."""
    return words if words[-1:] in ".!?…" else f"{words}."


def _returned(job: Job) -> str:
    if not job.credits:
        return NOTHING_CHARGED
    if not job.charged:
        return f"{credits(job.credits)} came back."
    used = f"{credits(job.charged)} went into what was drawn by then"
    back = job.credits - job.charged
    return f"{used}; {credits(back)} came back." if back else f"{used}."


def _exactly(seconds: float) -> str:
    if seconds < 10:
        return f"{seconds:.1f} s"
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds // 60:.0f} min {seconds % 60:.0f} s"
