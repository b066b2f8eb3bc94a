"""Everything outside the function that it talks to, connected when the first request needs it."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from google.auth.credentials import Credentials

from generation.bucket import POLICY, RETRY_SECONDS, Bucket, ObjectStore
from generation.credentials import Identity, default_credentials
from generation.queue import Queue
from generation.retry import Policy
from generation.settings import Settings
from generation.signing import Signer
from generation.telemetry import Telemetry, telemetry_of
from generation.transport import Transport
from generation.vertex import ImageModel, VertexModel


@dataclass(frozen=True)
class Clients:
    """The function's connections.

    Attributes:
        store: the campaign's bucket.
        model: the models.
        queue: where requests wait; None when the campaign has none.
        telemetry: what is measured.
        check_identity: fails when there is no valid token.
        closers: give up connections.
    """

    store: ObjectStore
    model: ImageModel
    check_identity: Callable[[], Awaitable[object]]
    queue: Queue | None = None
    telemetry: Telemetry = field(default_factory=Telemetry)
    closers: tuple[Callable[[], Awaitable[object]], ...] = field(default=())

    async def close(self) -> None:
        """Give up all connections."""
        for close in self.closers:
            await close()


async def connect(
    settings: Settings,
    credentials: Credentials | None = None,
    *,
    storage_policy: Policy = POLICY,
    storage_patience: float = RETRY_SECONDS,
) -> Clients:
    """Real connections.

    Args:
        settings: where to.
        credentials: as whom; the environment's own when left out.
        storage_policy: how often calls of Cloud Storage are tried again.
        storage_patience: for how many seconds.

    Raises:
        GenerationError: there are no credentials.
    """
    own = credentials if credentials is not None else await asyncio.to_thread(default_credentials)
    telemetry = await asyncio.to_thread(telemetry_of, settings, own) if settings.telemetry else Telemetry()
    identity = Identity(own)
    transport = Transport(identity, settings.endpoint)
    signer = Signer(settings, transport)
    return Clients(
        store=Bucket(settings, transport, signer, policy=storage_policy, patience=storage_patience),
        model=VertexModel(settings, transport),
        queue=Queue(settings, transport) if settings.queue else None,
        telemetry=telemetry,
        check_identity=identity.check,
        closers=(transport.close, lambda: asyncio.to_thread(telemetry.close)),
    )
