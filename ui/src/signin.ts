import { alertBox, button, h, whileBusy } from "./dom";
import type { Auth } from "./project";
import { explain } from "./words";

/**
 * The sign-in and sign-up form. `done` is called when somebody has signed in;
 * `back` is where the link in a confirmation message leads.
 */
export function signInForm(auth: Auth, back: string, done: () => Promise<void>): HTMLFormElement {
  const email = h("input", {
    id: "email", name: "email", type: "email", required: "", autocomplete: "username", "data-testid": "email",
  });
  const password = h("input", {
    id: "password", name: "password", type: "password", required: "", autocomplete: "current-password",
    "data-testid": "password",
  });
  const problem = alertBox();
  const note = h("p", { class: "note", role: "status", "data-testid": "sign-in-note" });

  const say = (error: string, info = "") => {
    problem.textContent = error;
    note.textContent = info;
  };

  const signIn = async () => {
    say("");
    const { error } = await auth.signInWithPassword({ email: email.value, password: password.value });
    if (error) return say(explain(error));
    await done();
  };

  const signUp = async () => {
    if (!form.reportValidity()) return;
    say("");
    const { data, error } = await auth.signUp({
      email: email.value,
      password: password.value,
      options: { emailRedirectTo: back },
    });
    if (error) return say(explain(error));
    if (data.session) return done();
    // The same words whether or not the address has an account already.
    say("", "Look into your mailbox: we have sent you a message with a link that completes the sign-up.");
  };

  const form = h("form", { "data-testid": "sign-in-form" },
    h("label", { for: "email" }, "E-mail address"), email,
    h("label", { for: "password" }, "Password"), password,
    problem, note,
    h("div", { class: "actions" },
      h("button", { type: "submit", class: "main", "data-testid": "sign-in" }, "Sign in"),
      button("Create account", { "data-testid": "sign-up" }, signUp),
    ),
  );
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    void whileBusy(form, signIn);
  });
  return form;
}
