// The options of the answer, as the attributes that a labeling config has for them.

const fields = () => [...document.querySelectorAll("#options [name^=sam]")];

/** {samSmooth: "3", ...}: those that are set, as they were typed. */
export function chosenOptions() {
  const set = fields().filter(({ value }) => value.trim());
  return Object.fromEntries(set.map(({ name, value }) => [name, value.trim()]));
}

/** Calls `changed()` when an option is set. */
export function startOptions(changed) {
  document.getElementById("options").addEventListener("change", () => {
    const count = Object.keys(chosenOptions()).length;
    document.getElementById("options-set").textContent = count ? `${count} set` : "";
    showRefusedOption("");
    changed();
  });
}

/** Marks the option that the server's refusal is about, and opens the options to say so there; none for "". */
export function showRefusedOption(message) {
  const refused = fields().filter(({ name, value }) => value.trim() && isAbout(message, name));
  for (const field of fields()) field.ariaInvalid = String(refused.includes(field));
  document.getElementById("refusal").textContent = refused.length ? message : "";
  if (refused.length) document.getElementById("options").open = true;
}

function isAbout(message, attribute) {
  return message.includes(`${attribute} is `) || message.startsWith(`${attribute.slice(3).toLowerCase()} is `);
}
