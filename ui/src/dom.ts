// A page is built from elements and text only. There is no way in this file to
// turn a string into markup, so names that clients choose stay names.

type Child = Node | string | null;
type Attributes = Record<string, string>;

/** Makes an element; strings among the children become text nodes. */
export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  for (const child of children) if (child !== null) element.append(child);
  return element;
}

/** A button that is disabled while its action runs, so that nothing is sent twice. */
export function button(text: string, attributes: Attributes, action: () => Promise<void>): HTMLButtonElement {
  const element = h("button", { type: "button", ...attributes }, text);
  element.addEventListener("click", () => void whileBusy(element, action));
  return element;
}

/** Disables all buttons around `element` until the action has ended. */
export async function whileBusy(element: HTMLElement, action: () => Promise<void>): Promise<void> {
  const scope = element.closest("section") ?? element;
  const buttons = [...scope.querySelectorAll("button")].filter((one) => !one.disabled);
  for (const one of buttons) one.disabled = true;
  try {
    await action();
  } finally {
    for (const one of buttons) one.disabled = false;
  }
}

/**
 * Replaces the page's content and moves the focus to its heading, so that a
 * screen reader announces the new view.
 */
export function show(...sections: HTMLElement[]): void {
  const page = document.getElementById("page");
  if (!page) throw new Error("the page has no main element");
  page.replaceChildren(...sections);
  const heading = page.querySelector<HTMLElement>("h1");
  if (heading) {
    heading.tabIndex = -1;
    heading.focus();
  }
}

/** An empty place for messages that screen readers announce at once. */
export function alertBox(): HTMLElement {
  return h("p", { class: "problem", role: "alert", "data-testid": "error" });
}
