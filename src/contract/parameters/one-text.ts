/** Any text, once: what nothing more is known of. */
export const ONE_TEXT = {
  writing: 'text',
  explode: false,
  text: { types: ['string'] },
  schema: true,
} as const
