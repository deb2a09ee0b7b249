"""Data to objects and back."""

from __future__ import annotations

from fastapi_architect.concepts.concept import Concept
from fastapi_architect.syntax import ir


class Deserialization(Concept, frozen=True, eq=False):
    """Bytes or text become objects.

    Attributes:
        data: what is read.
        format: pickle, marshal, yaml, shelve, joblib, torch, numpy, jsonpickle, xml, json ...
        safe: reading cannot run code, as far as literals show.
        loader: the loader given.
    """

    data: ir.Expr | None = None
    format: str = ""
    safe: bool = False
    loader: ir.Expr | None = None


class Serialization(Concept, frozen=True, eq=False):
    """An object becomes bytes or text: `format` as for `Deserialization`."""

    value: ir.Expr | None = None
    format: str = ""


class ModelDump(Concept, frozen=True, eq=False):
    """A model becomes a mapping or JSON.

    Attributes:
        model: the instance.
        kind: dict or json.
        exclude_unset: the argument; None means the default, False.
        include: the argument.
        exclude: the argument.
        keywords: every keyword argument.
        deprecated: the name that version 1 used.
    """

    model: ir.Expr | None = None
    kind: str = "dict"
    exclude_unset: ir.Expr | None = None
    include: ir.Expr | None = None
    exclude: ir.Expr | None = None
    keywords: tuple[ir.Keyword, ...] = ()
    deprecated: bool = False


class ModelLoad(Concept, frozen=True, eq=False):
    """Data becomes a model.

    Attributes:
        model: the class, as written.
        data: the data.
        validated: values are checked (`model_construct` checks none).
        deprecated: the name that version 1 used.
    """

    model: ir.Expr | None = None
    data: ir.Expr | None = None
    validated: bool = True
    deprecated: bool = False


class ModelUpdate(Concept, frozen=True, eq=False):
    """A mapping's values are put on a model's attributes (`model_copy(update=...)`, `sqlmodel_update`)."""

    model: ir.Expr | None = None
    data: ir.Expr | None = None
    in_place: bool = False
