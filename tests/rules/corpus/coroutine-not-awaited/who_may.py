"""A check of who may do what that is not awaited is the business of another rule."""

from fastapi import FastAPI, HTTPException

app = FastAPI()


async def can_edit(user_id: int) -> bool:
    return user_id == 1


async def visible(user_id: int) -> bool:
    return user_id == 1


@app.delete("/books/{book_id}")
async def delete_book(book_id: int, user_id: int) -> None:
    if not can_edit(user_id):
        raise HTTPException(404)
    if not visible(user_id):
        raise HTTPException(status_code=403)
