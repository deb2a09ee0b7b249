"""How much the review of one application root may take."""

from __future__ import annotations

import msgspec


class SandboxLimits(msgspec.Struct, frozen=True):
    """Limits of one application root; those of a process grow with the bytes of Python that it reads.

    Attributes:
        seconds: of wall clock, for everything, repetitions included.
        memory: bytes of address space, at most.
        memory_base, memory_factor: what a process begins with, and its growth for each byte of Python.
        cpu_base, cpu_factor: the same in seconds of processor time, the factor for each megabyte.
        result_bytes: of the report.
        runs: processes for one root at most: the first, and those that look for the file that ends it.
    """

    seconds: float = 900.0
    memory: int = 4 * 2**30
    memory_base: int = 1_500_000_000
    memory_factor: int = 60
    cpu_base: float = 60.0
    cpu_factor: float = 60.0
    result_bytes: int = 64_000_000
    runs: int = 24

    def memory_of(self, size: int) -> int:
        """Address space of a process that reads so many bytes of Python."""
        return min(self.memory, self.memory_base + self.memory_factor * size)

    def cpu_of(self, size: int) -> int:
        """Seconds of processor time of a process that reads so many bytes of Python."""
        return max(1, round(min(self.seconds / 3, self.cpu_base + self.cpu_factor * size / 1e6)))
