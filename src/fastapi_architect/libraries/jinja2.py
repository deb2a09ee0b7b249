"""Jinja2 and other template engines."""

from __future__ import annotations

from collections.abc import Iterator

from fastapi_architect.concepts.template import (
    SafeMarkup,
    TemplateEnvironment,
    TemplateRender,
    TemplateSource,
)
from fastapi_architect.libraries.library import Library, RecognisedCall
from fastapi_architect.libraries.results import awaitable
from fastapi_architect.libraries.table import KEYWORDS, RECEIVER, Argument, describe
from fastapi_architect.program.types import STR, Instance

_TEMPLATE = Instance("jinja2.Template")
_RESPONSE = "starlette.templating.Jinja2Templates.TemplateResponse"
library = Library(
    packages=("jinja2", "markupsafe", "mako", "chevron", "pystache"),
    aliases={
        "jinja2.environment.*": "jinja2",
        "jinja2.Markup": "markupsafe.Markup",
        "jinja2.sandbox.ImmutableSandboxedEnvironment": "jinja2.sandbox.SandboxedEnvironment",
    },
    bases={
        "jinja2.sandbox.SandboxedEnvironment": ("jinja2.Environment",),
        "markupsafe.Markup": ("builtins.str",),
    },
)
calls = library.calls
for _name in ("get_template", "from_string", "select_template", "get_or_select_template"):
    calls[f"jinja2.Environment.{_name}"] = _TEMPLATE
calls["jinja2.Template.render"] = STR
calls["jinja2.Template.render_async"] = awaitable(STR)
calls["markupsafe.escape"] = Instance("markupsafe.Markup")
calls["starlette.templating.Jinja2Templates.get_template"] = _TEMPLATE
library.attributes["starlette.templating.Jinja2Templates.env"] = Instance("jinja2.Environment")
calls[_RESPONSE] = Instance("starlette.templating._TemplateResponse")
library.bases["starlette.templating._TemplateResponse"] = ("starlette.responses.HTMLResponse",)

describe(
    library,
    TemplateEnvironment,
    ["jinja2.Environment", "jinja2.sandbox.SandboxedEnvironment"],
    autoescape=Argument(None, "autoescape"),
    directory=Argument(None, "loader"),
)
describe(library, TemplateSource, ["jinja2.Template"], source=Argument(0, "source"))
describe(library, TemplateSource, ["jinja2.Environment.from_string"], source=Argument(0, "source"))
describe(library, TemplateSource, ["mako.template.Template"], source=Argument(0, "text"), engine="mako")
describe(
    library,
    TemplateSource,
    ["chevron.render", "pystache.render"],
    source=Argument(0, "template"),
    engine="mustache",
)
describe(
    library,
    TemplateRender,
    ["jinja2.Template.render", "jinja2.Template.render_async"],
    duck={"render": ("template",)},
    template=RECEIVER,
    context=Argument(0),
    keywords=KEYWORDS,
)
describe(library, SafeMarkup, ["markupsafe.Markup"], text=Argument(0))


@library.recognise(TemplateRender, names=[_RESPONSE], duck={"TemplateResponse": ("template",)})
def _response(call: RecognisedCall) -> Iterator[TemplateRender]:
    """Since Starlette 0.29 the request comes first, before that the template's name did."""
    first = call.argument(0)
    of = call.type_of(first)
    older = of == STR or (first is None and call.keyword("request") is None)
    yield TemplateRender(
        *call.place,
        template=call.argument(0 if older else 1, "name"),
        context=call.argument(1 if older else 2, "context"),
        keywords=tuple(call.node.keywords),
        is_response=True,
        request_first=not older,
    )
