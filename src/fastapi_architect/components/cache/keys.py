"""What is kept, under which name, and for whom. A key says who may see its value, or it is no key."""

import hashlib
import json
import logging
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Generic, Literal, TypeVar, overload
from uuid import UUID

from pydantic import TypeAdapter
from pydantic.errors import PydanticUserError

from ..service import Principal

logger = logging.getLogger(__name__)

Value = TypeVar("Value")
Part = str | int | UUID


@dataclass(frozen=True)
class CacheKey(Generic[Value]):
    """The place of one value.

    Attributes:
        kind: what lies there.
        name: the place.
        group: what is invalidated together with it.
    """

    kind: "CachedValue[Value]"
    name: str
    group: str | None = None


class CachedValue(Generic[Value]):
    """A kind of value that is kept, with its type and its lifetime.

    Args:
        name: tells kinds apart.
        type_: what it is: anything that pydantic validates, as a type or as an adapter. It has to survive JSON.
        ttl: seconds for which a value is fresh.
        stale_for: seconds more for which the old value is given to all but the one who loads it anew, and to everybody
            while loading fails.
        negative_ttl: seconds for which "there is none" (None) is kept; without it, None is not kept.
    """

    def __init__(
        self,
        name: str,
        type_: type[Value] | TypeAdapter[Value],
        *,
        ttl: float,
        stale_for: float = 0.0,
        negative_ttl: float | None = None,
    ) -> None:
        if ttl <= 0 or stale_for < 0 or (negative_ttl is not None and negative_ttl <= 0):
            raise ValueError("a lifetime is more than 0 seconds")
        self.name = name
        self.ttl = ttl
        self.stale_for = stale_for
        self.negative_ttl = negative_ttl
        self._type = type_
        self._survives: bool | None = None

    @overload
    def key(
        self, *parts: Part, shared: Literal[True], group: tuple[Part, ...] | None = None
    ) -> CacheKey[Value]: ...
    @overload
    def key(
        self, *parts: Part, principal: Principal, group: tuple[Part, ...] | None = None
    ) -> CacheKey[Value]: ...
    @overload
    def key(self, *parts: Part, tenant: UUID, group: tuple[Part, ...] | None = None) -> CacheKey[Value]: ...
    def key(
        self,
        *parts: Part,
        shared: bool = False,
        principal: Principal | None = None,
        tenant: UUID | None = None,
        group: tuple[Part, ...] | None = None,
    ) -> CacheKey[Value]:
        """Return the place of a value, and say who may see it: everybody, one principal, or one tenant.

        A principal's value is kept apart for each set of permissions, because what was loaded with more of them must
        not be given to the same person with fewer.

        Args:
            parts: what tells values of this kind apart.
            shared: everybody may see it.
            principal: only this caller may.
            tenant: everybody of this tenant may.
            group: what is invalidated together: `cache.invalidate_group("books", author_id)`.

        Raises:
            TypeError: the key does not say who may see the value, or says it twice.
        """
        said = [shared, principal is not None, tenant is not None]
        if sum(said) != 1:
            raise TypeError(f"say who may see {self.name!r}: shared=True, principal=... or tenant=...")
        audience: tuple[object, ...] = ("shared",)
        if principal is not None:
            audience = ("principal", principal.id, principal.tenant_id, *sorted(principal.permissions))
        elif tenant is not None:
            audience = ("tenant", tenant)
        place = digest_of(self._shape, audience, parts)
        return CacheKey(self, f"{self.name}:{place}", None if group is None else group_name(*group))

    @cached_property
    def adapter(self) -> TypeAdapter[Value]:
        """What reads and writes values of this kind."""
        return self._type if isinstance(self._type, TypeAdapter) else TypeAdapter(self._type)

    def dump(self, value: Value) -> bytes | None:
        """Return the value as JSON; None if values of this kind do not survive it, which is logged."""
        data = self.adapter.dump_json(value, by_alias=True, round_trip=True)
        if self._survives is None and value is not None:
            # A SecretStr, say, would come back as asterisks. One look at the first value finds such kinds.
            self._survives = self.adapter.validate_json(data) == value
            if not self._survives:
                logger.error(
                    "values of this kind do not survive JSON and are not cached", extra={"kind": self.name}
                )
        return None if self._survives is False else data

    def load(self, data: bytes) -> Value:
        """Return the value that the JSON holds.

        Raises:
            pydantic.ValidationError: it holds none of this kind.
        """
        return self.adapter.validate_json(data)

    @cached_property
    def _shape(self) -> str:
        """What a value looks like: after a deployment that changes it, old values are not read."""
        try:
            return digest_of(self.adapter.json_schema(mode="validation"))
        except PydanticUserError:
            return ""


def group_name(*parts: Part) -> str:
    """Return the name of a group."""
    return f"group:{digest_of(parts)}"


def digest_of(*parts: Any) -> str:
    """Return a short name for the parts. JSON keeps ("a:b", "c") and ("a", "b:c") apart, and 1 and "1"."""
    text = json.dumps(parts, sort_keys=True, default=str)
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()
