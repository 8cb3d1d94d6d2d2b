"""Whether an engine says again what prompts leave to it (token healing), and so what they leave to it."""

from __future__ import annotations

from fim_lsp.text.token_healing import lead_of

PROOF = 4  # answers to such prompts, after which an engine may be known to say it again
DOUBT = 6  # the same, after which it may be known not to
LET_GO = 2  # answers that begin otherwise, of an engine that was held to their beginning and so cannot be


class Healing:
    """What one engine has shown.  Some take white space off the beginning of what a model says: nothing is left to these.

    One that can be held to the beginning of an answer says again what it is held to; one that passes over it is found out.

    Of an engine of which nothing is known yet, what it says without the white space is taken as said behind it; of one that has said it
    again four times of five, as another beginning, for which the whole prompt is asked.
    """

    def __init__(self, *, on: bool, holds: bool = False, learns: bool = True) -> None:
        """`on`: whether it goes on with a text as it stands; `holds`: whether it can be held to what an answer begins with.

        One that learns nothing is asked alike in any order.
        """
        self.on = on
        self.holds = on and holds
        self._learns = learns
        self._tries = self._agreed = self._otherwise = 0

    @property
    def proven(self) -> bool:
        """Whether it is known to say again what is left to it."""
        return self.holds or (self._tries >= PROOF and 5 * self._agreed >= 4 * self._tries)

    def wanted(self, prefix: str) -> str:
        """What of a prefix is left to the model, at its end; "" for nothing."""
        return lead_of(prefix, held=self.holds) if self.on else ""

    def heard(self, *, agreed: bool) -> None:
        """An answer to a prompt without its lead has begun, with it or otherwise."""
        if not self._learns:
            return
        if self.holds:
            self._otherwise += not agreed
            self.holds = self._otherwise < LET_GO
            return
        self._tries += 1
        self._agreed += agreed
        self.on = self._tries < DOUBT or 2 * self._agreed >= self._tries
