"""SecAPI: the self-hosted scanning service. Teams submit backends, workers review them, and nothing that was accepted is lost.

One folder a domain, with the files that `architect new` writes too. It is made of this project's own components, which it
imports and extends only where they say so; the engine runs in a disposable child, never in a process of the service.
"""
