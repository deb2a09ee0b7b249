"""Bodies without a shape, fields that are declared open, and what can be no operator."""

from typing import Annotated, Any

from bson import ObjectId
from fastapi import Body, Depends, FastAPI, Request
from motor.motor_asyncio import AsyncIOMotorClient, AsyncIOMotorCollection
from pydantic import BaseModel

app = FastAPI()
database = AsyncIOMotorClient("mongodb://localhost").shop


def accounts() -> AsyncIOMotorCollection:
    return database.accounts


Accounts = Annotated[AsyncIOMotorCollection, Depends(accounts)]


class Login(BaseModel):
    name: str
    password: str


class Search(BaseModel):
    author: str
    price: Any = None
    filter: dict[str, Any] = {}


class Labels(BaseModel):
    labels: dict[str, str] = {}


@app.post("/logins-by-json")
async def by_json(request: Request):
    body = await request.json()
    return await database.accounts.find_one({"name": body["name"], "password": body["password"]})  # finding: nosql-operator-injection


@app.post("/searches")
async def search(search: Search):
    return await database.books.find(search.filter).to_list(20)  # finding: nosql-operator-injection


@app.post("/prices")
async def prices(search: Search, books: Accounts):
    return await find_books(books, {"price": search.price})


async def find_books(books: AsyncIOMotorCollection, wanted: dict):
    return await books.find_one(wanted)  # finding: nosql-operator-injection


@app.post("/logins")
async def log_in(login: Login, accounts: Accounts):
    return await accounts.find_one({"name": login.name, "password": login.password})  # silent: texts


@app.post("/equal")
async def equal(wanted: Annotated[dict, Body()]):
    return await database.accounts.find_one({"name": {"$eq": wanted["name"]}})  # silent: compared as it is


@app.post("/converted")
async def converted(wanted: Annotated[dict, Body()]):
    found = await database.accounts.find_one({"name": str(wanted["name"])})  # silent: a text
    return found or await database.accounts.find_one({"_id": ObjectId(wanted["id"])})  # silent: an identifier


@app.get("/books/{author}")
async def books_of(author: str, title: str = ""):
    return await database.books.find_one({"author": author, "title": title})  # silent: what stands in an address is text


@app.post("/books")
async def add(book: Annotated[dict, Body()]):
    await database.books.insert_one(book)  # silent: no filter


@app.post("/labels")
async def by_label(labels: Labels):
    return await database.books.find_one({"colour": labels.labels["colour"]})  # silent: each is a text
