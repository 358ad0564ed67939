"""Microsoft.ContainerService: managed clusters as ARM shows and changes them."""

import base64
from collections.abc import Awaitable, Callable

from sandbox.arm_calls import Announce, Call, Change, ChangeKind, Json, Reply, Route, page
from sandbox.arm_errors import ArmError
from sandbox.arm_operations import Operations
from sandbox.cloud import Cloud
from sandbox.clusters import Clusters, Wanted
from sandbox.kubeconfig import user_kubeconfig
from sandbox.records import Cluster, ProvisioningState

_TYPE = "Microsoft.ContainerService/managedClusters"
_ALL = f"/subscriptions/{{subscription}}/providers/{_TYPE}"
_IN_GROUP = f"/subscriptions/{{subscription}}/resourceGroups/{{group}}/providers/{_TYPE}"
_ONE = f"{_IN_GROUP}/{{cluster}}"


class ManagedClusters:
    def __init__(self, cloud: Cloud, clusters: Clusters, operations: Operations, announce: Announce) -> None:
        self._cloud = cloud
        self._clusters = clusters
        self._operations = operations
        self._announce = announce

    def routes(self) -> list[Route]:
        user, rotate = "listClusterUserCredential", "rotateServiceAccountSigningKeys"
        return [
            Route("GET", _ALL, f"{_TYPE}/read", self._list),
            Route("GET", _IN_GROUP, f"{_TYPE}/read", self._list),
            Route("GET", _ONE, f"{_TYPE}/read", self._get),
            Route("PUT", _ONE, f"{_TYPE}/write", self._put),
            Route("DELETE", _ONE, f"{_TYPE}/delete", self._delete),
            Route("POST", f"{_ONE}/{user}", f"{_TYPE}/{user}/action", self._user_credential),
            Route("POST", f"{_ONE}/{rotate}", f"{_TYPE}/{rotate}/action", self._rotate),
        ]

    async def _list(self, call: Call) -> Reply:
        group = call.params.get("group")
        held = [
            self._show(cluster)
            for cluster in self._cloud.clusters.all(call.read_at)
            if group is None or cluster.group.lower() == group.lower()
        ]
        return Reply(status=200, body=page(held, call, self._cloud.dials.page_size))

    async def _get(self, call: Call) -> Reply:
        cluster = self._cloud.clusters.get(_id(call), call.read_at)
        if cluster is None:
            raise _not_found(call)
        return Reply(status=200, body=self._show(cluster))

    async def _put(self, call: Call) -> Reply:
        wanted = _wanted(call.body)
        held = self._clusters.present(_id(call))
        if held is None:
            group = self._cloud.group_name(call.params["group"]) or call.params["group"]
            cluster = self._clusters.begin_create(
                self._cloud.subscription, group, call.params["cluster"], wanted
            )
            headers = self._operations.begin(call, self._create(call, cluster))
            return Reply(status=201, body=self._show(cluster), headers=headers)
        _require_settled(held)
        if held.issuer_enabled and wanted.issuer_enabled is False:
            raise ArmError(
                400, "BadRequest", "OIDC issuer feature cannot be disabled once it has been enabled."
            )
        cluster = self._clusters.begin_update(held, wanted)
        headers = self._operations.begin(call, self._update(call, cluster))
        return Reply(status=200, body=self._show(cluster), headers=headers)

    async def _delete(self, call: Call) -> Reply:
        held = self._clusters.present(_id(call))
        if held is None:
            return Reply(status=204)
        _require_settled(held)
        cluster = self._clusters.begin_delete(held)
        return Reply(status=202, headers=self._operations.begin(call, self._remove(call, cluster)))

    async def _rotate(self, call: Call) -> Reply:
        held = self._settled(call)
        cluster = self._clusters.begin_update(held, Wanted(location=held.location))
        return Reply(status=202, headers=self._operations.begin(call, self._rotate_keys(call, cluster)))

    async def _user_credential(self, call: Call) -> Reply:
        cluster = self._settled(call)
        if cluster.api is None:
            raise ArmError(409, "OperationNotAllowed", "The cluster has no API server yet.")
        form = call.query.get("format", "")
        kubeconfig = user_kubeconfig(cluster, cluster.api, self._cloud.tenant, form=form)
        self._tell(call, ChangeKind.ACTION, "listClusterUserCredential/action", cluster)
        value = base64.b64encode(kubeconfig).decode()
        return Reply(status=200, body={"kubeconfigs": [{"name": "clusterUser", "value": value}]})

    # -- what goes on beside the call; Event Grid tells of it when it has ended ------------------

    async def _create(self, call: Call, cluster: Cluster) -> None:
        await self._clusters.finish_create(cluster)
        self._tell(call, ChangeKind.WRITE, "write", cluster, existed=False)

    async def _update(self, call: Call, cluster: Cluster) -> None:
        await self._clusters.finish_update(cluster)
        self._tell(call, ChangeKind.WRITE, "write", cluster)

    async def _remove(self, call: Call, cluster: Cluster) -> None:
        await self._clusters.finish_delete(cluster)
        self._tell(call, ChangeKind.DELETE, "delete", cluster)

    async def _rotate_keys(self, call: Call, cluster: Cluster) -> None:
        await self._clusters.rotate(cluster)
        self._tell(call, ChangeKind.ACTION, "rotateServiceAccountSigningKeys/action", cluster)

    async def recreate(
        self,
        deletion: Call,
        creation: Call,
        cluster: Cluster,
        meanwhile: Callable[[], Awaitable[None]],
    ) -> Cluster:
        """Delete the cluster and build it again under its name, telling of both. The new build.

        meanwhile: what happens on the platform between the two
        """
        wanted = Wanted(
            location=cluster.location,
            tags=cluster.tags,
            version=cluster.version,
            issuer_enabled=cluster.issuer_enabled,
            workload_identity=cluster.workload_identity,
        )
        await self._remove(deletion, self._clusters.begin_delete(cluster))
        await meanwhile()
        fresh = self._clusters.begin_create(cluster.subscription, cluster.group, cluster.name, wanted)
        await self._create(creation, fresh)
        return self._clusters.present(fresh.id) or fresh

    def _tell(
        self, call: Call, kind: ChangeKind, what: str, cluster: Cluster, *, existed: bool = True
    ) -> None:
        change = Change(kind=kind, operation=f"{_TYPE}/{what}", resource_id=cluster.id, existed=existed)
        self._announce(call, change)

    def _settled(self, call: Call) -> Cluster:
        cluster = self._clusters.present(_id(call))
        if cluster is None:
            raise _not_found(call)
        _require_settled(cluster)
        return cluster

    def _show(self, cluster: Cluster) -> Json:
        profile: Json = {"enabled": cluster.issuer_enabled}
        if cluster.issuer:
            profile["issuerURL"] = cluster.issuer
        return {
            # Neither spelling is the request's: https://learn.microsoft.com/rest/api/aks/managed-clusters/get
            "id": cluster.id,
            "type": "Microsoft.ContainerService/ManagedClusters",
            "name": cluster.name,
            "location": cluster.location,
            "tags": dict(cluster.tags),
            "eTag": cluster.etag,
            "identity": {
                "type": "SystemAssigned",
                "principalId": cluster.principal_id,
                "tenantId": self._cloud.tenant,
            },
            "sku": {"name": "Base", "tier": "Free"},
            "properties": {
                "provisioningState": cluster.state.value,
                "powerState": {"code": "Running"},
                "kubernetesVersion": cluster.version,
                "currentKubernetesVersion": cluster.version,
                "dnsPrefix": cluster.name,
                "fqdn": cluster.fqdn,
                "nodeResourceGroup": f"MC_{cluster.group}_{cluster.name}_{cluster.location}",
                "enableRBAC": True,
                "oidcIssuerProfile": profile,
                "securityProfile": {"workloadIdentity": {"enabled": cluster.workload_identity}},
                "aadProfile": {"managed": True, "enableAzureRBAC": False, "tenantID": self._cloud.tenant},
                "disableLocalAccounts": True,
            },
        }


