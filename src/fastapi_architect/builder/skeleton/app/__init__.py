"""My service: `app.main` puts it together, `app.registry` lists what it is made of."""
