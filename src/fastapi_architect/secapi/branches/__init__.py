"""Branches: each has its own findings, and is compared with another one."""
