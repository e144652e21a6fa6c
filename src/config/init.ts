import { z } from 'zod';
import { CHECKPOINT_NAMES } from '../models/checkpoint.ts';

/** What `init.encoder` says for the published file of the experiment's own encoder. */
export const IMAGENET_WEIGHTS = 'imagenet';

/** The weights that an experiment starts from: those of a run, or published ones for its encoder. */
export const initConfig = z
  .strictObject({
    /** The run whose weights to start from: its run id, its MLflow run id, or a name that one finished run has. */
    from: z.string().min(1).optional(),
    /** Of that run; left out: best-dice. */
    checkpoint: z.enum(CHECKPOINT_NAMES).optional(),
    /** A file of weights for the encoder, or `imagenet`: what `npm run weights fetch` has brought. */
    encoder: z.string().min(1).optional(),
    /** Layers that do not start from these weights, `*` for any letters; whatever else does not fit is refused. */
    skip: z.array(z.string().min(1)).min(1).optional(),
  })
  .check(({ value: { from, encoder, checkpoint }, issues }) => {
    const complain = (message: string, key?: string) =>
      void issues.push({ code: 'custom', path: key === undefined ? [] : [key], message, input: undefined });
    if ((from === undefined) === (encoder === undefined))
      complain('either from (a run) or encoder (a file of weights)');
    else if (from === undefined && checkpoint !== undefined) complain('no checkpoint beside encoder', 'checkpoint');
  })
  .overwrite((init) => {
    const { from, checkpoint = 'best-dice', ...rest } = init;
    return from === undefined ? init : { from, checkpoint, ...rest };
  });
export type InitConfig = z.infer<typeof initConfig>;
