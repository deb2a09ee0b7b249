"""What strangers send, read in a child process that is thrown away: whatever it does to that process, it does to nothing else."""

from fastapi_architect.secapi.sandbox.importing import ImportReading, read_untrusted
from fastapi_architect.secapi.sandbox.process import Cancelled
from fastapi_architect.secapi.sandbox.reviewing import NotReviewed, RootReview, review_root
from fastapi_architect.secapi.sandbox.roots import Root, roots_of
from fastapi_architect.secapi.sandbox.settings import SandboxLimits

__all__ = [
    "Cancelled",
    "ImportReading",
    "NotReviewed",
    "Root",
    "RootReview",
    "SandboxLimits",
    "read_untrusted",
    "review_root",
    "roots_of",
]
