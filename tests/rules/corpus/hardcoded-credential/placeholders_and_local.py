"""Passwords for the machine itself and its containers, placeholders, examples and templates."""

import os

from fastapi import FastAPI
from sqlalchemy import create_engine

# postgresql://shop:Real-Looking-77@db.bookshop.net/shop was moved to the vault in March
LOCAL = create_engine("postgresql://shop:shopshop9@localhost/shop")
COMPOSED = create_engine("postgresql://shop:shopshop9@database:5432/shop")
EXAMPLE = "postgresql://user:password@db.example.com/name"
TEMPLATE = f"postgresql://{os.environ['DB_USER']}:{os.environ['DB_PASSWORD']}@db.bookshop.net/shop"
CLONED = "https://oauth2:my-token@gitlab.com/org/repo.git"
POSTHOG_API_KEY = os.getenv("POSTHOG_API_KEY", "phc_Zq8Lw3Rt6Yp1Nx4Vb7Kd2Mf5Hj9Gs0Ac8Te3Wu6Qi1")
DOCUMENTED = "AKIAIOSFODNN7EXAMPLE"
app = FastAPI()
