"""What a person or an agent may ask of a project: one file a question, answers small, paged, most severe first.

The doors (`cli`, `mcp`) and the persona offer these; nothing here knows by which of them a question came.
"""
