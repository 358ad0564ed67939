"""The section `gitlab`: a release of GitLab's chart, its database, and what people see of it."""

import re
from typing import Annotated, Final

from pydantic import AfterValidator, ConfigDict, Field

from shared.landscape.declared import Declared, cluster_is_optional_in_the_file
from shared.landscape.forms import LABEL, ClusterName, FieldPath, Form, refusal
from shared.landscape.keycloak import ApplicationName
from shared.landscape.values import ValuesFile
from shared.landscape.vault import Namespace
from shared.landscape.web import PagePath, WebAddress

type ReleaseName = Annotated[
    str,
    # https://helm.sh/docs/chart_template_guide/builtin_objects/
    Form(
        pattern=LABEL,
        otherwise="write the name of the Helm release, such as platform-gitlab",
        longest=53,
    ),
]

# Beneath a path of its own as well, where GitLab has one.
# https://docs.gitlab.com/administration/monitoring/health_check/
_MONITORING: Final = re.compile(r"/-/(?:health|readiness|liveness|metrics)(?:/|\Z)")


def is_monitoring(page: str) -> bool:
    """Whether GitLab answers this page without its database, and 404 to whoever is not on its allow-list."""
    return _MONITORING.search(page) is not None


def _made_with_the_database(page: str) -> str:
    if is_monitoring(page):
        raise refusal(
            "is one of GitLab's monitoring, which is answered without its database; write one that is made"
            " with it, such as /users/sign_in"
        )
    return page


class DeclaredMigrations(Declared):
    """The file of values by which the migrations are repaired, and its keys."""

    values: ValuesFile = Field(examples=[{"repository": "<url>", "path": "<path>"}])
    """The file."""
    ci: FieldPath | None = None
    """Key of the mapping that says where the database `ci` is, such as gitlab.global.psql.ci; `database`,
    `host` and `port` stand beneath it."""
    suffix: FieldPath | None = None
    """Key of a value that the suffix of the Job's name is made of, such as
    gitlab.gitlab.migrations.annotations.rerun. A change of it makes a new Job."""


class DeclaredGitLab(Declared):
    """The GitLab of the environment."""

    model_config = ConfigDict(json_schema_extra=cluster_is_optional_in_the_file)

    cluster: ClusterName = Field(examples=["ameide"])
    """Name of the cluster that it runs in. Needed only when the environment has several."""
    namespace: Namespace = Field(examples=["ameide-dev"])
    """Of the release."""
    application: ApplicationName = Field(examples=["dev-platform-gitlab"])
    """The Application of Argo CD that deploys it."""
    release: ReleaseName = Field(examples=["platform-gitlab"])
    """The Helm release. Its Jobs and pods are found by the labels `release` and `app`."""
    url: WebAddress = Field(examples=["https://gitlab.dev.ameide.io"])
    """Where browsers and Reconverge reach GitLab."""
    page: Annotated[PagePath, AfterValidator(_made_with_the_database)] = "/users/sign_in"
    """A page that GitLab makes with its database, open to everybody."""
    migrations: DeclaredMigrations | None = None
    """How its migrations are repaired. Without it nothing can be proposed."""
