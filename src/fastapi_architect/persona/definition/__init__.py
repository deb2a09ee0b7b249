"""Who the architect is: one source of data and texts, from which every agent definition is rendered."""
