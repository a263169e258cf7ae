/** Floor of memory and of the start: a Deno process that does nothing. Says so by a line. */
Deno.stdout.writeSync(new Uint8Array([0x0a]));
setInterval(() => {}, 2 ** 30);
