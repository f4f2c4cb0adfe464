// Goal: the manifests are objects that a cluster takes, every name in them leads somewhere, and pods get only what they may have.
// Method: the published types of the Kubernetes API, strict about unknown fields; then names, ports and settings against the tables
// in code. Where kubectl is installed the overlays are rendered too.
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Deployment } from "kubernetes-types/apps/v1.js";
import type { HorizontalPodAutoscaler } from "kubernetes-types/autoscaling/v2.js";
import type { Service, ServiceAccount } from "kubernetes-types/core/v1.js";
import type { Ingress, NetworkPolicy } from "kubernetes-types/networking/v1.js";
import type { PodDisruptionBudget } from "kubernetes-types/policy/v1.js";
import { describe, expect, test } from "vitest";
import { processRoles, settings } from "../../../src/config/settings.ts";
import { vendorFactsOf } from "../../../src/connectors/registry.ts";
import { loadMappings } from "../../../src/mapping/load.ts";
import { metricTable } from "../../../src/telemetry/metric-table.ts";
import {
  deployFolder,
  problemsOf,
  readDeploy,
  readYamlDocuments,
  secretNames,
  settingNames,
  typeFaults,
  type KubernetesObject,
} from "../../support/deployment-files.ts";

interface Kustomization {
  readonly namespace?: string;
  readonly resources: readonly string[];
  readonly patches?: readonly {
    readonly path?: string;
    readonly patch?: string;
    readonly target?: object;
  }[];
  readonly configMapGenerator: readonly {
    readonly name: string;
    readonly behavior?: string;
    readonly literals?: readonly string[];
    readonly files?: readonly string[];
  }[];
}

const overlays = ["overlays/staging", "overlays/production"];
const folderOf = (layer: string) => `kubernetes/${layer}`;
const kustomizationOf = (layer: string) =>
  readYamlDocuments(readDeploy(`${folderOf(layer)}/kustomization.yaml`))[0] as Kustomization;
const objectsIn = (layer: string): readonly KubernetesObject[] =>
  kustomizationOf(layer)
    .resources.filter((path) => path.endsWith(".yaml"))
    .flatMap((path) => readYamlDocuments(readDeploy(`${folderOf(layer)}/${path}`)))
    .map((object) => object as KubernetesObject);
/** Strategic merge patches; those with a target are lists of operations, which rendering checks. */
const patchesIn = (layer: string): readonly KubernetesObject[] =>
  (kustomizationOf(layer).patches ?? [])
    .filter(({ target }) => target === undefined)
    .flatMap(
      ({ path, patch }) =>
        readYamlDocuments(
          patch ?? readDeploy(`${folderOf(layer)}/${path ?? ""}`),
        ) as KubernetesObject[],
    );
const literalsOf = (layer: string, name: string) =>
  Object.fromEntries(
    kustomizationOf(layer)
      .configMapGenerator.filter((generator) => generator.name === name)
      .flatMap((generator) => generator.literals ?? [])
      .map((literal) => literal.split(/=(.*)/s).slice(0, 2) as [string, string]),
  );

const base = objectsIn("base");
const ofKind = <T>(kind: string) => base.filter((object) => object.kind === kind) as unknown as T[];
const deployments = ofKind<Deployment>("Deployment");
const podOf = (deployment: Deployment) => deployment.spec?.template.spec;
const containerOf = (deployment: Deployment) => podOf(deployment)?.containers[0];
const labelsOf = (deployment: Deployment) => deployment.spec?.template.metadata?.labels ?? {};
const fits = (selector: Readonly<Record<string, string>> | undefined, deployment: Deployment) =>
  Object.entries(selector ?? {}).every(([key, value]) => labelsOf(deployment)[key] === value);
const secretItems = (deployment: Deployment) =>
  (podOf(deployment)?.volumes ?? []).flatMap((volume) => volume.secret?.items ?? []);

