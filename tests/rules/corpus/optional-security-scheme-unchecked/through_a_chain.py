"""The credential goes through a dependency that only passes it on; and once it is dropped at once."""

from typing import Annotated

from fastapi import Depends, FastAPI
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer, OAuth2PasswordBearer

bearer = HTTPBearer(auto_error=False)
password = OAuth2PasswordBearer(tokenUrl="token", auto_error=False)


def credentials(found: Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)]) -> HTTPAuthorizationCredentials | None:
    return found


app = FastAPI()


@app.delete("/books/{book_id}")
async def delete_book(book_id: int, caller=Depends(credentials)) -> int:  # finding: optional-security-scheme-unchecked
    return book_id


@app.post("/books", dependencies=[Depends(password)])
async def create_book(title: str) -> str:  # finding: optional-security-scheme-unchecked
    return title
