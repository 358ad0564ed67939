"""A small valid landscape, and the means to spoil it."""

from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[3]
NAME: Final = "landscape.yaml"
PROVIDERS: Final = "/subscriptions/e4652c74-2582-4efc-b605-9d9ed2210a2a/resourceGroups/Ameide/providers"
UAMI: Final = f"{PROVIDERS}/Microsoft.ManagedIdentity/userAssignedIdentities"
AKS: Final = f"{PROVIDERS}/Microsoft.ContainerService/managedClusters"
VAULT: Final = f"{UAMI}/ameide-vault-bootstrap-mi"
BACKUP: Final = f"{UAMI}/ameide-dev-backup-mi"
VAULT_ADDRESS: Final = "http://vault-core-dev.ameide-dev.svc.cluster.local:8200"
KEYCLOAK: Final = "https://auth.dev.ameide.io"
PLACEHOLDER: Final = "0123456789abcdef" * 4
OWN: Final = f"{UAMI}/reconverge-mi"
DNS: Final = f"{UAMI}/ameide-dns-prod-mi"
KEY_VAULT: Final = f"{UAMI.partition('/Microsoft.')[0]}/Microsoft.KeyVault/vaults/ameidekv"
FACTS: Final = "https://github.com/ameideio/ameide-runtime-facts.git"
GITOPS: Final = "https://github.com/ameideio/ameide-gitops.git"

VALID: Final = f"""\
version: 1
tenant: 11111111-2222-3333-4444-555555555555
reconverge:
  identity: {OWN}
  objectId: aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee
environments:
  dev:
    enabled: true
    clusters:
      - name: blue
        id: {AKS}/ameide-blue
      - name: green
        id: {AKS}/ameide-green
    identities:
      - id: {VAULT}
        credentials:
          - name: vault-bootstrap-dev
            cluster: blue
            subject: system:serviceaccount:ameide-dev:vault-bootstrap
            audience: api://AzureADTokenExchange
          - name: vault-bootstrap-dev-green
            cluster: green
            subject: system:serviceaccount:ameide-dev:vault-bootstrap
        trustedIssuers:
          - https://token.actions.githubusercontent.com
    vault:
      cluster: "blue"
      namespace: ameide-dev
      address: {VAULT_ADDRESS}
      mount: secret
      login:
        mount: jwt
        role: reconverge
      bootstrap:
        cronJob: vault-bootstrap
        identity: {VAULT}
        credential: vault-bootstrap-dev
      keyVault: {KEY_VAULT}
      requiredSecrets:
        - ghcr-username
      seeds:
        ghcr/token: ghcr-token
      stores:
        - ameide-vault
      externalSecrets:
        - ghcr-pull-sync
      placeholders:
        - {PLACEHOLDER}
    keycloak:
      cluster: blue  # as Vault
      namespace: ameide-dev  # of Keycloak
      application: dev-platform-keycloak-realm
      url: {KEYCLOAK}
      realm: ameide
      login:
        clientId: reconverge
        keyVault: {KEY_VAULT}  # of the login
        secret: keycloak-reconverge
      realmImports:
        - master-realm
      hooks:
        bootstrap: master-bootstrap
        patcher: client-patcher
        values:  # of Keycloak
          repository: {GITOPS}  # Keycloak's values
          ref: "main"
          path: sources/values/env/dev/platform/platform-keycloak-realm.yaml
        rerun: clientPatcher.runId
        bootstrapHook: masterBootstrap.hook
        bootstrapWave: masterBootstrap.syncWave
        patcherHook: clientPatcher.hook
        patcherWave: clientPatcher.syncWave
      clients:
        gitlab:
          redirectUris:
            - https://gitlab.dev.ameide.io/users/auth/openid_connect/callback
          vaultKey: gitlab-oidc-client-secret
      secrets:
        keycloak-realm-oidc-clients:
          gitlab-oidc-client-secret: gitlab
        gitlab-oidc-provider: {{}}
      digests: keycloak-client-secret-versions
      placeholders:
        - {PLACEHOLDER}  # of a client
    gitlab:
      cluster: green  # another
      namespace: gitlab
      application: dev-platform-gitlab
      release: platform-gitlab
      url: https://gitlab.dev.ameide.io
      page: /users/sign_in
      migrations:
        values:  # of GitLab
          repository: {GITOPS}  # GitLab's values
          path: sources/values/env/dev/platform/platform-gitlab.yaml
        ci: gitlab.global.psql.ci
        suffix: gitlab.gitlab.migrations.annotations.rerun
    argocd:
      cluster: 'blue'
      namespace: argocd
      applications:
        - match: dev-foundation-vault-*
          responders:
            - vault_seeding
        - match: dev-*
    contract:
      default: propose
      actions:
        credential.update: apply
      identities:
        - {VAULT}
      namespaces:
        - ameide-dev
      vaults:
        - {VAULT_ADDRESS}
      keycloaks:
        - {KEYCLOAK}
      applications:
        - "dev-*"
      issuerHosts:
        - "*.oic.prod-aks.azure.com"
      caps:
        perRun: 5
        perHour: 10
      proof: token-exchange
      pace: 2s
      grace: 15m
  prod:
    clusters:
      - name: ameide
        id: {AKS}/ameide
    identities:
      - id: {VAULT}
        credentials:
          - name: vault-bootstrap-prod
            subject: system:serviceaccount:ameide-prod:vault-bootstrap
      - id: {BACKUP}
        credentials: []
    facts:
      - repository: {FACTS}
        ref: published
        path: runtime-facts/env/prod/globals.yaml
        fields:
          azure.keyVaultUri:
            from: keyVaultUri
            id: {KEY_VAULT}
          azure.dnsManagedIdentityClientId:
            from: identityClientId
            id: {DNS}
            mayBeEmpty: true
          azure.tenantId:
            from: tenantId
        workflow:
          repository: {GITOPS}
          file: terraform-azure-apply.yaml
          inputs:
            environment: prod
    submodules:
      - repository: {GITOPS}
        revisions:
          - main
        moves:
          backlog: main
"""


def with_line(old: str, new: str, text: str = VALID) -> str:
    """The text with the one line that reads `old` replaced, at the same indentation."""
    lines = text.splitlines()
    (at,) = [number for number, line in enumerate(lines) if line.strip() == old]
    indent = " " * (len(lines[at]) - len(lines[at].lstrip()))
    lines[at : at + 1] = [indent + line for line in new.splitlines()]
    return "\n".join(lines) + "\n"


def lines_marked(text: str) -> list[int]:
    """Numbers of the lines that end in `# wrong`."""
    return [number for number, line in enumerate(text.splitlines(), 1) if line.endswith("# wrong")]
