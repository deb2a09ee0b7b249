"""Numbers about every request for Prometheus, of bounded cardinality, and not for the public."""

from .component import Metrics, MetricsSettings

__all__ = ["Metrics", "MetricsSettings"]
