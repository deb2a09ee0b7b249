"""Pages of every site may use this API with the visitor's own cookies and read what it answers.

With `allow_credentials=True` Starlette does not send `*`: it copies the caller's Origin into the answer. So `*`
means every site, with cookies.

Known limits: origins are known as far as literals, constants and the defaults of settings tell. An application that
uses no cookie, session or basic authentication anywhere is reported as minor: a browser sends nothing along there. So is
one whose cookies are all SameSite=Lax, which is Starlette's default, or Strict, and tentative: only pages of the same site take
them along.
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from fastapi_architect.analyses.cors import CorsPolicy, ambient_credential, cors_policies
from fastapi_architect.concepts.http import CookieSet
from fastapi_architect.rules.kit import (
    AppGraph,
    Application,
    Confidence,
    Context,
    Finding,
    Proof,
    Rule,
    Severity,
    steps,
)

rule = Rule(
    __name__,
    "CORS lets every site in with the visitor's cookies",
    severity=Severity.IMPORTANT,
    cwe=942,
    cvss="AV:N/AC:L/PR:N/UI:R/S:U/C:H/I:H/A:N",
    references=(
        "https://fastapi.tiangolo.com/tutorial/cors/#wildcards",
        "https://developer.mozilla.org/en-US/docs/Web/HTTP/Guides/CORS#credentialed_requests_and_wildcards",
    ),
)


@rule.check(per=Application)
def wildcard_with_credentials(application: Application, graph: AppGraph) -> Iterator[Finding]:
    for policy in cors_policies(application, graph):
        if policy.credentials and policy.any_origin:
            ambient = ambient_credential(application, graph)
            finding = _finding(policy, application, ambient)
            # Somebody saw to it that the cookies stay on their own site.
            confined = not ambient and any(c.scope.module.kind == "source" for c in graph.facts(CookieSet))
            yield replace(finding, confidence=Confidence.TENTATIVE) if confined else finding


def _finding(policy: CorsPolicy, application: Application, ambient: str) -> Finding:
    name = application.name if application.name.isidentifier() and "__" not in application.name else "app"
    sent = ambient or "whatever a browser sends by itself"
    pattern = 'allow_origins=["*"]' if "*" in policy.origins else f'allow_origin_regex="{policy.regex}"'
    reads = (
        "a page of any site reads its answers with the visitor's cookies"
        if ambient
        else "no credential that travels between sites was found, but the first one lets a page of any site read its answers"
    )
    finding = rule.at(
        policy.middleware,
        f"`{name}` allows every origin ({pattern}) together with credentials: {reads}.",
        "List the origins of your own pages, or give up credentials:\n"
        "```python\n# Bad\n"
        f"{name}.add_middleware(CORSMiddleware, {pattern}, allow_credentials=True)\n"
        "# Good\n"
        f'{name}.add_middleware(CORSMiddleware, allow_origins=["https://app.example.com"], allow_credentials=True)\n'
        "```",
        reasoning=f"CORSMiddleware copies the caller's Origin into Access-Control-Allow-Origin; {sent} goes along.",
        exploit=f"https://evil.example fetches an address of `{name}` with {sent} and reads the answer.",
        confidence=Confidence.CERTAIN
        if policy.written and not policy.middleware.conditional
        else Confidence.FIRM,
        trace=steps((application, f"the application {name}"), (policy.middleware, pattern)),
        context=Context(access=None, writes=True),
    )
    return finding if ambient else replace(finding, severity=Severity.MINOR)


rule.bad = """
    from fastapi import FastAPI, Request, Response
    from fastapi.middleware.cors import CORSMiddleware

    app = FastAPI()
    app.add_middleware(CORSMiddleware, allow_origins=["*"], allow_credentials=True)  # finding: cors-wildcard-with-credentials

    @app.get("/me")
    def read_me(request: Request) -> dict[str, str]:
        names = {"s3cret": "alice"}
        return {"name": names.get(request.cookies.get("session", ""), "nobody")}

    @app.post("/login")
    def log_in(response: Response) -> None:
        response.set_cookie("session", "s3cret", secure=True, httponly=True, samesite="none")
"""

rule.good = """
    from fastapi import FastAPI, Request, Response
    from fastapi.middleware.cors import CORSMiddleware

    app = FastAPI()
    app.add_middleware(CORSMiddleware, allow_origins=["https://app.example.com"], allow_credentials=True)

    @app.get("/me")
    def read_me(request: Request) -> dict[str, str]:
        names = {"s3cret": "alice"}
        return {"name": names.get(request.cookies.get("session", ""), "nobody")}

    @app.post("/login")
    def log_in(response: Response) -> None:
        response.set_cookie("session", "s3cret", secure=True, httponly=True, samesite="none")
"""


@rule.exploit
def another_site_reads_the_account(proof: Proof) -> None:
    """A page of https://evil.example is allowed to read /me with the visitor's session cookie."""
    headers = {"Origin": "https://evil.example", "Cookie": "session=s3cret"}
    answer = proof.client.get("/me", headers=headers)
    assert answer.json() == {"name": "alice"}
    assert answer.headers.get("access-control-allow-origin") == "https://evil.example"
    assert answer.headers.get("access-control-allow-credentials") == "true"
