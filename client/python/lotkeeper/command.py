"""The command `lotkeeper`.

Problem: one distribution carries client and server, and a script can only belong to the whole of it, so a bot's
machine that installed the client alone has the command too. Seen: without the extra the command died with a traceback
about whichever library came first. Chosen: the client owns the script, hands over to the server, and turns a missing
library of the extra, and nothing else, into one line.
"""

import sys

# What `lotkeeper[server]` installs, by import name.
SERVER_EXTRA = frozenset(
    {
        "aiosqlite",
        "alembic",
        "greenlet",
        "grpc_health",
        "grpc_reflection",
        "msgpack",
        "rich",
        "sqlalchemy",
        "typer",
        "websockets",
        "yaml",
    }
)
NEEDS_SERVER = "lotkeeper: the command needs the server: pip install 'lotkeeper[server]'"


def main() -> None:
    """Run the command line of the server.

    Raises:
        SystemExit: the command ended; 1 where the server's libraries are not installed.
        ModuleNotFoundError: a module is missing that the extra does not bring; that is a bug.
    """
    try:
        # Inside, because libraries that only some commands need are imported when the command runs.
        from lotkeeperd.cli import main as run

        run()
    except ModuleNotFoundError as missing:
        if (missing.name or "").partition(".")[0] not in SERVER_EXTRA:
            raise
        print(NEEDS_SERVER, file=sys.stderr)  # noqa: T201 - a command speaks on stderr
        raise SystemExit(1) from None
