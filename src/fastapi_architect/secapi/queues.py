"""Kinds of work, each in a queue of its own: what takes minutes does not keep waiting what takes milliseconds."""

#: Everything that is short: completions, mails, webhooks, cleaning.
DEFAULT = "default"
#: Reviews, each of which may take minutes.
SCANS = "scans"
#: Files that are made for people, who wait for them.
REPORTS = "reports"
#: Celery looks at them in this order, where their most urgent messages are equally urgent.
QUEUES = (DEFAULT, REPORTS, SCANS)
