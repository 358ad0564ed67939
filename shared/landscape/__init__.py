"""The landscape: what the operator declares, and how far Reconverge may go in it.

Read once per process. Refused as a whole when anything in it is wrong; nothing else (no environment variable,
no argument) changes what it says. For operators: docs/landscape.md.
"""

from shared.landscape.argocd import ApplicationRule, DeclaredArgoCD, Watcher
from shared.landscape.described import schema
from shared.landscape.facts import (
    DeclaredFact,
    DeclaredFacts,
    DeclaredWorkflow,
    Truth,
    repository_page,
    same_repository,
)
from shared.landscape.gitlab import DeclaredGitLab, DeclaredMigrations, is_monitoring
from shared.landscape.keycloak import DeclaredClient, DeclaredHooks, DeclaredKeycloak, KeycloakLogin
from shared.landscape.loader import load, parse
from shared.landscape.models import (
    Action,
    Caps,
    Contract,
    DeclaredCluster,
    DeclaredCredential,
    DeclaredIdentity,
    Environment,
    Landscape,
    Mode,
    OwnIdentity,
    ProofMethod,
)
from shared.landscape.submodules import DeclaredSubmodules
from shared.landscape.values import ValuesFile
from shared.landscape.vault import BootstrapJob, DeclaredVault, VaultLogin

__all__ = [
    "Action",
    "ApplicationRule",
    "BootstrapJob",
    "Caps",
    "Contract",
    "DeclaredArgoCD",
    "DeclaredClient",
    "DeclaredCluster",
    "DeclaredCredential",
    "DeclaredFact",
    "DeclaredFacts",
    "DeclaredGitLab",
    "DeclaredHooks",
    "DeclaredIdentity",
    "DeclaredKeycloak",
    "DeclaredMigrations",
    "DeclaredSubmodules",
    "DeclaredVault",
    "DeclaredWorkflow",
    "Environment",
    "KeycloakLogin",
    "Landscape",
    "Mode",
    "OwnIdentity",
    "ProofMethod",
    "Truth",
    "ValuesFile",
    "VaultLogin",
    "Watcher",
    "is_monitoring",
    "load",
    "parse",
    "repository_page",
    "same_repository",
    "schema",
]
