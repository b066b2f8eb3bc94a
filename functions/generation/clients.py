"""Everything outside the function that it talks to, connected when the first request needs it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from anyio import to_thread
from google.auth.credentials import Credentials

from generation.bucket import Bucket, ObjectStore, storage_client
from generation.credentials import default_credentials, fresh
from generation.settings import Settings
from generation.signing import Signer, signing_session
from generation.vertex import ImageModel, VertexModel, vertex_client


@dataclass(frozen=True)
class Clients:
    """The function's connections.

    Attributes:
        store: the campaign's bucket.
        model: the models.
        check_identity: fails when there is no valid token.
        close: gives up what the others do not.
    """

    store: ObjectStore
    model: ImageModel
    check_identity: Callable[[], Awaitable[object]]
    closers: tuple[Callable[[], Awaitable[object]], ...] = field(default=())

    async def close(self) -> None:
        """Give up all connections."""
        for close in (self.store.close, self.model.close, *self.closers):
            await close()


async def connect(settings: Settings, credentials: Credentials | None = None) -> Clients:
    """Real connections.

    Args:
        settings: where to.
        credentials: as whom; the environment's own when left out.

    Raises:
        GenerationError: there are no credentials.
    """
    return await to_thread.run_sync(_connect, settings, credentials)


def _connect(settings: Settings, credentials: Credentials | None) -> Clients:
    identity = credentials or default_credentials()
    signer = Signer(settings, signing_session(identity))
    return Clients(
        store=Bucket(settings, storage_client(settings, identity), signer),
        model=VertexModel(settings, vertex_client(settings, identity)),
        check_identity=lambda: to_thread.run_sync(fresh, identity),
        closers=(lambda: to_thread.run_sync(signer.close),),
    )