describe("objects", () => {
  test("are what the Kubernetes API describes, without an unknown field", () => {
    expect(base.length).toBeGreaterThan(8);
    expect(typeFaults([...base, ...overlays.flatMap(objectsIn)])).toEqual([]);
    const patches = overlays
      .flatMap(patchesIn)
      .filter((patch) => !("$patch" in patch)) as KubernetesObject[];
    expect(typeFaults(patches, "patch")).toEqual([]);
  });

  test("would be caught with a misspelt field or a wrong value", () => {
    const wrong = {
      apiVersion: "policy/v1",
      kind: "PodDisruptionBudget",
      metadata: { name: "x" },
      spec: { minAvailible: 1 },
    };
    expect(typeFaults([wrong])).toEqual([expect.stringMatching(/minAvailible/)]);
    expect(
      typeFaults([{ ...wrong, spec: { minAvailable: true } } as KubernetesObject]),
    ).toHaveLength(1);
  });

  test("are all listed, and what is listed is there", () => {
    for (const layer of ["base", ...overlays]) {
      const { resources, patches, configMapGenerator } = kustomizationOf(layer);
      const listed = [
        ...resources.filter((path) => !path.startsWith("..")),
        ...(patches ?? []).flatMap(({ path }) => path ?? []),
      ];
      const onDisk = readdirSync(join(deployFolder, folderOf(layer))).filter(
        (name) => name.endsWith(".yaml") && name !== "kustomization.yaml",
      );
      expect(listed.toSorted(), layer).toEqual(onDisk.toSorted());
      for (const path of configMapGenerator.flatMap(({ files }) => files ?? []))
        expect(existsSync(join(deployFolder, folderOf(layer), path)), path).toBe(true);
    }
  });
});

describe("pods", () => {
  test("run without rights on a read-only file system and hold no token of the cluster", () => {
    expect(deployments).toHaveLength(2);
    expect(ofKind<ServiceAccount>("ServiceAccount")[0]?.automountServiceAccountToken).toBe(false);
    for (const deployment of deployments) {
      expect(podOf(deployment)).toMatchObject({
        serviceAccountName: "rolecall",
        automountServiceAccountToken: false,
        securityContext: { runAsNonRoot: true, seccompProfile: { type: "RuntimeDefault" } },
      });
      expect(podOf(deployment)?.containers).toHaveLength(1);
      expect(containerOf(deployment)?.securityContext).toEqual({
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        privileged: false,
        capabilities: { drop: ["ALL"] },
      });
      const writable = (containerOf(deployment)?.volumeMounts ?? []).filter(
        (mount) => mount.readOnly !== true,
      );
      expect(writable.map((mount) => mount.mountPath)).toEqual(["/data", "/tmp"]);
    }
  });

  test("leave no role to nobody", () => {
    const given = deployments.flatMap((deployment) =>
      (containerOf(deployment)?.env ?? []).flatMap(({ name, value }) =>
        name === "ROLECALL_ROLES" ? (value ?? "").split(",") : [],
      ),
    );
    expect([...new Set(given)].toSorted()).toEqual([...processRoles].toSorted());
  });

  test("listen on the default ports and are probed on them", () => {
    for (const deployment of deployments) {
      const container = containerOf(deployment);
      expect(container?.ports?.map((port) => [port.name, String(port.containerPort)])).toEqual([
        ["public", settings.port.default],
        ["operator", settings.operatorPort.default],
      ]);
      const names = container?.ports?.map((port) => port.name);
      for (const probe of [
        container?.startupProbe,
        container?.livenessProbe,
        container?.readinessProbe,
      ])
        expect(names).toContain(probe?.httpGet?.port);
      expect(container?.livenessProbe?.httpGet?.path).toBe("/healthz");
      expect(container?.readinessProbe?.httpGet?.path).toBe("/readyz");
      expect(deployment.spec?.template.metadata?.annotations).toMatchObject({
        "prometheus.io/path": "/metrics",
        "prometheus.io/port": settings.operatorPort.default,
      });
    }
  });

  test("get known settings only, and secrets as files of the Secret alone", () => {
    const given = literalsOf("base", "rolecall-settings");
    for (const deployment of deployments) {
      const container = containerOf(deployment);
      const names = [...(container?.env ?? []).map(({ name }) => name), ...Object.keys(given)];
      expect(names.filter((name) => !settingNames.has(name))).toEqual([]);
      expect(names.filter((name) => secretNames.has(name))).toEqual([]);
      const folder = container?.volumeMounts?.find((mount) => mount.name === "secrets")?.mountPath;
      const files = secretItems(deployment).map((item) => `${String(folder)}/${item.path}`);
      const wanted = Object.entries(given).flatMap(([name, value]) =>
        name.endsWith("_FILE") ? [value] : [],
      );
      expect(files.toSorted()).toEqual(wanted.toSorted());
    }
  });

  test("get more time to stop than the service takes", () => {
    for (const deployment of deployments) {
      const pause = containerOf(deployment)?.lifecycle?.preStop?.sleep?.seconds ?? 0;
      // What app.ts gives requests under way, and as much again for lanes and the store.
      expect(podOf(deployment)?.terminationGracePeriodSeconds).toBeGreaterThan(pause + 2 * 10);
    }
  });

  test("mount volumes that they have, from things that an overlay makes", () => {
    for (const deployment of deployments) {
      const volumes = podOf(deployment)?.volumes ?? [];
      expect(containerOf(deployment)?.volumeMounts?.map((mount) => mount.name)).toEqual(
        volumes.map((volume) => volume.name),
      );
      const maps = [
        ...volumes.flatMap((volume) => volume.configMap?.name ?? []),
        ...(containerOf(deployment)?.envFrom ?? []).flatMap(
          (from) => from.configMapRef?.name ?? [],
        ),
      ];
      for (const overlay of overlays) {
        const made = kustomizationOf(overlay).configMapGenerator.map(({ name }) => name);
        expect(made.toSorted()).toEqual([...new Set(maps)].toSorted());
      }
    }
  });
});

