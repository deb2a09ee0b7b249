"""Why a file is not taken."""

from http import HTTPStatus

from ..problem_details import BadRequest, ServiceError, TooLarge


class UploadBroken(BadRequest):
    """The body ended before the file did, or is not what its headers say."""


class QuotaExceeded(TooLarge):
    """The owner has no room for this file."""

    def __init__(self) -> None:
        super().__init__("There is no room left for this file; delete another one first.")


class StorageFull(ServiceError):
    """The service itself has no room left."""

    status = HTTPStatus.INSUFFICIENT_STORAGE

    def __init__(self) -> None:
        super().__init__("The service has no room for this file at present.")
