"""Which e-mail addresses are accepted, and when two spellings of one are one account."""

import unicodedata

from email_validator import validate_email


def deliverable(email: str) -> str:
    """Return an address in the form in which every mail server takes it.

    Addresses whose part before the @ is not ASCII are refused: few servers deliver to them, and letters that look alike, or
    that become alike in upper case, have been used to have the links of others sent to oneself.

    Raises:
        ValueError: it is no address.
    """
    # The domain's name is not asked for: that would tell an attacker's server who registers, and can be slow.
    return validate_email(email, check_deliverability=False, allow_smtputf8=False).ascii_email or ""


def email_key(email: str) -> str:
    """Return what is unique: `V@Example.com` and `v@example.com` are one mailbox wherever mail is read.

    Mails go to the stored address all the same, and never to the one in a request.
    """
    return unicodedata.normalize("NFKC", email.strip()).casefold()
