"""Pin every dependency by name, version and hashes: `make requirements`. Needs `uv`.

No address is written, so that any index may serve the files; the hashes make sure that it serves the same ones.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

ROOT = Path(__file__).parent.parent


def main() -> int:
    """Write requirements/core.txt and requirements/dev.txt."""
    uv = shutil.which("uv") or str(Path(sys.executable).with_name("uv"))
    if not Path(uv).exists():
        print("uv is needed to pin requirements: pip install uv", file=sys.stderr)
        return 2
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    core = project["project"]["dependencies"]
    extras = project["project"]["optional-dependencies"]
    optional = [each for name in ("prove", "mcp", "ask") for each in extras[name]]
    dev = project["dependency-groups"]["dev"]
    build = project["build-system"]["requires"]
    _pin(uv, [*core, *build, "editables"], ROOT / "requirements" / "core.txt")
    _pin(uv, [*core, *build, "editables", *optional, *dev], ROOT / "requirements" / "dev.txt")
    return 0


def _pin(uv: str, wanted: list[str], target: Path) -> None:
    with tempfile.NamedTemporaryFile("w", suffix=".in", encoding="utf-8") as source:
        source.write("\n".join(wanted) + "\n")
        source.flush()
        options = "--universal --python-version 3.11 --generate-hashes --no-header --no-annotate --no-emit-index-url --quiet"
        command = [uv, "pip", "compile", *options.split(), "--output-file", str(target), source.name]
        subprocess.run(command, check=True, cwd=tempfile.gettempdir())
    print(f"{target.relative_to(ROOT)}: {target.read_text(encoding='utf-8').count('==')} packages")


if __name__ == "__main__":
    sys.exit(main())
