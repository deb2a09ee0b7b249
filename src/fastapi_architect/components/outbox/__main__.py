"""`python -m app.components.outbox work`: handles events; the other commands look at them."""

import argparse
import sys
from collections.abc import Collection, Sequence
from uuid import UUID

from sqlalchemy.orm import Session

from ..database import Database
from ..service import Component, component_in
from . import repository
from .component import Outbox
from .contributions import collect_schedule, default_registry, load_components, set_up_logging_or_basic
from .processes import run_processes
from .worker import DirectWorker


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; return its exit code."""
    options = _parser().parse_args(arguments)
    components = load_components(options.registry)
    if options.command == "work":
        return work(components, options.processes, options.queues)
    with component_in(components, Database).sync_sessions.begin() as session:
        return _look(session, options)


def work(components: Sequence[Component], processes: int, queues: Collection[str] | None = None) -> int:
    """Handle events until SIGTERM or SIGINT; what was begun is ended.

    Args:
        components: of the service.
        processes: how many.
        queues: only what is of one of these; None: of any.
    """
    set_up_logging_or_basic(components)
    outbox = component_in(components, Outbox)
    worker = DirectWorker(
        outbox.runtime(components),
        poll_interval=outbox.settings.poll_interval,
        schedules=collect_schedule(components),
        queues=queues,
    )
    run_processes(processes, worker.run)
    return 0


def _look(session: Session, options: argparse.Namespace) -> int:
    if options.command == "dead":
        for event in repository.dead_letters(session, topic=options.topic, limit=options.limit):
            _say(f"{event.id}  {event.dead_at}  {event.topic}  {event.attempts} attempts  {event.last_error}")
        return 0
    if options.command == "replay":
        unknown = [str(event_id) for event_id in options.ids if not repository.replay(session, event_id)]
        if unknown:
            _say(f"not among the dead letters: {', '.join(unknown)}")
        return 1 if unknown else 0
    if options.command == "show":
        found = repository.find(session, options.id)
        _say("unknown" if found is None else f"{found.state}  {found.topic}  {found.attempts} attempts")
        return 1 if found is None else 0
    backlog = repository.measure(session)
    _say(f"open {backlog.open}  due {backlog.due}  dead {backlog.dead}  lag {backlog.lag:.1f} s")
    return 0


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog=f"python -m {__package__}", description=__doc__)
    registry = default_registry(__package__ or "")
    parser.add_argument("--registry", default=registry, help=f"who makes the components ({registry})")
    commands = parser.add_subparsers(dest="command", required=True)
    run = commands.add_parser("work", help="handle events without a broker")
    run.add_argument("--processes", type=int, default=2, choices=range(1, 65), metavar="N")
    run.add_argument("--queues", type=_names, metavar="NAMES", help="only these, such as default,bulk")
    commands.add_parser("lag", help="how far the workers are behind")
    dead = commands.add_parser("dead", help="what was given up, and why")
    dead.add_argument("--topic")
    dead.add_argument("--limit", type=int, default=100)
    again = commands.add_parser("replay", help="try dead letters again")
    again.add_argument("ids", type=UUID, nargs="+")
    commands.add_parser("show", help="where an event stands").add_argument("id", type=UUID)
    return parser


if __name__ == "__main__":
    sys.exit(main())
