"""Two of three operations give back something that nobody has described."""

from fastapi import APIRouter, FastAPI

router = APIRouter(prefix="/books")


@router.get("")
async def list_books(word: str = ""):
    return [word]


@router.get("/{number}", summary="One book")
async def read_book(number: int):
    return {"number": number}


@router.post("")
async def create_book() -> int:
    return 1


app = FastAPI()  # finding: operation-metadata-missing
app.include_router(router, tags=["books"])
