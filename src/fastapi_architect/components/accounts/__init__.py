"""Accounts: registration by mail, passwords, sessions with rotating tokens, recovery, roles and their administration."""

from .component import Accounts
from .dependencies import CurrentAccount, current_account
from .emails import email_key
from .initial_passwords import PasswordMustBeChanged
from .mails import AccountMails
from .models import Account, AccountSession
from .passwords import PasswordHashing, PasswordPolicy
from .principal import AccountPrincipal
from .service import AccountService
from .settings import AccountSettings
from .sign_in import SignIn, Tokens

__all__ = [
    "Account",
    "AccountMails",
    "AccountPrincipal",
    "AccountService",
    "AccountSession",
    "AccountSettings",
    "Accounts",
    "CurrentAccount",
    "PasswordHashing",
    "PasswordMustBeChanged",
    "PasswordPolicy",
    "SignIn",
    "Tokens",
    "current_account",
    "email_key",
]
