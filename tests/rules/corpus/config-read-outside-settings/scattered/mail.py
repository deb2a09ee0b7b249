"""Mail."""

import os

HOST = os.environ.get("MAIL_HOST", "mail.example")  # finding: config-read-outside-settings