def _wanted(body: object) -> Wanted:
    if not isinstance(body, dict) or not isinstance(body.get("location"), str):
        raise ArmError(400, "LocationRequired", "The location property is required for this definition.")
    given = body.get("properties")
    properties = given if isinstance(given, dict) else {}
    tags, security = body.get("tags"), properties.get("securityProfile")
    return Wanted(
        location=body["location"],
        tags={str(key): str(value) for key, value in tags.items()} if isinstance(tags, dict) else None,
        version=properties.get("kubernetesVersion"),
        issuer_enabled=_flag(properties.get("oidcIssuerProfile")),
        workload_identity=_flag(security.get("workloadIdentity") if isinstance(security, dict) else None),
    )


def _flag(profile: object) -> bool | None:
    enabled = profile.get("enabled") if isinstance(profile, dict) else None
    return enabled if isinstance(enabled, bool) else None


def _id(call: Call) -> str:
    parts = call.params
    return (
        f"/subscriptions/{parts['subscription']}/resourcegroups/{parts['group']}"
        f"/providers/{_TYPE}/{parts['cluster']}"
    )


def _require_settled(cluster: Cluster) -> None:
    if cluster.state is not ProvisioningState.SUCCEEDED:
        raise ArmError(
            409,
            "OperationNotAllowed",
            f"Operation is not allowed: another operation ({cluster.state}) is in progress.",
        )


def _not_found(call: Call) -> ArmError:
    return ArmError(
        404,
        "ResourceNotFound",
        f"The Resource '{_TYPE}/{call.params['cluster']}' under resource group '{call.params['group']}' was "
        "not found. For more details please go to https://aka.ms/ARMResourceNotFoundFix",
    )
