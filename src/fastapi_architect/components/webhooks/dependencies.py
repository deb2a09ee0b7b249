"""The service on the session of a request."""

from dataclasses import replace
from typing import Annotated

from fastapi import Depends
from fastapi.requests import HTTPConnection

from ..access import CurrentPrincipal
from ..database import SessionDep
from ..service import acts_of, components_of, installed, principal_of
from .rules import HasWebhookEvents, HasWebhookRules, WebhookRules
from .service import WebhookService


async def get_webhook_rules(connection: HTTPConnection) -> WebhookRules:
    """Return the rules of the component, with the events of all other components."""
    rules = installed(connection.app, HasWebhookRules).rules
    types = dict(rules.event_types)
    for component in components_of(connection.app):
        if isinstance(component, HasWebhookEvents):
            types |= component.webhook_events
    return replace(rules, event_types=types)


WebhookRulesDep = Annotated[WebhookRules, Depends(get_webhook_rules)]


async def get_webhook_service(
    connection: HTTPConnection, session: SessionDep, rules: WebhookRulesDep, principal: CurrentPrincipal
) -> WebhookService:
    """Return the service for the caller, on the session of this request.

    The guard of the routes has run before: where it asks for a member, the caller is one of an organisation by now.
    """
    caller = principal_of(connection) or principal
    return WebhookService(session, rules, caller, acts_of(connection.app))


WebhookServiceDep = Annotated[WebhookService, Depends(get_webhook_service)]
