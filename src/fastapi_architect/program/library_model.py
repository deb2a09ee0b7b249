"""What the program asks about libraries. `libraries/` answers; the program knows none of them by name."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from fastapi_architect.program.definitions import Class
    from fastapi_architect.program.types import ClassRef, Instance, Type
    from fastapi_architect.syntax import ir


class CallContext(Protocol):
    """A call being typed, as a library sees it."""

    node: ir.Call
    receiver: Instance | ClassRef | None

    def argument(self, position: int | None, keyword: str | None = None) -> ir.Expr | None:
        """The argument at a position or of a name, or None."""

    def type_of(self, expr: ir.Expr) -> Type | None:
        """Type of an argument."""

    def called(self, of: Type) -> Type | None:
        """What calling a value of this type gives, whatever the arguments."""

    def class_named(self, name: str) -> Class | None:
        """The program's class of that name, for libraries that name classes by text; None when there is none or several."""


class LibraryModel(Protocol):
    """Knowledge about libraries, by canonical dotted names."""

    def canonical(self, name: str) -> str:
        """The one name of something that is exported under several (`fastapi.routing.APIRouter` is `fastapi.APIRouter`)."""

    def is_class(self, name: str) -> bool:
        """The name is a class (by table, else by its capital letter)."""

    def bases(self, name: str) -> tuple[str, ...]:
        """Canonical names of the base classes of a library's class."""

    def attribute_type(self, cls: str, attribute: str) -> Type | None:
        """Type of a data attribute of a library's class, or None."""

    def call_type(self, name: str) -> Callable[[CallContext], Type | None] | Type | None:
        """What calling `name` gives: a type, or a function of the call; None when not known."""

    def descriptor(self, of: Type, on_instance: bool) -> Type:
        """What reading a class attribute of this declared type gives (`Mapped[int]` is `int` on an instance)."""

    def is_injection(self, name: str) -> bool:
        """A default value `name(provider)` means that the provider's result is passed in (`fastapi.Depends`)."""

    def is_known_package(self, name: str) -> bool:
        """A top-level package described by a library model: it wins over a stray file of the same name."""
