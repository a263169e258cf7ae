/** The least that a floor needs to reach the API server. */

const env = (name: string) => Deno.env.get(name) ?? "";

const client = Deno.createHttpClient({
  caCerts: [Deno.readTextFileSync(`${env("SERVICE_ACCOUNT_DIR")}/ca.crt`)],
  http2: false,
});
const authorization = `Bearer ${Deno.readTextFileSync(`${env("SERVICE_ACCOUNT_DIR")}/token`)}`;
const server = `https://${env("KUBERNETES_SERVICE_HOST")}:${env("KUBERNETES_SERVICE_PORT")}`;
const selector = `labelSelector=${env("LABEL")}%3D${env("LABEL_VALUE")}`;

export const folder = env("FOLDER");

/** Asks for the selected ConfigMaps. */
export function get(query = ""): Promise<Response> {
  const url = `${server}/api/v1/namespaces/${env("NAMESPACE")}/configmaps?${selector}${query}`;
  return fetch(url, { headers: { authorization }, client });
}
