/** What comes after the encoder, in every network: its middle, its decoder, and what reads the results off. */
const AFTER_ENCODER = /^(middle|decoder|mask_logits|presence)/;

/** Whether a layer, or a weight by its name `<layer>/<weight>`, belongs to the part that published weights are for. */
export function isEncoderLayer(name: string): boolean {
  return !AFTER_ENCODER.test(name);
}
