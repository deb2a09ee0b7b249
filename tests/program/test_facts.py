"""Types, calls and values of small programs, said on the line they are about.

`# $ type=...` is the type of the assigned name's value (or of the expression), `# $ calls=...` the functions of the program
that the line's last call may run, `# $ value=...` the constant.
"""

from __future__ import annotations

import re

import pytest
from tests.appgraph.sample import program_of
from tests.libraries.facts_format import shown

from fastapi_architect.program.program import Program
from fastapi_architect.syntax import ir, span

SAMPLES: dict[str, dict[str, str]] = {
    "relative_and_star_imports": {
        "app/__init__.py": "from .core import *\n",
        "app/core/__init__.py": "from .base import Base, make as build\n",
        "app/core/base.py": "class Base: ...\ndef make() -> Base: ...\n",
        "app/api/__init__.py": "",
        "app/api/users.py": """
            from ..core.base import make
            from .. import core, Base
            from app import build
            import app.core.base
            import app.core.base as short
            a = make()  # $ type=Base calls=app.core.base.make
            b = core.build()  # $ type=Base calls=app.core.base.make
            c = Base()  # $ type=Base
            d = build()  # $ type=Base
            e = app.core.base.make()  # $ calls=app.core.base.make
            f = short.Base  # $ type=type[Base]
        """,
    },
    "namespace_packages_below_src": {
        "src/shop/domain/orders.py": "class Order: ...\n",
        "src/shop/main.py": "from shop.domain.orders import Order\na = Order()  # $ type=Order\n",
    },
    "several_roots": {
        "one/app/models.py": "class One: ...\n",
        "one/app/main.py": "from app.models import One\na = One()  # $ type=One\n",
        "two/app/models.py": "class Two: ...\n",
        "two/app/main.py": "from app.models import Two\na = Two()  # $ type=Two\n",
    },
    "modules_that_import_each_other": {
        "a.py": "from b import *\nfrom b import other\nx = other()  # $ type=int\n",
        "b.py": "from a import *\ndef other() -> int: ...\ny = x  # $ type=int\n",
    },
    "scopes": {
        "app.py": """
            value = 1
            class Holder:
                value = "text"
                copy = value  # $ type=str
                def method(self):
                    seen = value  # $ type=int
                    return seen
            def outer():
                value = b""
                def inner():
                    nonlocal value
                    seen = value  # $ type=bytes
                    return seen
                def top():
                    global value
                    seen = value  # $ type=int
                    return seen
                return [each for each in ["a"]]
            found = outer()
            taken = (name := "x")  # $ type=str
            again = name  # $ type=str
        """,
    },
    "annotations": {
        "app.py": """
            from __future__ import annotations
            from typing import Annotated, NewType, Optional, Self, TypeVar, TypeAlias
            from fastapi import Depends
            class User:
                def itself(self) -> Self: ...
                @classmethod
                def make(cls) -> Self: ...
            UserId = NewType("UserId", int)
            Alias: TypeAlias = "list[User]"
            Current = Annotated[User, Depends(lambda: 1)]
            T = TypeVar("T", bound=User)
            def same(value: T) -> T: ...
            def made(kind: type[T]) -> T: ...
            def read(a: "User", b: Optional[User], c: Current, d: UserId, e: Alias, f: "User | None", g: type[User]):
                x1 = a  # $ type=User
                x2 = b  # $ type=None | User
                x3 = c  # $ type=User
                x4 = d  # $ type=int
                x5 = e[0]  # $ type=User
                x6 = f  # $ type=None | User
                x7 = g()  # $ type=User
                x8 = same(a)  # $ type=User
                x9 = made(User)  # $ type=User
                x10 = a.itself()  # $ type=User
                x11 = User.make()  # $ type=User
        """,
    },
    "type_parameters_and_generic_bases": {
        "app.py": """
            from typing import Generic, TypeVar
            ModelT = TypeVar("ModelT")
            class User: ...
            class CRUDBase(Generic[ModelT]):
                def __init__(self, model: type[ModelT]): self.model = model
                def get(self) -> ModelT: ...
                def everything(self) -> list[ModelT]: ...
            class CRUDUser(CRUDBase[User]): ...
            class Deep(CRUDUser): ...
            class Modern[M]:
                def get(self) -> M: ...
            class ModernUser(Modern[User]): ...
            def first[X](values: list[X]) -> X: ...
            a = CRUDUser(User).get()  # $ type=User calls=app.CRUDBase.get
            b = Deep(User).everything()  # $ type=list[User]
            c = ModernUser().get()  # $ type=User
            d = first([User()])  # $ type=User
        """,
    },
    "returns_and_coroutines": {
        "app.py": """
            from contextlib import asynccontextmanager, contextmanager
            class Session:
                def __enter__(self): return self
            def plain(flag):
                if flag:
                    return 1
                return "x"
            async def waited(): return Session()
            @contextmanager
            def opened():
                yield Session()
            @asynccontextmanager
            async def opened_async():
                yield Session()
            async def run():
                a = plain(1)  # $ type=int | str
                b = waited()  # $ type=Coroutine[Session]
                c = await waited()  # $ type=Session
                with opened() as d:
                    x = d  # $ type=Session
                async with opened_async() as e:
                    y = e  # $ type=Session
                with Session() as f:
                    z = f  # $ type=Session
        """,
    },
    "members": {
        "app.py": """
            from dataclasses import dataclass
            from functools import cached_property, partial
            class Engine: ...
            @dataclass
            class Settings:
                engine: Engine
                name: str = "x"
            class Service:
                def __init__(self, engine: Engine): self.engine = engine
                @property
                def lazily(self) -> Engine: ...
                @cached_property
                def once(self): return self.engine
                @classmethod
                def make(cls): return cls(Engine())
                @staticmethod
                def number(): return 1
                def run(self): return self.step()  # $ calls=app.Special.step
                def step(self): ...
            class Special(Service):
                def step(self): return super().step()  # $ calls=app.Service.step
            def helper(count: int) -> Engine: ...
            a = Settings(Engine()).engine  # $ type=Engine
            b = Service(Engine()).lazily  # $ type=Engine
            c = Service(Engine()).once  # $ type=Engine
            d = Service.make()  # $ type=Service
            f = Service.number()  # $ type=int
            g = partial(helper, 1)()  # $ type=Engine calls=app.helper
            h, (i, j) = 1, ("x", b"")
            k = j  # $ type=bytes
        """,
    },
    "parameters_from_their_callers": {
        "app.py": """
            class Client: ...
            def use(client, *rest, flag=False, **named):
                seen = client  # $ type=Client
                on = flag  # $ type=bool
                return seen
            def entry(): return use(Client())  # $ type=Client calls=app.use
        """,
    },
    "values": {
        "settings.py": """
            import os
            from enum import Enum
            class Settings:
                prefix: str = "/api"
                version: str = "v1"
            class Kind(Enum):
                A = "a"
            settings = Settings()
            DEFAULT = os.getenv("X", "fallback")
            OTHER = os.environ.get("X") or "other"
            REBOUND = 1
            REBOUND = 2
        """,
        "app.py": """
            import settings as module
            from settings import DEFAULT, OTHER, REBOUND, Kind, settings
            a = f"{settings.prefix}/{settings.version}"  # $ value='/api/v1'
            b = settings.prefix + "/x"  # $ value='/api/x'
            c = DEFAULT  # $ value='fallback'
            d = OTHER  # $ value='other'
            e = REBOUND  # $ value=UNKNOWN
            f = [module.DEFAULT, -1]  # $ value=['fallback', -1]
            g = Kind.A.value  # $ value='a'
            h = "/".join(["a", "b"])  # $ value='a/b'
            i = {"k": 1}  # $ value={'k': 1}
        """,
    },
}
FACT = re.compile(r"(type|calls|value)=(.*?)(?= (?:type|calls|value)=|$)")


