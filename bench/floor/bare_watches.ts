/** Floor of many namespaces: watches by `fetch`, whose events are dropped. Its argument says how many. */
import { get } from "./in_cluster.ts";

const drop = async (reader: ReadableStreamDefaultReader<Uint8Array>) => {
  while (!(await reader.read()).done);
};
for (let open = 0; open < Number(Deno.args[0]); open++) {
  const { body } = await get("&watch=true&allowWatchBookmarks=true&timeoutSeconds=600");
  drop(body!.getReader());
}
console.log("open");
