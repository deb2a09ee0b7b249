import sqlite3

import aiosqlite
import asyncpg
import psycopg
import psycopg2
from motor.motor_asyncio import AsyncIOMotorClient
from pymongo import MongoClient


def synchronous(name: str):
    with psycopg.connect("x") as connection:  # $ BlockingCall kind=database; ConnectionOpen managed
        with connection.cursor() as cursor:
            cursor.execute(f"select {name}")  # $ BlockingCall kind=database; SqlExecution raw
            cursor.fetchall()  # $ BlockingCall kind=database; RowFetch kind=all
        connection.commit()  # $ BlockingCall kind=database; Commit
    old = psycopg2.connect("x")  # $ BlockingCall kind=database; ConnectionOpen
    old.cursor().execute("select %s", (name,))  # $ BlockingCall kind=database; SqlExecution raw parameters=(name,)
    sqlite3.connect("x").execute("select 1").fetchone()  # $ BlockingCall kind=database; BlockingCall kind=database; BlockingCall kind=database; ConnectionOpen; RowFetch kind=first may_be_none; SqlExecution raw
    MongoClient("x")["db"]["users"].find_one({"name": name})  # $ BlockingCall kind=database; ClientCreation kind=mongo; DocumentOperation operation=find_one


async def asynchronous(name: str):
    pool = await asyncpg.create_pool("x")  # $ EngineCreation is_async kind=pool
    async with pool.acquire() as connection:  # $ ConnectionOpen is_async managed
        await connection.fetch(f"select {name}")  # : list[Record]  # $ SqlExecution is_async raw
        await connection.execute("select 1", name)  # $ SqlExecution is_async raw parameters=name
    async with aiosqlite.connect("x") as database:  # $ ConnectionOpen is_async managed
        await database.execute("select 1")  # $ SqlExecution is_async raw
        await database.commit()  # $ Commit is_async
    client = AsyncIOMotorClient("x")  # $ ClientCreation kind=mongo is_async
    await client["db"]["users"].insert_one({})  # $ DocumentOperation is_async operation=insert_one query={} writes
    await client.db.users.find_one({})  # $ DocumentOperation is_async operation=find_one query={}


def untyped(cursor, conn):
    cursor.execute("select 1")  # $ SqlExecution sure=False raw
    conn.fetchrow("select 1")  # $ SqlExecution sure=False raw
