"""What is submitted: small backends whose findings are known, archives of strangers, and those that end their worker."""

from __future__ import annotations

import io
import random
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass

_HEAD = """from fastapi import FastAPI
from sqlalchemy import create_engine, text

app = FastAPI()
engine = create_engine("sqlite://")
"""
_HOLE = '''

@app.get("/books{number}/{{name}}")
def read_books_{number}(name: str):
    """Return the books of a name."""
    with engine.connect() as connection:
        return connection.execute(text(f"SELECT * FROM books_{number} WHERE name = '{{name}}'")).all()
'''
_SOUND = '''

@app.get("/health")
def health() -> dict[str, str]:
    """Tell that it answers."""
    return {"status": "ok"}
'''
#: Parsing it ends CPython 3.10 by a signal, and later ones by an error: the file is left out, the rest is reviewed.
_AST_BOMB = 'x = ""' + '+"0"' * 20_000 + "\n"


@dataclass(frozen=True, slots=True)
class Sample:
    """A kind of archive.

    Attributes:
        name: of the kind.
        files: by path.
        branch: which it is submitted to.
        layout: projects have one, as a root that is not there any more is not looked at.
    """

    name: str
    files: Mapping[str, str | bytes]
    branch: str = "main"
    layout: str = "single"

    def packed(self, salt: str) -> bytes:
        """Return an archive that differs from every other one."""
        made = io.BytesIO()
        with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as target:
            for path, content in self.files.items():
                target.writestr(path, content)
            target.writestr("SALT.txt", salt)
        return made.getvalue()


def _application(holes: int) -> str:
    return _HEAD + _SOUND + "".join(_HOLE.format(number=number) for number in range(holes))


_NEEDS = "fastapi\nsqlalchemy\n"
#: Reviewed to their end; what is found in them is measured once before anything is broken.
SOUND = tuple(
    Sample(f"holes-{holes}", {"main.py": _application(holes), "requirements.txt": _NEEDS})
    for holes in (0, 1, 3, 5)
)
SEVERAL = tuple(
    Sample(
        f"services-{sum(holes)}",
        {
            f"service_{number}/{name}": content
            for number, count in enumerate(holes)
            for name, content in (("main.py", _application(count)), ("requirements.txt", _NEEDS))
        },
        layout="several",
    )
    for holes in ((1, 0, 2), (2, 2, 2))
)
#: A file that no parser survives beside one that is reviewed; a path that leads out; a bomb; nothing.
HOSTILE = (
    Sample(
        "ast-bomb", {"bomb.py": _AST_BOMB, "main.py": _application(1), "requirements.txt": _NEEDS}, "hostile"
    ),
    Sample("traversal", {"../../outside.py": "x = 1\n", "main.py": _application(1)}, "hostile-paths"),
    Sample("zip-bomb", {"main.py": b"\0" * 30_000_000}, "hostile"),
    Sample("no-code", {"README.md": "Nothing to see here.\n"}, "no-code"),
)
#: Its worker is killed whenever it has it: see `poisoning.py`.
POISON = Sample("poison", {"main.py": _application(1), "poison.txt": "kills\n"}, "poison")
#: Its bytes are taken away behind the back of the service.
VANISHING = Sample("vanishing", {"main.py": _application(1)}, "vanishing")

BY_NAME = {each.name: each for each in (*SOUND, *SEVERAL, *HOSTILE, POISON, VANISHING)}


def choose(chance: random.Random) -> Sample:
    """Return the kind of the next archive: mostly what people submit, sometimes what they should not."""
    group = chance.choices((SOUND, SEVERAL, HOSTILE, (POISON,), (VANISHING,)), (66, 18, 10, 3, 3))[0]
    return chance.choice(group)
