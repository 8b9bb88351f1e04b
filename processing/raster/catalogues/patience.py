"""How long a scene is looked for."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Patience:
    """`seconds` for all catalogues together. `asks_again` says whether one that fails is tried more than once."""

    seconds: float
    asks_again: bool


# A job whose look-up fails is tried again by the queue.
FOR_A_JOB = Patience(seconds=15, asks_again=True)
# A caller waits for the answer, and with it a thread of the web server.
FOR_A_CALLER = Patience(seconds=5, asks_again=False)
