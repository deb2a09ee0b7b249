"""A server process that never outlives the process that started it, however that one ends."""

import os
import pwd
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

# It reads the pipe to us: a line names a signal; the end of the pipe means that we are gone, killed perhaps.
# The server is the shell's own child, so that its number cannot meanwhile belong to somebody else's process.
# Only the server holds the pipe on standard output, which therefore ends with it.
_SCRIPT = """
farewell=$1 leftover=$2
shift 2
"$@" &
exec >&-
if read -r asked; then leftover=; else asked=$farewell; fi
kill -s "$asked" $! 2>/dev/null
wait $!
if [ -n "$leftover" ]; then rm -rf -- "$leftover"; fi
"""


class SystemUser(NamedTuple):
    """Who runs a server; with no numbers, whoever runs this process."""

    id: int | None = None
    group_id: int | None = None

    def own(self, path: Path) -> None:
        """Give a file or directory to this user."""
        if self.id is not None and self.group_id is not None:
            os.chown(path, self.id, self.group_id, follow_symlinks=False)


PRESENT_USER = SystemUser()


def unprivileged_user() -> SystemUser:
    """Return who may run PostgreSQL, which refuses to run as root.

    Raises:
        LookupError: this process is root's, and the machine has no other user for it.
    """
    if os.geteuid() != 0:
        return PRESENT_USER
    for name in ("postgres", "pgserver", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return SystemUser(entry.pw_uid, entry.pw_gid)
    raise LookupError("PostgreSQL refuses to run as root, and there is no user `postgres` or `nobody`")


class Keeper:
    """Runs one command, and ends it when it is told to, or when this process is gone.

    Args:
        command: the server in the foreground.
        farewell: the signal it gets when this process is gone, such as `QUIT`.
        leftover: a directory that is removed then.
        log: the file that takes what the server prints.
        user: the system user that runs it, if not the present one.
        environment: its environment variables.
    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        farewell: str,
        log: Path,
        leftover: Path | None = None,
        user: SystemUser = PRESENT_USER,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                ["/bin/sh", "-c", _SCRIPT, "keeper", farewell, str(leftover or ""), *command],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=output,
                cwd=log.parent,
                env=dict(environment) if environment is not None else None,
                # Ctrl+C is for us: we end the server when nothing needs it any more.
                start_new_session=True,
                user=user.id,
                group=user.group_id,
                extra_groups=None if user.id is None else [],
            )
        self._printed = self._process.stdout
        if self._printed is not None:
            os.set_blocking(self._printed.fileno(), False)

    def has_lost_its_server(self) -> bool:
        """Tell whether the server has ended by itself."""
        return self._printed is not None and self._printed.read() == b""

    def end(self, signal: str) -> None:
        """Send the server a signal, such as `INT`, and wait until it is gone."""
        self._process.communicate(f"{signal}\n".encode())
