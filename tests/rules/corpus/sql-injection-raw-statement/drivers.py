"""Drivers beneath SQLAlchemy take any string."""

import sqlite3

import aiosqlite
import asyncpg
import psycopg
from fastapi import FastAPI

app = FastAPI()


@app.get("/asyncpg")
async def by_asyncpg(name: str):
    connection = await asyncpg.connect("postgresql://localhost/shop")
    await connection.fetch("SELECT * FROM books WHERE name = $1", name)
    return await connection.fetch(f"SELECT * FROM books WHERE name = '{name}'")  # finding: sql-injection-raw-statement


@app.get("/psycopg")
def by_psycopg(name: str):
    with psycopg.connect("postgresql://localhost/shop") as connection, connection.cursor() as cursor:
        cursor.execute("SELECT * FROM books WHERE name = %s", (name,))
        cursor.execute("SELECT * FROM books WHERE name = '%s'" % name)  # finding: sql-injection-raw-statement
        return cursor.fetchall()


@app.get("/sqlite3")
def by_sqlite3(name: str):
    connection = sqlite3.connect("shop.db")
    cursor = connection.cursor()
    cursor.execute("SELECT * FROM books WHERE name = ?", (name,))
    cursor.execute("SELECT * FROM books WHERE name = '{0}'".format(name))  # finding: sql-injection-raw-statement
    return cursor.fetchall()


@app.get("/aiosqlite")
async def by_aiosqlite(name: str):
    async with aiosqlite.connect("shop.db") as connection:
        await connection.execute(f"DELETE FROM books WHERE name = '{name}'")  # finding: sql-injection-raw-statement


@app.get("/cursor")
def by_cursor(name: str, cursor=None):
    cursor.execute(f"SELECT * FROM books WHERE name = '{name}'")  # finding: sql-injection-raw-statement


@app.get("/second")
def second_statement(name: str):
    connection = sqlite3.connect("shop.db")
    row = connection.execute("SELECT code FROM books WHERE name = ?", (name,)).fetchone()
    return connection.execute(f"SELECT * FROM stock WHERE code = '{row[0]}'").fetchall()
