"""Endpoints and their deliveries over HTTP."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, status

from ..database import Page
from ..problem_details import Conflict, Forbidden, InvalidInput, NotFound, problems
from .dependencies import WebhookRulesDep, WebhookServiceDep
from .schemas import (
    CreatedEndpoint,
    DeliveryDetails,
    DeliveryQuery,
    DeliveryRecord,
    EndpointChange,
    EndpointCreation,
    EndpointQuery,
    EndpointRecord,
    EventTypeRecord,
    QueuedMessage,
    RotatedSecret,
)

# It is included together with the guard that the component was made with.
router = APIRouter(tags=["Webhooks"], responses=problems(Forbidden))


@router.get("/webhook-event-types", summary="List event types")
async def list_event_types(rules: WebhookRulesDep) -> list[EventTypeRecord]:
    """Return what an endpoint can be told of."""
    return [
        EventTypeRecord(name=name, description=description)
        for name, description in sorted(rules.event_types.items())
    ]


@router.post(
    "/webhook-endpoints",
    summary="Create a webhook endpoint",
    status_code=status.HTTP_201_CREATED,
    responses=problems(Conflict, InvalidInput),
)
async def create_webhook_endpoint(wanted: EndpointCreation, service: WebhookServiceDep) -> CreatedEndpoint:
    """Create an endpoint and show its secret, once. Deliveries are signed after Standard Webhooks."""
    endpoint, secret = await service.create(wanted.url, wanted.description, wanted.event_types)
    return CreatedEndpoint(**EndpointRecord.model_validate(endpoint).model_dump(), secret=secret)


@router.get("/webhook-endpoints", summary="List webhook endpoints", responses=problems(InvalidInput))
async def list_webhook_endpoints(
    query: Annotated[EndpointQuery, Query()], service: WebhookServiceDep
) -> Page[EndpointRecord]:
    """Return a page of the caller's endpoints, newest first."""
    return Page[EndpointRecord].of(await service.list_endpoints(query))


@router.get(
    "/webhook-endpoints/{endpoint_id}", summary="Read a webhook endpoint", responses=problems(NotFound)
)
async def read_webhook_endpoint(endpoint_id: UUID, service: WebhookServiceDep) -> EndpointRecord:
    """Return an endpoint, without its secret."""
    return EndpointRecord.model_validate(await service.read(endpoint_id))


@router.patch(
    "/webhook-endpoints/{endpoint_id}",
    summary="Change a webhook endpoint",
    responses=problems(NotFound, InvalidInput),
)
async def change_webhook_endpoint(
    endpoint_id: UUID, change: EndpointChange, service: WebhookServiceDep
) -> EndpointRecord:
    """Change what is sent, and `event_types: null` means all; also enables an endpoint again."""
    return EndpointRecord.model_validate(
        await service.change(endpoint_id, change.model_dump(exclude_unset=True))
    )


@router.delete(
    "/webhook-endpoints/{endpoint_id}",
    summary="Delete a webhook endpoint",
    status_code=status.HTTP_204_NO_CONTENT,
    responses=problems(NotFound),
)
async def delete_webhook_endpoint(endpoint_id: UUID, service: WebhookServiceDep) -> None:
    """Delete an endpoint with the log of its deliveries."""
    await service.delete(endpoint_id)


@router.post(
    "/webhook-endpoints/{endpoint_id}/secret-rotations",
    summary="Rotate the secret of a webhook endpoint",
    responses=problems(NotFound),
)
async def rotate_webhook_secret(endpoint_id: UUID, service: WebhookServiceDep) -> RotatedSecret:
    """Make a new secret and show it, once. For a while deliveries are signed with both."""
    secret, until = await service.rotate_secret(endpoint_id)
    return RotatedSecret(secret=secret, previous_until=until)


@router.post(
    "/webhook-endpoints/{endpoint_id}/tests",
    summary="Test a webhook endpoint",
    status_code=status.HTTP_202_ACCEPTED,
    responses=problems(Conflict, NotFound),
)
async def test_webhook_endpoint(endpoint_id: UUID, service: WebhookServiceDep) -> QueuedMessage:
    """Send a message of the type `webhook.test` to this endpoint."""
    return QueuedMessage(message_id=await service.send_test(endpoint_id))


@router.get(
    "/webhook-endpoints/{endpoint_id}/deliveries",
    summary="List deliveries to a webhook endpoint",
    responses=problems(InvalidInput, NotFound),
)
async def list_webhook_deliveries(
    endpoint_id: UUID, query: Annotated[DeliveryQuery, Query()], service: WebhookServiceDep
) -> Page[DeliveryRecord]:
    """Return a page of the deliveries to an endpoint, newest first."""
    return Page[DeliveryRecord].of(await service.list_deliveries(endpoint_id, query))


@router.get(
    "/webhook-endpoints/{endpoint_id}/deliveries/{delivery_id}",
    summary="Read a delivery to a webhook endpoint",
    responses=problems(NotFound),
)
async def read_webhook_delivery(
    endpoint_id: UUID, delivery_id: UUID, service: WebhookServiceDep
) -> DeliveryDetails:
    """Return a delivery with what was sent and every attempt."""
    story = await service.read_delivery(endpoint_id, delivery_id)
    record = DeliveryRecord.model_validate(story.delivery).model_dump()
    return DeliveryDetails.model_validate(record | {"data": story.message.data, "log": story.log})


@router.post(
    "/webhook-endpoints/{endpoint_id}/deliveries/{delivery_id}/redeliveries",
    summary="Deliver again to a webhook endpoint",
    status_code=status.HTTP_202_ACCEPTED,
    responses=problems(Conflict, NotFound),
)
async def redeliver_webhook(
    endpoint_id: UUID, delivery_id: UUID, service: WebhookServiceDep
) -> QueuedMessage:
    """Deliver again what was delivered or given up; the message keeps its identifier."""
    return QueuedMessage(message_id=await service.deliver_again(endpoint_id, delivery_id))
