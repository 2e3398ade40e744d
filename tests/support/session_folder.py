"""The one temporary folder of a test session, gone when the session is.

Problem: servers that do not run as root need a folder they can enter, and pytest's own `tmp_path` is closed to every
other user. Chosen: a folder of our own directly below the temporary folder, open to be entered (never written) by
others when the session runs as root, and watched by `sweeper.py` so that nothing of it survives the session.
"""

import atexit
import functools
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

SWEEP_SECONDS: Final = 30.0
"""How long the sweeper may take at the end of a session."""

_SWEEPER: Final = Path(__file__).with_name("sweeper.py")


@functools.cache
def session_folder() -> Path:
    """Returns the folder of this session, made on first use and removed when the process ends.

    Others may enter it only when the session runs as root, because only then does another user run the servers.
    """
    folder = Path(tempfile.mkdtemp(prefix="lotkeeper-tests-")).resolve()
    if os.geteuid() == 0:
        folder.chmod(0o755)
    sweeper = subprocess.Popen(
        [sys.executable, str(_SWEEPER), str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        start_new_session=True,
    )
    atexit.register(_end_session, sweeper)
    return folder


def new_folder(prefix: str) -> Path:
    """Makes a folder of its own below the session's, closed to everyone but its owner."""
    return Path(tempfile.mkdtemp(prefix=prefix, dir=session_folder()))


def _end_session(sweeper: subprocess.Popen[bytes]) -> None:
    """Lets go of the pipe, which is the sweeper's sign, and waits until it is done."""
    sweeper.communicate(timeout=SWEEP_SECONDS)
