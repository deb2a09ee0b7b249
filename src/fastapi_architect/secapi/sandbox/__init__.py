"""The review of an unpacked archive in a child process that is thrown away: whatever the code does to it, it does to nothing else."""

from fastapi_architect.secapi.sandbox.process import Cancelled
from fastapi_architect.secapi.sandbox.reviewing import NotReviewed, RootReview, review_root
from fastapi_architect.secapi.sandbox.roots import Root, roots_of
from fastapi_architect.secapi.sandbox.settings import SandboxLimits

__all__ = ["Cancelled", "NotReviewed", "Root", "RootReview", "SandboxLimits", "review_root", "roots_of"]
