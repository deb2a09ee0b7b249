"""`architect explain RULE --prove` tells in words what happened on both examples."""

from __future__ import annotations

import importlib.util
import io
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from fastapi_architect.proving.prove import cannot_run, narrate, prove
from fastapi_architect.rules.kit import Rule

TEXT = '''
"""A made-up rule."""

from fastapi_architect.rules.kit import Rule, Severity

rule = Rule(__name__, "Anybody reads the note", severity=Severity.CRITICAL{more})

rule.bad = """
    from fastapi import FastAPI

    app = FastAPI()

    @app.get("/note")
    def note() -> str:
        return "secret"
"""

rule.good = """
    from fastapi import FastAPI, HTTPException

    app = FastAPI()

    @app.get("/note")
    def note() -> str:
        raise HTTPException({status})
"""


@rule.exploit
def a_stranger_reads_it(proof):
    """An anonymous GET is answered
    with the note."""
    assert proof.client.get("/note").status_code == 200
'''


@pytest.fixture
def made(tmp_path: Path) -> Iterator[object]:
    names = []

    def make(more: str = "", status: str = "401", change: tuple[str, str] = ("", "")) -> Rule:
        name = f"made_up_{len(names)}"
        path = tmp_path / f"{name}.py"
        path.write_text(TEXT.format(more=more, status=status).replace(*change))
        spec = importlib.util.spec_from_file_location(name, path)
        assert spec is not None
        assert spec.loader is not None
        sys.modules[name] = module = importlib.util.module_from_spec(spec)
        names.append(name)
        spec.loader.exec_module(module)
        rule: Rule = module.rule
        return rule

    yield make
    for name in names:
        del sys.modules[name]


def told(rule: Rule) -> tuple[bool, str]:
    stream = io.StringIO()
    return narrate(rule, stream), stream.getvalue()


def test_a_rule_that_keeps_its_promise(made) -> None:
    well, text = told(made())

    assert well
    assert text == (
        "made-up-0: Anybody reads the note\n"
        "The exploit: An anonymous GET is answered with the note.\n\n"
        "On the bad example: the exploit worked, as it should.\n"
        "On the good example: the exploit failed, as it should "
        '(assert proof.client.get("/note").status_code == 200).\n'
    )


def test_a_good_example_that_is_open_to_the_attack(made) -> None:
    well, text = told(made(status="200"))

    assert not well
    assert text.endswith("On the good example: the exploit worked, which it should NOT.\n")


def test_an_example_that_cannot_even_start(made) -> None:
    well, text = told(made(change=("from fastapi import FastAPI\n", "from fastapi import FastAPY\n")))

    assert not well
    assert (
        "On the bad example: the exploit could not be judged: error: ImportError: cannot import name" in text
    )
    assert "Traceback" in text


def test_a_missing_package_is_named_with_what_to_install(made) -> None:
    well, text = told(made(', requires=("no-such-package",)'))

    assert not well
    assert "it cannot run: the example needs no-such-package: pip install no-such-package" in text


def test_versions_that_are_not_installed_make_a_rule_unsuitable(made) -> None:
    rule = made(', versions={"fastapi": "<0.1"}')
    obstacle = cannot_run(rule)

    assert obstacle is not None
    assert obstacle.kind == "unsuitable"
    assert obstacle.message.startswith("the example is about fastapi <0.1; installed is 0.")
    assert prove(rule, "bad") == obstacle


def test_without_the_web_stack_the_extra_is_named(made, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fastapi_architect.proving.prove._STACK", ("fastapi", "not-here-at-all"))
    monkeypatch.setattr("fastapi_architect.proving.prove._version", lambda name: None)
    well, text = told(made())

    assert not well
    assert "pip install 'fastapi-architect[prove]'" in text


def test_a_rule_without_run_time_effect_says_why(made) -> None:
    rule = made(', no_proof="names are read by people only"')
    rule.demonstration = None
    well, text = told(rule)

    assert well
    assert text.endswith("There is nothing to run: names are read by people only\n")
    with pytest.raises(ValueError, match="names are read by people only"):
        prove(rule, "bad")


def test_the_fixed_example_has_to_be_given(made) -> None:
    with pytest.raises(ValueError, match="has to be given"):
        prove(made(), "fixed")
