"""Connections to venues: the only file that sees `websockets`, whose errors become ours here.

A proxy of the environment is not used: a price that came through one cannot be told from one that did not. Sizes and times are
bounded. The library's own pings find a connection that is dead below; that it is mute above is the session's to notice.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from http import HTTPStatus

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus, InvalidURI, WebSocketException

from lotkeeperd import __version__
from lotkeeperd.feeds.errors import ConnectionLimit, Dropped, FeedError, Rejected
from lotkeeperd.feeds.session import Frame
from lotkeeperd.feeds.spec import FeedSpec

OPEN_SECONDS = 10.0
CLOSE_SECONDS = 1.0
"""How long a venue may take to say good-bye: we are leaving anyway."""
PING_SECONDS = 20.0
LARGEST_MESSAGE = 1 << 20
"""Bytes of one message."""
MESSAGES_AHEAD = 64
"""Messages read before they are taken; then the venue has to wait."""

USER_AGENT = f"lotkeeper/{__version__}"
MESSAGE_PACK_HEADER = {"Content-Type": "application/msgpack"}
_CROWDED = {HTTPStatus.FORBIDDEN, HTTPStatus.TOO_MANY_REQUESTS}
_REFUSED = {HTTPStatus.UNAUTHORIZED, HTTPStatus.NOT_FOUND}


class Socket:
    """One connection; everything raises Dropped when it has ended."""

    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection

    async def send(self, frames: Iterable[Frame]) -> None:
        """Send frames one after the other."""
        try:
            for frame in frames:
                await self._connection.send(frame)
        except ConnectionClosed as error:
            raise _ended(error) from error

    async def frames(self) -> AsyncIterator[Frame]:
        """Every frame that comes. Never ends by itself."""
        while True:
            try:
                frame = await self._connection.recv()
            except ConnectionClosed as error:
                raise _ended(error) from error
            yield frame

    async def close(self) -> None:
        """Leave. Safe to call when the connection has ended."""
        await self._connection.close()


async def opened(spec: FeedSpec) -> Socket:
    """A new connection to the venue. Raises Dropped, Rejected or ConnectionLimit."""
    try:
        connection = await connect(
            spec.url,
            proxy=None,
            additional_headers=MESSAGE_PACK_HEADER if spec.encoding == "msgpack" else None,
            user_agent_header=USER_AGENT,
            open_timeout=OPEN_SECONDS,
            close_timeout=CLOSE_SECONDS,
            ping_interval=PING_SECONDS,
            ping_timeout=PING_SECONDS,
            max_size=LARGEST_MESSAGE,
            max_queue=MESSAGES_AHEAD,
        )
    except (OSError, EOFError, ValueError, WebSocketException) as error:
        raise _refused(error, spec.url) from error
    return Socket(connection)


def _refused(error: Exception, url: str) -> FeedError:
    said = f"{url}: {str(error) or type(error).__name__}"
    if isinstance(error, InvalidURI) or (isinstance(error, ValueError) and not isinstance(error, OSError)):
        return Rejected(said)  # an address that cannot be; a certificate's error is both, and may be mended over there
    if isinstance(error, InvalidStatus):
        if error.response.status_code in _CROWDED:
            return ConnectionLimit(f"{said}; the venue refuses this address for now, or the place it is at")
        if error.response.status_code in _REFUSED:
            return Rejected(said)
    return Dropped(said)


def _ended(error: ConnectionClosed) -> Dropped:
    return Dropped(f"the connection ended: {error}")
