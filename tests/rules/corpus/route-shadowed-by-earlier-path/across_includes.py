"""The order of two includes decides: the catch-all router comes first and takes the report's path for every
method it has.
"""

from fastapi import APIRouter, FastAPI

pages = APIRouter()
reports = APIRouter(prefix="/reports")


@pages.get("/{page:path}")
def read_page(page: str) -> dict[str, str]:
    return {"page": page}


@reports.get("/{year:int}/totals")
def read_totals(year: int) -> dict[str, int]:  # finding: route-shadowed-by-earlier-path
    return {"year": year}


@reports.post("/{year:int}/totals")
def rebuild_totals(year: int) -> dict[str, int]:
    return {"year": year}


app = FastAPI()
app.include_router(pages)
app.include_router(reports)
