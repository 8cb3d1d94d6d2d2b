"""Whether an engine says again the white space that prompts leave to it (token healing), and so whether they leave it to it."""

from __future__ import annotations

PROOF = 4  # answers to such prompts, after which an engine may be known to say it again
DOUBT = 6  # the same, after which it may be known not to


class Healing:
    """What one engine has shown.  Some take white space off the beginning of what a model says: nothing is left to these.

    Of an engine of which nothing is known yet, what it says without the white space is taken as said behind it; of one that has said it
    again four times of five, as another beginning, for which the whole prompt is asked.
    """

    def __init__(self, *, on: bool, learns: bool = True) -> None:
        """`on`: whether it goes on with a text as it stands.  One that learns nothing is asked alike in any order."""
        self._on = on
        self._learns = learns
        self._tries = self._agreed = 0

    @property
    def proven(self) -> bool:
        """Whether it is known to say again what is left to it."""
        return self._tries >= PROOF and 5 * self._agreed >= 4 * self._tries

    def wanted(self, lead: str) -> str:
        """What of a lead is left to the model: all, or "" for nothing."""
        return lead if self._on else ""

    def heard(self, *, agreed: bool) -> None:
        """An answer to a prompt without its lead has begun, with it or otherwise."""
        if self._learns:
            self._tries += 1
            self._agreed += agreed
            self._on = self._tries < DOUBT or 2 * self._agreed >= self._tries
