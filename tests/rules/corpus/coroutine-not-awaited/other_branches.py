"""What is no coroutine in this branch, and what stands in a branch that never runs."""

from fastapi import FastAPI

app = FastAPI()


class Transaction:
    def commit(self) -> bool:
        return True


class AsyncTransaction:
    children: "list[AsyncTransaction]"

    async def read(self) -> str:
        return ""

    async def finish(self) -> None:
        for child in self.children:
            if isinstance(child, AsyncTransaction):
                await child.commit()
            else:
                child.commit()
        for child in self.children:
            if isinstance(child, Transaction):
                continue
            else:
                child.commit()  # finding: coroutine-not-awaited

    async def commit(self) -> bool:
        if False and self.children:
            self.read()
        if self.children and True:
            self.read()  # finding: coroutine-not-awaited
        return True


@app.post("/finish")
async def finish() -> None:
    await AsyncTransaction().finish()
