"""S299, S301: how something should be structured. The code of the answer is run."""

from __future__ import annotations

from tests.stories.conftest import Story

TENANTS = """
from uuid import uuid4
from sqlalchemy import create_engine, event, inspect
from sqlalchemy.orm import Session
from app.projects.models import Base, Organisation, Project

engine = create_engine("sqlite://")
Base.metadata.create_all(engine)
with Session(engine) as session:
    acme = Organisation(name="Acme")
    session.add(acme)
    session.flush()
    session.add(Project(tenant_id=acme.id, name="Shop"))
    session.commit()
indexes = inspect(engine).get_indexes("projects")
print(sorted(column for index in indexes for column in index["column_names"]))
"""

RESULTS = """
from sqlalchemy import create_engine, inspect
from sqlalchemy.orm import Session
from app.models import Base, User
from app.new_models import Report, ScanResult

engine = create_engine("sqlite://")
Base.metadata.create_all(engine)
with Session(engine) as session:
    user = User(email="ada@example.com")
    session.add(user)
    session.flush()
    session.add_all([ScanResult(user_id=user.id), Report(user_id=user.id, title="t", body="b")])
    session.commit()
found = inspect(engine)
print(sorted(found.get_table_names()))
print([key["referred_table"] for name in ("scan_results", "reports") for key in found.get_foreign_keys(name)])
"""


def test_s299_a_multi_tenant_saas_gets_options_a_layout_and_models_that_work(story: Story) -> None:
    found = story.ask("How should I structure a multi-tenant SaaS?")

    for option in ("row-level security", "A schema for each tenant", "A database for each tenant"):
        assert option in found.answer.part("approach")
    assert ["new", "my-saas", "--preset", "saas"] in story.commands(found)
    story.write_blocks(found)
    assert story.python(TENANTS) == "['created_at', 'tenant_id']"


def test_s301_models_for_users_results_and_reports_fit_to_what_is_there(shop: Story) -> None:
    found = shop.ask("I need database models for users, scan results and reports.")

    assert "There already, and left as they are: `users`" in found.answer.part("context")
    shop.write_blocks(found)
    tables, references = shop.python(RESULTS).splitlines()
    assert tables == "['items', 'orders', 'products', 'reports', 'scan_results', 'users']"
    assert references == "['users', 'users']"
