/** Floor of the start: fetches the list once, whole, and writes the files. No comparison, no rename, no record, no watch. */
import { folder, get } from "./in_cluster.ts";

const { items } = await (await get()).json();
Deno.mkdirSync(folder, { recursive: true });
for (const { data } of items) {
  for (const [key, text] of Object.entries(data)) Deno.writeTextFileSync(`${folder}/${key}`, text as string);
}
