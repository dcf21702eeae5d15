// The system's Chromium, headless.
import { accessSync, constants } from "node:fs";
import path from "node:path";
import { chromium } from "playwright-core";

const programs = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
const applications = [ // macOS
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
  "/Applications/Chromium.app/Contents/MacOS/Chromium",
];

/** The browser's program; CHROMIUM names another than the first one found. */
function program() {
  const folders = (process.env.PATH ?? "").split(path.delimiter);
  const names = process.env.CHROMIUM ? [process.env.CHROMIUM] : programs;
  const candidates = names.flatMap((name) =>
    path.isAbsolute(name) ? [name] : folders.map((folder) => path.join(folder, name)));
  const found = [...candidates, ...applications].find(executable);
  if (!found) throw new Error(`no browser: none of ${names.join(", ")} is in PATH`);
  return found;
}

function executable(file) {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

export function launch() {
  return chromium.launch({
    executablePath: program(),
    args: [
      "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
      "--disable-background-networking", "--disable-component-update", "--disable-sync",
    ],
  });
}
