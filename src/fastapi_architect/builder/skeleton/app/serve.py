"""Serves the API in production: `python -m app.serve`. One process a container; replicas scale."""

from app.components.service import ServeSettings, serve
from app.main import create_app

if __name__ == "__main__":
    serve(create_app(), ServeSettings())
