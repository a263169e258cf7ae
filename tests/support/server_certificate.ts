import { CertificateAuthority } from "./certificates.ts";
import { tempFolder } from "./disk.ts";

/** In PEM. */
export interface ServerCertificate {
  ca: string;
  cert: string;
  key: string;
}

/** A certificate for 127.0.0.1, localhost and kubernetes.default.svc, with an authority of its own. */
export async function serverCertificate(): Promise<ServerCertificate> {
  using folder = tempFolder();
  const authority = await CertificateAuthority.create(folder.path);
  await authority.serverCertificate("server");
  const read = (name: string) => Deno.readTextFile(`${folder.path}/${name}`);
  return { ca: authority.pem, cert: await read("server.crt"), key: await read("server.key") };
}
