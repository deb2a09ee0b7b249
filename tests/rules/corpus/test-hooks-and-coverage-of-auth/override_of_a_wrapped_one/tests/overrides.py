"""Overrides."""

from main import app, get_session, get_url

app.dependency_overrides[get_url] = lambda: "sqlite:///test.db"
app.dependency_overrides[get_session] = lambda: "session"
