"""What is set arrives: a value is returned, the parameter is returned, its headers are passed on, or the
branches differ.
"""

from fastapi import BackgroundTasks, FastAPI, Response
from fastapi.responses import JSONResponse

app = FastAPI()


@app.post("/a")
def value(response: Response) -> dict[str, str]:
    response.set_cookie("seen", "1")
    return {"status": "ok"}


@app.post("/b")
def itself(response: Response) -> Response:
    response.headers["X-Total"] = "3"
    return response


@app.post("/c")
def passed_on(response: Response) -> Response:
    response.set_cookie("seen", "1")
    return JSONResponse({}, headers=dict(response.headers))


@app.post("/d")
def one_or_the_other(response: Response, old: bool = False) -> object:
    if old:
        return JSONResponse({"status": "gone"}, status_code=410)
    response.set_cookie("seen", "1")
    return {"status": "ok"}


@app.post("/e")
def branch(response: Response, old: bool = False) -> object:
    if not old:
        response.set_cookie("seen", "1")
        return {"status": "ok"}
    return JSONResponse({"status": "gone"}, status_code=410)


@app.post("/f")
def tasks(background: BackgroundTasks) -> Response:
    background.add_task(print, "done")
    return JSONResponse({})
