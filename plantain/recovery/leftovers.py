"""What is left over after an answer was lost or an update killed, and how it is deleted.

Two ways lead there: the provider asked again, and Google made a second one (``copies``); or the provider deletes
something after a creation, and did not come to it (``unfinished``).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from plantain.errors import GoogleCloudError

if TYPE_CHECKING:
    from plantain.google_cloud import GoogleCloud

#: Each asks for two minutes at most.
MOST_WAITS = 15


@dataclass(frozen=True)
class Leftover:
    """What no setting of the stack asks for, and the stack made.

    Attributes:
        urn: of the resource of the stack that it came from.
        type: its type token.
        name: full name of what is left over.
        service, path: where the API deletes it.
        what: what it is, for people.
    """

    urn: str
    type: str
    name: str
    service: str
    path: str
    what: str = "copy"


def delete(leftover: Leftover, cloud: GoogleCloud) -> None:
    """Delete it, and wait until it is gone: a network goes after its firewall rules only.

    Raises:
        GoogleCloudError: the API refused, or is not done in half an hour.
    """
    answer = cloud.call("DELETE", leftover.service, leftover.path)
    if answer.get("kind") == "compute#operation":
        _wait(answer, leftover, cloud)


def _wait(operation: dict[str, Any], leftover: Leftover, cloud: GoogleCloud) -> None:
    place = leftover.path.partition("/global/")[0]
    for _ in range(MOST_WAITS):
        if operation.get("status") == "DONE":
            break
        operation = cloud.call("POST", "compute", f"{place}/global/operations/{operation['name']}/wait")
    else:
        raise GoogleCloudError(0, "NOT_DONE", "the deletion goes on; run it again", leftover.service, leftover.path)
    for error in operation.get("error", {}).get("errors", ()):
        raise GoogleCloudError(
            int(operation.get("httpErrorStatusCode", 0)),
            str(error.get("code", "")),
            str(error.get("message", "")),
            leftover.service,
            leftover.path,
        )
