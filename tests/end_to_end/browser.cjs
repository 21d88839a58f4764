// Opens a report in headless Chromium and checks what a reader gets.
//
//   NODE_PATH=target/browser/node_modules node browser.cjs REPORT [SCREENSHOTS]
//
// It exits with 77 if the browser or a package is missing, and prints each failure.
"use strict";

function load(name) {
  try {
    return require(name);
  } catch {
    console.log(`no package ${name}`);
    process.exit(77);
  }
}

const fs = require("node:fs");
const path = require("node:path");
const { pathToFileURL } = require("node:url");
const { chromium } = load("playwright-core");
const axe = load("axe-core");

const program = process.env.CHROMIUM ?? "/usr/bin/chromium";
if (!fs.existsSync(program)) {
  console.log(`no browser ${program}`);
  process.exit(77);
}

const [report, screenshots] = process.argv.slice(2);
const url = pathToFileURL(path.resolve(report)).href;
const failures = [];
const check = (isTrue, text) => {
  if (!isTrue) failures.push(text);
};

/// A page that reports whatever a report must not do.
async function open(browser, options) {
  const context = await browser.newContext(options);
  const page = await context.newPage();
  page.on("console", (message) => failures.push(`console: ${message.text()}`));
  page.on("pageerror", (error) => failures.push(`error: ${error}`));
  page.on("dialog", (dialog) => {
    failures.push(`dialog: ${dialog.message()}`);
    dialog.dismiss();
  });
  page.on("request", (request) => check(request.url() === url, `request: ${request.url()}`));
  await page.goto(url);
  return page;
}

const rowCounts = (page) =>
  page.$$eval("table", (tables) => tables.map((table) => table.tBodies[0].rows.length));

async function checkWithoutScript(browser, counts) {
  const page = await open(browser, { javaScriptEnabled: false });
  const text = await page.content();
  for (const heading of ["h-verdicts", "h-next", "h-bad", "h-affected", "h-coverage", "h-method"]) {
    check(text.includes(`id="${heading}"`), `without script: no ${heading}`);
  }
  const rows = await page.locator("tbody tr").count();
  const expected = counts.reduce((sum, count) => sum + count, 0);
  check(rows === expected, `without script: ${rows} rows instead of ${expected}`);
  check((await page.locator("button, input").count()) === 0, "without script: a dead control");
  await page.context().close();
}

async function checkSorting(page) {
  const table = page.locator("#bad table");
  if ((await table.count()) === 0 || (await table.locator("tbody tr").count()) < 2) return;
  const cells = () => table.locator("tbody tr td:first-child").allTextContents();
  const header = table.locator("th").first();
  await header.locator("button").click();
  check((await header.getAttribute("aria-sort")) === "ascending", "no ascending order");
  const sorted = await cells();
  const expected = [...sorted].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
  check(JSON.stringify(sorted) === JSON.stringify(expected), `not sorted: ${sorted}`);
  await header.locator("button").press("Enter");
  check((await header.getAttribute("aria-sort")) === "descending", "no descending order");
  check(JSON.stringify(await cells()) === JSON.stringify(expected.reverse()), "not reversed");
}

async function checkFilter(page) {
  const section = page.locator("#bad");
  const input = section.locator("input");
  if ((await input.count()) === 0) return;
  const first = await section.locator("tbody tr td:first-child code").first().textContent();
  await input.fill(first);
  const shown = await section.locator("tbody tr:visible").count();
  const all = await section.locator("tbody tr").count();
  check(shown >= 1 && shown < all, `the filter shows ${shown} of ${all} rows`);
  await input.fill("");
  check((await section.locator("tbody tr:visible").count()) === all, "the filter hides rows");
}

async function checkAccessibility(browser, colorScheme) {
  const page = await open(browser, { colorScheme });
  await page.$$eval("details", (all) => all.forEach((one) => (one.open = true)));
  await page.evaluate(axe.source);
  const found = await page.evaluate(() => axe.run());
  for (const one of found.violations) {
    const where = one.nodes.map((node) => node.target.join(" ")).slice(0, 3);
    failures.push(`axe (${colorScheme}): ${one.id}: ${one.help}: ${where.join(" | ")}`);
  }
  await page.context().close();
}

async function takeScreenshots(browser) {
  for (const [width, colorScheme] of [[390, "light"], [820, "dark"], [1360, "light"]]) {
    const page = await open(browser, { viewport: { width, height: 900 }, colorScheme });
    const wide = await page.evaluate(() => document.documentElement.scrollWidth);
    check(wide <= width, `the page is ${wide} wide in a window of ${width}`);
    if (screenshots) {
      await page.screenshot({ path: path.join(screenshots, `${width}.png`), fullPage: true });
    }
    await page.context().close();
  }
}

(async () => {
  const browser = await chromium.launch({ executablePath: program, args: ["--no-sandbox"] });
  const started = Date.now();
  const page = await open(browser, {});
  const ms = Date.now() - started;
  check(ms < 3000, `the page is usable after ${ms} ms`);
  await checkWithoutScript(browser, await rowCounts(page));
  await checkSorting(page);
  await checkFilter(page);
  await checkAccessibility(browser, "light");
  await checkAccessibility(browser, "dark");
  await takeScreenshots(browser);
  await browser.close();
  for (const failure of failures) console.log(failure);
  process.exit(failures.length === 0 ? 0 : 1);
})();
