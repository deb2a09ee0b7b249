"""How control and values move: flow graphs, dominance, definitions, and taint within and across functions."""
