"""The proof that nothing is lost: SecAPI under load, while all that it stands on is killed, frozen, emptied and started again.

    make chaos [SEED=1] [SCANS=220]     faults from a seed, then every promise is checked from outside
    make soak [MINUTES=30]              steady load without faults, then whether anything has grown

Read `drama.py` first: it is the order of events.
"""
