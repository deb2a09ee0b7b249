"""Files that handlers of Starlette send by a name in the path; `{name}` holds no slash, `{name:path}` does."""

from pathlib import Path

from starlette.applications import Starlette
from starlette.responses import FileResponse, Response
from starlette.routing import Route

FILES = Path("/srv/files")


async def send(request):
    return FileResponse(FILES / request.path_params["name"])  # finding: path-traversal-read-or-delete


async def send_checked(request):
    path = (FILES / request.path_params["name"]).resolve()
    if not path.is_relative_to(FILES):
        return Response(status_code=404)
    return FileResponse(path)


async def send_listed(request):
    names = {"terms": "terms.pdf"}
    return FileResponse(FILES / names[request.path_params["name"]])


async def save(request):
    """A field of JSON is no upload, whatever it is called."""
    data = await request.json()
    (FILES / data["folder"]).write_text("")  # finding: path-traversal-read-or-delete
    return Response()


app = Starlette()
app.add_route("/save", save, methods=["POST"])
app.add_route("/files/{name:path}", send)
app.routes.append(Route("/checked/{name:path}", send_checked))
app.mount("/listed", Starlette(routes=[Route("/{name}", send_listed)]))
