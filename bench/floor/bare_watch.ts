/** Floor of latency: a watch whose events become files, by way of a temporary name and nothing else. */
import { folder, get } from "./in_cluster.ts";

const { items, metadata } = await (await get()).json();
Deno.mkdirSync(folder, { recursive: true });
const write = (data: Record<string, string>) => {
  for (const [key, text] of Object.entries(data)) {
    Deno.writeTextFileSync(`${folder}/.next`, text);
    Deno.renameSync(`${folder}/.next`, `${folder}/${key}`);
  }
};
for (const { data } of items) write(data);
const { body } = await get(`&watch=true&resourceVersion=${metadata.resourceVersion}`);
let parts: string[] = [];
for await (const text of body!.pipeThrough(new TextDecoderStream())) {
  const [end = "", ...more] = text.split("\n");
  parts.push(end);
  for (const start of more) {
    write(JSON.parse(parts.join("")).object.data);
    parts = [start];
  }
}
