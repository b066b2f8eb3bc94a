"""What the campaign has spent, and the ceiling above which no model is asked.

The runtime identity can only create objects, so the ledger is a heap of slips in the bucket, each with an amount in
its metadata: `spend/<window>/<day>/<time>-<instance>-<number>`. The sum of them is what was spent. Days that are over
get one slip with their sum, `spend/<window>/totals/<day>`.

Far from the ceiling an instance writes one slip for all it spent and put aside in a few seconds, or as soon as that is
a hundredth of what is left, and reads those of others as often. Near it, it writes a slip of the expected amount first,
reads, and asks the model only if the sum still fits. So several instances together cross the ceiling by a hundredth of
what was left for each of them at most, however many requests come at once.
"""

import asyncio
import datetime as dt
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

from generation.bucket import ObjectStore, Stored
from generation.errors import Reason, failure
from generation.settings import Budget

PREFIX = "spend"
AMOUNT = "amount"
TEXT = "text/plain"
REFRESH = dt.timedelta(seconds=10)
SKEW = dt.timedelta(minutes=2)
"""A slip of another instance may be named after a clock that is this far behind, or be written this late."""
CLOSING = dt.timedelta(minutes=10)
NEAR = Decimal("0.1")
NEAR_CALLS = 20
UNSEEN = Decimal("0.01")
"""Of what is left, the part that an instance may have spent or put aside without the others knowing."""
NOTHING = Decimal(0)


def now() -> dt.datetime:
    """The time, in UTC."""
    return dt.datetime.now(dt.UTC)


@dataclass(frozen=True, slots=True)
class Reservation:
    """What a request may spend.

    Attributes:
        amount: expected.
        near: whether the ceiling was near.
    """

    amount: Decimal
    near: bool = False


class Ledger:
    """The ledger of one campaign, as one instance sees it.

    Args:
        store: the campaign's bucket.
        budget: the ceiling.
        clock: the time.
    """

    def __init__(self, store: ObjectStore, budget: Budget, *, clock: Callable[[], dt.datetime] = now) -> None:
        self._store = store
        self._budget = budget
        self._clock = clock
        self._instance = secrets.token_hex(4)
        self._number = 0
        self._day = ""
        self._before = NOTHING
        self._slips: dict[str, Decimal] = {}
        self._read: dt.datetime | None = None
        self._flushed = clock()
        self._own = NOTHING  # spent and put aside by this instance
        self._written = NOTHING  # the part of it that lies in the bucket
        self._lock = asyncio.Lock()

    async def reserve(self, amount: Decimal) -> Reservation:
        """Put an expected amount aside.

        Raises:
            QuotaExhausted: BUDGET_EXCEEDED.
            GenerationError: the bucket failed; then nothing is spent either.
        """
        async with self._lock:
            await self._refresh()
            self.must_fit(amount)
            left = self._budget.amount - self._total()
            near = left < self._budget.amount * NEAR or left < amount * NEAR_CALLS
            self._own += amount
            if near or self._own - self._written > left * UNSEEN:
                try:
                    await self._write_down()
                    await self._refresh(at_once=True)
                    self.must_fit(NOTHING)
                except BaseException:
                    self._own -= amount
                    await self._write_down()
                    raise
            return Reservation(amount, near)

    async def settle(self, reservation: Reservation, spent: Decimal) -> None:
        """Replace an expected amount by what was spent.

        Raises:
            GenerationError: the bucket failed; the amount is written later.
        """
        self._own += spent - reservation.amount
        if self._clock() - self._flushed >= REFRESH or reservation.near:
            await self.flush()

    async def flush(self) -> None:
        """Write what is not written yet.

        Raises:
            GenerationError: the bucket failed.
        """
        async with self._lock:
            self._flushed = self._clock()
            await self._write_down()

    async def _write_down(self) -> None:
        amount = self._own - self._written
        if amount:
            await self._write(amount)
            self._written += amount

    def _total(self) -> Decimal:
        return self._before + sum(self._slips.values(), NOTHING) + self._own - self._written

    def must_fit(self, amount: Decimal) -> None:
        """Refuse an amount that does not fit into what is known to be left.

        Raises:
            QuotaExhausted: BUDGET_EXCEEDED.
        """
        total, most = self._total(), self._budget.amount
        if total + amount > most:
            raise failure(
                Reason.BUDGET_EXCEEDED,
                f"The campaign's budget of {most:f} {self._budget.currency} a {self._budget.window} is used up: "
                f"{total:.2f} are spent or under way, {amount:.2f} more do not fit. The model was not asked",
                hint="Raise function.budget of the campaign and deploy again: pulumi up; or wait for the next "
                f"{self._budget.window}",
                retry_after=self._until_next_window(),
            )

    def _until_next_window(self) -> float:
        at = self._clock()
        midnight = at.replace(hour=0, minute=0, second=0, microsecond=0)
        if self._budget.window == "day":
            return (midnight + dt.timedelta(days=1) - at).total_seconds()
        return ((midnight.replace(day=1) + dt.timedelta(days=32)).replace(day=1) - at).total_seconds()

    def _window(self, at: dt.datetime) -> str:
        return at.strftime("%Y-%m-%d" if self._budget.window == "day" else "%Y-%m")

    async def _write(self, amount: Decimal) -> None:
        at = self._clock()
        self._number += 1
        name = (
            f"{PREFIX}/{self._window(at)}/{at:%Y-%m-%d}/{at:%H%M%S}{at.microsecond:06}-{self._instance}-{self._number}"
        )
        await self._store.create(name, f"{amount}\n".encode(), TEXT, {AMOUNT: str(amount)})
        if f"{at:%Y-%m-%d}" == self._day:
            self._slips[name] = amount

    async def _refresh(self, *, at_once: bool = False) -> None:
        at = self._clock()
        day = f"{at:%Y-%m-%d}"
        if day != self._day:
            self._before = await self._earlier_days(at)
            self._day, self._slips, self._read = day, {}, None
        if self._read is not None and not at_once and at - self._read < REFRESH:
            return
        prefix = f"{PREFIX}/{self._window(at)}/{day}/"
        start = ""
        if self._read is not None and (self._read - SKEW).date() == at.date():
            start = f"{prefix}{self._read - SKEW:%H%M%S}"
        for slip in await self._store.list(prefix, start=start):
            self._slips[slip.name] = _amount(slip)
        self._read = at

    async def _earlier_days(self, at: dt.datetime) -> Decimal:
        if self._budget.window == "day":
            return NOTHING
        prefix = f"{PREFIX}/{self._window(at)}"
        totals = {slip.name.rpartition("/")[2]: _amount(slip) for slip in await self._store.list(f"{prefix}/totals/")}
        for number in range(1, at.day):
            day = f"{at:%Y-%m}-{number:02}"
            if day in totals:
                continue
            slips = await self._store.list(f"{prefix}/{day}/")
            totals[day] = sum((_amount(slip) for slip in slips), NOTHING)
            midnight = at.replace(hour=0, minute=0, second=0, microsecond=0)
            if number < at.day - 1 or at - midnight > CLOSING:
                total = totals[day]
                await self._store.create(f"{prefix}/totals/{day}", f"{total}\n".encode(), TEXT, {AMOUNT: str(total)})
        return sum(totals.values(), NOTHING)


def _amount(slip: Stored) -> Decimal:
    return Decimal(slip.metadata.get(AMOUNT, "0"))
