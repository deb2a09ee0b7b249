"""What runs when a method is called that subclasses override."""

from __future__ import annotations

from tests.appgraph.sample import program_of

from fastapi_architect.program.definitions import Function
from fastapi_architect.program.program import Program

HEAD = """
from abc import ABC, abstractmethod
class Store(ABC):
    @abstractmethod
    def put(self, name):
        {body}
class Disk(Store):
    def put(self, name):
        return open(name)
def save(store: Store):
    store.put("a")
"""


def run_by_save(program: Program) -> list[str]:
    """Qualified names of what `save` may run."""
    save = next(f for f in program.functions if isinstance(f, Function) and f.name == "save")
    (site,) = save.facts.calls
    return sorted(target.qualname for target in program.calls.targets(site))


def test_a_method_that_is_only_there_to_be_overridden_does_not_run():
    for body in ('"""Puts."""', "...", "pass", "raise NotImplementedError"):
        assert run_by_save(program_of(HEAD.format(body=body))) == ["Disk.put"]


def test_a_method_with_work_of_its_own_runs_too():
    assert run_by_save(program_of(HEAD.format(body="return self.root / name"))) == ["Disk.put", "Store.put"]


def test_a_method_that_nobody_overrides_is_all_there_is():
    alone = HEAD.format(body="...").replace("class Disk(Store):", "class Disk:")
    assert run_by_save(program_of(alone)) == ["Store.put"]


def test_what_a_test_puts_in_place_does_not_run_in_the_service():
    fake = """
    from store import Store
    class Fake(Store):
        def put(self, name):
            return name
    """
    files = {"store.py": HEAD.format(body="..."), "tests/test_store.py": fake}
    program = program_of(files, {"tests/test_store.py": "test"})
    assert run_by_save(program) == ["Disk.put"]