describe("what stands around pods", () => {
  test("selects pods that are there", () => {
    for (const { metadata, spec } of [
      ...ofKind<PodDisruptionBudget>("PodDisruptionBudget").map((budget) => ({
        metadata: budget.metadata,
        spec: { labels: budget.spec?.selector?.matchLabels },
      })),
      ...ofKind<NetworkPolicy>("NetworkPolicy").map((policy) => ({
        metadata: policy.metadata,
        spec: { labels: policy.spec?.podSelector?.matchLabels },
      })),
      ...ofKind<Service>("Service").map((service) => ({
        metadata: service.metadata,
        spec: { labels: service.spec?.selector },
      })),
      ...deployments.map((deployment) => ({
        metadata: deployment.metadata,
        spec: { labels: deployment.spec?.selector.matchLabels },
      })),
    ]) {
      const selected = deployments.filter((deployment) => fits(spec.labels, deployment));
      expect(selected.length, metadata?.name).toBeGreaterThan(0);
    }
  });

  test("scales deployments that are there, workers by a metric that is measured", () => {
    const scalers = ofKind<HorizontalPodAutoscaler>("HorizontalPodAutoscaler");
    expect(scalers.map((scaler) => scaler.spec?.scaleTargetRef.name)).toEqual(
      deployments.map((deployment) => deployment.metadata?.name),
    );
    const metrics = scalers.flatMap((scaler) => scaler.spec?.metrics ?? []);
    const external = metrics.flatMap((metric) => metric.external?.metric.name ?? []);
    expect(external).toHaveLength(1);
    for (const name of external) expect(Object.keys(metricTable)).toContain(name);
    // An autoscaler and a fixed number would undo each other at every rollout.
    for (const deployment of deployments) expect(deployment.spec?.replicas).toBeUndefined();
  });

  test("lets nothing in or out by default, the operator's port to monitoring alone, and no vendor's call to an inner address", () => {
    const policies = ofKind<NetworkPolicy>("NetworkPolicy");
    const named = (name: string) =>
      policies.find((policy) => policy.metadata?.name === `rolecall-${name}`)?.spec;
    expect(named("nothing-else")).toMatchObject({ policyTypes: ["Ingress", "Egress"] });
    expect(named("nothing-else")?.ingress).toBeUndefined();
    const ports = (policyName: string) =>
      (named(policyName)?.ingress ?? []).flatMap((rule) => (rule.ports ?? []).map((p) => p.port));
    expect(ports("api")).toEqual(["public"]);
    expect(ports("metrics")).toEqual(["operator"]);
    const [rule] = named("vendors")?.egress ?? [];
    expect(rule?.ports).toEqual([{ protocol: "TCP", port: 443 }]);
    const except = (rule?.to ?? []).flatMap((to) => to.ipBlock?.except ?? []);
    for (const range of ["10.0.0.0/8", "169.254.0.0/16", "127.0.0.0/8", "fc00::/7", "fe80::/10"])
      expect(except).toContain(range);
  });

  test("leads from the service to the public port, and from the ingress to the service", () => {
    const [service] = ofKind<Service>("Service");
    expect(service?.spec?.ports).toEqual([{ name: "public", port: 80, targetPort: "public" }]);
    const ingress = objectsIn("overlays/production").find(
      (object) => object.kind === "Ingress",
    ) as unknown as Ingress;
    const backends = (ingress.spec?.rules ?? []).flatMap((rule) =>
      (rule.http?.paths ?? []).map((path) => path.backend.service),
    );
    expect(backends).toEqual([{ name: service?.metadata?.name, port: { name: "public" } }]);
  });
});

