"""Routers reach the application through a list in a package, an alias and a factory; one module is a leftover."""

from fastapi import FastAPI

from routes import ALL

app = FastAPI()
for each in ALL:
    app.include_router(each)
