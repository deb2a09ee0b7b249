"""What the rule about pools advises fits the database, so that following it is no new finding."""

from __future__ import annotations

from tests.rules.kit import findings_of, rule_named

from fastapi_architect.rules.kit import files_of

NAME = "pool-capacity-mismatch"
COMPOSE = "services:\n  db:\n    image: postgres:17\n"


def test_the_advice_is_the_share_of_one_process_and_silences_the_rule() -> None:
    rule = rule_named(NAME)
    assert rule is not None
    files = {
        **files_of(rule.bad),
        "Dockerfile": 'CMD ["uvicorn", "main:app", "--workers", "4"]\n',
        "compose.yaml": COMPOSE,
    }
    (found,) = findings_of(files, rule)
    assert "pool_size=22, max_overflow=0" in found.suggestion
    assert "total_tokens = 22" in found.suggestion

    followed = files["main.py"].replace("pool_timeout=0.1", "pool_size=22, max_overflow=0")
    assert findings_of({**files, "main.py": followed}, rule) == []


def test_one_process_may_have_a_connection_for_each_thread() -> None:
    rule = rule_named(NAME)
    assert rule is not None
    (found,) = findings_of({**files_of(rule.bad), "compose.yaml": COMPOSE}, rule)

    assert "pool_size=20, max_overflow=20" in found.suggestion
