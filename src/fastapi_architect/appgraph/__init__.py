"""The FastAPI application as a graph: applications, routers, operations, parameters, dependencies, data, deployment."""
