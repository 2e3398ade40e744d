"""A free port for a server that cannot take port 0, or that must come back on the same port.

Problem: such a port is looked up first and taken later. Seen: in the range the kernel gives to outgoing connections, a
client that retries while the server is down can be given that very port and connect to itself, and the server then
finds it taken. Chosen: a port below that range, drawn at random so that two sessions at once seldom meet.
"""

import contextlib
import random
import socket
from typing import Final

PORTS: Final = range(20_000, 32_000)
"""Below Linux' default range for outgoing connections, 32768 to 60999."""

ATTEMPTS: Final = 100


def free_port(host: str) -> int:
    """Returns a port of `PORTS` on which nothing listens at the moment. Raises RuntimeError if none is found."""
    for port in random.SystemRandom().sample(PORTS, ATTEMPTS):
        with socket.socket() as probe, contextlib.suppress(OSError):
            # As servers do: connections that are still winding down do not count.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
            return port
    raise RuntimeError(f"tried {ATTEMPTS} ports of {PORTS.start} to {PORTS.stop - 1}: none is free on {host}")
