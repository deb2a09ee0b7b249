"""A factory that returns `Depends(...)` is a marker; one that returns a plain function is not, and is never run."""

from fastapi import Depends, FastAPI, Header, HTTPException, params


def check_permission(name: str):
    def check(x_role: str = Header()) -> str:
        if x_role != name:
            raise HTTPException(403)
        return x_role

    return check


def requires(name: str) -> params.Depends:
    return Depends(check_permission(name))


app = FastAPI()


@app.get("/a")
def wrapped(role=requires("admin")) -> str:
    return "a"


@app.get("/b")
def wrapped_here(role=Depends(check_permission("admin"))) -> str:
    return "b"
