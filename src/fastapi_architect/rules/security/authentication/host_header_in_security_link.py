"""A link that opens an account stands on the host that whoever asked has named.

`request.base_url` and `request.url_for(...)` repeat the Host header, and `X-Forwarded-Host` is a header like any other. Somebody asks
for a new password in the name of a reader, with `Host: evil.example`: the mail is genuine, the link in it leads to a stranger, and
with the click the token is theirs. The address of the site belongs into the settings.

Known limits: links are followed to mail, not to a database, an OAuth redirect or a cache. That something in front refuses unknown
hosts is not seen; `TrustedHostMiddleware` is. Where a configured address goes first the finding is tentative.
An address that an identity provider sends the browser back to (`redirect_uri=`) is left out: the provider knows the registered ones.
"""

from __future__ import annotations

from collections.abc import Iterator

from fastapi_architect.analyses.host_links import HostLink, host_links
from fastapi_architect.analyses.own_code import written
from fastapi_architect.rules.kit import (
    AppGraph,
    Confidence,
    Context,
    Files,
    Finding,
    Proof,
    Rule,
    Severity,
    dotted_name,
    first_route,
    routes_of,
    steps,
)

rule = Rule(
    __name__,
    "A mailed link stands on the host that the request names",
    severity=Severity.IMPORTANT,
    cwe=640,
    cvss="AV:N/AC:L/PR:N/UI:R/S:U/C:H/I:H/A:N",
    references=(
        "https://cheatsheetseries.owasp.org/cheatsheets/Forgot_Password_Cheat_Sheet.html",
        "https://portswigger.net/web-security/host-header/exploiting/password-reset-poisoning",
    ),
)


@rule.check(per=AppGraph)
def a_client_names_the_host_of_a_link(graph: AppGraph, _: AppGraph) -> Iterator[Finding]:
    for link in host_links(graph):
        yield _finding(link, graph)


def _finding(link: HostLink, graph: AppGraph) -> Finding:
    text = written(graph, link.function, link.source)
    route = first_route(link.operations, link.function.name)
    sends = dotted_name(link.sends.node.func)
    return rule.at(
        link.function.location(link.source),
        f"`{link.function.name}` puts a link on the host that `{text}` names, and `{sends}()` mails it.",
        "Take the address of the site from the settings, and refuse other hosts:\n"
        "```python\n"
        'link = f"{settings.site_url}/reset?token={token}"\n\n'
        'app.add_middleware(TrustedHostMiddleware, allowed_hosts=["www.example.com"])\n```',
        reasoning=f"`{text}` repeats a header of the request. No middleware of the application compares it with a list.",
        exploit=f"{route} with `Host: evil.example` mails somebody else a link to evil.example with their token in it.",
        confidence=Confidence.TENTATIVE if link.is_fallback else Confidence.FIRM,
        trace=steps(
            (link.function.location(link.source), "the host comes from the request"),
            *((hop, "and goes on") for hop in link.hops),
            (link.sends, "the link is mailed"),
        ),
        routes=routes_of(link.operations),
        symbol=link.function.full_name,
        context=Context(writes=True),
    )


_MAIN = """
    from fastapi import FastAPI, Request

    import mail
%s
    app = FastAPI()
    TOKENS: dict[str, str] = {}

    @app.post("/password-resets")
    def reset(email: str, request: Request) -> None:
        TOKENS[email] = "t0ken"
        link = %s
        mail.send_reset_mail(email, link)
"""

_MAIL = """
    import smtplib
    from email.message import EmailMessage

    def send_reset_mail(address: str, link: str) -> None:
        message = EmailMessage()
        message["To"] = address
        message.set_content(f"Choose a new password: {link}")
        with smtplib.SMTP("mail.shop.example", timeout=5) as server:
            server.send_message(message)
"""

rule.bad = Files(
    {
        "main.py": _MAIN
        % ("", 'f"{request.base_url}reset?token={TOKENS[email]}"  # finding: host-header-in-security-link'),
        "mail.py": _MAIL,
    }
)

rule.good = Files(
    {
        "main.py": _MAIN % ('\n    SITE = "https://shop.example/"', 'f"{SITE}reset?token={TOKENS[email]}"'),
        "mail.py": _MAIL,
    }
)


@rule.exploit
def a_reset_leads_to_a_stranger(proof: Proof) -> None:
    """A reset that is asked for with another Host header mails a link to that host."""
    sent = proof.spy("mail:send_reset_mail")
    proof.client.post(
        "/password-resets", params={"email": "reader@shop.example"}, headers={"Host": "evil.example"}
    )
    assert sent[0].args[1].startswith("http://evil.example/reset?token=")
