// Rules for the addresses that reach a page from outside.

/**
 * The authorization_id of a query string, or null. The id becomes a segment of
 * a request path, so only the characters of the server's ids are let through:
 * "../" in a link must not choose another endpoint.
 */
export function authorizationId(search: string): string | null {
  const ids = new URLSearchParams(search).getAll("authorization_id");
  const id = ids[0] ?? "";
  return ids.length === 1 && /^[A-Za-z0-9_-]{1,128}$/.test(id) ? id : null;
}

/** An absolute https URL, or null: what a client gave us may be anything. */
export function httpsUrl(value: string | undefined): URL | null {
  const url = parse(value);
  return url?.protocol === "https:" ? url : null;
}

/** Where the browser goes afterwards, in words: host, this computer, or an app. */
export function destination(redirectUri: string): string {
  const url = parse(redirectUri);
  if (!url) return "an unknown address";
  if (url.protocol !== "https:" && url.protocol !== "http:") {
    return `an app on this device (${url.protocol}//)`;
  }
  if (["localhost", "127.0.0.1", "[::1]"].includes(url.hostname)) {
    return `this computer (${url.host})`;
  }
  return url.host;
}

// Schemes that run or show content instead of going somewhere.
const refused = new Set(["javascript:", "data:", "vbscript:", "file:", "blob:", "about:", "filesystem:"]);

/** Whether the browser may be sent to the address a response names. */
export function mayFollow(address: string): boolean {
  const url = parse(address);
  return url !== null && !refused.has(url.protocol);
}

function parse(value: string | undefined): URL | null {
  return value && URL.canParse(value) ? new URL(value) : null;
}
