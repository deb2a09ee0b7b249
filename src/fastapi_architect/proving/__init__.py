"""Runs a rule's exploit or symptom in a disposable child.

The only analyser folder that may import the web stack.
"""
