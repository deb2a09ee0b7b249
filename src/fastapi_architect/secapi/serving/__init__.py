"""Running SecAPI: all of it under one supervisor on one machine, or each process by itself."""
