"""Which names say that something is checked: a role, a permission, who is signed in?"""

from __future__ import annotations

from collections.abc import Iterator

from fastapi_architect.source.lazy_pattern import lazy_pattern
from fastapi_architect.syntax import ir

#: Words of a test, or of a function's name, that say it is about what somebody may do.
ROLE = lazy_pattern(
    r"role|admin|superuser|permission|privileg|is_?staff|is_?owner|moderator|scopes?$|can_|_can|allowed|authori[sz]|"
    r"polic|rbac|acl|forbid|grant|has_access|entitle",
)
#: Calls that are a check by their name, when they cannot be followed.
CHECK = lazy_pattern(
    r"^_?_?(check|require|ensure|verify|assert|has|can|is|authori[sz]e|validate|enforce|guard|permit|belongs|owns|allow|"
    r"restrict|filter|scope|accessible|visible|user_(can|has))|access|permission|owner|polic|member|_for_user|by_user",
)
#: Functions and variables that stand for whoever is signed in.
CURRENT = lazy_pattern(r"^_?(get_)?current_?(user|principal|account|tenant|org|identity|actor)")


def words(expr: ir.Expr | None) -> Iterator[str]:
    """Names, attributes and texts in a test, in lower case."""
    stack: list[object] = [expr]
    while stack:
        current = stack.pop()
        if isinstance(current, ir.Name):
            yield current.id.lower()
        elif isinstance(current, ir.Attribute):
            yield current.attr.lower()
            stack.append(current.value)
        elif isinstance(current, ir.Constant):
            if current.kind == "str":
                yield str(current.value).lower()
        elif isinstance(current, list):
            stack += current
        elif isinstance(current, ir.Keyword):
            stack.append(current.value)
        elif isinstance(current, ir.Node) and not isinstance(current, ir.Param):
            stack += [getattr(current, name) for name in current.__struct_fields__ if name != "span"]
