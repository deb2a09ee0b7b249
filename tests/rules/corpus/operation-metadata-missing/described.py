"""Described: by a type, a model, a class of response, a status without content; or not published at all."""

from fastapi import FastAPI
from fastapi.responses import FileResponse, HTMLResponse, StreamingResponse

app = FastAPI()
internal = FastAPI(openapi_url=None)


@app.get("/a", response_model=list[int])
def model():
    return [1]


@app.get("/b", response_class=HTMLResponse)
def page():
    return "<p>hello</p>"


@app.get("/c")
def file():
    return FileResponse("report.pdf")


@app.get("/d")
def stream():
    return StreamingResponse(iter(["a"]))


@app.delete("/e", status_code=204)
def nothing():
    return None


@app.get("/f", include_in_schema=False)
def hidden():
    return {"hidden": True}


@internal.get("/g")
def unpublished():
    return {"g": 1}
