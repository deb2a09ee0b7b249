"""A script."""

import os

TARGET = os.environ["TARGET"]
