"""Trying again when somebody else changed the same thing at the same moment.

A perimeter is one document with an etag, and every stack that joins or leaves writes all of it. The provider lets one
process write at a time, but stacks are processes of their own: of those that read the same etag, one wins, the others
are refused. Nothing is lost by that, so they read and write again.
"""

import random
import re
import time
from collections.abc import Callable

CONFLICT = re.compile(r"\b(409|412|aborted|etag)\b", re.IGNORECASE)
"""How the API says so: HTTP 409 with status ABORTED (cloud.google.com/apis/design/errors, 2026-11)."""
ATTEMPTS = 12
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.5, 30.0


def try_again(
    errors: list[str],
    *,
    sleep: Callable[[float], None] = time.sleep,
    chance: Callable[[float, float], float] = random.uniform,
) -> bool:
    """Whether to repeat what failed; pauses before it says so.

    Args:
        errors: what went wrong so far, newest first.
        sleep: how to pause.
        chance: draws a pause between two bounds, so that two that collided do not collide again.
    """
    if not errors or len(errors) >= ATTEMPTS or not CONFLICT.search(errors[0]):
        return False
    bound = min(LONGEST_PAUSE_SECONDS, FIRST_PAUSE_SECONDS * 2 ** len(errors))
    sleep(chance(bound / 4, bound))
    return True
