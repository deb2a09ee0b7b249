"""Which optional field of an answer does nobody fill, on a route that leaves such fields out of what it sends?"""

from __future__ import annotations

from fastapi_architect.analyses.class_schemas import schema_of
from fastapi_architect.analyses.effects import effects
from fastapi_architect.appgraph.graph import AppGraph
from fastapi_architect.appgraph.path_operations import PathOperation
from fastapi_architect.appgraph.schemas import SchemaField
from fastapi_architect.program.definitions import Class, Function
from fastapi_architect.program.types import ClassRef, options
from fastapi_architect.syntax import ir

#: Bodies below a handler that are looked at.
_MAX_FUNCTIONS = 40


def stays_out(operation: PathOperation, cls: Class, name: str, graph: AppGraph) -> bool:
    """The route sends no default values, and all that make the model below it leave the field at its default.

    What is made by validating something else (`model_validate`, a row that the route returns) may have any field.
    """
    schema = schema_of(cls, graph)
    field = next((each for each in schema.fields if each.name == name), None) if schema is not None else None
    if field is None or not _sends_no_default(operation, field, graph):
        return False
    # A field that somebody leaves out is not required, whatever its default looks like.
    functions = effects(graph).of_handler(operation).functions[:_MAX_FUNCTIONS]
    made = [call for each in functions for call in _makers(each, cls, graph)]
    plain = bool(made) and all(_is_plain(call, {name, field.alias}) for call in made)
    return plain and not any(_assigns(each, name) for each in functions)


def _sends_no_default(operation: PathOperation, field: SchemaField, graph: AppGraph) -> bool:
    is_none = isinstance(field.default, ir.Constant) and field.default.kind == "none"
    keywords = ["response_model_exclude_unset", "response_model_exclude_defaults"]
    if is_none:
        keywords.append("response_model_exclude_none")
    scope = operation.registration[1]
    return any(
        graph.program.constants.value(operation.keywords.get(keyword), scope) is True for keyword in keywords
    )


def _makers(function: Function, cls: Class, graph: AppGraph) -> list[ir.Call]:
    """Calls of the class, and of its methods: `User(...)`, `User.model_validate(...)`."""
    inference = graph.program.inference
    found = []
    for site in function.facts.calls:
        func = site.node.func
        of = inference.type_of(func.value if isinstance(func, ir.Attribute) else func, function)
        whole = inference.type_of(func, function)
        if any(isinstance(each, ClassRef) and each.cls is cls for each in (*options(of), *options(whole))):
            found.append(site.node)
    return found


def _is_plain(call: ir.Call, names: set[str | None]) -> bool:
    """It names what it fills, and the field is not among that."""
    named = {each.arg for each in call.keywords}
    is_method = isinstance(call.func, ir.Attribute) and call.func.attr.startswith(
        ("model_", "parse_", "from_")
    )
    return not (call.args or is_method or None in named or named & names)


def _assigns(function: Function, name: str) -> bool:
    return any(
        isinstance(target, ir.Attribute) and target.attr == name
        for site in function.facts.sites(ir.Assign)
        for target in site.node.targets
    )
