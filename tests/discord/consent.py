"""Who let the app in, by OAuth2."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class Consent:
    """browser: who is signed in to Discord there. redirects: what the app's owner entered, whole.
    tokens: of whom, while they are good; given: how many there ever were."""

    browser: int = 0
    redirects: set[str] = field(default_factory=set)
    codes: dict[str, tuple[int, str, str]] = field(default_factory=dict)
    tokens: dict[str, int] = field(default_factory=dict)
    given: int = 0

    def bearer(self, proof: str) -> int | None:
        """Whose token an Authorization header holds, where it is good."""
        kind, _, token = proof.partition(" ")
        return self.tokens.get(token) if kind == "Bearer" else None