describe.each(overlays)("%s", (overlay) => {
  test("patches objects that are there", () => {
    const known = new Set(
      [...base, ...objectsIn(overlay)].map((o) => `${o.kind} ${o.metadata.name}`),
    );
    for (const patch of patchesIn(overlay))
      expect(known).toContain(`${patch.kind} ${patch.metadata.name}`);
  });

  test("gives an environment that the service takes", () => {
    const folder = mkdtempSync(join(tmpdir(), "rolecall-kubernetes-"));
    const contents: Readonly<Record<string, string>> = {
      "database-url": "postgres://rolecall:canary@postgres:5432/rolecall",
      "admin-token": "a".repeat(64),
      "scim-token": "s".repeat(64),
      "seal-key": "0".repeat(64),
      "kafka-password": "canary",
    };
    try {
      for (const [name, text] of Object.entries(contents)) writeFileSync(join(folder, name), text);
      const given = {
        ...literalsOf("base", "rolecall-settings"),
        ...literalsOf(overlay, "rolecall-settings"),
      };
      for (const deployment of deployments) {
        const own = (containerOf(deployment)?.env ?? []).map(({ name, value }) => [name, value]);
        const environment = { ...given, ...(Object.fromEntries(own) as Record<string, string>) };
        const local = Object.entries(environment).map(([name, value]) => [
          name,
          value.replace("/run/secrets/rolecall", folder),
        ]);
        expect(problemsOf(Object.fromEntries(local) as Record<string, string>)).toEqual([]);
      }
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test("brings mapping files that load", async () => {
    const files = kustomizationOf(overlay).configMapGenerator.flatMap(({ files }) => files ?? []);
    expect(files.length).toBeGreaterThan(1);
    const [tenant] = await loadMappings(
      join(deployFolder, folderOf(overlay), "mappings"),
      vendorFactsOf,
    );
    expect(tenant?.connections.map((connection) => connection.policy.mode)).toEqual([
      "report-only",
    ]);
  });

  const kubectl = spawnSync("kubectl", ["version", "--client"]).status === 0;
  test.skipIf(!kubectl)("renders (skipped without kubectl) to objects that fit together", () => {
    const rendered = spawnSync("kubectl", ["kustomize", join(deployFolder, folderOf(overlay))], {
      encoding: "utf8",
    });
    expect(rendered.stderr).toBe("");
    const objects = readYamlDocuments(rendered.stdout) as KubernetesObject[];
    expect(typeFaults(objects)).toEqual([]);
    const { namespace } = kustomizationOf(overlay);
    expect(new Set(objects.map((object) => object.metadata.namespace))).toEqual(
      new Set([namespace]),
    );
    const maps = objects.flatMap((o) => (o.kind === "ConfigMap" ? o.metadata.name : []));
    const running = objects.filter((o) => o.kind === "Deployment") as unknown as Deployment[];
    for (const deployment of running) {
      expect(containerOf(deployment)?.image).toMatch(/^images\.example\.com\/rolecall[:@]/);
      const named = [
        ...(podOf(deployment)?.volumes ?? []).flatMap((volume) => volume.configMap?.name ?? []),
        ...(containerOf(deployment)?.envFrom ?? []).flatMap(
          (from) => from.configMapRef?.name ?? [],
        ),
      ];
      for (const name of named) expect(maps).toContain(name);
      const mounted = secretItems(deployment).map((item) => `/run/secrets/rolecall/${item.path}`);
      const settingsMap = objects.find((o) => o.metadata.name.startsWith("rolecall-settings"));
      const files = Object.entries((settingsMap as { data?: Record<string, string> }).data ?? {});
      for (const [name, value] of files)
        if (name.endsWith("_FILE")) expect(mounted).toContain(value);
    }
  });
});
