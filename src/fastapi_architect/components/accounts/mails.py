"""The texts of the mails. Subclass `AccountMails` for your own words, languages or HTML."""

from ..mail import Mail


class AccountMails:
    """Texts with links to the pages of your website.

    Args:
        website_url: without a slash at its end. The host never comes from a request.
    """

    def __init__(self, website_url: str) -> None:
        self.website_url = website_url

    def link(self, page: str, token: str | None = None) -> str:
        """Return the address of a page. The token stands behind the `#`: browsers send it to no server, nor in Referer."""
        return f"{self.website_url}/{page}" + ("" if token is None else f"#{token}")

    def open_account(self, to: str, token: str) -> Mail:
        """Return what whoever wants an account gets."""
        link = self.link("register", token)
        return Mail(
            to,
            "Open your account",
            f"Choose a password and open your account:\n\n{link}\n\nIf you did not ask for it, do nothing.\n",
        )

    def account_exists(self, to: str) -> Mail:
        """Return what whoever has an account already gets instead."""
        link = self.link("forgot-password")
        return Mail(
            to,
            "You have an account already",
            "Somebody, perhaps you, asked for an account with this e-mail address. There is one.\n\n"
            f"If you have forgotten its password: {link}\n",
        )

    def reset_password(self, to: str, token: str) -> Mail:
        """Return the way to a new password."""
        link = self.link("reset-password", token)
        return Mail(
            to,
            "Choose a new password",
            f"Choose a new password:\n\n{link}\n\nIf you did not ask for it, do nothing: the old one stays.\n",
        )

    def confirm_email(self, to: str, token: str) -> Mail:
        """Return the proof of a new address, sent there."""
        link = self.link("confirm-email", token)
        return Mail(
            to,
            "Confirm your e-mail address",
            f"Make this the e-mail address of your account:\n\n{link}\n\nIf you did not ask for it, do nothing.\n",
        )

    def email_taken(self, to: str) -> Mail:
        """Return what the owner of an account gets, whose address somebody else wants for another one."""
        return Mail(
            to,
            "Your e-mail address has an account already",
            "Somebody, perhaps you, wants to use this e-mail address for another account. This is not possible.\n",
        )

    def email_change_begun(self, to: str, email: str) -> Mail:
        """Return the warning to the present address."""
        link = self.link("forgot-password")
        return Mail(
            to,
            "Your e-mail address is about to change",
            f"Somebody who knows your password wants to change the e-mail address of your account to {email}.\n\n"
            f"If it was not you, choose a new password at once: {link}\n",
        )

    def email_changed(self, to: str, email: str) -> Mail:
        """Return the note to the old address."""
        return Mail(
            to,
            "Your e-mail address has changed",
            f"The e-mail address of your account is {email} now. If it was not you, write to us.\n",
        )

    def password_changed(self, to: str) -> Mail:
        """Return the note about a new password."""
        link = self.link("forgot-password")
        return Mail(
            to,
            "Your password has changed",
            f"The password of your account was changed. If it was not you, choose a new one at once: {link}\n",
        )
