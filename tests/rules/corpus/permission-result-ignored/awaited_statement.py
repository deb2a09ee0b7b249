"""The check is awaited, and its answer is thrown away all the same."""

from fastapi import FastAPI


class Pages:
    async def can_edit(self, user: str, page: int) -> bool:
        return user == "alice" and page > 0


pages = Pages()
app = FastAPI()


@app.put("/pages/{page}")
async def replace_page(page: int, user: str) -> str:
    await pages.can_edit(user, page)  # finding: permission-result-ignored
    return "replaced"
