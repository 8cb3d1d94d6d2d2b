// A page of text and tables as HTML without scripts, in the editor's own colours.

/** HTML in which what came from outside is escaped. */
export interface Html {
  html: string;
}

const STYLE = `
body { max-width: 62em; padding: 0.5em 1.5em 2em; line-height: 1.5; }
h1 { font-size: 1.5em; font-weight: 600; } h2 { font-size: 1.15em; font-weight: 600; margin-top: 1.6em; }
.lead { font-size: 1.1em; } .note { opacity: 0.8; } .long { overflow-wrap: anywhere; }
table { border-collapse: collapse; } th, td { padding: 0.25em 0.7em; text-align: right; vertical-align: top; }
th { font-weight: 600; border-bottom: 1px solid var(--vscode-widget-border, currentColor); }
th:first-child, td:first-child, .long { text-align: left; padding-left: 0; }
pre { padding: 0.7em 1em; background: var(--vscode-textCodeBlock-background); overflow: visible; tab-size: 4; }
pre, pre code { font-family: var(--vscode-editor-font-family); font-size: var(--vscode-editor-font-size); white-space: pre-wrap; overflow-wrap: anywhere; }
`;

export function escaped(value: string): string {
  return value.replace(/[&<>"]/g, (sign) => `&#${sign.charCodeAt(0)};`);
}

/** The whole page; nothing in it runs, and nothing is fetched. */
export function page(title: string, ...parts: Html[]): Html {
  const policy = `<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">`;
  const head = `<meta charset="utf-8">${policy}<title>${escaped(title)}</title><style>${STYLE}</style>`;
  return { html: `<!DOCTYPE html><html><head>${head}</head><body><h1>${escaped(title)}</h1>${parts.map(({ html }) => html).join("\n")}</body></html>` };
}

/** A paragraph, or a heading. */
export function text(value: string, kind: "p" | "h2" | "lead" | "note" = "p"): Html {
  if (kind === "h2") return { html: `<h2>${escaped(value)}</h2>` };
  return { html: `<p${kind === "p" ? "" : ` class="${kind}"`}>${escaped(value)}</p>` };
}

/** A text to the byte. */
export function verbatim(value: string, name: string): Html {
  // A line end right behind `<pre>` would be swallowed.
  return { html: `<pre data-name="${escaped(name)}">\n${escaped(value)}</pre>` };
}

/** A table: its first column is of words, the others are of figures, the `long` ones (from 0) of words that wrap. */
export function table(head: string[], rows: string[][], long: number[] = []): Html {
  const line = (tag: string, cells: string[]) =>
    `<tr>${cells.map((cell, n) => `<${tag}${long.includes(n) ? ' class="long"' : ""}>${escaped(cell)}</${tag}>`).join("")}</tr>`;
  return { html: `<table>${line("th", head)}${rows.map((row) => line("td", row)).join("")}</table>` };
}
