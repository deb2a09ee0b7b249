"""Passwords for the machine itself and its containers, placeholders, examples and templates."""

import os

from fastapi import FastAPI
from sqlalchemy import create_engine

# postgresql://shop:Real-Looking-77@db.bookshop.net/shop was moved to the vault in March
LOCAL = create_engine("postgresql://shop:shopshop9@localhost/shop")
COMPOSED = create_engine("postgresql://shop:shopshop9@database:5432/shop")
EXAMPLE = "postgresql://user:password@db.example.com/name"
TEMPLATE = f"postgresql://{os.environ['DB_USER']}:{os.environ['DB_PASSWORD']}@db.bookshop.net/shop"
DOCUMENTED = "AKIAIOSFODNN7EXAMPLE"
app = FastAPI()
