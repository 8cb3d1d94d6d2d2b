// Drives one browser page by lines of JSON on stdin: [method, ...arguments], answered by [null, result] or [error].
import { createRequire } from "node:module";
import { createInterface } from "node:readline";

const { chromium } = createRequire(import.meta.url)(process.env.PLAYWRIGHT);
const args = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync"];
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM, headless: true, args });
const context = await browser.newContext({ viewport: { width: 1200, height: 760 } });
await context.route("**", (route) =>
  new URL(route.request().url()).hostname === "127.0.0.1" ? route.continue() : route.abort(),
);
const page = await context.newPage();
page.on("dialog", (dialog) => void dialog.accept());

const more = {
  texts: (selector) => page.locator(selector).allInnerTexts(),
  contents: (selector) => page.locator(selector).allTextContents(),
  labels: (selector) => page.locator(selector).evaluateAll((all) => all.map((each) => each.ariaLabel ?? "")),
  pages: () => Promise.all(page.frames().map((each) => each.evaluate("document.body?.innerText ?? ''").catch(() => ""))),
  press: (key) => page.keyboard.press(key),
  write: (text, delay) => page.keyboard.type(text, { delay: delay ?? 0 }),
};

for await (const line of createInterface({ input: process.stdin })) {
  const [method, ...rest] = JSON.parse(line);
  let answer;
  try {
    const result = await (more[method] ? more[method](...rest) : page[method](...rest));
    answer = [null, Array.isArray(result) || typeof result !== "object" ? (result ?? null) : null];
  } catch (error) {
    answer = [String(error).slice(0, 2000)];
  }
  process.stdout.write(JSON.stringify(answer) + "\n");
}
await browser.close();
