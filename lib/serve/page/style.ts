/** The style sheet, and the policy that allows it and nothing else. */

export const STYLE = `
:root{color-scheme:light dark;--bg:#fff;--fg:#1b1f24;--dim:#5b626c;--line:#e1e4e9;--card:#f6f7f9;--link:#0a58ca;
--ok:#17734a;--warn:#945000;--bad:#bf2228;--badbg:#fff1f0;--warnbg:#fff7e8}
@media(prefers-color-scheme:dark){:root{--bg:#111315;--fg:#e9ebee;--dim:#a0a7b0;--line:#2b2f35;--card:#1a1d21;--link:#7ab8ff;
--ok:#4cc38a;--warn:#f0a41c;--bad:#ff7b80;--badbg:#2b1516;--warnbg:#29200f}}
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%;text-size-adjust:100%}
body{margin:0;background:var(--bg);color:var(--fg);font:14px/1.45 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif}
body>*{max-width:1280px;margin:0 auto;padding-left:20px;padding-right:20px}
h1{font-size:18px;margin:0}h2{font-size:15px;margin:0 0 6px}h2 small,small,.dim{color:var(--dim);font-weight:400}
p{margin:0}small{font-size:12px}a{color:var(--link)}
code,.code{font:12.5px/1.5 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;overflow-wrap:anywhere;unicode-bidi:isolate}
:focus-visible{outline:2px solid var(--link);outline-offset:1px}
.ok{color:var(--ok)}.warn{color:var(--warn)}.bad{color:var(--bad)}
.state::before{content:"";display:inline-block;width:8px;height:8px;border-radius:50%;background:currentColor;margin-right:6px}
header{padding-top:16px}
.top{display:flex;flex-wrap:wrap;gap:2px 14px;align-items:center}.top nav{margin-left:auto}
.facts{display:flex;flex-wrap:wrap;gap:2px 16px;margin:6px 0 0;padding:0;list-style:none;color:var(--dim)}.facts li{overflow-wrap:anywhere}
.why{margin-top:6px;overflow-wrap:anywhere}
.bar{display:flex;flex-wrap:wrap;gap:8px 16px;align-items:center;margin-top:12px;padding-top:10px;padding-bottom:10px;
border-top:1px solid var(--line);border-bottom:1px solid var(--line)}
nav a,nav span{display:inline-block;padding:4px 0;margin-right:14px}nav>:last-child{margin-right:0}nav a b{font-weight:400;color:var(--dim)}
form a,tbody a{display:inline-block;padding:4px 0;margin:-4px 0}
form{display:flex;gap:8px;flex:0 1 400px;align-items:center}
input,button{font:inherit;color:inherit;background:var(--card);border:1px solid #81878f;border-radius:5px;padding:5px 9px;min-width:0}
input{flex:1}::placeholder{color:var(--dim);opacity:1}
section{padding-top:20px;scroll-margin-top:4px}
.problems{list-style:none;margin:0;padding:0}
.problems li{border-left:4px solid var(--warn);background:var(--warnbg);padding:8px 12px;margin-bottom:8px;border-radius:0 5px 5px 0;overflow-wrap:anywhere}
.problems .error{border-color:var(--bad);background:var(--badbg)}
h3{font-size:14px;margin:0}.severity{color:var(--warn);border:1px solid;border-radius:4px;padding:0 6px;font-size:12px}.error .severity{color:var(--bad)}
.where{display:flex;flex-wrap:wrap;gap:0 16px;margin-top:2px;color:var(--dim);font-size:12.5px}.where code{color:var(--fg)}
table{width:100%;border-collapse:collapse}
th,td{padding:5px 14px 5px 0;border-bottom:1px solid var(--line);vertical-align:baseline;text-align:left;font-weight:400;overflow-wrap:anywhere}
th:last-child,td:last-child{padding-right:0}
thead th{color:var(--dim);font:600 12px/1.45 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif;white-space:nowrap}
.number{text-align:right;font-variant-numeric:tabular-nums}td code+small{display:block}.whole,.state,time,thead th,.state+small time{white-space:nowrap}
tbody tr:hover{background:var(--card)}
footer{padding-top:24px;padding-bottom:32px;color:var(--dim);font-size:12.5px;overflow-wrap:anywhere}
@media(max-width:760px){
body>*{padding-left:14px;padding-right:14px}nav a,nav span{padding:10px 0;margin-right:18px}form a,tbody a{padding:10px 0;margin:-4px 0}.top nav{margin-left:0;width:100%}form{flex:1 1 100%}input,button{padding:10px;font-size:16px}
table,tbody,tr,th,td{display:block}thead{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}
tr{padding:8px 0;border-bottom:1px solid var(--line)}th,td{border:0;padding:0}
tbody th{font-weight:600}td{display:inline-block;max-width:100%;margin-right:14px;vertical-align:baseline}td.none{display:none}
.number{text-align:left}.whole{white-space:normal}
td::before{content:attr(data-h) " ";content:attr(data-h) " " / "";color:var(--dim);font:12px system-ui,-apple-system,"Segoe UI",Roboto,sans-serif}}
`;

/** Headers of the page: a browser loads and runs nothing, and shows it in no frame. */
export async function pageHeaders(): Promise<Readonly<Record<string, string>>> {
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(STYLE))).toBase64();
  return {
    "content-security-policy": `default-src 'none'; style-src 'sha256-${hash}'; form-action 'self'; base-uri 'none'; ` +
      "frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cache-control": "no-store",
  };
}
