"""May they? Guards, roles, owners, tenants."""
