"""The other response belongs to the way that failed; what was set goes out with the value."""

from typing import Any

from fastapi import FastAPI, Response
from fastapi.responses import JSONResponse

app = FastAPI()
PAGES = {1: "home"}


@app.put("/pages/{page_id}", response_model=None)
def change(page_id: int, response: Response) -> Any:
    try:
        page = PAGES[page_id]
        response.status_code = 202
        response.headers["Retry-After"] = "5"
        return {"page": page}
    except KeyError:
        return JSONResponse({"detail": "There is no such page."}, status_code=404)


@app.delete("/pages/{page_id}", response_model=None)
def forget(page_id: int, response: Response) -> Any:
    try:
        PAGES.pop(page_id)
    except KeyError:
        response.headers["Cache-Control"] = "no-store"  # finding: injected-response-discarded
        return JSONResponse({"detail": "There is no such page."}, status_code=404)
    return None
