"""What travels to workers: which report, and whose."""

#: Somebody asked for a report.
REQUESTED = "reports.requested"
#: Every so often: look for reports whose work is among the dead letters.
REAP = "reports.reap"
