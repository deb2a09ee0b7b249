"""`ask` with a model: the persona as instructions, the workbench as tools, the checker as the judge of every answer.

The only file that imports pydantic-ai. Whatever leaves this machine passes `wire.WatchedClient`.
"""

from __future__ import annotations

import asyncio
import inspect
import ipaddress
import os
import urllib.parse
from collections.abc import Callable, Sequence
from typing import Any

import httpx2
import msgspec
from pydantic_ai import Agent, ModelRetry, RunContext, Tool
from pydantic_ai.exceptions import (
    AgentRunError,
    ModelAPIError,
    ModelAuthenticationError,
    ModelConnectionError,
    ModelHTTPError,
    ModelNotFoundError,
    ModelQuotaExceededError,
    ModelRateLimitError,
    ModelTimeoutError,
    RunTimedOut,
    UnexpectedModelBehavior,
    UsageLimitExceeded,
    UserError,
)
from pydantic_ai.models import Model, infer_model
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.providers import Provider, infer_provider_class
from pydantic_ai.providers.openai_compatible import OpenAICompatibleProvider
from pydantic_ai.usage import UsageLimits

from fastapi_architect.persona.answer import Answer
from fastapi_architect.persona.checker import check_text
from fastapi_architect.persona.evidence import Evidence
from fastapi_architect.persona.hands import Hands
from fastapi_architect.persona.instructions import instructions
from fastapi_architect.persona.judged import Wrong
from fastapi_architect.persona.pending import Change
from fastapi_architect.persona.tools import Tools
from fastapi_architect.persona.wire import SecretWouldLeave, WatchedClient
from fastapi_architect.workbench.workspace import Workspace

#: The key of a server that was named by its address; a provider's own key is never sent to one.
KEY_OF_SERVER = "ARCHITECT_ASK_API_KEY"
#: How often the model may mend an answer that breaks a promise.
MENDINGS = 2
_CONNECT = 10.0


