"""Puts components into a project that its user owns: what to write is a value first, written all at once or not at all.

Components are read as files; nothing of them is imported here.
"""
