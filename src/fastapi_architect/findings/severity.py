"""How bad a finding is, how sure we are, and which of the seven categories it belongs to."""

from __future__ import annotations

from enum import Enum


class Severity(Enum):
    """How bad it is; ordered from harmless to grave."""

    INFO = "info"
    MINOR = "minor"
    IMPORTANT = "important"
    CRITICAL = "critical"

    @property
    def rank(self) -> int:
        """0 for info up to 3 for critical."""
        return _SEVERITIES.index(self)


_SEVERITIES = list(Severity)


class Confidence(Enum):
    """How sure it is, apart from how bad: tentative findings never fail a gate.

    certain: every symbol resolved and one concrete path shown. firm: one assumption (a duck-typed receiver, a default
    that configuration may change). tentative: learned from a majority or from names.
    """

    TENTATIVE = "tentative"
    FIRM = "firm"
    CERTAIN = "certain"

    @property
    def rank(self) -> int:
        """0 for tentative up to 2 for certain."""
        return _CONFIDENCES.index(self)


_CONFIDENCES = list(Confidence)


class Category(Enum):
    """The seven categories; the value is the folder of its rules."""

    SECURITY = "security"
    ASYNC_PATTERNS = "async_patterns"
    DATABASE = "database"
    API_DESIGN = "api_design"
    VALIDATION = "validation"
    PERFORMANCE = "performance"
    CODE_QUALITY = "code_quality"

    @property
    def title(self) -> str:
        """As a reader sees it, and as `impact` in the JSON report."""
        return _TITLES[self]

    @property
    def emoji(self) -> str:
        """The sign of the category in reports."""
        return _EMOJI[self]


_TITLES = {
    Category.SECURITY: "Security",
    Category.ASYNC_PATTERNS: "Async Patterns",
    Category.DATABASE: "Database Operations",
    Category.API_DESIGN: "API Design",
    Category.VALIDATION: "Validation & Error Handling",
    Category.PERFORMANCE: "Performance",
    Category.CODE_QUALITY: "Code Quality",
}
_EMOJI = {
    Category.SECURITY: "🔒",
    Category.ASYNC_PATTERNS: "⚙️",
    Category.DATABASE: "🗄️",
    Category.API_DESIGN: "🌐",
    Category.VALIDATION: "✅",
    Category.PERFORMANCE: "🚀",
    Category.CODE_QUALITY: "📝",
}
