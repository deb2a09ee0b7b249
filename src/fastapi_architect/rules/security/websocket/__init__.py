"""Sockets that stay open."""
