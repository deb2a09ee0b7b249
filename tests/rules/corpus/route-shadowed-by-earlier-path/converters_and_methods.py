"""Nothing is hidden: converters do not match the literals, methods differ, the slash at the end differs,
segments differ.
"""

from fastapi import FastAPI
from starlette.applications import Starlette

app = FastAPI()


@app.get("/users/{user_id:int}")
def read_user(user_id: int) -> int:
    return user_id


@app.get("/users/me")
def read_own() -> str:
    return "alice"


@app.put("/users/{name}")
def replace_user(name: str) -> str:
    return name


@app.delete("/users/inactive")
def delete_inactive() -> None: ...


@app.get("/files/{name}.json")
def read_json(name: str) -> str:
    return name


@app.get("/files/latest.csv")
def read_latest() -> str:
    return ""


@app.get("/files/{folder}/{name}")
def read_file(folder: str, name: str) -> str:
    return folder + name


@app.websocket("/files/{name}.json")
async def follow(name: str) -> None:
    del name


app.mount("/users", Starlette())
