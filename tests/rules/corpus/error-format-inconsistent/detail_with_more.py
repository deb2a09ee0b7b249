"""The framework's shape with one more key is still the framework's shape, and one odd error is no habit."""

from fastapi import FastAPI, HTTPException
from fastapi.responses import JSONResponse

app = FastAPI()


@app.get("/a/{number}")
def read(number: int) -> object:
    if number > 3:
        raise HTTPException(404, "no such thing")
    if number < 0:
        raise HTTPException(400, "negative")
    if number == 1:
        return JSONResponse({"detail": "busy", "retry": 3}, status_code=503)
    if number == 2:
        return JSONResponse({"detail": "later", "retry": 9}, status_code=503)
    return JSONResponse({"oops": True}, status_code=500)
