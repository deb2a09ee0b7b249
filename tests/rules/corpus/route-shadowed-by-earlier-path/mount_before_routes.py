"""Static files at the root take every path; the API's own mount lies behind the routes it would hide."""

from fastapi import FastAPI
from starlette.staticfiles import StaticFiles

app = FastAPI()


@app.get("/media/limits")
def read_limits() -> dict[str, int]:
    return {"megabytes": 5}


app.mount("/media", StaticFiles(directory="media", check_dir=False))
site = StaticFiles(directory="site", html=True, check_dir=False)
app.mount("/", site)  # finding: route-shadowed-by-earlier-path


@app.get("/version")
def read_version() -> dict[str, str]:
    return {"version": "1"}
