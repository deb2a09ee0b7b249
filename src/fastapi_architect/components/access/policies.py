"""Decisions on one thing: not "may they edit orders" but "may they edit this order"."""

from collections.abc import Callable
from typing import TypeAlias, TypeVar

from ..problem_details.errors import NotFound
from ..service.principal import Principal

Resource = TypeVar("Resource")
#: Says whether the caller may have this thing: attributes of both decide (ABAC). It is plain Python, for services.
Policy: TypeAlias = Callable[[Principal, Resource], bool]


def allowed(policy: Policy[Resource], principal: Principal, resource: Resource | None) -> Resource:
    """Return the thing, if there is one and the policy lets the caller have it.

    What is missing and what is somebody else's get the same answer, or else identifiers could be tried out.

    Args:
        policy: such as `lambda principal, order: order.buyer_id == principal.id`.
        principal: who is asking.
        resource: what was found, or None.

    Raises:
        NotFound: there is no such thing, or not for this caller.
    """
    if resource is None or not policy(principal, resource):
        raise NotFound("There is no such thing.")
    return resource
