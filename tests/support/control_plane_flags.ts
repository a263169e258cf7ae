/** How etcd and kube-apiserver are started for tests: everything on loopback, everything in one folder. */
import { join } from "node:path";
import type { User } from "./control_plane.ts";
import { freePort } from "./free_port.ts";

export interface Ports {
  etcd: number;
  etcdPeer: number;
  apiServer: number;
}

export function freePorts(): Ports {
  return { etcd: freePort(), etcdPeer: freePort(), apiServer: freePort() };
}

export function tokenFile(users: User[]): string {
  return users.map(({ name, token, groups }) => `${token},${name},uid-of-${name},"${(groups ?? []).join(",")}"\n`).join(
    "",
  );
}

export function etcdFlags(dir: string, ports: Ports): string[] {
  const client = `http://127.0.0.1:${ports.etcd}`;
  const peer = `http://127.0.0.1:${ports.etcdPeer}`;
  return [
    `--data-dir=${join(dir, "etcd")}`,
    `--listen-client-urls=${client}`,
    `--advertise-client-urls=${client}`,
    `--listen-peer-urls=${peer}`,
    `--initial-advertise-peer-urls=${peer}`,
    `--initial-cluster=default=${peer}`,
    "--unsafe-no-fsync",
  ];
}

export function apiServerFlags(dir: string, ports: Ports): string[] {
  return [
    `--etcd-servers=http://127.0.0.1:${ports.etcd}`,
    `--secure-port=${ports.apiServer}`,
    "--bind-address=127.0.0.1",
    "--advertise-address=127.0.0.1",
    `--cert-dir=${dir}`,
    `--tls-cert-file=${join(dir, "serving.crt")}`,
    `--tls-private-key-file=${join(dir, "serving.key")}`,
    `--client-ca-file=${join(dir, "ca.crt")}`,
    `--token-auth-file=${join(dir, "tokens.csv")}`,
    "--authorization-mode=RBAC",
    "--disable-admission-plugins=ServiceAccount",
    "--service-account-issuer=https://kubernetes.default.svc",
    `--service-account-key-file=${join(dir, "sa.pub")}`,
    `--service-account-signing-key-file=${join(dir, "sa.key")}`,
    "--service-cluster-ip-range=10.0.0.0/24",
  ];
}
