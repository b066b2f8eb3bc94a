"""Keeps labels below Google's limit of 1,000 distinct values a key, over the life of a billing account.

Each value that was ever sent leaves an empty object `labels/<key>/<value>`; they are counted before a new one is sent.
The campaign's own labels are fixed and not counted. Other campaigns of the billing account are not seen: `most` leaves
room for them.
"""

from collections import OrderedDict
from collections.abc import Mapping

from generation.bucket import ObjectStore
from generation.errors import Reason, Violation, invalid

PREFIX = "labels"
MOST = 1000
REMEMBERED = 10_000
NO_VALUE = "%empty"
TEXT = "text/plain"


class LabelValues:
    """Values of labels that requests have sent.

    Args:
        store: the campaign's bucket.
        most: values a key may have.
    """

    def __init__(self, store: ObjectStore, *, most: int = MOST) -> None:
        self._store = store
        self._most = most
        self._known: OrderedDict[tuple[str, str], None] = OrderedDict()

    async def admit(self, labels: Mapping[str, str]) -> None:
        """Let labels through whose values are known, or may be added.

        Raises:
            InvalidRequest: LABEL_VALUES_EXHAUSTED, a key has had all its values.
            GenerationError: the bucket failed.
        """
        for pair in labels.items():
            if pair not in self._known:
                await self._add(*pair)
                self._known[pair] = None
                if len(self._known) > REMEMBERED:
                    self._known.popitem(last=False)

    async def _add(self, key: str, value: str) -> None:
        prefix = f"{PREFIX}/{key}/"
        name = f"{prefix}{value or NO_VALUE}"
        there = await self._store.list(prefix, most=self._most)
        if any(stored.name == name for stored in there):
            return
        if len(there) >= self._most:
            raise invalid(
                [
                    Violation(
                        f"labels.{key}",
                        Reason.LABEL_VALUES_EXHAUSTED,
                        f"{key!r} has had {self._most:,} values, and Google takes no more over the life of a billing "
                        "account; the request was not sent",
                        "use a value it has had, or another key; names of single requests belong in requestId",
                    )
                ]
            )
        await self._store.create(name, b"", TEXT, {})
