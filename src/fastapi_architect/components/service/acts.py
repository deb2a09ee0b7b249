"""What somebody did, told in the transaction that does it: to an audit log, or to whatever else wants to know."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Protocol, runtime_checkable
from uuid import UUID

from fastapi import FastAPI

from .assembly import components_of
from .component import Component
from .principal import Principal


@dataclass(frozen=True, slots=True)
class Act:
    """Something that changes the state of the service.

    Attributes:
        action: the kind of thing and a verb in the past, such as `member.removed`.
        actor: who did it.
        subject_type: what kind of thing it was done to.
        subject_id: which one.
        tenant_id: in which organisation; by default the actor's.
        details: what else a reader needs; never a secret.
    """

    action: str
    actor: Principal
    subject_type: str
    subject_id: UUID
    tenant_id: UUID | None = None
    details: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))


@runtime_checkable
class Witness(Protocol):
    """A component that is told of each act; `audit_log` is one."""

    def witness(self, session: Any, act: Act) -> None:
        """Note an act in the transaction of the session: what is added here is kept exactly when the act is."""


class Acts:
    """Tells the witnesses among the components of a service.

    Args:
        components: all of them; by default none, so that nobody is told.
    """

    def __init__(self, components: Sequence[Component] = ()) -> None:
        self._components = components

    def tell(self, session: Any, act: Act) -> None:
        """Tell every witness of an act, before its transaction is committed."""
        # Looked for here and not when a request begins: most requests only read.
        for each in self._components:
            if isinstance(each, Witness):
                each.witness(session, act)


def acts_of(app: FastAPI) -> Acts:
    """Return who tells the witnesses among the components of an application."""
    return Acts(components_of(app))
