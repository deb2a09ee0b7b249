"""A 4xx about what could not be built from the request, and the same around a query, a fetch, or as a 500."""

import httpx
from fastapi import FastAPI, HTTPException
from pydantic import BaseModel
from sqlalchemy import create_engine, text

engine = create_engine("postgresql://db/shapes")
app = FastAPI()


class Shape(BaseModel):
    kind: str
    points: list[float]


class Outline:
    def __init__(self, kind: str, points: list[float]) -> None:
        self.kind = kind
        self.points = points

    @classmethod
    def from_shape(cls, shape: Shape) -> "Outline":
        if shape.kind not in ("line", "area"):
            raise LookupError(f"Unknown kind: {shape.kind}")
        return cls(shape.kind, [point / len(shape.points) for point in shape.points])


def described(outline: Outline) -> dict[str, object]:
    return {"filter": {"kind": outline.kind, "length": len(outline.points)}}


def stored(outline: Outline) -> dict[str, object]:
    with engine.connect() as connection:
        return dict(connection.execute(text("SELECT 1")).one())


def looked_up(outline: Outline) -> str:
    return httpx.get("http://shapes.internal/kinds", timeout=2).text


@app.post("/outlines")
async def outline(shape: Shape) -> dict[str, object]:
    try:
        made = Outline.from_shape(shape)
        query = described(made)
    except Exception as exc:
        raise HTTPException(400, detail=f"This shape cannot be used: {exc}")
    return query


@app.post("/outlines/failed")
async def outline_that_fails(shape: Shape) -> dict[str, object]:
    try:
        made = Outline.from_shape(shape)
        query = described(made)
    except Exception as exc:
        raise HTTPException(500, detail=str(exc))  # finding: exception-text-returned-to-client
    return query


@app.post("/outlines/stored")
def outline_that_is_stored(shape: Shape) -> dict[str, object]:
    try:
        return stored(Outline.from_shape(shape))
    except Exception as exc:
        raise HTTPException(400, detail=str(exc))  # finding: exception-text-returned-to-client


@app.post("/outlines/known")
def outline_that_is_known(shape: Shape) -> str:
    try:
        return looked_up(Outline.from_shape(shape))
    except Exception as exc:
        raise HTTPException(422, detail=str(exc))  # finding: exception-text-returned-to-client


@app.post("/outlines/borrowed")
def outline_of_elsewhere(shape: Shape, library) -> str:
    try:
        return library.fetch_outline(shape.kind)
    except Exception as exc:
        raise HTTPException(400, detail=str(exc))  # finding: exception-text-returned-to-client
