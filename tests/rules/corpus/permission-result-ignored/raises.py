"""The check answers with a bool and raises as well, on a path of its own or in what it calls."""

from fastapi import Depends, FastAPI, HTTPException


def refuse() -> None:
    raise HTTPException(403)


def check_access(user: str) -> bool:
    if user != "alice":
        refuse()
    return True


def has_key(key: str) -> bool:
    if key != "k":
        raise HTTPException(401)
    return True


app = FastAPI()


@app.put("/pages/{page}", dependencies=[Depends(has_key)])
def replace_page(page: int, user: str) -> str:
    check_access(user)
    return "replaced"
