/** Debian's chromium, driven by playwright-core. */
import { type Browser, chromium, type Page } from "playwright-core";

const CHROMIUM = Deno.env.get("CHROMIUM") ?? "/usr/bin/chromium";

const haveChromium = await Deno.stat(CHROMIUM).then(() => true, () => false);

/** A test that is ignored where there is no chromium. */
export function browserTest(name: string, fn: () => Promise<void>): void {
  Deno.test({ name, ignore: !haveChromium, fn });
}

export interface View {
  width: 360 | 1280;
  theme: "light" | "dark";
}

/** One browser for the tests of a file. */
export async function openBrowser(): Promise<AsyncDisposable & { page(view?: Partial<View>): Promise<OpenPage> }> {
  const browser: Browser = await chromium.launch({
    executablePath: CHROMIUM,
    args: ["--no-sandbox", "--disable-dev-shm-usage"],
  });
  return {
    async page({ width = 1280, theme = "light" } = {}) {
      const context = await browser.newContext({
        viewport: { width, height: width === 360 ? 780 : 800 },
        colorScheme: theme,
        isMobile: width === 360,
        hasTouch: width === 360,
        deviceScaleFactor: 1,
      });
      const page = await context.newPage();
      const complaints: string[] = [];
      const requests: string[] = [];
      page.on("console", (message) => complaints.push(message.text()));
      page.on("pageerror", (error) => complaints.push(error.message));
      page.on("dialog", (dialog) => {
        complaints.push(`dialog: ${dialog.message()}`);
        void dialog.dismiss();
      });
      page.on("request", (request) => requests.push(request.url()));
      return { page, complaints, requests, [Symbol.asyncDispose]: () => context.close() };
    },
    [Symbol.asyncDispose]: () => browser.close(),
  };
}

export interface OpenPage extends AsyncDisposable {
  page: Page;
  /** What the browser's console says: violations of the policy, errors, dialogs. */
  complaints: string[];
  /** URLs that were loaded. */
  requests: string[];
}
