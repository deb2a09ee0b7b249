"""Both routers."""

import shown
import stored
from fastapi import FastAPI

app = FastAPI()
app.include_router(shown.router)
app.include_router(stored.router)
