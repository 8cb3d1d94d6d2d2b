// What of the editor's own module the pure parts need, where there is no editor: sentences in English.

export const l10n = {
  t: (sentence: string, ...values: (string | number)[]): string => sentence.replace(/\{(\d+)\}/g, (_, n: string) => String(values[Number(n)])),
};
