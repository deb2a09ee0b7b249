"""204 with nothing, and with a response of its own; a PUT that stores answers 200 or 204 as it likes."""

from fastapi import FastAPI, Response

app = FastAPI()
NAMES: dict[int, str] = {}


@app.put("/names/{number}")
def store(number: int, name: str) -> str:
    NAMES[number] = name
    return name


@app.delete("/names/{number}", status_code=204)
def forget(number: int) -> None:
    if number not in NAMES:
        return
    NAMES.pop(number)


@app.delete("/names", status_code=204)
def forget_all() -> Response:
    NAMES.clear()
    return Response(status_code=204)
