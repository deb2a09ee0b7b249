"""A developer's runner at the end of the file."""

import uvicorn
from fastapi import FastAPI

app = FastAPI()

if __name__ == "__main__":
    uvicorn.run("runner:app", reload=True)
