/** Certificates for tests, made with the `openssl` command. */
import { join } from "node:path";

/** Paths of PEM files. */
export interface ClientCertificate {
  certFile: string;
  keyFile: string;
}

/** A certificate authority whose files live in one folder. */
export class CertificateAuthority {
  readonly #dir: string;
  /** Path of the authority's certificate, `ca.crt`. */
  readonly file: string;
  readonly pem: string;
  #issued = 0;

  private constructor(dir: string, pem: string) {
    this.#dir = dir;
    this.file = join(dir, "ca.crt");
    this.pem = pem;
  }

  static async create(dir: string): Promise<CertificateAuthority> {
    await openssl(dir, [
      ...["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=test-ca"],
      ...["-addext", "keyUsage=critical,keyCertSign,cRLSign", "-keyout", "ca.key", "-out", "ca.crt"],
    ]);
    return new CertificateAuthority(dir, await Deno.readTextFile(join(dir, "ca.crt")));
  }

  /** Writes `NAME.crt` and `NAME.key`, good for 127.0.0.1, localhost and the names a cluster's API server has. */
  async serverCertificate(name: string): Promise<void> {
    await this.#issue(name, "/CN=kube-apiserver", [
      "extendedKeyUsage=serverAuth",
      "subjectAltName=IP:127.0.0.1,DNS:localhost,DNS:kubernetes,DNS:kubernetes.default.svc",
    ]);
  }

  /** The API server takes the common name for the user, the organization for the group. */
  async clientCertificate(commonName: string, organization?: string): Promise<ClientCertificate> {
    const name = `client-${++this.#issued}`;
    const subject = (organization === undefined ? "" : `/O=${organization}`) + `/CN=${commonName}`;
    await this.#issue(name, subject, ["extendedKeyUsage=clientAuth"]);
    return { certFile: join(this.#dir, `${name}.crt`), keyFile: join(this.#dir, `${name}.key`) };
  }

  /** Writes `NAME.key` and `NAME.pub`, an RSA pair without a certificate. */
  async keyPair(name: string): Promise<void> {
    await openssl(this.#dir, ["genrsa", "-out", `${name}.key`, "2048"]);
    await openssl(this.#dir, ["rsa", "-in", `${name}.key`, "-pubout", "-out", `${name}.pub`]);
  }

  async #issue(name: string, subject: string, extensions: string[]): Promise<void> {
    const extensionFile = join(this.#dir, `${name}.ext`);
    await Deno.writeTextFile(extensionFile, extensions.join("\n"));
    await openssl(this.#dir, [
      ...["req", "-newkey", "rsa:2048", "-nodes", "-subj", subject, "-keyout", `${name}.key`, "-out", `${name}.csr`],
    ]);
    await openssl(this.#dir, [
      ...["x509", "-req", "-in", `${name}.csr`, "-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2"],
      ...["-extfile", extensionFile, "-out", `${name}.crt`],
    ]);
  }
}

async function openssl(cwd: string, args: string[]): Promise<void> {
  const { success, stderr } = await new Deno.Command("openssl", { args, cwd, stdout: "null", stderr: "piped" })
    .output();
  if (!success) throw new Error(`openssl ${args[0]} failed: ${new TextDecoder().decode(stderr)}`);
}
