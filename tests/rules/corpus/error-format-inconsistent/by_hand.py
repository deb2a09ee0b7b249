"""Three shapes written by hand, and nothing that brings them together."""

from fastapi import FastAPI, HTTPException
from fastapi.responses import JSONResponse

app = FastAPI()  # finding: error-format-inconsistent


@app.get("/a/{number}")
def first(number: int) -> object:
    if number > 3:
        raise HTTPException(404, "no such thing")
    if number < 0:
        raise HTTPException(400, f"{number} is negative")
    return JSONResponse({"error": "busy"}, status_code=503)


@app.get("/b/{number}")
def second(number: int) -> object:
    if number > 3:
        raise HTTPException(404, detail={"code": "missing", "message": "no such thing"})
    if number < 0:
        raise HTTPException(400, detail={"code": "negative", "message": "negative"})
    return JSONResponse(status_code=503, content={"error": "busy"})
