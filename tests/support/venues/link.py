"""One connection of a client: what goes out passes its faults, and a cut is a real half frame."""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence

from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed
from websockets.frames import Frame, Opcode

from tests.support.venues.faults import Fault, Message, Step
from tests.support.venues.quotes import Update
from tests.support.venues.session import Reply, Session


class Link:
    """A socket, its session, and the faults between them. One message goes out at a time, in order."""

    def __init__(
        self, venue: str, part: str, connection: ServerConnection, session: Session, faults: Iterable[Fault]
    ) -> None:
        self.venue = venue
        self.part = part
        self.session = session
        self._connection = connection
        self._pipes = [fault.begin() for fault in faults]
        self._sending = asyncio.Lock()

    def strike(self, faults: Iterable[Fault]) -> None:
        """From the next message on these faults are on, after those that were on before."""
        self._pipes += [fault.begin() for fault in faults]

    def heal(self) -> None:
        """No fault is on any more; what one held back is lost."""
        self._pipes.clear()

    async def say(self, think: Callable[[], Reply]) -> int:
        """Send what the session thinks of, and close if it says so; how many messages the session had for it.

        It thinks when its turn to send has come, so that what it counts is counted in the order of the wire. Raises
        ConnectionClosed when the client is gone.
        """
        async with self._sending:
            reply = think()
            await self._send(reply.messages)
        if reply.close is not None:
            await self._connection.close(*reply.close)
        return len(reply.messages)

    async def publish(self, updates: Mapping[str, Update]) -> bool:
        """Send prices; whether the client wanted any and was still there."""
        try:
            return await self.say(lambda: Reply(self.session.prices(updates))) > 0
        except ConnectionClosed:
            return False

    async def _send(self, messages: Sequence[Message]) -> None:
        steps = [Step(message) for message in messages]
        for pipe in self._pipes:
            steps = pipe(steps)
        for step in steps:
            if step.wait:
                await asyncio.sleep(step.wait)
            if step.cut:
                self._cut(step.message)
                return
            await self._connection.send(step.message.body)

    async def close(self, code: int, reason: str) -> None:
        """Close as a venue does before it restarts."""
        await self._connection.close(code, reason)

    def abort(self) -> None:
        """The connection is gone without a closing handshake."""
        self._connection.transport.abort()

    def _cut(self, message: Message) -> None:
        """Write half of the frame past the library, which only sends whole ones, and break the connection."""
        body = message.body
        frame = Frame(Opcode.BINARY, body) if isinstance(body, bytes) else Frame(Opcode.TEXT, body.encode())
        whole = frame.serialize(mask=False)
        transport = self._connection.transport
        transport.write(whole[: len(whole) // 2])
        if transport.get_write_buffer_size():
            transport.close()  # what is written goes out first; abort would drop the half that makes this fault
        else:
            transport.abort()
