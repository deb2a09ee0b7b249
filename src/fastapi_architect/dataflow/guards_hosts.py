"""What a test says about the host of an address.

The kinds `url` (where the program connects to) and `redirect` (where it sends a browser) each have two aspects:

- `host`: the value may name any host;
- `rest`: it follows a text that does not end the host yet (`https://good.com` + `.evil.com`, `/` + `/evil.com`).

A host is tested by equality or membership on the *parsed* address, by `endswith` with the dot, or, for connections, by
the addresses that it resolves to. `"good.com" in url`, `endswith("good.com")` and `startswith("https://good.com")` are no
guards.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastapi_architect.dataflow.access_path import AccessPath, exact_path
from fastapi_architect.dataflow.derived_values import (
    MAX_DEPTH,
    computed_from,
    constant_text,
    is_unchanged_since,
)
from fastapi_architect.program.definitions import Function, Scope, last_name
from fastapi_architect.syntax import ir

if TYPE_CHECKING:
    from fastapi_architect.dataflow.taint import TaintQuery
    from fastapi_architect.program.program import Program

#: The aspects of the kinds `url` and `redirect`.
HOST_ASPECTS = ("host", "rest")

_PARSERS = frozenset(
    {"urlparse", "urlsplit", "URL", "parse_url", "HttpUrl", "AnyHttpUrl", "AnyUrl", "make_url"}
)
_HOSTS = frozenset({"hostname", "netloc", "host", "authority"})
_SAME_HOST = frozenset({"lower", "casefold", "strip", "rstrip", "encode", "decode"})
#: Since when a variable must be unchanged (None: it is what was tested), and until where.
Since = tuple[ir.Node | None, ir.Node]
#: Functions of frameworks that say whether an address leads to a host that is allowed.
_URL_TESTS = frozenset({"url_has_allowed_host_and_scheme"})
#: Functions that say to which addresses a name resolves.
RESOLVING_HOSTS = frozenset({"getaddrinfo", "gethostbyname", "gethostbyname_ex"})
_ADDRESS_TESTS = frozenset({"is_private", "is_global", "is_loopback", "is_link_local", "is_reserved"})


class HostGuards:
    """Reads tests that are about hosts and addresses."""

    def __init__(self, program: Program, query: TaintQuery) -> None:
        self._program = program
        bits = query.bits()
        self._url = bits.get("url", 0)
        self._redirect = bits.get("redirect", 0)
        self.everything = self._url | self._redirect
        #: Kind by kind the bits of `host` and `rest`.
        self.bits = tuple((bits.get(f"{k}.host", 0), bits.get(f"{k}.rest", 0)) for k in ("url", "redirect"))
        self.host = self.bits[0][0] | self.bits[1][0]
        self.rest = self.bits[0][1] | self.bits[1][1]
        self._rest_of_redirect = bits.get("redirect.rest", 0)
        self._tests_addresses: dict[int, bool] = {}

    def tested(self, test: Any, scope: Scope, *, holds: bool) -> dict[AccessPath, int]:
        """Addresses that are clean where one test (no `and`, no `not`) was true or false."""
        if not self.everything:
            return {}
        if test.__class__ is ir.Compare and len(test.ops) == 1:
            return self._compared(test.ops[0], test.left, test.comparators[0], scope, holds)
        if test.__class__ is ir.Call:
            return self._called(test, scope, holds)
        if not holds and test.__class__ in (ir.Attribute, ir.Name):
            return self._say_of_host(test, scope, self._redirect)  # no host: an address of this one
        return {}

    def parts(self, expr: ir.Expr, scope: Scope, mask: int) -> dict[AccessPath, int]:
        """What is known of an address when this much is known of its host."""
        return self._say_of_host(expr, scope, mask & self.everything) if mask & self.everything else {}

    def resolves(self, call: ir.Call, scope: Scope) -> dict[AccessPath, int]:
        """Addresses whose host is resolved by a call, in a function that looks at what comes out."""
        if not self._url or not call.args or not self._looks_at_addresses(scope):
            return {}
        found = self._say_of_host(call.args[0], scope, self._url)
        path = exact_path(call.args[0])
        if path is not None:
            found[path] = found.get(path, 0) | self._url
        return found

    def _looks_at_addresses(self, scope: Scope) -> bool:
        known = self._tests_addresses.get(id(scope))
        if known is None:
            bodies = [scope]
            for site in scope.facts.calls:
                bodies += self._program.calls.targets(site)
            known = self._tests_addresses[id(scope)] = any(map(_names_address_tests, bodies))
        return known

    # ── comparisons ─────────────────────────────────────────────────────────────────────────────────────────

    def _compared(self, op: str, left: Any, right: Any, scope: Scope, holds: bool) -> dict[AccessPath, int]:
        if op in ("in", "not in"):
            is_member = (op == "in") == holds and right.__class__ is not ir.Constant
            return self._say_of_host(left, scope, self.everything) if is_member else {}
        if op in ("==", "!=") and (op == "==") == holds:
            if left.__class__ is ir.Sequence and right.__class__ is ir.Sequence:
                pairs: dict[AccessPath, int] = {}
                for one, other in zip(left.elts, right.elts, strict=False):
                    pairs |= self._compared("==", one, other, scope, True)
                return pairs
            if constant_text(right) == "":
                return self._say_of_host(left, scope, self._redirect)
            found = self._say_of_host(left, scope, self.everything)
            return found or self._say_of_host(right, scope, self.everything)
        return {}

    # ── calls ───────────────────────────────────────────────────────────────────────────────────────────────

    def _called(self, test: ir.Call, scope: Scope, holds: bool) -> dict[AccessPath, int]:
        func: Any = test.func
        name = last_name(func)
        if name in _URL_TESTS and test.args and holds:
            path = exact_path(test.args[0])
            return {path: self.everything} if path is not None else {}
        if func.__class__ is not ir.Attribute or len(test.args) != 1:
            return {}
        if name == "endswith" and holds:
            mask = self.everything if self._is_whole_domain(test.args[0], scope, 0) else self.host
            return self._say_of_host(func.value, scope, mask)
        if name == "startswith":
            mask = self._started(test.args[0], scope, holds)
            paths = self._parsed(func.value, scope, (None, func.value), 0) if mask else []
            return dict.fromkeys(paths, mask)
        return {}

    def _is_whole_domain(self, suffix: Any, scope: Scope, depth: int) -> bool:
        """`.good.com`: what stands before is a name below it."""
        if depth > MAX_DEPTH:
            return False
        if suffix.__class__ is ir.Sequence:
            return all(self._is_whole_domain(each, scope, depth + 1) for each in suffix.elts)
        if suffix.__class__ is ir.JoinedStr and suffix.values:
            return (constant_text(suffix.values[0]) or "").startswith(".")
        if suffix.__class__ is ir.BinOp:
            return self._is_whole_domain(suffix.left, scope, depth + 1)
        value = self._program.constants.value(suffix, scope)
        texts = value if isinstance(value, list | tuple | set | frozenset) else (value,)
        return all(isinstance(text, str) and text.startswith(".") for text in texts)

    def _started(self, prefix: Any, scope: Scope, holds: bool) -> int:
        """Bits that are clear where an address begins with a text (or does not)."""
        if prefix.__class__ is ir.Sequence:
            masks = [self._started(each, scope, holds) for each in prefix.elts]
            common, either = self.everything if masks else 0, 0
            for mask in masks:
                common, either = common & mask, either | mask
            return common if holds else either
        text = self._program.constants.string(prefix, scope)
        if not holds:
            return self._rest_of_redirect if text == "//" else 0
        if text is None:
            text = "\0/" if _ends_with_slash(prefix) else "\0"
        if text == "\0":
            return self.host
        return self.behind(text)

    def behind(self, text: str) -> int:
        """Bits that are clear for what follows a text that the program wrote; an unknown piece of it is a NUL."""
        if not text:
            return 0
        scheme, mark, rest = text.partition("://")
        if not mark and text.startswith("//"):
            scheme, mark, rest = "", "//", text[2:]
        if mark and not any(c in scheme for c in "/?#"):
            if any(c in rest for c in "/?#\\"):
                return self.everything
            return 0 if not rest else self.everything if "\0" in rest else self.host
        if text == "/":
            return self._url | self.host
        if text.isalpha() or (text.endswith(":") and text[:-1].isalpha()):
            return 0  # `http` or `https:`
        return self.everything

    # ── which address a host belongs to ─────────────────────────────────────────────────────────────────────

    def _say_of_host(self, expr: Any, scope: Scope, mask: int) -> dict[AccessPath, int]:
        found = self._addresses(expr, scope, (None, expr), 0)
        return dict.fromkeys(found, mask) if mask else {}

    def _addresses(self, expr: Any, scope: Scope, since: Since, depth: int) -> list[AccessPath]:
        """The variables that hold the address whose host is `expr`, in any form of it."""
        if depth > MAX_DEPTH:
            return []
        kind = expr.__class__
        if kind is ir.Call:
            func = expr.func
            if func.__class__ is ir.Attribute and func.attr in (*_SAME_HOST, "split", "partition"):
                return self._addresses(func.value, scope, since, depth + 1)
            if func.__class__ is ir.Name and func.id == "str" and expr.args:
                return self._addresses(expr.args[0], scope, since, depth + 1)
        if kind is ir.BoolOp and expr.op == "or":
            return self._addresses(expr.values[0], scope, since, depth + 1)
        if kind is ir.Subscript and expr.value.__class__ is ir.Call:
            return self._addresses(expr.value, scope, since, depth + 1)
        if kind is ir.NamedExpr:
            return self._addresses(expr.value, scope, since, depth + 1)
        if kind is ir.Attribute and expr.attr in _HOSTS:
            return self._parsed(expr.value, scope, since, depth + 1)
        if kind is ir.Name:
            binding = computed_from(expr.id, scope, since[0] or expr)
            if binding is not None:
                found = self._addresses(binding.value, scope, (binding.node, since[1]), depth + 1)
                return [(expr.id,), *found] if found else []
        return []

    def _is_stricter(self, call: ir.Call) -> bool:
        r"""`url.strip()`, `url.replace("\\", "/")`: what holds of this holds of the address as a browser reads it."""
        name = last_name(call.func)
        if name == "replace":
            return [constant_text(each) for each in call.args] == ["\\", "/"]
        return name in _SAME_HOST and not call.args

    def _parsed(self, expr: Any, scope: Scope, since: Since, depth: int) -> list[AccessPath]:
        """The variables behind something that an address was parsed into."""
        if depth > MAX_DEPTH:
            return []
        if expr.__class__ is ir.Call:
            if last_name(expr.func) in _PARSERS and expr.args:
                return self._parsed(expr.args[0], scope, since, depth + 1)
            if last_name(expr.func) == "str" and expr.args:
                return self._parsed(expr.args[0], scope, since, depth + 1)
            if expr.func.__class__ is ir.Attribute and self._is_stricter(expr):
                return self._parsed(expr.func.value, scope, since, depth + 1)
            return []
        path = exact_path(expr)
        if path is None:
            return []
        found = [path] if is_unchanged_since(path[0], since[0], scope, since[1]) else []
        binding = computed_from(path[0], scope, since[0] or expr) if len(path) == 1 else None
        if binding is not None:
            found += self._parsed(binding.value, scope, (binding.node, since[1]), depth + 1)
        return found


def _names_address_tests(body: Scope) -> bool:
    return isinstance(body, Function) and any(
        site.node.attr in _ADDRESS_TESTS for site in body.facts.sites(ir.Attribute)
    )


def _ends_with_slash(expr: Any) -> bool:
    if expr.__class__ is ir.BinOp and expr.op == "+":
        return _ends_with_slash(expr.right)
    if expr.__class__ is ir.JoinedStr and expr.values:
        return _ends_with_slash(expr.values[-1])
    return (constant_text(expr) or "").endswith("/")
