"""Which calls of libraries give a path that they choose themselves?

`snapshot_download(name)` refuses names with `..` and answers with a folder of its cache, `mkstemp(suffix=name)` with a random name
in the folder for temporary files. Only the argument that says in which folder leads elsewhere.
"""

from __future__ import annotations

from fastapi_architect.appgraph.graph import AppGraph
from fastapi_architect.program.call_arguments import argument
from fastapi_architect.syntax import ir

#: Dotted name of a function to the position (None: by name only) and the keywords of the argument that names the folder.
_PLACES: dict[str, tuple[int | None, tuple[str, ...]]] = {
    "huggingface_hub.snapshot_download": (None, ("local_dir", "cache_dir")),
    "huggingface_hub.hf_hub_download": (None, ("local_dir", "cache_dir")),
    "huggingface_hub.try_to_load_from_cache": (None, ("cache_dir",)),
    "modelscope.snapshot_download": (None, ("local_dir", "cache_dir")),
    "kagglehub.dataset_download": (None, ("output_dir",)),
    "kagglehub.model_download": (None, ("output_dir",)),
    "tempfile.mkstemp": (2, ("dir",)),
    "tempfile.mkdtemp": (2, ("dir",)),
    "tempfile.NamedTemporaryFile": (6, ("dir",)),
    "tempfile.TemporaryDirectory": (2, ("dir",)),
    "urllib.request.urlretrieve": (1, ("filename",)),
}
_NAMES = sorted({name.rpartition(".")[2] for name in _PLACES})


def chosen_places(graph: AppGraph) -> dict[int, ir.Expr | None]:
    """Identity of each such call to the argument that names the folder; None where it has none."""
    found: dict[int, ir.Expr | None] = {}
    for name in _NAMES:
        for site in graph.program.call_sites_named(name):
            for full in graph.program.calls.names(site):
                if full in _PLACES:
                    found[id(site.node)] = _place(site.node, *_PLACES[full])
    return found


def _place(call: ir.Call, position: int | None, keywords: tuple[str, ...]) -> ir.Expr | None:
    given = (argument(call, position, keyword) for keyword in keywords)
    return next((each for each in given if each is not None), None)
