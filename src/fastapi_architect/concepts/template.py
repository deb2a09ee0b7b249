"""Templates and markup."""

from __future__ import annotations

from fastapi_architect.concepts.concept import Concept
from fastapi_architect.syntax import ir


class TemplateEnvironment(Concept, frozen=True, eq=False):
    """An environment of templates; `autoescape` None means off unless `escapes_by_default`."""

    autoescape: ir.Expr | None = None
    escapes_by_default: bool = False
    directory: ir.Expr | None = None


class TemplateRender(Concept, frozen=True, eq=False):
    """A template is filled in.

    Attributes:
        template: its name, or the template itself.
        context: the values, as a mapping.
        keywords: values given by name.
        is_response: the call gives a response.
        request_first: the request is the first argument (the newer signature).
    """

    template: ir.Expr | None = None
    context: ir.Expr | None = None
    keywords: tuple[ir.Keyword, ...] = ()
    is_response: bool = False
    request_first: bool = False


class TemplateSource(Concept, frozen=True, eq=False):
    """Text becomes a template."""

    source: ir.Expr | None = None
    engine: str = "jinja2"


class SafeMarkup(Concept, frozen=True, eq=False):
    """Text is declared to be safe HTML."""

    text: ir.Expr | None = None


class TextFormatting(Concept, frozen=True, eq=False):
    """A text that is not written down is filled in by `str.format`, which reads attributes of what it is given.

    Attributes:
        template: the text.
        args: positional arguments.
        keywords: keyword arguments.
    """

    template: ir.Expr | None = None
    args: tuple[ir.Expr, ...] = ()
    keywords: tuple[ir.Keyword, ...] = ()


class MarkupReading(Concept, frozen=True, eq=False):
    """Text in reStructuredText is read, which may include files.

    Attributes:
        source: the text.
        overrides: a mapping of settings; None means the defaults.
        settings: settings that were made elsewhere.
    """

    source: ir.Expr | None = None
    overrides: ir.Expr | None = None
    settings: ir.Expr | None = None
