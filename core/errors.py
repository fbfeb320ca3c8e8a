"""Errors, by who acts next.

`UserError`: the person can fix it; its sentence is shown word for word, nothing is charged.
`Transient`: time fixes it. Anything else is a bug.
"""

from __future__ import annotations


class KinoraError(Exception):
    """Base of every error that Kinora raises on purpose."""


class UserError(KinoraError):
    """Something the person can fix.

    sentence: what is wrong and what is allowed, shown word for word.
    allowed: the values that would have been accepted, where they can be listed.
    """

    def __init__(self, sentence: str, *, allowed: tuple[str, ...] = ()) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.allowed = allowed


class BadPrompt(UserError):
    """Words or flags that can't be understood or rendered. flag: the one at fault, if any."""

    def __init__(
        self, sentence: str, *, flag: str | None = None, allowed: tuple[str, ...] = ()
    ) -> None:
        super().__init__(sentence, allowed=allowed)
        self.flag = flag


class BadPicture(UserError):
    """An upload that is no picture, or one beyond the limits."""


class NotEnoughCredits(UserError):
    """The price is more than the wallet holds. Both in whole credits.

    instead: what else one can do, in a sentence.
    """

    def __init__(
        self,
        needed: int,
        available: int,
        instead: str = "A shorter or smaller clip costs less; tomorrow brings free credits.",
    ) -> None:
        super().__init__(f"This costs {needed} and you have {available}. {instead}")
        self.needed = needed
        self.available = available


class Refused(UserError):
    """A rule forbids it."""


class NotFound(UserError):
    """There is no such thing, or it is somebody else's."""


class WrongState(UserError):
    """The thing exists, but can't do that now."""


class TooMany(UserError):
    """A limit on how much one person may have waiting."""


class BadFile(KinoraError):
    """A file of an operator's that can't be used; in a sentence for them."""


class NoDatabase(KinoraError):
    """A database that can't be used as it is; in a sentence for its operator, without secrets."""


class Unreachable(KinoraError):
    """A card has no place any more, and neither has its author."""


class Transient(KinoraError):
    """Worth another try after `retry_after` seconds."""

    def __init__(self, why: str, retry_after: float) -> None:
        super().__init__(why)
        self.retry_after = retry_after
