"""The border between what a reviewed archive says about itself and what its project's maintainers decided.

Whatever adds strictness counts. Whatever would silence something is a proposal: the finding is reported all the same, until
somebody outside of the archive accepts it.
"""
