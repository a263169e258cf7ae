/** `k8s-sidecar remove-finalizers`: removes our finalizer from every selected object. */
import { removeFinalizers } from "../kube/finalizers/remove_finalizers.ts";
import { openClient, type OpenClientOptions } from "../sidecar/opening/open_client.ts";
import { sourcesOf } from "../sidecar/sources/sources.ts";
import { EXIT, type ExitCode } from "./exit_codes.ts";

/** @throws {CredentialsError} */
export async function runRemoveFinalizers(options: OpenClientOptions, signal: AbortSignal): Promise<ExitCode> {
  const { config, log } = options;
  const client = openClient(options, { apiRequest() {} }, { count() {} });
  try {
    const ownNamespace = await client.namespace();
    const sources = config.collections.flatMap((collection) => sourcesOf(collection.selection, ownNamespace));
    const { failed } = await removeFinalizers(client, sources, config.finalizerName, signal, log);
    return failed === 0 ? EXIT.done : EXIT.apiFailed;
  } catch (error) {
    if (signal.aborted) return EXIT.done;
    throw error;
  } finally {
    client.close();
  }
}