def found(program: Program, fact: str, statement: ir.Stmt, scope: object) -> str:
    value = statement.value  # type: ignore[union-attr]
    if fact == "value":
        return repr(program.constants.value(value, scope))  # type: ignore[arg-type]
    if fact == "type":
        return shown(program.inference.type_of(value, scope))  # type: ignore[arg-type]
    site = next(s for s in scope.facts.calls if s.node is value)  # type: ignore[attr-defined]
    return ",".join(sorted(f.full_name for f in program.calls.targets(site)))


@pytest.mark.parametrize("name", SAMPLES)
def test_every_fact_on_its_line_holds(name: str) -> None:
    files = dict(SAMPLES[name].items())
    program = program_of(files)
    facts = 0
    for module in program.modules.values():
        for scope in (module, *(s for s in (*program.functions, *program.classes) if s.module is module)):
            for kind in (ir.Assign, ir.Return):
                for site in scope.facts.sites(kind):
                    line = program_lines(files[module.path])[span.line_of(site.node.span) - 1]
                    for fact, expected in FACT.findall(line.partition("# $ ")[2]):
                        assert found(program, fact, site.node, scope) == expected.strip(), line
                        facts += 1
    assert facts == sum(
        len(FACT.findall(part)) for text in files.values() for part in text.splitlines() if "# $" in part
    )


def program_lines(text: str) -> list[str]:
    from textwrap import dedent

    return dedent(text).splitlines()


def test_a_tree_that_is_a_package_itself_is_imported_by_the_folders_name() -> None:
    from fastapi_architect.libraries.registry import all_libraries
    from fastapi_architect.syntax.parse import parse_file

    texts = {
        "__init__.py": b"",
        "core/db.py": b"class Engine: ...\n",
        "main.py": b"from shop.core.db import Engine\na = Engine()\n",
    }
    parsed = {path: parse_file(text, path) for path, text in texts.items()}
    program = Program(parsed, all_libraries(), folder_name="shop")  # type: ignore[arg-type]
    main = program.modules["main.py"]
    assert main.name == "shop.main"
    assert shown(program.inference.name_type("a", main)) == "Engine"


def test_a_tree_inside_a_package_is_imported_by_both_names() -> None:
    from fastapi_architect.libraries.registry import all_libraries
    from fastapi_architect.program.import_graph import absolute_imports, name_from_outside
    from fastapi_architect.syntax.parse import parse_file

    texts = {
        "__init__.py": b"",
        "core/db.py": b"class Engine: ...\n",
        "main.py": b"from shop.web.core.db import Engine\nfrom shop.orders import Order\na = Engine()\n",
    }
    parsed = {path: parse_file(text, path) for path, text in texts.items()}
    imported = [name for each in parsed.values() for name in absolute_imports(each)]  # type: ignore[arg-type]
    name = name_from_outside(("srv", "shop", "web"), lambda: imported)
    assert name == "shop.web"
    program = Program(parsed, all_libraries(), folder_name=name)  # type: ignore[arg-type]
    main = program.modules["main.py"]
    assert main.name == "shop.web.main"
    assert shown(program.inference.name_type("a", main)) == "Engine"
    assert program.imports.find("", "shop.orders") is None


def test_the_shortest_name_that_is_imported_counts() -> None:
    from fastapi_architect.program.import_graph import name_from_outside

    assert name_from_outside(("srv", "shop", "web"), lambda: ["web.core"]) == "web"
    assert name_from_outside(("srv", "shop", "api"), lambda: ["web.core"]) == "api"
    assert name_from_outside((), lambda: ["web.core"]) == ""
