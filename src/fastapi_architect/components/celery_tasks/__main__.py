"""`python -m app.components.celery_tasks worker`, and beside it `... relay`: the two processes that do the work."""

import argparse
import sys
from collections.abc import Sequence

from ..outbox.contributions import default_registry, load_components, set_up_logging_or_basic
from ..outbox.processes import stop_on_signal
from .relaying import create_relay
from .worker import create_worker


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; return its exit code."""
    options, further = _parser().parse_known_args(arguments)
    components = load_components(options.registry)
    set_up_logging_or_basic(components)
    if options.command == "relay":
        create_relay(components).run(stop_on_signal())
        return 0
    create_worker(components).start([options.command, *further])
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog=f"python -m {__package__}", description=__doc__)
    registry = default_registry(__package__ or "")
    parser.add_argument("--registry", default=registry, help=f"who makes the components ({registry})")
    parser.add_argument(
        "command", choices=["worker", "relay", "beat"], help="further arguments are Celery's, such as -Q bulk"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