class AskError(Exception):
    """The model cannot be asked, or did not answer; the message names the next step."""


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """Bounds of one conversation.

    Attributes:
        tool_calls: calls of tools.
        requests: requests to the model.
        tokens: of requests and answers together.
        seconds: for all of it.
    """

    tool_calls: int = 30
    requests: int = 20
    tokens: int = 400_000
    seconds: float = 300.0


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What a model answered.

    Attributes:
        answer: the six parts; None where the last text has not got them.
        text: as the model wrote it.
        wrong: promises that the last text breaks; empty: it was checked and keeps them all.
        changes: planned, none of them made.
        tools: names of the tools that were called.
        requests: to the model.
        tokens: of requests and answers together.
    """

    answer: Answer | None
    text: str
    wrong: tuple[Wrong, ...]
    changes: tuple[Change, ...]
    tools: tuple[str, ...]
    requests: int
    tokens: int


def ask_model(
    workspace: Workspace,
    request: str,
    model: Model,
    *,
    hands: Hands | None = None,
    limits: Limits | None = None,
) -> Asked:
    """Ask a model, with the project's facts at its hands.

    Args:
        workspace: the project.
        request: in plain English.
        model: which one; `model_named` and `model_at` make those that redact what they send.
        hands: those with which the redaction was made, so that the project is read once.
        limits: of the conversation.

    Raises:
        AskError: the model did not answer; the message names the next step.
        WorkbenchError: the project's configuration has no meaning.
    """
    hands = hands or Hands(workspace)
    redaction = hands.redaction
    hands.learn(Evidence(request=" ".join(request.split())))
    tools = Tools(hands)
    bounds = limits or Limits()
    last: list[tuple[Answer | None, str, tuple[Wrong, ...]]] = []
    agent: Agent[None, str] = Agent(
        model,
        output_type=str,
        instructions=instructions(),
        tools=[_tool(each) for each in tools.all()],
        retries={"tools": 3, "output": MENDINGS + 1},
        deps_type=type(None),
        name="architect",
    )

    @agent.output_validator
    def keeps_its_promises(context: RunContext[None], text: str) -> str:
        del context
        answer, wrong = check_text(text, hands.evidence, redaction=redaction)
        last.append((answer, text, tuple(wrong)))
        if wrong and len(last) <= MENDINGS:
            told = "\n".join(f"- {each}" for each in wrong)
            message = f"The answer breaks promises. Mend all of them and answer anew, whole:\n{told}"
            raise ModelRetry(message)
        return text

    try:
        result = asyncio.run(
            agent.run(
                request,
                usage_limits=UsageLimits(
                    request_limit=bounds.requests,
                    tool_calls_limit=bounds.tool_calls,
                    total_tokens_limit=bounds.tokens,
                ),
                timeout=bounds.seconds,
            )
        )
    except Exception as error:
        raise _explained(error, bounds) from error
    answer, text, wrong = last[-1]
    usage = result.usage
    return Asked(
        answer=answer,
        text=text,
        wrong=wrong,
        changes=hands.pending.changes,
        tools=tuple(tools.called),
        requests=usage.requests,
        tokens=usage.total_tokens,
    )


def _tool(function: Callable[..., str]) -> Tool[None]:
    # One after the other: what each answers is evidence, and a review changes the interpreter's limits while it runs.
    return Tool(
        function,
        takes_ctx=False,
        docstring_format="google",
        require_parameter_descriptions=True,
        sequential=True,
    )


# ── models ───────────────────────────────────────────────────────────────────────────────────────────────────────


def model_named(name: str, client: WatchedClient) -> Model:
    """A provider's model, which sends through the client alone.

    Args:
        name: such as openai:gpt-5.2 or anthropic:claude-sonnet-4-5.
        client: redacts what leaves.

    Raises:
        AskError: there is no such provider, its package or key is missing, or it cannot send through the client.
    """
    if ":" not in name:
        message = f"--model {name}: name the provider, too, such as openai:{name}; or a local server: --base-url http://localhost:11434/v1"
        raise AskError(message)

    def provider(provider_name: str) -> Provider[Any]:
        made = infer_provider_class(provider_name)
        if "http_client" not in inspect.signature(made.__init__).parameters:
            message = (
                f"{provider_name} does not let this tool see what it sends, so that no secret could be kept back; "
                "choose another provider, or an OpenAI-compatible address of it with --base-url"
            )
            raise AskError(message)
        make: Any = made
        if client.is_dry:
            try:
                return make(http_client=client)  # type: ignore[no-any-return]
            except Exception:  # each SDK has its own error for a key that is missing
                return make(http_client=client, api_key="dry-run")  # type: ignore[no-any-return]
        return make(http_client=client)  # type: ignore[no-any-return]

    try:
        return infer_model(name, provider)
    except ImportError as error:
        message = f"--model {name}: the provider's package is missing: {error}"
        raise AskError(message) from error
    except AskError:
        raise
    except Exception as error:  # each SDK has its own error for a key that is missing
        message = f"--model {name}: {_first_line(error)}"
        raise AskError(message) from error


def model_at(address: str, name: str, client: WatchedClient) -> Model:
    """A model of a server that speaks the OpenAI protocol.

    Args:
        address: such as http://localhost:11434/v1.
        name: of the model there.
        client: redacts what leaves.

    Raises:
        AskError: the address has no meaning.
    """
    checked_address(address)
    provider = OpenAICompatibleProvider(
        "server",
        base_url=address,
        api_key=os.environ.get(KEY_OF_SERVER) or "none",
        http_client=client,
    )
    return OpenAIChatModel(name.removeprefix("openai:"), provider=provider)


def client_for(
    hands: Hands, *, model: str = "", address: str = "", dry: bool = False, seconds: float = 300.0
) -> WatchedClient:
    """The client through which everything leaves.

    Args:
        hands: know the secrets of the project.
        model: as it was named; its name is told to its server, whatever a setting says.
        address: of the server, "" for a provider's own: a server on this machine is asked without a proxy.
        dry: keep the first request and send nothing.
        seconds: that one answer may take.
    """
    return WatchedClient(
        hands.redaction.without(model, model.partition(":")[2], address),
        dry=dry,
        timeout=httpx2.Timeout(seconds, connect=_CONNECT),
        trust_env=not is_loopback(address),
    )


def checked_address(address: str) -> urllib.parse.SplitResult:
    """The address of a server.

    Raises:
        AskError: it is none, or what is sent could be read on the way.
    """
    try:
        parts = urllib.parse.urlsplit(address)
        _ = parts.port
    except ValueError as error:
        message = f"--base-url {address}: {error}"
        raise AskError(message) from error
    if parts.scheme not in ("http", "https") or not parts.hostname:
        message = f"--base-url {address}: that is no address; name one such as http://localhost:11434/v1"
        raise AskError(message)
    if parts.username or parts.password:
        message = f"--base-url: take the credential out of the address, and set {KEY_OF_SERVER}"
        raise AskError(message)
    if parts.scheme == "http" and not is_loopback(address) and not _is_private(parts.hostname):
        message = f"--base-url {address}: everybody on the way could read the project's code; use https"
        raise AskError(message)
    return parts


def is_loopback(address: str) -> bool:
    """The server is on this machine."""
    host = urllib.parse.urlsplit(address).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def _is_private(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_private
    except ValueError:
        return "." not in host  # a name without a domain lies in the own network: a container's, for example


# ── errors ───────────────────────────────────────────────────────────────────────────────────────────────────────


def _explained(error: Exception, limits: Limits) -> Exception:
    """An error of a provider or a limit as what a person can do about it; what is no such error stays."""
    held: BaseException | None = error
    while held is not None:
        if isinstance(held, SecretWouldLeave):
            return AskError(str(held))
        held = held.__cause__ or held.__context__
    for kind, told in _TOLD:
        if isinstance(error, kind):
            return AskError(told.format(error=_first_line(error), limits=limits, after=_after(error)))
    if isinstance(error, ModelHTTPError):
        return AskError(
            f"the model's server answered {error.status_code}: {_first_line(error)}; try again, or another model"
        )
    if isinstance(error, ModelAPIError | UnexpectedModelBehavior):
        return AskError(
            f"the model's server gave an answer that cannot be read: {_first_line(error)}; try again, or another model. "
            "Without a model: leave --model and --base-url out"
        )
    if isinstance(error, AgentRunError | UserError):
        return AskError(f"the model could not be asked: {_first_line(error)}")
    return error


_REFUSED = (
    f"the provider refused the credential ({{error}}); set the provider's key in the environment, such as OPENAI_API_KEY or "
    f"ANTHROPIC_API_KEY, or {KEY_OF_SERVER} for --base-url"
)
_EMPTY = (
    "the account with the provider has nothing left ({error}); look at its billing, or use another provider"
)
_OFTEN = "the provider is asked too often ({error}); wait{after} and ask again, or use another model"
_NO_MODEL = "the provider knows no such model ({error}); name one of its models: --model provider:name"
_SILENT = "the model's server did not answer in time; raise --timeout, or ask for less"
_AWAY = (
    "the model's server cannot be reached ({error}); is it running, and is --base-url right? "
    "Without a model: leave both options out"
)
_LATE = "no answer within {limits.seconds:g} seconds; raise --timeout, or ask for less"
_BOUND = "the conversation reached a limit ({error}); raise --max-tool-calls or --max-tokens, or ask for less"
_TOLD: Sequence[tuple[type[Exception], str]] = (
    (ModelAuthenticationError, _REFUSED),
    (ModelQuotaExceededError, _EMPTY),
    (ModelRateLimitError, _OFTEN),
    (ModelNotFoundError, _NO_MODEL),
    (ModelTimeoutError, _SILENT),
    (ModelConnectionError, _AWAY),
    (RunTimedOut, _LATE),
    (UsageLimitExceeded, _BOUND),
)


def _after(error: Exception) -> str:
    seconds = getattr(error, "retry_after", None)
    return f" {seconds:g} seconds" if isinstance(seconds, int | float) else ""


def _first_line(error: Exception) -> str:
    text = " ".join(str(error).split())
    return text if len(text) <= 300 else text[:297] + "..."
